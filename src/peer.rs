//! What this node knows of the other: whether it is heard, whether it hears us, and until when it has promised not to
//! claim.
//!
//! A frame is *authentic* when it parses; it *counts* when, in addition, it belongs to an accepted boot of the peer and
//! echoes this boot of ours. Only counted frames restart the silence timer, and only an echo of a counted frame
//! (`Readiness::ECHO_COUNTED`) moves the lease, so that the two ends' arithmetic always refers to the same frame.
//! Frames of a boot that is not accepted may be replays: they are echoed, so that a restarted peer can be accepted, and
//! say nothing else.

use crate::role::Sight;
use crate::time::{Duration, Instant};
use crate::wire::{Path, Readiness, Repr};

/// Frames of an unknown boot id get this many intervals to show that the sender hears us; then another may try.
const PROBATION_INTERVALS: u64 = 8;
/// An accepted boot that was heard within this many intervals is not displaced by another boot id.
const LIVE_INTERVALS: u64 = 3;
/// Without a frame of an accepted boot for this many intervals the peer is silent.
const AUDIBLE_INTERVALS: u64 = 3;
/// Audible for this many intervals without its echo moving, the peer is deaf.
const DEAF_INTERVALS: u64 = 2;

/// What became of an authentic frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// It restarted the silence timer.
    Counted,
    /// It was heard, but the sender has not shown that it hears this boot of ours.
    Audible,
    /// It is not newer than what was heard, or of a boot that is over.
    Replayed,
}

/// The echo to send: boot id and sequence of the newest authentic frame, and whether that frame counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Echo {
    /// Boot id of the peer; 0 for none.
    pub(crate) boot_id: u32,
    /// Sequence of the frame.
    pub(crate) sequence: u64,
    /// Whether the frame restarted the silence timer.
    pub(crate) counted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Boot {
    id: u32,
    newest: [u64; 2],
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    boot: Boot,
    first_seen: Instant,
    last_seen: Instant,
    /// Newest own sequence when the boot id was first seen: only an echo of a later one proves that it is no replay.
    mark: u64,
}

/// The peer as heard.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    own_interval: Duration,
    interval: Duration,
    accepted: Option<Boot>,
    candidate: Option<Candidate>,
    /// When an authentic frame came for the first time, counted or not.
    first_sign: Option<Instant>,
    facts: Option<Repr>,
    heard: [Option<Instant>; 2],
    last_audible: Option<Instant>,
    last_late: Option<Instant>,
    audible_since: Instant,
    progress: Option<Instant>,
    echoed: Option<Instant>,
    echo: Echo,
}

impl Peer {
    /// A peer that was never heard. `interval` is the longest time between two frames while all is well; a peer that
    /// sends more rarely is judged by its own.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            own_interval: interval,
            interval,
            accepted: None,
            candidate: None,
            first_sign: None,
            facts: None,
            heard: [None; 2],
            last_audible: None,
            last_late: None,
            audible_since: Instant::ZERO,
            progress: None,
            echoed: None,
            echo: Echo::default(),
        }
    }

    /// Takes an authentic frame that came on the path it names. `own_boot_id` and `newest_sent` are this node's.
    pub(crate) fn receive(&mut self, now: Instant, frame: &Repr, own_boot_id: u32, newest_sent: u64) -> Receipt {
        let hears_us = frame.echo_boot_id == own_boot_id && frame.echo_sequence <= newest_sent;
        let known = self.accepted.is_some_and(|boot| boot.id == frame.boot_id);
        let fresh = if known { self.advance_accepted(frame) } else { self.advance_candidate(now, frame, newest_sent) };
        if !fresh {
            if known {
                self.last_late = Some(now);
            }
            return Receipt::Replayed;
        }
        self.first_sign.get_or_insert(now);
        let accepted = known || (hears_us && self.accept_candidate(frame));
        let counts = accepted && hears_us;
        if accepted {
            self.note_audible(now, frame);
        }
        if frame.boot_id != self.echo.boot_id || frame.sequence > self.echo.sequence {
            self.echo = Echo { boot_id: frame.boot_id, sequence: frame.sequence, counted: counts };
        }
        if !counts {
            return Receipt::Audible;
        }
        self.count(now, frame);
        Receipt::Counted
    }

    fn advance_accepted(&mut self, frame: &Repr) -> bool {
        self.accepted.as_mut().is_some_and(|boot| boot.advance(frame))
    }

    fn advance_candidate(&mut self, now: Instant, frame: &Repr, newest_sent: u64) -> bool {
        let live = now < self.interval.times(LIVE_INTERVALS).end_or_past(self.last_counted());
        if live {
            return false;
        }
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| candidate.boot.id == frame.boot_id) {
            candidate.last_seen = now;
            return candidate.boot.advance(frame);
        }
        let vacant = self.candidate.is_none_or(|candidate| {
            now >= candidate.last_seen + self.interval.times(AUDIBLE_INTERVALS)
                || now >= candidate.first_seen + self.interval.times(PROBATION_INTERVALS)
        });
        if vacant {
            let mut boot = Boot { id: frame.boot_id, newest: [0; 2] };
            boot.advance(frame);
            self.candidate = Some(Candidate { boot, first_seen: now, last_seen: now, mark: newest_sent });
        }
        vacant
    }

    fn accept_candidate(&mut self, frame: &Repr) -> bool {
        let Some(candidate) = self.candidate.filter(|candidate| frame.echo_sequence > candidate.mark) else {
            return false;
        };
        self.accepted = Some(candidate.boot);
        self.candidate = None;
        self.facts = None;
        true
    }

    fn note_audible(&mut self, now: Instant, frame: &Repr) {
        if !self.is_audible(now) {
            self.audible_since = now;
        }
        self.last_audible = Some(now);
        if self.facts.is_none_or(|facts| frame.sequence > facts.sequence) {
            self.facts = Some(*frame);
            self.interval = self.own_interval.max(frame.interval());
        }
    }

    fn count(&mut self, now: Instant, frame: &Repr) {
        self.heard[path_index(frame.path)] = Some(now);
        let sent = Instant::from_us(frame.echo_sequence);
        if frame.readiness.contains(Readiness::ECHO_COUNTED) && self.echoed.is_none_or(|echoed| sent > echoed) {
            self.echoed = Some(sent);
            self.progress = Some(now);
        }
    }

    /// The longest time between two frames of the slower of both while all is well.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// The newest frame of the accepted boot.
    pub(crate) fn facts(&self) -> Option<&Repr> {
        self.facts.as_ref()
    }

    /// Whether no other boot than the accepted one is trying to be heard.
    pub(crate) fn is_settled(&self) -> bool {
        self.candidate.is_none()
    }

    /// When a node that has only just heard its peer for the first time may stop waiting for it to be accepted.
    pub(crate) fn introduced_at(&self) -> Instant {
        match (self.first_sign, self.last_counted()) {
            (Some(first), None) => first + self.interval.times(PROBATION_INTERVALS),
            (None | Some(_), _) => Instant::ZERO,
        }
    }

    /// The echo to put into the next frame.
    pub(crate) fn echo(&self) -> Echo {
        self.echo
    }

    /// When the last counted frame came on `path`.
    pub(crate) fn last_heard_on(&self, path: Path) -> Option<Instant> {
        self.heard[path_index(path)]
    }

    /// When the last counted frame came on any path.
    #[inline(never)]
    pub(crate) fn last_counted(&self) -> Option<Instant> {
        self.heard[0].max(self.heard[1])
    }

    /// When the last frame of an accepted boot came on any path.
    pub(crate) fn last_audible(&self) -> Option<Instant> {
        self.last_audible
    }

    /// When a frame of the accepted boot came last that was not new: overtaken on its way, or replayed. It proves nothing,
    /// and it is no sign that the peer is gone.
    pub(crate) fn last_late(&self) -> Option<Instant> {
        self.last_late
    }

    /// When the peer's echo last moved.
    pub(crate) fn progress(&self) -> Option<Instant> {
        self.progress
    }

    /// Send time of the newest own frame that the peer has counted.
    pub(crate) fn echoed(&self) -> Option<Instant> {
        self.echoed
    }

    /// When the peer turns silent if nothing more is heard.
    pub(crate) fn silent_at(&self) -> Instant {
        self.interval.times(AUDIBLE_INTERVALS).end_or_past(self.last_audible)
    }

    /// When the peer turns deaf if its echo does not move.
    pub(crate) fn deaf_at(&self) -> Instant {
        self.one_way_since() + self.interval.times(DEAF_INTERVALS)
    }

    /// Since when the peer has been heard without a sign that it hears us.
    pub(crate) fn one_way_since(&self) -> Instant {
        self.progress.map_or(self.audible_since, |at| at.max(self.audible_since))
    }

    /// Since when the peer has been heard without a break.
    pub(crate) fn audible_since(&self) -> Instant {
        self.audible_since
    }

    /// How the peer appears.
    pub(crate) fn sight(&self, now: Instant) -> Sight {
        if !self.is_audible(now) {
            Sight::Silent
        } else if now >= self.deaf_at() {
            Sight::Deaf
        } else {
            Sight::Mutual
        }
    }

    fn is_audible(&self, now: Instant) -> bool {
        self.last_audible.is_some() && now < self.silent_at()
    }
}

impl Boot {
    /// Whether the frame is newer than all before it on its path.
    fn advance(&mut self, frame: &Repr) -> bool {
        let newest = &mut self.newest[path_index(frame.path)];
        let newer = frame.sequence > *newest;
        if newer {
            *newest = frame.sequence;
        }
        newer
    }
}

const fn path_index(path: Path) -> usize {
    match path {
        Path::Cable => 0,
        Path::Lan => 1,
    }
}

#[cfg(test)]
mod tests;
