//! Whether the isolation link between chip and line side is up.

use super::registers::LINK_LOST_AFTER;
use crate::time::{Duration, Instant};

/// Frame lock without a break for this long ends an interruption. Shorter ones in between do not, so that a link that
/// keeps losing lock is found out too.
pub(super) const LINK_GOOD_AFTER: Duration = Duration::from_ms(500);
/// Samples without lock that a loss needs besides its time, for a program that was suspended meanwhile.
const LOST_SAMPLES: u8 = 6;

/// What is known of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// Up.
    Up,
    /// Interrupted, or just back.
    Interrupted,
    /// Down for good.
    Lost,
}

/// An interruption of the link, or none.
#[derive(Clone, Debug)]
pub(super) struct Link {
    bad_since: Option<Instant>,
    good_since: Option<Instant>,
    bad_samples: u8,
    excused: bool,
}

impl Link {
    /// A link without an interruption.
    pub(super) const fn new() -> Self {
        Self { bad_since: None, good_since: None, bad_samples: 0, excused: false }
    }

    /// Takes a sample: whether there is frame lock and was since the last one.
    pub(super) fn update(&mut self, now: Instant, locked: bool) -> LinkState {
        if locked { self.take_good(now) } else { self.take_bad(now) }
    }

    /// Judges an interruption from now on. Once only as long as there is no lock, or a line that is seized again and again
    /// would hide it.
    pub(super) fn excuse(&mut self, now: Instant) {
        if self.bad_since.is_some() && !self.excused {
            *self = Self { bad_since: Some(now), excused: true, ..Self::new() };
        }
    }

    fn take_good(&mut self, now: Instant) -> LinkState {
        if self.bad_since.is_none() {
            return LinkState::Up;
        }
        self.excused = false;
        let good_since = *self.good_since.get_or_insert(now);
        if now.since(good_since) < LINK_GOOD_AFTER {
            return LinkState::Interrupted;
        }
        *self = Self::new();
        LinkState::Up
    }

    fn take_bad(&mut self, now: Instant) -> LinkState {
        self.good_since = None;
        self.bad_samples = self.bad_samples.saturating_add(1);
        let bad_since = *self.bad_since.get_or_insert(now);
        if now.since(bad_since) > LINK_LOST_AFTER && self.bad_samples >= LOST_SAMPLES {
            LinkState::Lost
        } else {
            LinkState::Interrupted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a sample each 100 ms and returns the last state.
    fn feed(link: &mut Link, from_ms: u64, samples: impl IntoIterator<Item = bool>) -> Option<LinkState> {
        let times = (from_ms..).step_by(100).map(Instant::from_ms);
        times.zip(samples).map(|(now, locked)| link.update(now, locked)).last()
    }

    #[test]
    fn a_link_is_lost_after_more_than_two_seconds_without_lock() {
        let mut link = Link::new();
        assert_eq!(feed(&mut link, 0, [false; 21]), Some(LinkState::Interrupted));
        assert_eq!(feed(&mut link, 2100, [false]), Some(LinkState::Lost));
    }

    #[test]
    fn a_link_that_keeps_losing_lock_is_lost_too() {
        let mut link = Link::new();
        let flapping = [false, true, true, true].into_iter().cycle();
        assert_eq!(feed(&mut link, 0, flapping.take(25)), Some(LinkState::Lost));
    }

    #[test]
    fn an_interruption_ends_after_half_a_second_of_lock() {
        let mut link = Link::new();
        feed(&mut link, 0, [false; 19]);
        assert_eq!(feed(&mut link, 1900, [true; 5]), Some(LinkState::Interrupted));
        assert_eq!(feed(&mut link, 2400, [true]), Some(LinkState::Up));
        assert_eq!(feed(&mut link, 2500, [false; 20]), Some(LinkState::Interrupted));
    }

    #[test]
    fn a_suspended_program_loses_no_link_on_two_samples_far_apart() {
        let mut link = Link::new();
        link.update(Instant::ZERO, false);
        assert_eq!(link.update(Instant::from_ms(60_000), false), LinkState::Interrupted);
    }

    #[test]
    fn an_interruption_is_excused_once() {
        let mut link = Link::new();
        feed(&mut link, 0, [false; 15]);
        link.excuse(Instant::from_ms(1500));
        assert_eq!(feed(&mut link, 1500, [false; 15]), Some(LinkState::Interrupted));
        link.excuse(Instant::from_ms(3000));
        assert_eq!(feed(&mut link, 3000, [false; 7]), Some(LinkState::Lost));
    }

    #[test]
    fn a_link_that_locked_meanwhile_may_be_excused_again() {
        let mut link = Link::new();
        feed(&mut link, 0, [false; 15]);
        link.excuse(Instant::from_ms(1500));
        feed(&mut link, 1500, [true, false, false]);
        link.excuse(Instant::from_ms(1800));
        assert_eq!(feed(&mut link, 1800, [false; 20]), Some(LinkState::Interrupted));
    }
}
