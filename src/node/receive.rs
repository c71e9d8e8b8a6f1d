//! Frames coming in. Nothing here trusts a byte before it is checked, and nothing here changes a role: facts are noted,
//! and the role is decided afterwards.

use super::Node;
use super::identity::{Sender, Stranger};
use crate::peer::Receipt;
use crate::role::Role;
use crate::wire::{self, FrameError, Kind, Path, Repr, arp, cable};
use core::net::Ipv4Addr;

impl Node {
    pub(super) fn receive_cable(&mut self, frame: &[u8]) {
        let Some(payload) = cable::parse(frame, self.config.heartbeat_port) else {
            return count(&mut self.counters.frames_malformed);
        };
        self.receive_frame(Path::Cable, payload);
    }

    pub(super) fn receive_lan(&mut self, source: Ipv4Addr, payload: &[u8]) {
        if source != self.config.peer_ip {
            return count(&mut self.counters.frames_unauthentic);
        }
        self.receive_frame(Path::Lan, payload);
    }

    fn receive_frame(&mut self, path: Path, payload: &[u8]) {
        let authentic = wire::is_authentic(payload, self.auth.as_ref());
        self.receive_read(path, payload, authentic);
    }

    /// Out of line: what is read and what a code is computed from must not stand on the stack together.
    #[inline(never)]
    fn receive_read(&mut self, path: Path, payload: &[u8], authentic: bool) {
        match &Repr::parse_unproven(payload) {
            // Also where nothing proves it: whoever lies here wins nothing. A node hears no less of its peer for it.
            Ok(repr) if self.sender(repr) == Sender::Foreign => self.note_foreign(repr),
            Ok(_) if !authentic => {
                self.note_not_understood(path);
                count(&mut self.counters.frames_unauthentic);
            }
            Ok(repr) if repr.path == path => self.receive(repr),
            Err(FrameError::UnknownVersion) => {
                self.note_not_understood(path);
                count(&mut self.counters.frames_malformed);
            }
            Ok(_) | Err(FrameError::Malformed | FrameError::Unauthentic) => count(&mut self.counters.frames_malformed),
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
        let sender = self.sender(repr);
        let stranger = self.config.peer_mac.is_some_and(|mac| mac != repr.mac);
        if repr.mac == self.config.mac || stranger || sender == Sender::WrongAddress {
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
                let said = repr.extension.map(|said| said.cluster_ip);
                self.elsewhere = said.filter(|_| sender == Sender::PeerElsewhere);
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

    /// Whoever speaks on the direct cable may be the peer, even if it cannot be understood: claim nothing now. Not after the
    /// peer has been understood: its silence then means what it means where nobody else speaks.
    ///
    /// A stranger on the LAN must not be able to block a failover. A frame of the peer's ends the waiting, but not the alert:
    /// where both come in turn it would come and go with each.
    fn note_not_understood(&mut self, path: Path) {
        if path == Path::Lan {
            return;
        }
        self.alert.incompatible_at = Some(self.now);
        if self.peer.facts().is_none() {
            self.quiet.incompatible_at = Some(self.now);
        }
    }

    /// Told of and counted, and nothing else.
    fn note_foreign(&mut self, repr: &Repr) {
        count(&mut self.counters.frames_foreign);
        let ip = repr.extension.map(|said| said.own_ip);
        self.alert.foreign = Stranger { mac: repr.mac, ip, at: Some(self.now) };
    }

    /// Whether a newer frame of the same boot came before, on the other path.
    fn is_overtaken(&self, repr: &Repr) -> bool {
        self.peer.facts().is_some_and(|facts| facts.boot_id == repr.boot_id && facts.sequence > repr.sequence)
    }

    /// Of this pair, and not whom the operator named: incompatible, on the cable for T.
    fn receive_from_wrong_station(&mut self, repr: &Repr) {
        count(&mut self.counters.frames_unauthentic);
        self.alert.wrong_station = Stranger { mac: repr.mac, at: Some(self.now), ..self.alert.wrong_station };
        if repr.path == Path::Cable {
            self.alert.incompatible_at = Some(self.now);
            self.quiet.incompatible_at = Some(self.now);
        }
    }
}

#[inline(never)]
fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
