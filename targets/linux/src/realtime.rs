//! Keeps the heartbeats on time on a loaded machine, as far as that is permitted.

use crate::sys;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};
use std::io;
use std::ops::RangeInclusive;

/// The priority where the configuration does not say: above `asterisk -p`, which has 10, and below interrupt threads, which
/// have 50.
pub(crate) const DEFAULT_PRIORITY: u8 = 30;
/// What Linux has.
pub(crate) const PRIORITIES: RangeInclusive<u8> = 1..=99;
/// Names the calling thread where a process is asked for.
pub(crate) const OWN: i32 = 0;

/// Gives this real-time priority to the main thread of a process, not to what it starts.
pub(crate) fn give_priority(pid: i32, priority: u8) -> io::Result<()> {
    sys::schedule_fifo_of(pid, priority.into())
}

/// Keeps the program's pages in memory. They are locked when they are first used, so that unused ones cost nothing.
pub(crate) fn lock_memory() -> io::Result<()> {
    let unlimited = getrlimit(Resource::Memlock).current.is_none();
    if !unlimited && !capabilities(None)?.effective.contains(CapabilitySet::IPC_LOCK) {
        // Under a limit it is every later allocation that would fail.
        return Err(io::Error::other("the limit on locked memory is too low"));
    }
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?)
}
