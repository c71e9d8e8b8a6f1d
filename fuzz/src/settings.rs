//! Settings of the node that is fuzzed, and of its peer.

use crate::script::Script;
use core::net::Ipv4Addr;
use ucm_ha::Config;
use ucm_ha::fault::Faults;
use ucm_ha::types::{Cidr, Firmware, KEY_LEN, Key, MacAddr, Model, NetworkMethod, StationType};

/// The node's LAN address.
pub const OWN_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);
/// The peer's LAN address.
pub const PEER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 12);
/// What the active owns.
pub const CLUSTER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
/// The gateway, where there is one.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The node's identity.
pub const OWN_MAC: MacAddr = MacAddr([2, 0, 0, 0, 10, 1]);
/// Its heartbeat port.
pub const CABLE_MAC: MacAddr = MacAddr([2, 0, 0, 0, 10, 2]);
/// The peer's identity.
pub const PEER_MAC: MacAddr = MacAddr([2, 0, 0, 0, 12, 1]);
/// The boot of the node.
pub const BOOT_ID: u32 = 7;
/// The pair's key, where there is one.
pub const KEY: Key = Key([0x5a; KEY_LEN]);

const PREFIX_LEN: u8 = 24;

/// Valid settings, of which the script chooses those that matter most.
pub fn config(script: &mut Script<'_>) -> Config {
    let bits = script.byte();
    let bit = |number: u8| bits & (1 << number) != 0;
    let station_type = if bit(0) { StationType::Secondary } else { StationType::Primary };
    let cidr = |address| Cidr { address, prefix_len: PREFIX_LEN };
    let mut config = Config::new(station_type, OWN_MAC, CABLE_MAC, cidr(OWN_IP), cidr(CLUSTER_IP), PEER_IP);
    config.enabled = bits != 0xff;
    config.peer_mac = bit(1).then_some(PEER_MAC);
    config.heartbeat_timeout_s = if bit(2) { 10 } else { 3 };
    config.fast_failover = bit(3);
    config.gateway = bit(4).then_some(GATEWAY);
    config.key = bit(5).then_some(KEY);
    config.network_method = if bit(6) { NetworkMethod::Router } else { NetworkMethod::Switch };
    config.model = Model::Ucm6304A;
    config.firmware = Firmware([1, 0, 10, 2]);
    config.fault.switching = Faults::FXO1.union(Faults::SERVICE);
    config
}
