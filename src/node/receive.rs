//! Frames coming in. Nothing here trusts a byte before it is checked, and nothing here changes a role: facts are noted,
//! and the role is decided afterwards.

use super::Node;
use crate::peer::Receipt;
use crate::role::Role;
use crate::wire::{FrameError, Kind, Path, Repr, arp, cable};
use core::net::Ipv4Addr;

impl Node {
    pub(super) fn receive_cable(&mut self, frame: &[u8]) {
        let Some(payload) = cable::parse(frame, self.config.heartbeat_port) else {
            return count(&mut self.counters.frames_malformed);
        };
        match Repr::parse(payload, self.auth.as_ref()) {
            Ok(repr) if repr.path == Path::Cable => self.receive(&repr),
            Ok(_) | Err(FrameError::Malformed) => count(&mut self.counters.frames_malformed),
            // Whoever speaks on the direct cable is the peer, even if it cannot be understood: claim nothing now.
            Err(FrameError::UnknownVersion) => {
                self.note_incompatible();
                count(&mut self.counters.frames_malformed);
            }
            Err(FrameError::Unauthentic) => {
                self.note_incompatible();
                count(&mut self.counters.frames_unauthentic);
            }
        }
    }

    pub(super) fn receive_lan(&mut self, source: Ipv4Addr, payload: &[u8]) {
        if source != self.config.peer_ip {
            return count(&mut self.counters.frames_unauthentic);
        }
        match Repr::parse(payload, self.auth.as_ref()) {
            Ok(repr) if repr.path == Path::Lan => self.receive(&repr),
            Ok(_) | Err(FrameError::Malformed | FrameError::UnknownVersion) => {
                count(&mut self.counters.frames_malformed);
            }
            // A stranger on the LAN must not be able to block a failover: counted only.
            Err(FrameError::Unauthentic) => count(&mut self.counters.frames_unauthentic),
        }
    }

    pub(super) fn receive_arp(&mut self, frame: &[u8]) {
        if let Some(heard) = arp::parse(frame) {
            self.arp_heard(heard);
        }
    }

    fn receive(&mut self, repr: &Repr) {
        if repr.boot_id == self.boot_id && repr.mac == self.config.mac {
            return; // A switch or a loop sent our own frame back.
        }
        let stranger = self.config.peer_mac.is_some_and(|mac| mac != repr.mac);
        if repr.mac == self.config.mac || stranger {
            return self.receive_from_wrong_station(repr);
        }
        match self.peer.receive(self.now, repr, self.boot_id, self.send.newest_sequence()) {
            Receipt::Stranger if repr.path == Path::Cable => {
                // Whoever is active on the direct cable is the peer, also before it has shown that it hears us.
                if repr.role == Role::Active {
                    self.quiet.stranger_active_at = Some(self.now);
                }
            }
            Receipt::Stranger | Receipt::Replayed => return count(&mut self.counters.frames_replayed),
            Receipt::Audible => {}
            Receipt::Counted => {
                if !self.is_overtaken(repr) {
                    self.agree_on_gateway(repr.readiness);
                }
                self.quiet.incompatible_at = None;
                self.quiet.stranger_active_at = None;
            }
        }
        if repr.path == Path::Lan {
            self.probe.lan_frame_seen = true;
        }
        if self.role == Role::Active && repr.role == Role::Active && !self.is_overtaken(repr) {
            self.rival = Some(repr.boot_id);
        }
        count(&mut self.counters.frames_ok);
        if repr.kind == Kind::Request {
            self.answer(repr.path);
        }
    }

    /// A frame of the peer's ends the waiting, but not the alert: where both come in turn it would come and go with each.
    fn note_incompatible(&mut self) {
        self.quiet.incompatible_at = Some(self.now);
        self.alert.incompatible_at = Some(self.now);
    }

    /// Whether a newer frame of the same boot came before, on the other path.
    fn is_overtaken(&self, repr: &Repr) -> bool {
        self.peer.facts().is_some_and(|facts| facts.boot_id == repr.boot_id && facts.sequence > repr.sequence)
    }

    /// Same MAC as ours, or not the MAC the operator gave: incompatible, on the cable for T.
    fn receive_from_wrong_station(&mut self, repr: &Repr) {
        count(&mut self.counters.frames_unauthentic);
        self.alert.peer_mac_mismatch = Some((repr.mac, self.now));
        if repr.path == Path::Cable {
            self.note_incompatible();
        }
    }
}

#[inline(never)]
fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
