//! The lifetime of the cluster IP. On Linux the kernel takes an address away whose lifetime has run out; here nobody does
//! that but the firmware, so it asks before anything is received or sent.

use ucm_ha::{Duration, Instant};

/// Whether the cluster IP is held, and until when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    until: Option<Instant>,
}

impl Lifetime {
    /// Not held.
    pub const NONE: Self = Self { until: None };

    /// Holds the address for `valid_s` seconds from `now` on.
    pub fn begin(&mut self, now: Instant, valid_s: u32) {
        self.until = Some(now + Duration::from_s(valid_s.into()));
    }

    /// Extends the life of an address that is held; `false` when it is not, or not any more.
    pub fn renew(&mut self, now: Instant, valid_s: u32) -> bool {
        let held = self.until.is_some_and(|until| now < until);
        if held {
            self.begin(now, valid_s);
        }
        held
    }

    /// The address is given back.
    pub const fn end(&mut self) {
        self.until = None;
    }

    /// `true` once, when the lifetime has run out: the address must go.
    pub fn take_expired(&mut self, now: Instant) -> bool {
        let expired = self.until.is_some_and(|until| until <= now);
        if expired {
            self.end();
        }
        expired
    }

    /// When the address will go unless it is renewed.
    pub fn deadline(&self) -> Instant {
        self.until.unwrap_or(Instant::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_renewed_goes_once_and_at_its_time() {
        let mut lifetime = Lifetime::NONE;
        lifetime.begin(Instant::from_ms(500), 5);
        assert!(!lifetime.take_expired(Instant::from_us(5_499_999)));
        assert_eq!(lifetime.deadline(), Instant::from_ms(5500));
        assert!(lifetime.take_expired(Instant::from_ms(5500)));
        assert!(!lifetime.take_expired(Instant::from_ms(5500)));
        assert_eq!(lifetime.deadline(), Instant::NEVER);
    }

    #[test]
    fn a_renewal_extends_only_what_is_still_held() {
        let mut lifetime = Lifetime::NONE;
        assert!(!lifetime.renew(Instant::ZERO, 5));
        lifetime.begin(Instant::ZERO, 5);
        assert!(lifetime.renew(Instant::from_ms(4999), 5));
        assert_eq!(lifetime.deadline(), Instant::from_ms(9999));
        assert!(!lifetime.renew(Instant::from_ms(9999), 5), "too late, though nobody has looked yet");
        assert!(lifetime.take_expired(Instant::from_ms(9999)));
    }

    #[test]
    fn an_address_that_was_given_back_does_not_expire() {
        let mut lifetime = Lifetime::NONE;
        lifetime.begin(Instant::ZERO, 1);
        lifetime.end();
        assert!(!lifetime.take_expired(Instant::from_ms(2000)));
    }
}
