//! Time as the core sees it: passed in by the caller, never read.
//!
//! The origin of [`Instant`] is free (boot of the machine, start of the program), but one node must always be given
//! the same one, it must never run backwards, and it must count the time the machine was suspended
//! (`CLOCK_BOOTTIME` on Linux). No wall clock is used anywhere in the protocol.
//!
//! Arithmetic is kept out of line: saturating 64-bit steps are long on a 32-bit core and stand in some hundred places, which
//! makes 3 KB of code.

use core::ops::{Add, Sub};

/// A point on the caller's monotonic clock, in microseconds since an origin of the caller's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

/// A span of time in microseconds. All arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Duration(u64);

impl Instant {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);
    /// Later than every instant that is reached.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `us` microseconds after the origin.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// The instant `ms` milliseconds after the origin.
    #[inline(never)]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// Microseconds since the origin.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    #[inline(never)]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `us` microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// A span of `ms` milliseconds.
    #[inline(never)]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// A span of `s` seconds.
    #[inline(never)]
    pub const fn from_s(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// The span in microseconds.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// The span in whole milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// `self` times `n`.
    #[inline(never)]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }

    /// `self` divided by 2.
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }

    /// `self` without `other`; zero when `other` is longer.
    #[inline(never)]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    #[inline(never)]
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    #[inline(never)]
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add for Duration {
    type Output = Self;
    #[inline(never)]
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends_of_the_clock() {
        let day = Duration::from_s(86_400);
        assert_eq!(Instant::from_ms(5) - day, Instant::ZERO);
        assert_eq!(Instant::NEVER + day, Instant::NEVER);
        assert_eq!(Instant::ZERO.since(Instant::from_ms(1)), Duration::ZERO);
        assert_eq!(Duration::from_s(u64::MAX).as_us(), u64::MAX);
    }
}
