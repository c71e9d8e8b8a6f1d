//! No more than so many of something in a time: what anybody may cause must not cost the daemon its turn, or fill the log.

use ucm_ha::{Duration, Instant};

/// A rate that is not exceeded. Time is counted in windows of equal length.
pub(crate) struct Rate {
    most: u32,
    window: Duration,
    end: Instant,
    left: u32,
    refused: u64,
}

impl Rate {
    /// At most `most` in each `window`.
    pub(crate) const fn new(most: u32, window: Duration) -> Self {
        Self { most, window, end: Instant::ZERO, left: most, refused: 0 }
    }

    /// Takes one; `false`, and counted, where there is none left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if self.end <= now {
            self.end = now + self.window;
            self.left = self.most;
        }
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.refused += u64::from(!taken);
        taken
    }

    /// When there is one to take again; in the past while there is one now.
    pub(crate) const fn next(&self) -> Instant {
        if self.left > 0 { Instant::ZERO } else { self.end }
    }

    /// How many were refused since this was asked last.
    pub(crate) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_rate_is_taken_and_the_rest_is_counted() {
        let begin = Instant::ZERO + Duration::from_s(5);
        let mut rate = Rate::new(2, Duration::from_s(1));
        assert_eq!([rate.take(begin), rate.take(begin), rate.take(begin)], [true, true, false]);
        assert_eq!(rate.next(), begin + Duration::from_s(1));
        assert!(!rate.take(begin + Duration::from_ms(999)));
        assert!(rate.take(begin + Duration::from_s(1)));
        assert_eq!(rate.next(), Instant::ZERO);
        assert_eq!((rate.take_refused(), rate.take_refused()), (2, 0));
    }
}
