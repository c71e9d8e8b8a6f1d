//! The sections of the configuration file, one function each.

use super::reader::Reader;
use super::tables::{
    DaemonSettings, Device, Fault, Ha, Network, Notify, NotifyTarget, Paths, PidSource, Probe, Service,
};
use super::template::Template;
use super::values as v;
use crate::realtime::{DEFAULT_PRIORITY, PRIORITIES};
use crate::text::repeated;
use std::net::Ipv4Addr;
use ucm_ha::config::{ConfigError, DEFAULT_HEARTBEAT_PORT, FaultPolicy, MAX_HANDOVER_BUDGET};
use ucm_ha::fault::Faults;
use ucm_ha::pace::{DEFAULT_HEARTBEAT_TIMEOUT_S, MAX_HEARTBEAT_TIMEOUT_S, MIN_HEARTBEAT_TIMEOUT_S};

/// Longest time span that a setting takes, in ms.
const MAX_SPAN_MS: i64 = 600_000;
/// How long a bad FXO port must stay bad to be a fault, in ms, where the file does not say.
const DEFAULT_FXO_RAISE_MS: u32 = 300;
/// And good, to be none any more.
const DEFAULT_FXO_CLEAR_MS: u32 = 2000;
/// Shortest time to wait for a program, in ms.
const SHORTEST_WAIT_MS: i64 = 100;
/// How long a receiver of events may take unless it is set, in ms.
const DEFAULT_NOTIFY_TIMEOUT_MS: u32 = 5000;
/// Time between the end of a probe and the next one, unless set, in ms.
const PROBE_INTERVAL_MS: u32 = 1000;
/// How long a probe may take, unless set, in ms.
const PROBE_TIMEOUT_MS: u32 = 1000;

fn span_ms(shortest: i64) -> impl FnOnce(&toml::Value) -> Result<u32, String> {
    v::number(shortest..=MAX_SPAN_MS, "milliseconds")
}

pub(super) fn ha(mut r: Reader<'_>) -> Option<Ha> {
    let enable = r.or("enable", false, v::boolean);
    let station_type = r.mandatory("station_type", "\"primary\" or \"secondary\"", v::station_type);
    let cluster_ip = r.mandatory("cluster_ip", "a free address of the LAN", v::ipv4_with_prefix);
    let peer_ip = r.mandatory("peer_ip", "the other node's static LAN address", v::ipv4);
    if let (Some((cluster, _)), Some(peer)) = (cluster_ip, peer_ip)
        && cluster == peer
    {
        r.refuse("cluster_ip", ConfigError::ClusterIpIsPeer.reason());
    }
    let peer_mac = r.optional("peer_mac", v::mac);
    let heartbeat_port = r.or("heartbeat_port", DEFAULT_HEARTBEAT_PORT, v::number(1..=65_535, ""));
    let timeout_range = i64::from(MIN_HEARTBEAT_TIMEOUT_S)..=i64::from(MAX_HEARTBEAT_TIMEOUT_S);
    let heartbeat_timeout_s =
        r.or("heartbeat_timeout", DEFAULT_HEARTBEAT_TIMEOUT_S, v::number(timeout_range, "seconds"));
    let software_fault_switch = r.or("software_fault_switch", false, v::boolean);
    let hardware_fault_switch = r.or("hardware_fault_switch", Faults::empty(), fxo_ports);
    let fast_failover = r.or("fast_failover", true, v::boolean);
    let key_file = r.optional("key_file", v::absolute_path);
    let allow_unauthenticated = r.or("allow_unauthenticated", false, v::boolean);
    r.finish();
    Some(Ha {
        enable,
        station_type: station_type?,
        cluster_ip: cluster_ip?,
        peer_ip: peer_ip?,
        peer_mac,
        heartbeat_port,
        heartbeat_timeout_s,
        software_fault_switch,
        hardware_fault_switch,
        fast_failover,
        key_file,
        allow_unauthenticated,
    })
}

/// `["FXO1", …]` as fault bits. Whether the model has the ports is a question for later.
fn fxo_ports(value: &toml::Value) -> Result<Faults, String> {
    let ports = v::list(|name| {
        let known = Faults::FXO.iter_names().find(|(known, _)| *known == name);
        let unknown = || format!("\"{}\" is not a port; write \"FXO1\" to \"FXO8\"", repeated(name));
        known.map(|(_, port)| port).ok_or_else(unknown)
    })(value)?;
    Ok(ports.into_iter().collect())
}

/// What of `[ha]` a gateway is compared with.
pub(super) struct PairAddresses {
    pub(super) cluster: Option<Ipv4Addr>,
    pub(super) peer: Option<Ipv4Addr>,
}

pub(super) fn network(mut r: Reader<'_>, pair: &PairAddresses) -> Option<Network> {
    let method = r.mandatory("method", "\"switch\" or \"router\"", v::network_method);
    let lan = r.mandatory("lan_interface", "the interface of the LAN, as in \"eth0\"", v::interface);
    let wan = r.optional("wan_interface", v::interface);
    let heartbeat =
        r.mandatory("heartbeat_interface", "the interface of the heartbeat cable, as in \"eth1\"", v::interface);
    if heartbeat.is_some() && heartbeat == lan {
        r.refuse("heartbeat_interface", "is the LAN interface too; the heartbeat needs a port of its own");
    }
    if wan.is_some() && (wan == lan || wan == heartbeat) {
        r.refuse("wan_interface", "is used for something else too; give the WAN port, or leave it out");
    }
    let gateway = r.optional("gateway", v::ipv4);
    if gateway.is_some() && (gateway == pair.cluster || gateway == pair.peer) {
        r.refuse("gateway", ConfigError::GatewayIsNode.reason());
    }
    let own_ip = r.optional("own_ip", v::ipv4);
    if own_ip.is_some() && (own_ip == pair.cluster || own_ip == pair.peer) {
        r.refuse("own_ip", "is the cluster IP or the peer's address; give this node's static address");
    }
    r.finish();
    Some(Network {
        method: method?,
        lan_interface: lan?,
        wan_interface: wan,
        heartbeat_interface: heartbeat?,
        gateway,
        own_ip,
    })
}

pub(super) fn device(mut r: Reader<'_>) -> Option<Device> {
    let model = r.mandatory("model", "the model's name, as in \"UCM6304A\"", v::model);
    let firmware = r.mandatory("firmware", "the firmware version, as in \"1.0.10.2\"", v::firmware);
    r.finish();
    Some(Device { model: model?, firmware: firmware? })
}

pub(super) fn paths(mut r: Reader<'_>) -> Paths {
    let default = Paths::default();
    let state_dir = r.or("state_dir", default.state_dir, v::absolute_path);
    let run_dir = r.or("run_dir", default.run_dir, v::absolute_path);
    r.finish();
    Paths { state_dir, run_dir }
}

pub(super) fn daemon(mut r: Reader<'_>) -> DaemonSettings {
    let range = i64::from(*PRIORITIES.start())..=i64::from(*PRIORITIES.end());
    let realtime_priority = r.or("realtime_priority", DEFAULT_PRIORITY, v::number(range, ""));
    r.finish();
    DaemonSettings { realtime_priority }
}

pub(super) fn fault(mut r: Reader<'_>) -> Fault {
    let policy = FaultPolicy::default();
    let fxo_raise_ms = r.or("fxo_raise_ms", DEFAULT_FXO_RAISE_MS, span_ms(0));
    let fxo_clear_ms = r.or("fxo_clear_ms", DEFAULT_FXO_CLEAR_MS, span_ms(0));
    let link_raise_ms = r.or("link_raise_ms", policy.link_raise_ms, span_ms(0));
    let link_clear_ms = r.or("link_clear_ms", policy.link_clear_ms, span_ms(0));
    let handover_budget =
        r.or("handover_budget", policy.handover_budget, v::number(0..=i64::from(MAX_HANDOVER_BUDGET), ""));
    let handover_window_s =
        r.or("handover_window_s", policy.handover_window_s, v::number(1..=i64::from(u32::MAX), "seconds"));
    let reboot_command = r.or("reboot_command", String::new(), |value| v::text(value).map(str::to_owned));
    r.finish();
    Fault {
        policy: FaultPolicy { link_raise_ms, link_clear_ms, handover_budget, handover_window_s, ..policy },
        fxo_raise_ms,
        fxo_clear_ms,
        reboot_command,
    }
}

pub(super) fn service(mut r: Reader<'_>) -> Option<Service> {
    let name = r.mandatory("name", "the service's name, as in \"asterisk\"", v::service_name);
    let pid_source = pid_source(&mut r);
    let kick_timeout_ms = r.optional("kick_timeout_ms", span_ms(SHORTEST_WAIT_MS));
    let start_timeout_ms = r.optional("start_timeout_ms", span_ms(SHORTEST_WAIT_MS));
    if r.has("start_timeout_ms") && !r.has("pid_file") && !r.has("unit") && !r.has("kick_timeout_ms") {
        r.refuse("start_timeout_ms", "has no use without pid_file, unit or kick_timeout_ms; set one or remove this");
    }
    let command = r.optional("probe", v::command);
    let interval_ms = r.or("probe_interval_ms", PROBE_INTERVAL_MS, span_ms(SHORTEST_WAIT_MS));
    let timeout_ms = r.or("probe_timeout_ms", PROBE_TIMEOUT_MS, span_ms(SHORTEST_WAIT_MS));
    for key in ["probe_interval_ms", "probe_timeout_ms"] {
        if r.has(key) && !r.has("probe") {
            r.refuse(key, "has no use without probe; set probe or remove this");
        }
    }
    r.finish();
    let probe = command.map(|command| Probe { command, interval_ms, timeout_ms });
    Some(Service { name: name?, pid_source, kick_timeout_ms, start_timeout_ms, probe })
}

fn pid_source(r: &mut Reader<'_>) -> Option<PidSource> {
    let pid_file = r.optional("pid_file", v::absolute_path).map(PidSource::PidFile);
    let unit = r.optional("unit", v::unit_cgroup).map(PidSource::Unit);
    if r.has("pid_file") && r.has("unit") {
        r.refuse("unit", "contradicts pid_file; remove one of them");
    }
    pid_file.or(unit)
}

/// One `[[notify]]`, which stands at `key`.
pub(super) fn notify(mut r: Reader<'_>, key: String) -> Option<Notify> {
    let command = r.optional("command", v::command);
    let user = r.optional("user", |value| v::text(value).map(str::to_owned));
    let url = r.optional("url", v::http_url);
    let template = r.optional("template", |value| Template::parse(v::text(value)?));
    let timeout_ms = r.or("timeout_ms", DEFAULT_NOTIFY_TIMEOUT_MS, span_ms(SHORTEST_WAIT_MS));
    match (r.has("command"), r.has("url")) {
        (true, true) => r.refuse("url", "contradicts command; use one [[notify]] for each"),
        (false, false) => r.refuse("command", "is missing; set command or url"),
        (true, false) if r.has("template") => r.refuse("template", "has no use without url; remove it"),
        (false, true) if r.has("user") => r.refuse("user", "has no use without command; remove it"),
        (false, true) => r.require("template", "the text to send to url"),
        (true, false) => {}
    }
    r.finish();
    let target = match command {
        Some(words) => NotifyTarget::Command { words, user },
        None => NotifyTarget::Http { url: url?, template: template? },
    };
    Some(Notify { key, timeout_ms, target })
}
