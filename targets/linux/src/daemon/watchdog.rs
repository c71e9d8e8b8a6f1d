//! The service manager: it is told how the daemon is, and starts it anew when it hears nothing.

use sd_notify::NotifyState;
use ucm_ha::{Duration, Instant};

/// The service manager's watchdog.
pub(super) struct Watchdog {
    interval: Duration,
    next: Instant,
}

impl Watchdog {
    /// When to [`feed`](Self::feed) it.
    pub(super) const fn deadline(&self) -> Instant {
        self.next
    }

    /// The watchdog, where the service manager wants one.
    pub(super) fn from_environment() -> Option<Self> {
        let timeout = sd_notify::watchdog_enabled()?;
        let timeout_us = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        Some(Self { interval: Duration::from_us(timeout_us).half(), next: Instant::ZERO })
    }

    /// Tells it that the daemon lives, where it is time.
    pub(super) fn feed(&mut self, now: Instant) {
        if self.next <= now {
            self.next = now + self.interval;
            notify(&[NotifyState::Watchdog]);
        }
    }
}

/// Tells the service manager, where there is one.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("the service manager cannot be told: {error}");
    }
}
