//! The other end: heartbeats that a node takes for those of its peer, with whatever the script has them say.

use crate::script::Script;
use crate::settings::{BOOT_ID, CABLE_MAC, CLUSTER_IP, PEER_IP, PEER_MAC};
use ucm_ha::config::DEFAULT_HEARTBEAT_PORT;
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;
use ucm_ha::types::{Firmware, Model, StationType};
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::wire::cable;
use ucm_ha::wire::{
    Conditions, Extension, HandoverReason, Kind, MAX_EMIT_LEN, Path, Readiness, RefuseReason, Repr, Signal,
};

const ROLES: [Role; 6] = [Role::Off, Role::Init, Role::Standby, Role::Claiming, Role::Active, Role::Yielding];
const HANDOVERS: [HandoverReason; 3] = [HandoverReason::SelfFault, HandoverReason::Forced, HandoverReason::Shutdown];
const REFUSALS: [RefuseReason; 4] =
    [RefuseReason::Unhealthy, RefuseReason::Syncing, RefuseReason::NotStandby, RefuseReason::AddressFailed];

/// What the peer knows.
#[derive(Debug)]
pub struct Peer {
    boot_id: u32,
    sequence: u64,
    /// Newest sequence heard of the node.
    heard: u64,
    /// Term the node last named, in a signal if it made one.
    term: u32,
}

impl Default for Peer {
    fn default() -> Self {
        Self { boot_id: 0x1000, sequence: 1, heard: 0, term: 0 }
    }
}

impl Peer {
    /// Takes note of a heartbeat of the node.
    pub fn hear(&mut self, repr: &Repr) {
        self.heard = repr.sequence;
        self.term = match repr.signal {
            Signal::None => repr.term,
            Signal::Handover { term, .. }
            | Signal::Accept { term }
            | Signal::Refuse { term, .. }
            | Signal::Released { term, .. }
            | Signal::Intent { term }
            | Signal::Grant { term } => term,
        };
    }

    /// A heartbeat on `path`.
    pub fn say(&mut self, path: Path, script: &mut Script<'_>) -> Repr {
        let [role, signal, detail, course, terms] = script.array();
        match course {
            // A restart, a frame once more, an echo of nothing: rare next to plain heartbeats.
            0xff => (self.boot_id, self.sequence) = (self.boot_id.wrapping_add(1).max(1), 0),
            0xfe => {}
            _ => self.sequence = self.sequence.saturating_add(1 + u64::from(course)),
        }
        let term = self.term.saturating_add(u32::from(terms & 7)).saturating_sub(u32::from(terms >> 6));
        let pick = usize::from(detail);
        let reason = HANDOVERS[pick % HANDOVERS.len()];
        Repr {
            version_max: 1,
            kind: if course & 1 == 0 { Kind::Request } else { Kind::Response },
            path,
            role: ROLES[usize::from(role) % ROLES.len()],
            station_type: if role & 0x80 != 0 { StationType::Primary } else { StationType::Secondary },
            mac: PEER_MAC,
            model: Model::Ucm6304A.id(),
            boot_id: self.boot_id,
            sequence: self.sequence,
            echo_boot_id: if course == 0xfd { 0 } else { BOOT_ID },
            echo_sequence: self.heard,
            term: if terms & 0x20 != 0 { u32::MAX } else { term },
            // Mostly what a node in good health says.
            readiness: Readiness::from_bits_truncate(!u16::from_be_bytes(script.array())),
            signal: match signal % 8 {
                1 => Signal::Handover { term, reason },
                2 => Signal::Accept { term },
                3 => Signal::Refuse { term, reason: REFUSALS[pick % REFUSALS.len()] },
                4 => Signal::Released { term, reason },
                5 => Signal::Intent { term },
                6 => Signal::Grant { term },
                _ => Signal::None,
            },
            faults: Faults::from_bits_truncate(u32::from(script.byte())),
            firmware: Firmware([1, 0, 10, 2]),
            digest: u32::from(detail),
            sync_generation: 1,
            timeout_s: if terms & 0x10 != 0 { 7 } else { 3 },
            conditions: Conditions::from_bits_truncate(u16::from(signal >> 3)),
            // A node of version 0.1 says nothing of its pair.
            extension: (terms & 0x08 == 0).then_some(Extension {
                own_ip: PEER_IP,
                cluster_ip: CLUSTER_IP,
                data_epoch: u32::from(signal >> 7),
            }),
        }
    }
}

/// The bytes of a heartbeat as they come out of a LAN socket.
pub fn datagram(repr: &Repr, key: Option<&Authenticator>) -> Vec<u8> {
    let mut buffer = [0; MAX_EMIT_LEN];
    let length = repr.emit(key, &mut buffer).expect("the buffer is as long as the longest frame");
    buffer[..length].to_vec()
}

/// The Ethernet frame around a heartbeat on the cable.
pub fn cable_frame(heartbeat: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; cable::HEADER_LEN];
    frame.extend(heartbeat);
    let length = cable::emit(&mut frame, heartbeat.len(), CABLE_MAC, PEER_MAC, DEFAULT_HEARTBEAT_PORT);
    assert_eq!(length, Some(frame.len()));
    frame
}
