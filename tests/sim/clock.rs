//! A node's own clock: it starts anywhere and runs at its own rate.

use super::Us;
use ucm_ha::Instant;

/// A monotonic clock with a rate error.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    started: Us,
    offset_us: u64,
    rate_ppm: i64,
}

impl Clock {
    /// A clock that shows `offset_us` at the virtual time `started`.
    pub(crate) fn new(started: Us, offset_us: u64, rate_ppm: i64) -> Self {
        Self { started, offset_us, rate_ppm }
    }

    /// What the clock shows.
    pub(crate) fn local(&self, now: Us) -> Instant {
        let elapsed = now - self.started;
        let error = (elapsed as i64) * self.rate_ppm / 1_000_000;
        Instant::from_us(self.offset_us + elapsed.wrapping_add_signed(error))
    }

    /// The first virtual time at which the clock shows `local` or later.
    pub(crate) fn global(&self, local: Instant) -> Us {
        if local == Instant::NEVER {
            return Us::MAX;
        }
        let shown = local.as_us().saturating_sub(self.offset_us).min(1 << 42);
        let rate = (1_000_000 + self.rate_ppm) as u64;
        let mut global = self.started + shown * 1_000_000 / rate;
        while self.local(global) < local && self.local(global).as_us() < u64::MAX / 2 && shown < 1 << 42 {
            global += 1;
        }
        global
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_on_the_own_clock_is_never_early_and_at_most_two_microseconds_late() {
        for rate in [-1000, -7, 0, 3, 1000] {
            let clock = Clock::new(1234, 99_999, rate);
            for local in [99_999, 100_000, 5_000_000, 77_777_777] {
                let global = clock.global(Instant::from_us(local));
                assert!(clock.local(global) >= Instant::from_us(local), "early at {rate} ppm");
                assert!(global <= 1234 + 2 || clock.local(global - 2) < Instant::from_us(local), "late at {rate} ppm");
            }
        }
    }

    #[test]
    fn a_fast_clock_runs_ahead() {
        assert_eq!(Clock::new(0, 0, 1000).local(10_000_000).as_us(), 10_010_000);
    }
}
