//! Keeps the heartbeats on time on a loaded machine, as far as the daemon is permitted to.

use crate::sys;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};
use std::io;

/// Low: above everything that is not real-time, below interrupt threads and whatever else claims to be urgent.
const PRIORITY: i32 = 10;

/// Gives the calling thread real-time priority and keeps the program's pages in memory. Says what was not permitted.
pub(crate) fn enter() {
    if let Err(error) = sys::schedule_fifo(PRIORITY) {
        log::warn!("no real-time priority: {error}; grant CAP_SYS_NICE to keep heartbeats on time under load");
    }
    if let Err(error) = lock_memory() {
        log::warn!(
            "memory is not locked: {error}; grant CAP_IPC_LOCK to keep heartbeats on time under memory pressure"
        );
    }
}

/// Pages are locked when they are first used, so that unused ones cost nothing.
fn lock_memory() -> io::Result<()> {
    let unlimited = getrlimit(Resource::Memlock).current.is_none();
    if !unlimited && !capabilities(None)?.effective.contains(CapabilitySet::IPC_LOCK) {
        // Under a limit it is every later allocation that would fail.
        return Err(io::Error::other("the limit on locked memory is too low"));
    }
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?)
}
