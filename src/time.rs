//! Time as the core sees it: passed in by the caller, never read.
//!
//! The origin of [`Instant`] is free (boot of the machine, start of the program), but one node must always be given
//! the same one, it must never run backwards, and it must count the time the machine was suspended
//! (`CLOCK_BOOTTIME` on Linux). No wall clock is used anywhere in the protocol.
//!
//! Arithmetic is kept out of line: saturating 64-bit steps are long on a 32-bit core and stand in some hundred places, which
//! makes 3 KB of code. What a core with registers of 64 bits does in one or two instructions is out of line on the others only.

use core::cmp::Ordering;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};
use core::ops::{Add, Sub};

/// A point on the caller's monotonic clock, in microseconds since an origin of the caller's choice.
///
/// Kept as one more than that, so that `Option<Instant>` is no larger: a core with registers of 32 bits then passes and returns
/// it in two of them. The last microsecond before [`Instant::NEVER`] is given up for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instant(NonZeroU64);

/// A span of time in microseconds. All arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Duration(u64);

impl Instant {
    /// The origin of the clock.
    pub const ZERO: Self = Self(NonZeroU64::MIN);
    /// Later than every instant that is reached.
    pub const NEVER: Self = Self(NonZeroU64::MAX);

    /// The instant `us` microseconds after the origin.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn from_us(us: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(us))
    }

    /// The instant `ms` milliseconds after the origin.
    pub const fn from_ms(ms: u64) -> Self {
        Self::from_us(ms.saturating_mul(1000))
    }

    /// Microseconds since the origin.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn as_us(self) -> u64 {
        match self {
            Self::NEVER => u64::MAX,
            Self(count) => count.get() - 1,
        }
    }

    /// Whole milliseconds since the origin.
    pub const fn as_ms(self) -> u64 {
        self.as_us() / 1000
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    #[inline(never)]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn max(self, other: Self) -> Self {
        if other < self { self } else { other }
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }
}

impl Default for Instant {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instant").field(&self.as_us()).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Instant {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Instant({=u64})", self.as_us());
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

    /// The `n`-th part of `self`; `None` for 0 parts. Digit by digit, to the base 256: a small core has to be taught the division
    /// of 64 bits, with half a kilobyte.
    pub fn divided_by(self, n: u8) -> Option<Self> {
        let n = NonZeroU32::new(n.into())?;
        let (mut quotient, mut rest) = (0, 0);
        for digit in self.0.to_be_bytes() {
            let dividend = rest << 8 | u32::from(digit);
            quotient = quotient << 8 | u64::from(dividend / n);
            rest = dividend % n;
        }
        Some(Self(quotient))
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

/// Whole microseconds, rounded down; a span too long for them is as long as there is.
impl From<core::time::Duration> for Duration {
    fn from(span: core::time::Duration) -> Self {
        Self::from_s(span.as_secs()) + Self::from_us(span.subsec_micros().into())
    }
}

impl From<Duration> for core::time::Duration {
    fn from(span: Duration) -> Self {
        Self::from_micros(span.as_us())
    }
}

/// The end of a span that begins with what may not have happened. Without a branch of its own at each of some twenty places.
impl Duration {
    /// The end of this span; never, where it has not begun: a deadline, or what must have lasted.
    #[inline(never)]
    pub(crate) fn end_or_never(self, since: Option<Instant>) -> Instant {
        since.map_or(Instant::NEVER, |since| since + self)
    }

    /// The end of this span; long past, where it has not begun: what must not last any more.
    #[inline(never)]
    pub(crate) fn end_or_past(self, since: Option<Instant>) -> Instant {
        since.map_or(Instant::ZERO, |since| since + self)
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
        Self(NonZeroU64::new(self.0.get().saturating_sub(span.0)).unwrap_or(NonZeroU64::MIN))
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

    #[test]
    fn an_instant_comes_back_in_the_unit_it_was_given_in() {
        for us in [0, 1, 999, 1000, u64::MAX / 2, u64::MAX - 2, u64::MAX] {
            assert_eq!(Instant::from_us(us).as_us(), us);
        }
        assert_eq!(Instant::from_us(u64::MAX), Instant::NEVER);
        assert_eq!(Instant::default(), Instant::from_us(0));
        assert_eq!(std::format!("{:?}", Instant::from_ms(5)), "Instant(5000)");
    }

    #[test]
    fn a_part_of_a_span_is_rounded_down() {
        for us in [0, 1, 254, 255, 256, 100_000, u64::from(u32::MAX) * 1000, u64::MAX] {
            for n in [1, 2, 3, 7, 8, 255] {
                assert_eq!(Duration::from_us(us).divided_by(n), Some(Duration::from_us(us / u64::from(n))));
            }
            assert_eq!(Duration::from_us(us).divided_by(0), None);
        }
    }

    #[test]
    fn a_span_of_the_standard_library_is_rounded_down_and_saturates() {
        type Std = core::time::Duration;
        assert_eq!(Duration::from(Std::new(3, 999)), Duration::from_s(3));
        assert_eq!(Duration::from(Std::new(3, 1_999)), Duration::from_us(3_000_001));
        assert_eq!(Duration::from(Std::MAX), Duration::from_us(u64::MAX));
        assert_eq!(Std::from(Duration::from_us(1_500_000)), Std::from_millis(1500));
        assert_eq!(Duration::from(Std::from(Duration::from_us(u64::MAX))), Duration::from_us(u64::MAX));
    }

    #[test]
    fn an_instant_that_may_be_missing_takes_no_more_room() {
        assert_eq!(size_of::<Option<Instant>>(), size_of::<u64>());
        assert!(Some(Instant::ZERO) > None);
    }
}
