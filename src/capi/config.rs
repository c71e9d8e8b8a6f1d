//! Settings, and the record that survives a restart.

use super::memory::{self, Plain};
use super::numbered::Numbered;
use super::result::{Failure, code};
use super::values::{self, UCM_HA_METHOD_SWITCH, UCM_HA_MODEL_UCM6302, UCM_HA_STATION_PRIMARY};
use crate::config::{Config, DEFAULT_HEARTBEAT_PORT, FaultPolicy};
use crate::io::Record;
use crate::pace::DEFAULT_HEARTBEAT_TIMEOUT_S;
use crate::types::{Cidr, Firmware, Key, MacAddr, Model, NetworkMethod, StationType};
use core::net::Ipv4Addr;

/// Length of the pre-shared key, in bytes.
pub const UCM_HA_KEY_LEN: usize = 32;
const _: () = assert!(UCM_HA_KEY_LEN == crate::types::KEY_LEN);

/// An IPv4 address, in the order in which it is written: 192.168.1.2 is {192, 168, 1, 2}.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_ipv4 {
    /// The four numbers.
    pub octets: [u8; 4],
}

/// An Ethernet (MAC) address, in the order in which it is written and sent.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_mac {
    /// The six bytes.
    pub octets: [u8; 6],
}

/// Everything a node has to know. Fill it with ucm_ha_config_defaults, then set what is yours. Truth values are 0 or 1.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ucm_ha_config {
    /// Faults that cause a handover besides LAN, WAN and gateway: UCM_HA_FAULT_FXO1 to UCM_HA_FAULT_FXO8 for the hardware
    /// fault switch, UCM_HA_FAULT_SERVICE for the software fault switch. Default: none.
    pub switching_faults: u32,
    /// How long the LAN or WAN carrier must be gone to raise its fault, in ms. Default: 50.
    pub link_raise_ms: u32,
    /// How long it must be back to clear it, in ms. Default: 1000.
    pub link_clear_ms: u32,
    /// Length of the window in which handovers for own faults are counted, in seconds, at least 1. Default: 3600.
    pub handover_window_s: u32,
    /// UDP port of the heartbeat, 1 to 65535. Default: 9527.
    pub heartbeat_port: u16,
    /// UCM_HA_MODEL_*. Default: UCM6302.
    pub model: u16,
    /// High availability on? A node that is off holds nothing and tells its peer so. Default: 1.
    pub enabled: u8,
    /// UCM_HA_STATION_*, a different one on each node. Default: primary.
    pub station_type: u8,
    /// UCM_HA_METHOD_*. Default: switch.
    pub network_method: u8,
    /// Heartbeat timeout T in seconds, 3 to 10. Default: 7.
    pub heartbeat_timeout_s: u8,
    /// Take over within 500 ms when the active's machine is gone; has no effect without a gateway. Default: 1.
    pub fast_failover: u8,
    /// Handovers for own faults in one window, 0 to 8, after which they are only made where the node serves nobody, and without
    /// a reboot. Default: 2.
    pub handover_budget: u8,
    /// Prefix length of the LAN in bits, 1 to 32. Default: 24.
    pub own_prefix_len: u8,
    /// Prefix length of the cluster IP in bits, 1 to 32. Default: 24.
    pub cluster_prefix_len: u8,
    /// Own static address on the LAN. No default.
    pub own_ip: ucm_ha_ipv4,
    /// The cluster IP that the active owns. No default.
    pub cluster_ip: ucm_ha_ipv4,
    /// The peer's static LAN address. No default.
    pub peer_ip: ucm_ha_ipv4,
    /// The LAN's gateway, if has_gateway is 1.
    pub gateway: ucm_ha_ipv4,
    /// Firmware version, e.g. {1, 0, 27, 5}. Default: 1.0.9.0, the oldest with high availability.
    pub firmware: [u8; 4],
    /// Whether gateway is set. Default: 0.
    pub has_gateway: u8,
    /// Whether peer_mac is set. Default: 0.
    pub has_peer_mac: u8,
    /// Whether key is set; without one, frames are not authenticated. Default: 0.
    pub has_key: u8,
    /// 0.
    pub reserved: u8,
    /// MAC address of the LAN interface: this node's identity. No default.
    pub mac: ucm_ha_mac,
    /// MAC address of the heartbeat port. No default.
    pub cable_mac: ucm_ha_mac,
    /// The peer's LAN MAC address, if has_peer_mac is 1.
    pub peer_mac: ucm_ha_mac,
    /// Pre-shared key of the pair, if has_key is 1.
    pub key: [u8; UCM_HA_KEY_LEN],
    /// 0.
    pub reserved_end: [u8; 2],
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_config {}
const _: () = assert!(size_of::<ucm_ha_config>() == 104, "as in cbindgen.toml");

/// What must survive a restart: store it when UCM_HA_OUTPUT_PERSIST asks, and give it back to ucm_ha_node_init.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_record {
    /// The newest term this node knows.
    pub term: u32,
    /// No term above this one was ever used by this node.
    pub term_ceiling: u32,
    /// 1 if this node was the active of term.
    pub last_active: u8,
    /// 1 if the peer, then active, turned high availability off for the pair.
    pub disabled_by_peer: u8,
    /// Handovers for own faults in the window when the record was stored.
    pub handovers: u8,
    /// 1 if the operator keeps this node out of the active role.
    pub maintenance: u8,
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_record {}
const _: () = assert!(size_of::<ucm_ha_record>() == 12, "as in cbindgen.toml");

/// Fills config with the defaults named at its fields, and the rest with zeros.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_config_defaults(config: *mut ucm_ha_config) -> i32 {
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(config, || Ok(defaults())) })
}

/// Whether a node could run with config; makes none.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; UCM_HA_ERR_UNKNOWN_VALUE for a field that is none of its named values;
/// else the first violated rule, UCM_HA_ERR_CONFIG_*, whose text (ucm_ha_result_text) names the field and the remedy.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_config_check(config: *const ucm_ha_config) -> i32 {
    // SAFETY: promised by the caller.
    code(unsafe { memory::read(config) }.and_then(|config| Ok(config.to_core()?.validate()?)))
}

fn defaults() -> ucm_ha_config {
    let fault = FaultPolicy::default();
    ucm_ha_config {
        switching_faults: fault.switching.bits(),
        link_raise_ms: fault.link_raise_ms,
        link_clear_ms: fault.link_clear_ms,
        handover_window_s: fault.handover_window_s,
        heartbeat_port: DEFAULT_HEARTBEAT_PORT,
        model: UCM_HA_MODEL_UCM6302,
        enabled: 1,
        station_type: UCM_HA_STATION_PRIMARY,
        network_method: UCM_HA_METHOD_SWITCH,
        heartbeat_timeout_s: DEFAULT_HEARTBEAT_TIMEOUT_S,
        fast_failover: 1,
        handover_budget: fault.handover_budget,
        own_prefix_len: 24,
        cluster_prefix_len: 24,
        own_ip: ucm_ha_ipv4::default(),
        cluster_ip: ucm_ha_ipv4::default(),
        peer_ip: ucm_ha_ipv4::default(),
        gateway: ucm_ha_ipv4::default(),
        firmware: Firmware::OLDEST.0,
        has_gateway: 0,
        has_peer_mac: 0,
        has_key: 0,
        reserved: 0,
        mac: ucm_ha_mac::default(),
        cable_mac: ucm_ha_mac::default(),
        peer_mac: ucm_ha_mac::default(),
        key: [0; UCM_HA_KEY_LEN],
        reserved_end: [0; 2],
    }
}

impl ucm_ha_ipv4 {
    pub(super) fn to_core(self) -> Ipv4Addr {
        self.octets.into()
    }
}

impl ucm_ha_config {
    pub(super) fn to_core(self) -> Result<Config, Failure> {
        let cidr = |ip: ucm_ha_ipv4, prefix_len| Cidr { address: ip.to_core(), prefix_len };
        Ok(Config {
            enabled: values::truth(self.enabled)?,
            station_type: StationType::of_number(self.station_type)?,
            mac: MacAddr(self.mac.octets),
            cable_mac: MacAddr(self.cable_mac.octets),
            own_ip: cidr(self.own_ip, self.own_prefix_len),
            cluster_ip: cidr(self.cluster_ip, self.cluster_prefix_len),
            peer_ip: self.peer_ip.to_core(),
            peer_mac: values::truth(self.has_peer_mac)?.then_some(MacAddr(self.peer_mac.octets)),
            heartbeat_port: self.heartbeat_port,
            heartbeat_timeout_s: self.heartbeat_timeout_s,
            fast_failover: values::truth(self.fast_failover)?,
            gateway: values::truth(self.has_gateway)?.then_some(self.gateway.to_core()),
            key: values::truth(self.has_key)?.then_some(Key(self.key)),
            network_method: NetworkMethod::of_number(self.network_method)?,
            model: Model::of_number(self.model)?,
            firmware: Firmware(self.firmware),
            fault: FaultPolicy {
                switching: values::faults(self.switching_faults)?,
                link_raise_ms: self.link_raise_ms,
                link_clear_ms: self.link_clear_ms,
                handover_budget: self.handover_budget,
                handover_window_s: self.handover_window_s,
            },
        })
    }
}

impl ucm_ha_record {
    pub(super) fn to_core(self) -> Result<Record, Failure> {
        Ok(Record {
            term: self.term,
            term_ceiling: self.term_ceiling,
            last_active: values::truth(self.last_active)?,
            disabled_by_peer: values::truth(self.disabled_by_peer)?,
            handovers: self.handovers,
            maintenance: values::truth(self.maintenance)?,
        })
    }

    pub(super) const fn from_core(record: Record) -> Self {
        Self {
            term: record.term,
            term_ceiling: record.term_ceiling,
            last_active: record.last_active as u8,
            disabled_by_peer: record.disabled_by_peer as u8,
            handovers: record.handovers,
            maintenance: record.maintenance as u8,
        }
    }
}
