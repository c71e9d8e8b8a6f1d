//! No more than so many of something in a time: what anybody may cause must not cost the daemon its turn, or fill the log.

use serde::{Deserialize, Serialize};
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

    /// Whether its window has ended: what happened then does not matter any more.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.end <= now
    }

    /// What the next process needs to go on.
    pub(crate) const fn keep(&self) -> Kept {
        Kept { end_us: self.end.as_us(), left: self.left }
    }

    /// Goes on with what another process has kept. A window that ends too late is of another boot, or nonsense: it is over.
    pub(crate) fn resume(most: u32, window: Duration, kept: Kept, now: Instant) -> Self {
        let end = Instant::from_us(kept.end_us);
        let end = if end <= now + window { end } else { Instant::ZERO };
        Self { most, window, end, left: kept.left.min(most), refused: 0 }
    }

    /// How many were refused since this was asked last.
    pub(crate) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }
}

/// A rate as a file keeps it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    end_us: u64,
    left: u32,
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

    #[test]
    fn a_rate_goes_on_in_another_process_and_not_after_another_boot() {
        const WINDOW: Duration = Duration::from_s(1);
        let begin = Instant::ZERO + Duration::from_s(5);
        let mut first = Rate::new(1, WINDOW);
        assert_eq!([first.take(begin), first.take(begin)], [true, false]);
        let resumed = |now| Rate::resume(1, WINDOW, first.keep(), now);
        let later = begin + Duration::from_ms(500);
        assert!(!resumed(later).is_over(later) && !resumed(later).take(later));
        let past = begin + WINDOW;
        assert!(resumed(past).is_over(past) && resumed(past).take(past));
        let rebooted = Instant::ZERO + Duration::from_s(2);
        assert!(resumed(rebooted).is_over(rebooted) && resumed(rebooted).take(rebooted));
    }
}
