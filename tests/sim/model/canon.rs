//! When two states are the same: a fingerprint in which only relative times stand.
//!
//! A node's clock starts far from zero, so that every number of that size in its debug text is a moment or a sequence (which
//! is a moment). It is replaced by its age. Ages beyond [`HORIZON`] are all alike: no rule of a pair at T = 3 s looks further
//! back, but the rest after a false alarm and the handover budget, which outlast every run of the model. The state of the little generator that spreads gateway probes is left out; of states
//! that differ in it alone, the first one is followed.

use core::fmt::{self, Debug, Write};
use core::hash::Hasher;
use std::collections::hash_map::DefaultHasher;

/// Where the clocks of the nodes start, in µs.
pub(super) const ORIGIN: u64 = 1_000_000_000_000;
/// The oldest age, and the farthest moment, that is told from older and farther ones, in µs.
const HORIZON: u64 = 7_000_000;
/// A number that says nothing of what the node will do but when the next probe of the gateway is due.
const LEFT_OUT: &[u8] = b"jitter: ";

/// Takes debug text and hashes it in its canonical form.
pub(super) struct Canon {
    now: u64,
    hasher: DefaultHasher,
    number: Option<u64>,
    tail: [u8; 8],
}

impl Canon {
    pub(super) fn new() -> Self {
        Self { now: 0, hasher: DefaultHasher::new(), number: None, tail: [0; 8] }
    }

    /// Hashes `value`, whose moments are on a clock that shows `now`.
    pub(super) fn add(&mut self, now: u64, value: &impl Debug) {
        self.now = now;
        write!(self, "{value:?};").expect("hashing does not fail");
    }

    pub(super) fn finish(self) -> u64 {
        self.hasher.finish()
    }

    fn end_number(&mut self) {
        let Some(number) = self.number.take() else { return };
        if self.tail == LEFT_OUT {
            return;
        }
        if number < ORIGIN || number == u64::MAX {
            return self.hasher.write_u64(number);
        }
        let (age, past) = if number <= self.now { (self.now - number, true) } else { (number - self.now, false) };
        self.hasher.write_u8(if past { b'<' } else { b'>' });
        self.hasher.write_u64(age.min(HORIZON));
    }
}

impl Write for Canon {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte.is_ascii_digit() {
                let digit = u64::from(byte - b'0');
                self.number = Some(self.number.unwrap_or(0).wrapping_mul(10).wrapping_add(digit));
                continue;
            }
            self.end_number();
            self.hasher.write_u8(byte);
            self.tail.rotate_left(1);
            self.tail[7] = byte;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ucm_ha::Instant;

    fn print(now: u64, value: &impl Debug) -> u64 {
        let mut canon = Canon::new();
        canon.add(ORIGIN + now, value);
        canon.finish()
    }

    fn at(us: u64) -> Instant {
        Instant::from_us(ORIGIN + us)
    }

    #[test]
    fn only_ages_within_the_horizon_tell_states_apart() {
        assert_eq!(print(10, &(3, at(5))), print(20, &(3, at(15))), "the same age");
        assert_ne!(print(10, &(3, at(5))), print(10, &(3, at(6))), "another age");
        assert_ne!(print(10, &(3, at(5))), print(10, &(4, at(5))), "another plain number");
        assert_ne!(print(10, &at(5)), print(10, &at(15)), "past and future");
        assert_eq!(print(HORIZON + 50, &at(5)), print(HORIZON + 50, &at(9)), "both long ago");
        assert_ne!(print(10, &Instant::NEVER), print(10, &at(HORIZON * 2)), "never is not far away");
    }
}
