//! Frames that are no heartbeats of the peer but look like some: replayed, cut off, damaged, forged, of another pair.

use crate::daemon::KEY;
use crate::datagram::{frame_to, heartbeat_in};
use crate::plan::{HEARTBEAT_PORT, Port};
use fastrand::Rng;
use ucm_ha::role::Role;
use ucm_ha::types::{Key, MacAddr};
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::wire::{MAX_EMIT_LEN, Repr};

/// Frames of the peer that are kept for replaying.
const MAX_RECORDED: usize = 64;
/// Longest noise.
const MAX_NOISE_LEN: usize = 200;
/// Place of the layout's version in a frame.
const VERSION_AT: usize = 4;
/// Key of another pair.
const FOREIGN_KEY: Key = Key([0x5a; 32]);
const FOREIGN_MAC: MacAddr = MacAddr([0xc0, 0x74, 0xad, 0x99, 0x99, 0x99]);

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trick {
    /// It was sent before.
    Replayed,
    /// Its end is missing.
    Truncated,
    /// A bit is wrong.
    Damaged,
    /// It says more than the peer did, and nobody has signed that.
    Forged,
    /// Another pair sent it.
    ForeignPair,
    /// It has another version.
    OtherVersion,
    /// It has no form at all.
    Noise,
}

const TRICKS: [Trick; 7] = [
    Trick::Replayed,
    Trick::Truncated,
    Trick::Damaged,
    Trick::Forged,
    Trick::ForeignPair,
    Trick::OtherVersion,
    Trick::Noise,
];

/// Makes such frames for a port.
pub(crate) struct Forger {
    port: Port,
    /// Whether the pair has a key. Without one a frame that is forged well is a frame of the peer's.
    key: Option<Authenticator>,
    recorded: Vec<Vec<u8>>,
    made: usize,
    rng: Rng,
}

impl Forger {
    /// One without any frame of the peer's yet.
    pub(crate) fn new(port: Port, keyed: bool) -> Self {
        let key = keyed.then(|| Authenticator::new(&KEY));
        Self { port, key, recorded: Vec::new(), made: 0, rng: Rng::with_seed(u64::from(HEARTBEAT_PORT)) }
    }

    /// Keeps a frame that went to the node; the rest of the traffic is no matter.
    pub(crate) fn record(&mut self, frame: &[u8]) {
        if let Some(heartbeat) = heartbeat_in(frame)
            && self.recorded.len() < MAX_RECORDED
        {
            self.recorded.push(heartbeat.to_vec());
        }
    }

    /// Whether there is a frame to begin with.
    pub(crate) fn is_ready(&self) -> bool {
        !self.recorded.is_empty()
    }

    /// The next frame for the node; `None` where there was none to begin with.
    pub(crate) fn next_frame(&mut self) -> Option<Vec<u8>> {
        let trick = TRICKS[self.made % TRICKS.len()];
        let recorded = self.recorded.get(self.made / TRICKS.len() % self.recorded.len().max(1))?.clone();
        self.made += 1;
        let heartbeat = self.play(trick, recorded)?;
        frame_to(self.port, &heartbeat)
    }

    fn play(&mut self, trick: Trick, mut frame: Vec<u8>) -> Option<Vec<u8>> {
        match trick {
            Trick::Replayed => {}
            Trick::Truncated => frame.truncate(self.rng.usize(0..frame.len())),
            Trick::Damaged => {
                let at = self.rng.usize(VERSION_AT + 1..frame.len());
                frame[at] ^= 1 << self.rng.u8(0..8);
            }
            Trick::Forged => return self.forged(&frame),
            Trick::ForeignPair => return self.of_foreign_pair(&frame),
            Trick::OtherVersion => frame[VERSION_AT] += 1,
            Trick::Noise => frame = std::iter::repeat_with(|| self.rng.u8(..)).take(MAX_NOISE_LEN).collect(),
        }
        Some(frame)
    }

    /// The peer's own words, but active, newer and with a higher term. Without a key they are only as old as they were.
    fn forged(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let mut repr = Repr::parse(frame, self.key.as_ref()).ok()?;
        if self.key.is_some() {
            (repr.role, repr.term, repr.sequence) = (Role::Active, repr.term + 1000, repr.sequence + 1_000_000_000);
        }
        self.signed_by_another(&repr)
    }

    fn of_foreign_pair(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let mut repr = Repr::parse(frame, self.key.as_ref()).ok()?;
        (repr.mac, repr.role, repr.term, repr.boot_id) = (FOREIGN_MAC, Role::Active, 7, self.rng.u32(1..));
        self.signed_by_another(&repr)
    }

    fn signed_by_another(&self, repr: &Repr) -> Option<Vec<u8>> {
        let key = self.key.as_ref().map(|_| Authenticator::new(&FOREIGN_KEY));
        let mut frame = vec![0; MAX_EMIT_LEN];
        let len = repr.emit(key.as_ref(), &mut frame)?;
        frame.truncate(len);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Node, Wire};
    use ucm_ha::fault::Faults;
    use ucm_ha::types::{Firmware, StationType};
    use ucm_ha::wire::{Conditions, FrameError, Kind, Path, Readiness, Signal};

    const FRAMES: usize = TRICKS.len() * 100;

    fn peers_own() -> Repr {
        Repr {
            version_max: 1,
            kind: Kind::Request,
            path: Path::Lan,
            role: Role::Standby,
            station_type: StationType::Secondary,
            mac: Node::B.mac(Wire::Lan),
            model: 4,
            boot_id: 77,
            sequence: 1234,
            echo_boot_id: 78,
            echo_sequence: 1200,
            term: 3,
            readiness: Readiness::HEALTHY,
            signal: Signal::None,
            faults: Faults::empty(),
            firmware: Firmware::OLDEST,
            digest: 5,
            sync_generation: 0,
            timeout_s: 3,
            conditions: Conditions::empty(),
            extension: None,
        }
    }

    /// Frames that a forger makes for the LAN port of A after it has heard one of B's.
    fn forged(keyed: bool) -> (Forger, Vec<Vec<u8>>) {
        let mut forger = Forger::new(Port::lan(Node::A), keyed);
        assert!(forger.next_frame().is_none(), "nothing was heard yet");
        let mut heartbeat = vec![0; MAX_EMIT_LEN];
        let len = peers_own().emit(forger.key.as_ref(), &mut heartbeat).unwrap();
        forger.record(&frame_to(forger.port, &heartbeat[..len]).unwrap());
        let frames = std::iter::repeat_with(|| forger.next_frame().unwrap()).take(FRAMES).collect();
        (forger, frames)
    }

    #[test]
    fn with_a_key_only_what_the_peer_has_sent_itself_is_authentic() {
        let (forger, frames) = forged(true);
        let mut outcomes = frames.iter().map(|frame| Repr::parse(heartbeat_in(frame).unwrap(), forger.key.as_ref()));
        assert!(outcomes.clone().any(|outcome| outcome == Err(FrameError::Malformed)));
        assert!(outcomes.clone().any(|outcome| outcome == Err(FrameError::Unauthentic)));
        assert!(outcomes.all(|outcome| outcome.is_err() || outcome == Ok(peers_own())));
    }

    #[test]
    fn without_a_key_nothing_is_newer_than_what_the_peer_has_sent_itself() {
        let (_, frames) = forged(false);
        let read = frames.iter().filter_map(|frame| Repr::parse(heartbeat_in(frame).unwrap(), None).ok());
        let mut foreign = 0;
        for repr in read {
            foreign += usize::from(repr.mac == FOREIGN_MAC);
            assert!(repr.mac == FOREIGN_MAC || repr == peers_own(), "{repr:?}");
        }
        assert_eq!(foreign, FRAMES / TRICKS.len());
    }
}
