//! A snapshot of a node.

use super::config::ucm_ha_mac;
use super::memory::{self, Plain};
use super::node::ucm_ha_node;
use super::numbered::Numbered;
use super::result::code;
use super::{storage, values};
use crate::Status;
use crate::status::PeerStatus;

/// A snapshot of a node. Truth values are 0 or 1.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_status {
    /// When the peer was last heard: monotonic time in microseconds. 0 unless peer_known.
    pub peer_last_heard_us: u64,
    /// Own term.
    pub term: u32,
    /// Raised faults, UCM_HA_FAULT_*.
    pub faults: u32,
    /// Faults that cause a handover, UCM_HA_FAULT_*.
    pub switching_faults: u32,
    /// The peer's faults when last heard.
    pub peer_faults: u32,
    /// Authentic frames of the peer since the start. Counters stop at their maximum.
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
    /// UCM_HA_STATUS_*.
    pub ha_status: u8,
    /// UCM_HA_ROLE_*.
    pub role: u8,
    /// Whether the cluster IP is bound here.
    pub bound: u8,
    /// Whether a full synchronisation is under way.
    pub syncing: u8,
    /// Whether the LAN has carrier and, where a gateway is configured, it answers.
    pub lan_usable: u8,
    /// Whether a gateway is configured.
    pub gateway_configured: u8,
    /// Whether it answered within the last second.
    pub gateway_seen: u8,
    /// Why a force switch would be refused now, UCM_HA_REFUSAL_*; UCM_HA_REFUSAL_NONE if it would be accepted.
    pub force_switch_refusal: u8,
    /// Whether the peer was ever heard. Unless it was, the fields about it are 0.
    pub peer_known: u8,
    /// Whether the peer is heard now.
    pub peer_seen: u8,
    /// The peer's role when last heard, UCM_HA_ROLE_*.
    pub peer_role: u8,
    /// Whether the peer is heard over the cable now.
    pub peer_on_cable: u8,
    /// Whether the peer is heard over the LAN now.
    pub peer_on_lan: u8,
    /// Whether the operator keeps this node out of the active role.
    pub maintenance: u8,
    /// Whether the peer was in maintenance when last heard.
    pub peer_maintenance: u8,
    /// 0.
    pub reserved: [u8; 3],
    /// The peer's LAN MAC address.
    pub peer_mac: ucm_ha_mac,
    /// The peer's firmware version.
    pub peer_firmware: [u8; 4],
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_status {}
const _: () = assert!(size_of::<ucm_ha_status>() == 80, "as in cbindgen.toml");

/// Writes a snapshot of the node as of its last input.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for status. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_status(node: *mut ucm_ha_node, status: *mut ucm_ha_status) -> i32 {
    // SAFETY: promised by the caller.
    let written =
        unsafe { memory::write(status, || storage::with(node, |node| Ok(ucm_ha_status::from_core(&node.status())))) };
    code(written)
}

impl ucm_ha_status {
    fn from_core(status: &Status) -> Self {
        let mut own = Self {
            term: status.term,
            faults: status.faults.bits(),
            switching_faults: status.switching_faults.bits(),
            frames_ok: status.counters.frames_ok,
            frames_malformed: status.counters.frames_malformed,
            frames_unauthentic: status.counters.frames_unauthentic,
            frames_replayed: status.counters.frames_replayed,
            frames_foreign: status.counters.frames_foreign,
            takeovers: status.counters.takeovers,
            handovers: status.counters.handovers,
            ha_status: status.ha_status.number(),
            role: status.role.number(),
            bound: status.bound.into(),
            syncing: status.syncing.into(),
            lan_usable: status.lan_usable.into(),
            maintenance: status.maintenance.into(),
            gateway_configured: status.gateway_seen.is_some().into(),
            gateway_seen: status.gateway_seen.unwrap_or(false).into(),
            force_switch_refusal: values::refusal(status.force_switch),
            ..Self::default()
        };
        if let Some(peer) = &status.peer {
            own.tell_of_peer(peer);
        }
        own
    }

    fn tell_of_peer(&mut self, peer: &PeerStatus) {
        self.peer_last_heard_us = peer.last_heard.as_us();
        self.peer_faults = peer.faults.bits();
        self.peer_known = 1;
        self.peer_seen = peer.seen.into();
        self.peer_role = peer.role.number();
        self.peer_on_cable = peer.cable.into();
        self.peer_on_lan = peer.lan.into();
        self.peer_maintenance = peer.maintenance.into();
        self.peer_mac = ucm_ha_mac { octets: peer.mac.0 };
        self.peer_firmware = peer.firmware.0;
    }
}
