//! What this node knows of the other: whether it is heard, whether it hears us, and until when it has promised not to
//! claim.
//!
//! A frame is *authentic* when it parses; it *counts* when, in addition, it belongs to the accepted boot of the peer and
//! echoes this boot of ours. Only counted frames restart the silence timer, and only an echo of a counted frame
//! (`Readiness::ECHO_COUNTED`) moves the lease, so that the two ends' arithmetic always refers to the same frame.
//!
//! A frame may be a replay, and on the LAN it may have been held back by somebody. What proves that it is neither is an echo
//! of what this node sent a moment ago: a sequence is its sender's clock, so the age of an echo is known. Frames of a boot that
//! has not shown one are echoed, each on its path, while no boot is accepted, so that either end can show one. They say nothing
//! else.

use crate::role::Sight;
use crate::time::{Duration, Instant};
use crate::wire::{Path, Readiness, Repr};

/// An echo of what was sent this long ago proves that the frame with it is of now, as far as T is concerned: half of the
/// shortest T, so that whoever holds frames back delays no claim for longer.
const FRESH: Duration = Duration::from_ms(1500);
/// With a fresh echo on the LAN the pace follows by this many halvings of its distance.
const DRIFT_SHIFT: u32 = 10;
/// A node that hears its peer for the first time gives it this many intervals to show that it hears us.
const INTRODUCTION_INTERVALS: u64 = 8;
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
    /// It is of the accepted boot, which does not hear this boot of ours.
    Audible,
    /// It is of a boot that has not shown that it hears this boot of ours: a restarted peer, or a replay.
    Stranger,
    /// It is of the accepted boot and not newer than what was heard on its path, or was held back on the LAN.
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
    /// Reception less sequence of the newest frame on the cable, or of one on the LAN that was faster: when a frame is due.
    pace: u64,
}

/// The peer as heard.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    own_interval: Duration,
    interval: Duration,
    accepted: Option<Boot>,
    /// When it was accepted, if it does not say which cluster IP it has (version 0.1).
    nameless_since: Option<Instant>,
    /// When an authentic frame came for the first time, counted or not.
    first_sign: Option<Instant>,
    facts: Option<Repr>,
    heard: [Option<Instant>; 2],
    last_audible: Option<Instant>,
    last_late: Option<Instant>,
    audible_since: Instant,
    progress: Option<Instant>,
    echoed: Option<Instant>,
    /// By path: they differ only while no boot is accepted.
    echo: [Echo; 2],
}

impl Peer {
    /// A peer that was never heard. `interval` is the longest time between two frames while all is well; a peer that
    /// sends more rarely is judged by its own.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            own_interval: interval,
            interval,
            accepted: None,
            nameless_since: None,
            first_sign: None,
            facts: None,
            heard: [None; 2],
            last_audible: None,
            last_late: None,
            audible_since: Instant::ZERO,
            progress: None,
            echoed: None,
            echo: [Echo::default(); 2],
        }
    }

    /// Takes an authentic frame that came on the path it names. `own_boot_id` and `newest_sent` are this node's.
    pub(crate) fn receive(&mut self, now: Instant, frame: &Repr, own_boot_id: u32, newest_sent: u64) -> Receipt {
        let hears_us = frame.echo_boot_id == own_boot_id && frame.echo_sequence <= newest_sent;
        let fresh = hears_us && now <= Instant::from_us(frame.echo_sequence) + FRESH;
        self.first_sign.get_or_insert(now);
        if let Some(boot) = self.accepted.as_mut().filter(|boot| boot.id == frame.boot_id) {
            if !boot.advance(now, frame, fresh) {
                self.last_late = Some(now);
                return Receipt::Replayed;
            }
        } else if fresh && self.may_be_displaced(now, frame) {
            self.accept(now, frame);
        } else {
            if self.accepted.is_none() {
                self.echo[path_index(frame.path)] = Echo::of(frame, false);
            }
            return Receipt::Stranger;
        }
        self.note_audible(now, frame);
        for echo in self.echo.iter_mut().filter(|echo| frame.boot_id != echo.boot_id || frame.sequence > echo.sequence)
        {
            *echo = Echo::of(frame, hears_us);
        }
        if !hears_us {
            return Receipt::Audible;
        }
        self.count(now, frame);
        Receipt::Counted
    }

    /// Whether nothing speaks for the accepted boot against the one of `frame`: it is not heard, and it has echoed nothing newer.
    /// What is left of a boot that is over was sent before its successor heard anything.
    fn may_be_displaced(&self, now: Instant, frame: &Repr) -> bool {
        let live = now < self.interval.times(LIVE_INTERVALS).end_or_past(self.last_counted());
        let newest =
            self.facts.filter(|facts| facts.echo_boot_id == frame.echo_boot_id).map(|facts| facts.echo_sequence);
        !live && Some(frame.echo_sequence) > newest
    }

    fn accept(&mut self, now: Instant, frame: &Repr) {
        let mut boot = Boot { id: frame.boot_id, newest: [0; 2], pace: Boot::pace_of(now, frame) };
        boot.newest[path_index(frame.path)] = frame.sequence;
        self.accepted = Some(boot);
        self.nameless_since = frame.extension.is_none().then_some(now);
        self.facts = None;
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

    /// When the boot that is heard was accepted, if it does not say which cluster IP it has.
    pub(crate) fn nameless_since(&self) -> Option<Instant> {
        self.nameless_since
    }

    /// When a node that has only just heard its peer for the first time may stop waiting for it to be accepted.
    pub(crate) fn introduced_at(&self) -> Instant {
        match (self.first_sign, self.last_counted()) {
            (Some(first), None) => first + self.interval.times(INTRODUCTION_INTERVALS),
            (None | Some(_), _) => Instant::ZERO,
        }
    }

    /// The echo to put into the next frame on `path`.
    pub(crate) fn echo(&self, path: Path) -> Echo {
        self.echo[path_index(path)]
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

impl Echo {
    fn of(frame: &Repr, counted: bool) -> Self {
        Self { boot_id: frame.boot_id, sequence: frame.sequence, counted }
    }
}

impl Boot {
    /// Whether the frame is newer than all before it on its path, and was not held back on it. The cable is the peer's own; on the
    /// LAN a frame comes at its pace, but for [`FRESH`], or has a fresh echo.
    fn advance(&mut self, now: Instant, frame: &Repr, fresh: bool) -> bool {
        let pace = Self::pace_of(now, frame);
        let lag = pace.wrapping_sub(self.pace).cast_signed();
        let newest = &mut self.newest[path_index(frame.path)];
        let held_back = frame.path == Path::Lan && !fresh && lag > FRESH.as_us().cast_signed();
        if frame.sequence <= *newest || held_back {
            return false;
        }
        *newest = frame.sequence;
        if frame.path == Path::Cable || lag < 0 {
            self.pace = pace;
        } else if fresh {
            // Clocks drift; without the cable nothing else would follow them.
            self.pace = self.pace.wrapping_add((lag >> DRIFT_SHIFT).cast_unsigned());
        }
        true
    }

    const fn pace_of(now: Instant, frame: &Repr) -> u64 {
        now.as_us().wrapping_sub(frame.sequence)
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
