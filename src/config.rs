//! The settings of a node, and what makes them valid.

use crate::crc::CRC;
use crate::fault::Faults;
use crate::pace::{CABLE_REST, DEFAULT_HEARTBEAT_TIMEOUT_S, heartbeat_interval, heartbeat_timeout_is_valid};
use crate::time::Duration;
use crate::types::{Cidr, Firmware, Key, MacAddr, Model, NetworkMethod, StationType};
use core::fmt;
use core::net::Ipv4Addr;

/// Default UDP port of the heartbeat.
pub const DEFAULT_HEARTBEAT_PORT: u16 = 9527;
/// Highest handover budget in one window.
pub const MAX_HANDOVER_BUDGET: u8 = 8;

/// When a fault counts, and how often it may cause a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FaultPolicy {
    /// Faults that cause a handover: the FXO ports of the hardware fault switch, [`Faults::SERVICE`] for the software
    /// fault switch. [`Faults::ALWAYS_SWITCH`] is added to it.
    pub switching: Faults,
    /// How long the LAN or WAN carrier must be gone to raise its fault, in ms.
    pub link_raise_ms: u32,
    /// How long it must be back to clear it, in ms.
    pub link_clear_ms: u32,
    /// How many handovers for own faults may happen in one window before they are only made where the node serves nobody
    /// ([`Faults::NO_SERVICE`]), and without a reboot.
    pub handover_budget: u8,
    /// Length of that window, in seconds.
    pub handover_window_s: u32,
}

impl FaultPolicy {
    /// What counts where nothing else is said: no fault switch, 2 handovers an hour.
    pub const DEFAULT: Self = Self {
        switching: Faults::empty(),
        link_raise_ms: 50,
        link_clear_ms: 1000,
        handover_budget: 2,
        handover_window_s: 3600,
    };
}

impl Default for FaultPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Everything a node has to know. Plain data; [`Config::validate`] says whether a node can run with it.
///
/// Made by [`Config::new`], whose result is then changed field by field: there may be more fields in a later version.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// High availability on? A node that is off holds nothing and tells its peer so. Default: on.
    pub enabled: bool,
    /// Configured station type, a different one on each node.
    pub station_type: StationType,
    /// MAC address of the LAN interface: this node's identity.
    pub mac: MacAddr,
    /// MAC address of the heartbeat port.
    pub cable_mac: MacAddr,
    /// Own static address on the LAN, with the prefix of the LAN.
    pub own_ip: Cidr,
    /// The cluster IP that the active owns.
    pub cluster_ip: Cidr,
    /// The peer's static LAN address.
    #[cfg_attr(feature = "defmt", defmt(Debug2Format))]
    pub peer_ip: Ipv4Addr,
    /// The peer's LAN MAC address, where it is given. Default: none.
    pub peer_mac: Option<MacAddr>,
    /// UDP port of the heartbeat, 1–65535. Default: 9527.
    pub heartbeat_port: u16,
    /// Heartbeat timeout T in seconds, 3–10. Default: 7.
    pub heartbeat_timeout_s: u8,
    /// Take over within 500 ms when the active's machine is gone (promise L3). Without a gateway it has no effect. Default: on.
    pub fast_failover: bool,
    /// The LAN's gateway, the third party that tells an isolated node that it is isolated. Default: none.
    #[cfg_attr(feature = "defmt", defmt(Debug2Format))]
    pub gateway: Option<Ipv4Addr>,
    /// Pre-shared key; without one frames are not authenticated. Default: none.
    pub key: Option<Key>,
    /// Network method. Default: switch.
    pub network_method: NetworkMethod,
    /// Appliance model. Default: UCM6302.
    pub model: Model,
    /// Firmware version. Default: [`Firmware::OLDEST`].
    pub firmware: Firmware,
    /// Fault policy. Default: [`FaultPolicy::DEFAULT`].
    pub fault: FaultPolicy,
}

/// Why a node cannot run with a [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// `mac` is zero or a group address.
    MacNotUnicast,
    /// `peer_mac` equals the own MAC.
    PeerMacIsOwn,
    /// The heartbeat port is 0.
    PortZero,
    /// The heartbeat timeout is outside 3–10 s.
    TimeoutOutOfRange,
    /// A prefix is longer than 32 bits or 0.
    PrefixOutOfRange,
    /// The own address is not one that a host on its LAN can have.
    OwnIpUnusable,
    /// The cluster IP equals the own address.
    ClusterIpIsOwn,
    /// The cluster IP equals the peer's address.
    ClusterIpIsPeer,
    /// The cluster IP is outside the LAN, or its network or broadcast address.
    ClusterIpOutsideLan,
    /// The peer's address equals the own one.
    PeerIpIsOwn,
    /// The peer's address is outside the LAN, or its network or broadcast address.
    PeerIpOutsideLan,
    /// The gateway equals the own address, the peer's, or the cluster IP.
    GatewayIsNode,
    /// The gateway is outside the LAN, or its network or broadcast address.
    GatewayOutsideLan,
    /// The firmware is older than [`Firmware::OLDEST`].
    FirmwareTooOld,
    /// The fault policy switches on an FXO port that the model does not have.
    NoSuchFxoPort,
    /// The handover window is 0 s.
    WindowZero,
    /// The handover budget is more than 8.
    BudgetTooHigh,
    /// `cable_mac` is zero or a group address.
    CableMacNotUnicast,
    /// The own address is 0.0.0.0.
    OwnIpUnset,
    /// The cluster IP is 0.0.0.0.
    ClusterIpUnset,
    /// The peer's address is 0.0.0.0.
    PeerIpUnset,
}

impl ConfigError {
    /// Every rule, in the order in which they are checked.
    const ALL: [Self; 21] = [
        Self::MacNotUnicast,
        Self::CableMacNotUnicast,
        Self::PeerMacIsOwn,
        Self::PortZero,
        Self::TimeoutOutOfRange,
        Self::PrefixOutOfRange,
        Self::OwnIpUnset,
        Self::ClusterIpUnset,
        Self::PeerIpUnset,
        Self::OwnIpUnusable,
        Self::ClusterIpIsOwn,
        Self::ClusterIpIsPeer,
        Self::ClusterIpOutsideLan,
        Self::PeerIpIsOwn,
        Self::PeerIpOutsideLan,
        Self::GatewayIsNode,
        Self::GatewayOutsideLan,
        Self::FirmwareTooOld,
        Self::NoSuchFxoPort,
        Self::WindowZero,
        Self::BudgetTooHigh,
    ];

    /// Whether this rule is about addresses that are set.
    const fn compares_addresses(self) -> bool {
        self as u8 >= Self::OwnIpUnusable as u8 && self as u8 <= Self::GatewayOutsideLan as u8
    }

    /// The field of [`Config`] at fault.
    pub const fn field(self) -> &'static str {
        match self {
            Self::MacNotUnicast => "mac",
            Self::CableMacNotUnicast => "cable_mac",
            Self::PeerMacIsOwn => "peer_mac",
            Self::PortZero => "heartbeat_port",
            Self::TimeoutOutOfRange => "heartbeat_timeout_s",
            Self::PrefixOutOfRange => "own_ip or cluster_ip",
            Self::OwnIpUnset | Self::OwnIpUnusable => "own_ip",
            Self::ClusterIpUnset | Self::ClusterIpIsOwn | Self::ClusterIpIsPeer | Self::ClusterIpOutsideLan => {
                "cluster_ip"
            }
            Self::PeerIpUnset | Self::PeerIpIsOwn | Self::PeerIpOutsideLan => "peer_ip",
            Self::GatewayIsNode | Self::GatewayOutsideLan => "gateway",
            Self::FirmwareTooOld => "firmware",
            Self::NoSuchFxoPort => "fault.switching",
            Self::WindowZero => "fault.handover_window_s",
            Self::BudgetTooHigh => "fault.handover_budget",
        }
    }

    /// What is wrong and what to do, without the value.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::MacNotUnicast | Self::CableMacNotUnicast => "must be the MAC address of one Ethernet interface",
            Self::PeerMacIsOwn => "is this node's own MAC address; give the other node's, or leave it out",
            Self::PortZero => "must be 1 to 65535",
            Self::TimeoutOutOfRange => "must be 3 to 10 seconds",
            Self::PrefixOutOfRange => "must have a prefix of 1 to 32 bits",
            Self::OwnIpUnset | Self::ClusterIpUnset | Self::PeerIpUnset => "is not set",
            Self::OwnIpUnusable => "has no usable IPv4 address in the peer's subnet; give it a static one",
            Self::ClusterIpIsOwn => "is this node's own address; choose a free one of the LAN",
            Self::ClusterIpIsPeer => "is the peer's address; choose a free one of the LAN",
            Self::ClusterIpOutsideLan => "is not a host address of the LAN; choose a free one",
            Self::PeerIpIsOwn => "is this node's own address; give the other node's",
            Self::PeerIpOutsideLan => "is not a host address of the LAN; give the other node's static one",
            Self::GatewayIsNode => "is an address of the pair; give the router's address, or leave it out",
            Self::GatewayOutsideLan => "is not a host address of the LAN; give the router's",
            Self::FirmwareTooOld => "must be 1.0.9.0 or higher",
            Self::NoSuchFxoPort => "names an FXO port that this model does not have",
            Self::WindowZero => "must be at least 1 second",
            Self::BudgetTooHigh => "must be 0 to 8",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field(), self.reason())
    }
}

impl core::error::Error for ConfigError {}

const _: () = {
    let (mut at, mut listed) = (0, 0_u32);
    while at < ConfigError::ALL.len() {
        listed |= 1 << ConfigError::ALL[at] as u32;
        at += 1;
    }
    assert!(listed == (2 << ConfigError::PeerIpUnset as u32) - 1, "no rule is left out");
};

impl Config {
    /// Settings of a node with the defaults named at the fields. What is asked for here has none.
    pub const fn new(
        station_type: StationType,
        mac: MacAddr,
        cable_mac: MacAddr,
        own_ip: Cidr,
        cluster_ip: Cidr,
        peer_ip: Ipv4Addr,
    ) -> Self {
        Self {
            enabled: true,
            station_type,
            mac,
            cable_mac,
            own_ip,
            cluster_ip,
            peer_ip,
            peer_mac: None,
            heartbeat_port: DEFAULT_HEARTBEAT_PORT,
            heartbeat_timeout_s: DEFAULT_HEARTBEAT_TIMEOUT_S,
            fast_failover: true,
            gateway: None,
            key: None,
            network_method: NetworkMethod::Switch,
            model: Model::Ucm6302,
            firmware: Firmware::OLDEST,
            fault: FaultPolicy::DEFAULT,
        }
    }

    /// The heartbeat timeout T.
    pub const fn timeout(&self) -> Duration {
        Duration::from_s(self.heartbeat_timeout_s as u64)
    }

    /// The interval at which frames are sent on each path: T/20, or 50 ms with fast failover.
    pub const fn interval(&self) -> Duration {
        heartbeat_interval(self.heartbeat_timeout_s, self.fast_failover)
    }

    /// The longest time between two frames on the cable: [`CABLE_REST`], or the interval where that is longer.
    pub fn rest_interval(&self) -> Duration {
        self.interval().max(CABLE_REST)
    }

    /// Faults that cause a handover.
    pub const fn switching_faults(&self) -> Faults {
        self.fault.switching.union(Faults::ALWAYS_SWITCH)
    }

    /// Digest of the settings that must be the same on both nodes.
    pub fn digest(&self) -> u32 {
        let mut digest = CRC.digest();
        digest.update(&self.cluster_ip.address.octets());
        digest.update(&self.heartbeat_port.to_be_bytes());
        digest.update(&[
            self.cluster_ip.prefix_len,
            self.heartbeat_timeout_s,
            self.fast_failover as u8,
            self.network_method as u8,
        ]);
        digest.update(&self.fault.switching.bits().to_be_bytes());
        digest.update(&self.gateway.map_or([0; 4], |gateway| gateway.octets()));
        digest.finalize()
    }

    /// Checks every rule and calls `report` for each violation; `true` when there is none.
    pub fn check(&self, mut report: impl FnMut(ConfigError)) -> bool {
        let mut valid = true;
        for rule in ConfigError::ALL.into_iter().filter(|rule| self.violates(*rule)) {
            valid = false;
            report(rule);
        }
        valid
    }

    /// The first violated rule, if any.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match ConfigError::ALL.into_iter().find(|rule| self.violates(*rule)) {
            Some(rule) => Err(rule),
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn violates(&self, rule: ConfigError) -> bool {
        use ConfigError as E;
        let lan = self.own_ip;
        let (own, cluster, peer) = (lan.address, self.cluster_ip.address, self.peer_ip);
        let unset = |ip: Ipv4Addr| ip.is_unspecified();
        let outside = |ip| !lan.contains(ip) || lan.is_reserved(ip);
        let prefix_bad = |cidr: Cidr| cidr.prefix_len == 0 || cidr.prefix_len > 32;
        // While an address is not set, comparing it with others says nothing.
        if rule.compares_addresses() && (unset(own) || unset(cluster) || unset(peer)) {
            return false;
        }
        match rule {
            E::MacNotUnicast => !self.mac.is_unicast(),
            E::CableMacNotUnicast => !self.cable_mac.is_unicast(),
            E::PeerMacIsOwn => self.peer_mac == Some(self.mac),
            E::PortZero => self.heartbeat_port == 0,
            E::TimeoutOutOfRange => !heartbeat_timeout_is_valid(self.heartbeat_timeout_s),
            E::PrefixOutOfRange => prefix_bad(lan) || prefix_bad(self.cluster_ip),
            E::OwnIpUnset => unset(own),
            E::ClusterIpUnset => unset(cluster),
            E::PeerIpUnset => unset(peer),
            E::OwnIpUnusable => own.is_multicast() || lan.is_reserved(own),
            E::ClusterIpIsOwn => cluster == own,
            E::ClusterIpIsPeer => cluster == peer,
            E::ClusterIpOutsideLan => outside(cluster),
            E::PeerIpIsOwn => peer == own,
            E::PeerIpOutsideLan => outside(peer),
            E::GatewayIsNode => self.gateway.is_some_and(|ip| ip == own || ip == peer || ip == cluster),
            E::GatewayOutsideLan => self.gateway.is_some_and(outside),
            E::FirmwareTooOld => self.firmware < Firmware::OLDEST,
            E::NoSuchFxoPort => self.fault.switching.intersects(self.model.missing_fxo_ports()),
            E::WindowZero => self.fault.handover_window_s == 0,
            E::BudgetTooHigh => self.fault.handover_budget > MAX_HANDOVER_BUDGET,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
