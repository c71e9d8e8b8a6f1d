//! The node's clock, and a timer that wakes the loop to the microsecond.

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use ucm_ha::Instant;

const US_PER_S: u64 = 1_000_000;

/// Time since the machine was booted. It counts the time the machine was suspended.
pub(crate) fn now() -> Instant {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let us = u64::try_from(time.tv_nsec / 1000).unwrap_or_default();
    Instant::from_us(seconds.saturating_mul(US_PER_S).saturating_add(us))
}

/// A timer on the node's clock. Epoll's own timeout is in whole milliseconds, and stands still in suspend.
pub(crate) struct Timer {
    fd: OwnedFd,
    armed: Instant,
}

impl Timer {
    /// A timer that is not armed.
    pub(crate) fn new() -> io::Result<Self> {
        let fd = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self { fd, armed: Instant::NEVER })
    }

    /// Wakes at `deadline` and not before. One that has passed wakes at once.
    pub(crate) fn arm(&mut self, deadline: Instant) -> io::Result<()> {
        if deadline == self.armed {
            return Ok(());
        }
        let timer = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: absolute(deadline) };
        timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &timer)?;
        self.armed = deadline;
        Ok(())
    }

    /// Forgets what was armed, after the timer has woken the loop. The edge-triggered descriptor need not be read.
    pub(crate) fn fired(&mut self) {
        self.armed = Instant::NEVER;
    }
}

/// All zeros would disarm the timer, so the clock's origin becomes its first nanosecond.
fn absolute(deadline: Instant) -> Timespec {
    let us = deadline.as_us();
    let tv_sec = i64::try_from(us / US_PER_S).unwrap_or(i64::MAX);
    let tv_nsec = i64::try_from(us % US_PER_S * 1000).unwrap_or_default();
    Timespec { tv_sec, tv_nsec: if us == 0 { 1 } else { tv_nsec } }
}

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
