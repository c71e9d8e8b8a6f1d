//! What a configuration file says, read once more from the words of the contract and not by the code that is fuzzed.

use std::collections::BTreeSet;
use toml::{Table, Value};
use ucm_ha::Config;
use ucm_ha::fault::Faults;
use ucm_ha::types::{NetworkMethod, StationType};

/// How a problem with an unknown key begins.
pub(super) const UNKNOWN: &str = "is not a setting";

/// The sections and their settings.
const KNOWN: [(&str, &[&str]); 9] = [
    (
        "ha",
        &[
            "enable",
            "station_type",
            "cluster_ip",
            "peer_ip",
            "peer_mac",
            "heartbeat_port",
            "heartbeat_timeout",
            "software_fault_switch",
            "hardware_fault_switch",
            "fast_failover",
            "key_file",
            "allow_unauthenticated",
        ],
    ),
    ("network", &["method", "lan_interface", "wan_interface", "heartbeat_interface", "gateway", "own_ip"]),
    ("device", &["model", "firmware"]),
    ("paths", &["state_dir", "run_dir"]),
    ("daemon", &["realtime_priority"]),
    (
        "fault",
        &[
            "fxo_raise_ms",
            "fxo_clear_ms",
            "link_raise_ms",
            "link_clear_ms",
            "handover_budget",
            "handover_window_s",
            "reboot_command",
        ],
    ),
    ("fxo", &["driver", "spi", "framing", "lines", "sim"]),
    (
        "service",
        &[
            "name",
            "pid_file",
            "unit",
            "kick_timeout_ms",
            "start_timeout_ms",
            "probe",
            "probe_interval_ms",
            "probe_timeout_ms",
        ],
    ),
    ("notify", &["command", "user", "url", "template", "timeout_ms"]),
];
/// Entries of a list of sections that are read.
const MAX_ENTRIES: usize = 32;

/// The file as TOML.
pub(super) struct Written(Table);

impl Written {
    pub(super) fn of(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// How many keys the contract does not have.
    pub(super) fn unknown_keys(&self) -> usize {
        let sections = self.0.iter().map(|(name, section)| {
            let Some((_, known)) = KNOWN.iter().find(|(known, _)| known == name) else { return 1 };
            let listed = matches!(name.as_str(), "service" | "notify");
            let tables: Option<Vec<&Table>> = match section {
                Value::Table(table) if !listed => Some(vec![table]),
                Value::Array(tables) if listed => tables.iter().map(Value::as_table).collect(),
                _ => None,
            };
            let tables = tables.into_iter().flatten().take(MAX_ENTRIES);
            tables.flat_map(Table::keys).filter(|key| !known.contains(&key.as_str())).count()
        });
        sections.sum()
    }

    fn at(&self, section: &str, key: &str) -> Option<&Value> {
        self.0.get(section)?.get(key)
    }

    fn text(&self, section: &str, key: &str) -> Option<&str> {
        self.at(section, key).map(|value| value.as_str().expect("a string"))
    }

    fn flag(&self, section: &str, key: &str, default: bool) -> bool {
        self.at(section, key).map_or(default, |value| value.as_bool().expect("true or false"))
    }

    fn number(&self, section: &str, key: &str, default: i64) -> i64 {
        self.at(section, key).map_or(default, |value| value.as_integer().expect("a whole number"))
    }

    /// What was accepted is what stands here.
    pub(super) fn compare(&self, config: &Config) {
        self.compare_ha(config);
        self.compare_addresses(config);
        self.compare_faults(config);
        assert_eq!(self.text("device", "model"), Some(config.model.name()));
        let firmware: Vec<u8> =
            self.text("device", "firmware").unwrap_or_default().split('.').flat_map(str::parse).collect();
        assert_eq!(firmware, config.firmware.0);
        assert!(firmware >= vec![1, 0, 9, 0], "{firmware:?} is too old");
    }

    fn compare_ha(&self, config: &Config) {
        let station_type = match config.station_type {
            StationType::Primary => "primary",
            StationType::Secondary => "secondary",
        };
        let method = match config.network_method {
            NetworkMethod::Switch => "switch",
            NetworkMethod::Router => "router",
        };
        assert_eq!(self.text("ha", "station_type"), Some(station_type));
        assert_eq!(self.text("network", "method"), Some(method));
        assert!(
            config.key.is_some() || self.flag("ha", "allow_unauthenticated", false),
            "no key, and nobody wants that"
        );
        assert_eq!(config.enabled, self.flag("ha", "enable", false));
        assert_eq!(config.fast_failover, self.flag("ha", "fast_failover", true));
        assert_eq!(i64::from(config.heartbeat_port), self.number("ha", "heartbeat_port", 9527));
        assert_eq!(i64::from(config.heartbeat_timeout_s), self.number("ha", "heartbeat_timeout", 7));
        assert!(config.heartbeat_port != 0 && (3..=10).contains(&config.heartbeat_timeout_s), "{config:?}");
    }

    fn compare_addresses(&self, config: &Config) {
        let cluster_ip = self.text("ha", "cluster_ip").unwrap_or_default();
        let (address, prefix) = cluster_ip.split_once('/').unwrap_or((cluster_ip, "24"));
        assert_eq!(address, config.cluster_ip.address.to_string());
        assert_eq!(prefix.parse(), Ok(config.cluster_ip.prefix_len));
        assert_eq!(self.text("ha", "peer_ip"), Some(&*config.peer_ip.to_string()));
        assert_eq!(self.text("network", "gateway").map(str::to_owned), config.gateway.map(|ip| ip.to_string()));
        let peer_mac = self.text("ha", "peer_mac").map(|mac| mac.replace(':', "").to_lowercase());
        assert_eq!(peer_mac, config.peer_mac.map(|mac| mac.0.map(|byte| format!("{byte:02x}")).concat()));
    }

    fn compare_faults(&self, config: &Config) {
        let ports = self.at("ha", "hardware_fault_switch").and_then(Value::as_array).into_iter().flatten();
        let mut switching: BTreeSet<&str> = ports.filter_map(Value::as_str).collect();
        if self.flag("ha", "software_fault_switch", false) {
            switching.insert("SERVICE");
        }
        assert_eq!(switching, config.fault.switching.iter_names().map(|(name, _)| name).collect());
        let fxo_ports = usize::from(config.model.fxo_ports());
        assert!(Faults::FXO.iter().skip(fxo_ports).all(|port| !config.fault.switching.contains(port)), "{switching:?}");
        let fault = &config.fault;
        assert_eq!(i64::from(fault.link_raise_ms), self.number("fault", "link_raise_ms", 50));
        assert_eq!(i64::from(fault.link_clear_ms), self.number("fault", "link_clear_ms", 1000));
        assert_eq!(i64::from(fault.handover_budget), self.number("fault", "handover_budget", 2));
        assert_eq!(i64::from(fault.handover_window_s), self.number("fault", "handover_window_s", 3600));
        assert!(fault.handover_budget <= 8, "{fault:?}");
    }
}
