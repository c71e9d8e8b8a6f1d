use super::*;
use std::string::ToString;
use ucm_ha::types::KEY_LEN;

const MAC: MacAddr = MacAddr([0x52, 0x54, 0, 0, 0, 1]);
const LEAST: &str =
    "station_type=secondary own_ip=192.168.129.43/24 cluster_ip=192.168.129.64/24 peer_ip=192.168.129.42";

fn problem(line: &str) -> std::string::String {
    parse(line, MAC).expect_err("the line is refused").to_string()
}

#[test]
fn the_least_that_must_be_given_is_enough() {
    let settings = parse(LEAST, MAC).unwrap();
    assert_eq!(settings.config.station_type, StationType::Secondary);
    assert_eq!(settings.config.own_ip.to_string(), "192.168.129.43/24");
    assert_eq!(settings.config.cluster_ip.to_string(), "192.168.129.64/24");
    assert_eq!(settings.config.peer_ip.to_string(), "192.168.129.42");
    assert_eq!((settings.config.heartbeat_port, settings.config.heartbeat_timeout_s), (9527, 7));
    assert_eq!((settings.config.mac, settings.record), (MAC, ""));
    assert_ne!(settings.config.cable_mac, MAC);
}

#[test]
fn everything_that_is_given_is_taken() {
    let line = std::format!(
        "{LEAST} peer_mac=C0:74:AD:53:73:6C gateway=192.168.129.1 heartbeat_port=1000 heartbeat_timeout=3 \
         fast_failover=false software_fault_switch=true hardware_fault_switch=FXO1,FXO8 key={} model=UCM6308 \
         firmware=1.0.9.7 record=/tmp/a",
        "0f".repeat(32)
    );
    let Settings { config, record } = parse(&line, MAC).unwrap();
    assert_eq!(config.peer_mac, Some(MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6c])));
    assert_eq!(config.gateway, Some(Ipv4Addr::new(192, 168, 129, 1)));
    assert_eq!((config.heartbeat_port, config.heartbeat_timeout_s, config.fast_failover), (1000, 3, false));
    assert_eq!(config.fault.switching, Faults::SERVICE | Faults::FXO1 | Faults::FXO8);
    assert_eq!(config.key.map(|key| key.0), Some([0x0f; KEY_LEN]));
    assert_eq!((config.model, config.firmware), (Model::Ucm6308, Firmware([1, 0, 9, 7])));
    assert_eq!(record, "/tmp/a");
}

#[test]
fn a_missing_setting_is_named() {
    for key in ["station_type", "own_ip", "cluster_ip", "peer_ip"] {
        let rest = LEAST.split(' ').filter(|word| !word.starts_with(key));
        let line = rest.collect::<std::vec::Vec<_>>().join(" ");
        assert_eq!(problem(&line), std::format!("{key}: is missing; give it"));
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_value_and_the_right_form() {
    for (word, said) in [
        ("station_type=both", "station_type = both: must be primary or secondary"),
        ("peer_ip=192.168.129", "peer_ip = 192.168.129: must be an IPv4 address"),
        ("heartbeat_port=65536", "heartbeat_port = 65536: must be 1 to 65535"),
        ("peer_mac=C074AD53736", "peer_mac = C074AD53736: must be six pairs of hex digits"),
        ("peer_mac=C074AD53736Cff", "peer_mac = C074AD53736Cff: must be six pairs of hex digits"),
        ("hardware_fault_switch=LAN", "hardware_fault_switch = LAN: must be FXO ports, as FXO1,FXO2"),
        ("firmware=1.0.9.0.1", "firmware = 1.0.9.0.1: must be a version, as 1.0.10.2"),
        (
            "own_ip=192.168.129.43",
            "own_ip = 192.168.129.43: must be an IPv4 address with its prefix length, as 192.168.129.42/24",
        ),
        ("fast_failover", "fast_failover: is not key=value"),
        ("failover=true", "failover: is not a setting"),
    ] {
        assert_eq!(problem(&std::format!("{LEAST} {word}")), said);
    }
}

#[test]
fn the_cores_rules_are_checked() {
    let line = LEAST.replace("cluster_ip=192.168.129.64", "cluster_ip=192.168.129.43");
    assert_eq!(problem(&line), "cluster_ip: is this node's own address; choose a free one of the LAN");
}

#[test]
fn a_secret_is_not_said() {
    let said = problem(&std::format!("{LEAST} key=5ec8e7"));
    assert_eq!(said, "key: must be 64 hex digits");
}
