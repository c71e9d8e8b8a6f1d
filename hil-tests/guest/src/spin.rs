//! A program that takes its processor from everything else, to see what becomes of the machine.

use std::io;
use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

/// Above the daemon's; of 99.
const PRIORITY: u8 = 50;

/// Spins with real-time priority. Ends only where that is refused.
pub(crate) fn spin() -> io::Result<std::convert::Infallible> {
    let priority = ThreadPriorityValue::try_from(PRIORITY).map_err(io::Error::other)?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(priority), policy)
        .map_err(|error| io::Error::other(format!("no real-time priority: {error}")))?;
    loop {
        std::hint::spin_loop();
    }
}
