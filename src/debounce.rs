//! Debouncing of a fault: how long a bad state must last before it counts, and a good one before it counts again.
//!
//! Time alone is not enough. A machine that was suspended between two samples has seen no bad state that lasted, so a
//! change also needs a number of samples in a row.

use crate::time::{Duration, Instant};

/// How much evidence a change needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// How long the state must have been bad to raise.
    pub raise: Duration,
    /// How long the state must have been good to clear.
    pub clear: Duration,
    /// Bad samples in a row that are needed to raise. 0 counts as 1.
    pub raise_samples: u8,
    /// Good samples in a row that are needed to clear. 0 counts as 1.
    pub clear_samples: u8,
}

impl Limits {
    /// Limits of `raise_ms` and `clear_ms`, with three samples each way.
    pub const fn from_ms(raise_ms: u32, clear_ms: u32) -> Self {
        Self {
            raise: Duration::from_ms(raise_ms as u64),
            clear: Duration::from_ms(clear_ms as u64),
            raise_samples: 3,
            clear_samples: 3,
        }
    }
}

/// What one look at the state showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sample {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Not to be told now. It neither continues nor breaks what was seen before.
    Unknown,
}

/// A change of the debounced state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Edge {
    /// The fault was raised.
    Raised,
    /// The fault was cleared.
    Cleared,
}

/// Counters since the start. They stop at their maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// Bad samples, also those that raised nothing.
    pub bad_samples: u32,
    /// Times the fault was raised.
    pub raised: u32,
    /// Times the fault was cleared.
    pub cleared: u32,
}

/// Samples in a row that contradict the debounced state.
#[derive(Clone, Copy, Debug)]
struct Streak {
    since: Instant,
    samples: u8,
}

/// One debounced fault. It starts cleared.
#[derive(Clone, Debug)]
pub struct Debounce {
    limits: Limits,
    raised: bool,
    streak: Option<Streak>,
    counters: Counters,
}

impl Debounce {
    /// A cleared fault with these limits.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, raised: false, streak: None, counters: Counters { bad_samples: 0, raised: 0, cleared: 0 } }
    }

    /// Whether the fault stands.
    pub const fn is_raised(&self) -> bool {
        self.raised
    }

    /// The counters.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether the newest samples contradict the debounced state.
    pub const fn is_contradicted(&self) -> bool {
        self.streak.is_some()
    }

    /// Takes one sample and says whether it changed the debounced state.
    pub fn update(&mut self, now: Instant, sample: Sample) -> Option<Edge> {
        let bad = match sample {
            Sample::Unknown => return None,
            Sample::Good => false,
            Sample::Bad => true,
        };
        if bad {
            self.counters.bad_samples = self.counters.bad_samples.saturating_add(1);
        }
        if bad == self.raised {
            self.streak = None;
            return None;
        }
        let (time, samples) = self.needed();
        let streak = self.streak.get_or_insert(Streak { since: now, samples: 0 });
        streak.samples = streak.samples.saturating_add(1);
        if now.since(streak.since) < time || streak.samples < samples {
            return None;
        }
        Some(self.change(bad))
    }

    /// From when on one more sample like the last ones changes the state. `None` while nothing contradicts it, or more than
    /// one sample is missing.
    pub fn due(&self) -> Option<Instant> {
        let (time, samples) = self.needed();
        let streak = self.streak.filter(|streak| streak.samples.saturating_add(1) >= samples)?;
        Some(streak.since + time)
    }

    /// The evidence that the next change needs.
    const fn needed(&self) -> (Duration, u8) {
        if self.raised {
            (self.limits.clear, self.limits.clear_samples)
        } else {
            (self.limits.raise, self.limits.raise_samples)
        }
    }

    fn change(&mut self, raised: bool) -> Edge {
        self.streak = None;
        self.raised = raised;
        if raised {
            self.counters.raised = self.counters.raised.saturating_add(1);
            Edge::Raised
        } else {
            self.counters.cleared = self.counters.cleared.saturating_add(1);
            Edge::Cleared
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn fault() -> Debounce {
        Debounce::new(Limits::from_ms(300, 2000))
    }

    /// Feeds one sample each 100 ms and returns when the state changed.
    fn feed(fault: &mut Debounce, from_ms: u64, samples: impl IntoIterator<Item = Sample>) -> Vec<(u64, Edge)> {
        let times = (from_ms..).step_by(100);
        times.zip(samples).filter_map(|(ms, s)| Some((ms, fault.update(Instant::from_ms(ms), s)?))).collect()
    }

    #[test]
    fn a_state_that_stays_bad_is_raised_after_the_raise_time_and_cleared_after_the_clear_time() {
        let mut fault = fault();
        assert_eq!(feed(&mut fault, 0, [Sample::Bad; 10]), [(300, Edge::Raised)]);
        assert!(fault.is_raised());
        assert_eq!(feed(&mut fault, 1000, [Sample::Good; 30]), [(3000, Edge::Cleared)]);
        assert_eq!(fault.counters(), Counters { bad_samples: 10, raised: 1, cleared: 1 });
    }

    #[test]
    fn one_good_sample_starts_the_raise_time_anew() {
        let mut fault = fault();
        use Sample::{Bad, Good};
        assert_eq!(feed(&mut fault, 0, [Bad, Bad, Bad, Good, Bad, Bad, Bad, Good]), []);
        assert_eq!(fault.counters(), Counters { bad_samples: 6, raised: 0, cleared: 0 });
    }

    #[test]
    fn one_bad_sample_starts_the_clear_time_anew() {
        let mut fault = fault();
        feed(&mut fault, 0, [Sample::Bad; 4]);
        let samples = [Sample::Good; 15].into_iter().chain([Sample::Bad]).chain([Sample::Good; 30]);
        assert_eq!(feed(&mut fault, 400, samples), [(4000, Edge::Cleared)]);
    }

    #[test]
    fn a_suspended_machine_raises_nothing_on_two_samples_far_apart() {
        let mut fault = fault();
        assert_eq!(fault.update(Instant::from_ms(0), Sample::Bad), None);
        assert_eq!(fault.update(Instant::from_ms(60_000), Sample::Bad), None);
        assert_eq!(fault.update(Instant::from_ms(60_100), Sample::Good), None);
        assert!(!fault.is_raised());
    }

    #[test]
    fn unknown_samples_neither_continue_nor_break_a_streak() {
        let mut fault = fault();
        use Sample::{Bad, Unknown};
        assert_eq!(feed(&mut fault, 0, [Unknown; 20]), []);
        assert_eq!(feed(&mut fault, 2000, [Bad, Unknown, Bad, Unknown, Bad]), [(2400, Edge::Raised)]);
        assert_eq!(feed(&mut fault, 2500, [Unknown; 50]), []);
        assert!(fault.is_raised());
    }

    #[test]
    fn the_moment_of_the_change_is_known_once_one_sample_is_missing() {
        let mut fault = fault();
        assert_eq!(fault.due(), None);
        feed(&mut fault, 0, [Sample::Bad]);
        assert_eq!(fault.due(), None, "two are missing");
        feed(&mut fault, 20, [Sample::Bad]);
        let due = fault.due().unwrap();
        assert_eq!(due, Instant::from_ms(300));
        assert_eq!(fault.update(due, Sample::Bad), Some(Edge::Raised));
        assert_eq!(fault.due(), None);
        feed(&mut fault, 1000, [Sample::Good; 2]);
        assert_eq!(fault.due(), Some(Instant::from_ms(3000)));
    }

    #[test]
    fn limits_of_zero_follow_every_sample() {
        let mut fault = Debounce::new(Limits { raise_samples: 0, clear_samples: 0, ..Limits::from_ms(0, 0) });
        assert_eq!(fault.update(Instant::ZERO, Sample::Bad), Some(Edge::Raised));
        assert_eq!(fault.update(Instant::ZERO, Sample::Good), Some(Edge::Cleared));
    }
}
