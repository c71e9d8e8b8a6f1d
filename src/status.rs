//! A snapshot of a node for the operator.

use crate::event::SwitchRefusal;
use crate::fault::Faults;
use crate::role::Role;
use crate::time::Instant;
use crate::types::{Firmware, MacAddr};

/// HA status as the product guide names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HaStatus {
    /// High availability is off.
    Off,
    /// This node is up, the peer is not.
    Single,
    /// Both nodes are up.
    Dual,
}

/// Counters since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counters {
    /// Authentic frames of the peer.
    pub frames_ok: u32,
    /// Frames with a wrong magic, version, length, checksum or field.
    pub frames_malformed: u32,
    /// Frames with a wrong or missing authentication code, or not from the configured peer.
    pub frames_unauthentic: u32,
    /// Authentic frames that are not newer than the newest, were held back, or are of a boot that is over.
    pub frames_replayed: u32,
    /// Frames of nodes of another pair.
    pub frames_foreign: u32,
    /// Times this node became active without a handover.
    pub takeovers: u32,
    /// Times this node became active by a handover.
    pub handovers: u32,
}

/// What is known of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct PeerStatus {
    /// Whether it is heard now.
    pub seen: bool,
    /// Its role when last heard.
    pub role: Role,
    /// Its LAN MAC address.
    pub mac: MacAddr,
    /// Its firmware.
    pub firmware: Firmware,
    /// Whether it is heard over the cable now.
    pub cable: bool,
    /// Whether it is heard over the LAN now.
    pub lan: bool,
    /// When it was last heard.
    pub last_heard: Instant,
    /// Its faults when last heard.
    pub faults: Faults,
    /// Whether it was in maintenance when last heard.
    pub maintenance: bool,
}

/// A snapshot of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Status {
    /// Off, Single or Dual.
    pub ha_status: HaStatus,
    /// Own role.
    pub role: Role,
    /// Own term.
    pub term: u32,
    /// Whether the cluster IP is bound here.
    pub bound: bool,
    /// Whether a full synchronisation is under way.
    pub syncing: bool,
    /// Whether the LAN has carrier and, where a gateway is configured, it answers.
    pub lan_usable: bool,
    /// Whether the gateway answered within the last second; `None` where none is configured.
    pub gateway_seen: Option<bool>,
    /// Whether the operator keeps this node out of the active role.
    pub maintenance: bool,
    /// Raised faults.
    pub faults: Faults,
    /// Faults that cause a handover.
    pub switching_faults: Faults,
    /// The peer, once heard.
    pub peer: Option<PeerStatus>,
    /// Whether a force switch would be accepted now, or why not.
    pub force_switch: Result<(), SwitchRefusal>,
    /// Counters.
    pub counters: Counters,
}
