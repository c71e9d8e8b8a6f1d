use super::*;
use crate::types::KEY_LEN;
use std::string::ToString;
use std::vec::Vec;

pub(crate) fn valid() -> Config {
    let cidr = |last| Cidr { address: Ipv4Addr::new(192, 168, 129, last), prefix_len: 24 };
    Config {
        gateway: Some(cidr(1).address),
        model: Model::Ucm6304A,
        firmware: Firmware([1, 0, 10, 2]),
        ..Config::new(
            StationType::Primary,
            MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x72]),
            MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x73]),
            cidr(42),
            cidr(64),
            cidr(43).address,
        )
    }
}

fn problems(change: impl FnOnce(&mut Config)) -> Vec<ConfigError> {
    let mut config = valid();
    change(&mut config);
    let mut found = Vec::new();
    let valid = config.check(|error| found.push(error));
    assert_eq!(valid, found.is_empty());
    assert_eq!(config.validate().err(), found.first().copied());
    found
}

#[test]
fn a_complete_configuration_is_valid() {
    assert_eq!(problems(|_| {}), []);
}

#[test]
fn every_bad_value_is_named() {
    use ConfigError as E;
    type Change = fn(&mut Config);
    let cases: [(Change, ConfigError); 23] = [
        (|c| c.mac = MacAddr([0; 6]), E::MacNotUnicast),
        (|c| c.cable_mac = MacAddr([1, 0, 0, 0, 0, 1]), E::CableMacNotUnicast),
        (|c| c.peer_mac = Some(c.mac), E::PeerMacIsOwn),
        (|c| c.heartbeat_port = 0, E::PortZero),
        (|c| c.heartbeat_timeout_s = 2, E::TimeoutOutOfRange),
        (|c| c.heartbeat_timeout_s = 11, E::TimeoutOutOfRange),
        (|c| c.cluster_ip.prefix_len = 33, E::PrefixOutOfRange),
        (|c| c.cluster_ip.prefix_len = 0, E::PrefixOutOfRange),
        (|c| c.own_ip.address = Ipv4Addr::UNSPECIFIED, E::OwnIpUnset),
        (|c| c.cluster_ip.address = Ipv4Addr::UNSPECIFIED, E::ClusterIpUnset),
        (|c| c.peer_ip = Ipv4Addr::UNSPECIFIED, E::PeerIpUnset),
        (|c| c.own_ip.address = Ipv4Addr::new(192, 168, 129, 255), E::OwnIpUnusable),
        (|c| c.cluster_ip.address = c.own_ip.address, E::ClusterIpIsOwn),
        (|c| c.cluster_ip.address = c.peer_ip, E::ClusterIpIsPeer),
        (|c| c.cluster_ip.address = Ipv4Addr::new(192, 168, 130, 64), E::ClusterIpOutsideLan),
        (|c| c.cluster_ip.address = Ipv4Addr::new(192, 168, 129, 0), E::ClusterIpOutsideLan),
        (|c| c.peer_ip = c.own_ip.address, E::PeerIpIsOwn),
        (|c| c.peer_ip = Ipv4Addr::new(10, 0, 0, 1), E::PeerIpOutsideLan),
        (|c| c.gateway = Some(c.peer_ip), E::GatewayIsNode),
        (|c| c.gateway = Some(Ipv4Addr::new(10, 0, 0, 1)), E::GatewayOutsideLan),
        (|c| c.firmware = Firmware([1, 0, 8, 255]), E::FirmwareTooOld),
        (|c| c.fault.switching = Faults::FXO5, E::NoSuchFxoPort),
        (|c| c.fault.handover_budget = 9, E::BudgetTooHigh),
    ];
    for (change, error) in cases {
        assert_eq!(problems(change), [error]);
        assert!(error.to_string().starts_with(error.field()), "{error}");
    }
}

#[test]
fn addresses_that_are_not_set_are_each_told_once() {
    let nowhere = Cidr { address: Ipv4Addr::UNSPECIFIED, prefix_len: 24 };
    let found = problems(|c| (c.own_ip, c.cluster_ip, c.peer_ip) = (nowhere, nowhere, nowhere.address));
    assert_eq!(found, [ConfigError::OwnIpUnset, ConfigError::ClusterIpUnset, ConfigError::PeerIpUnset]);
}

#[test]
fn all_problems_are_reported_not_only_the_first() {
    let found = problems(|c| {
        c.heartbeat_port = 0;
        c.heartbeat_timeout_s = 0;
        c.fault.handover_window_s = 0;
    });
    assert_eq!(found, [ConfigError::PortZero, ConfigError::TimeoutOutOfRange, ConfigError::WindowZero]);
}

#[test]
fn an_fxo_switch_is_valid_on_every_port_that_the_model_has() {
    for model in Model::ALL {
        for port in 0..8_u32 {
            let found = problems(|c| {
                c.model = model;
                c.fault.switching = Faults::from_bits_truncate(1 << port);
            });
            assert_eq!(found.is_empty(), port < u32::from(model.fxo_ports()), "{} port {}", model.name(), port + 1);
        }
    }
}

#[test]
fn settings_that_must_match_change_the_digest_and_others_do_not() {
    let digest = |change: fn(&mut Config)| {
        let mut config = valid();
        change(&mut config);
        config.digest()
    };
    let must_match: [fn(&mut Config); 8] = [
        |c| c.cluster_ip.address = Ipv4Addr::new(192, 168, 129, 65),
        |c| c.cluster_ip.prefix_len = 25,
        |c| c.heartbeat_port = 9528,
        |c| c.heartbeat_timeout_s = 3,
        |c| c.fast_failover = false,
        |c| c.network_method = NetworkMethod::Router,
        |c| c.fault.switching = Faults::FXO1,
        |c| c.gateway = None,
    ];
    for change in must_match {
        assert_ne!(digest(change), valid().digest());
    }
    let may_differ: [fn(&mut Config); 4] = [
        |c| c.station_type = StationType::Secondary,
        |c| c.own_ip.address = Ipv4Addr::new(192, 168, 129, 44),
        |c| c.firmware = Firmware([1, 0, 10, 3]),
        |c| c.key = Some(Key([1; KEY_LEN])),
    ];
    for change in may_differ {
        assert_eq!(digest(change), valid().digest());
    }
}
