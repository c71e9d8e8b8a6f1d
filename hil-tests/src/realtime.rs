//! Real-time priority for those who watch: a watcher that does not run sees a gap where there is none.

use std::{io, thread};
use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

/// Of 99. They mostly wait, and come before everything that is not real-time.
const PRIORITY: u8 = 5;

/// Runs `task` in a thread with real-time priority, which the threads that it starts inherit. Where that is not permitted,
/// this is said, and the task is run all the same.
pub(crate) fn start<T: Send>(task: impl FnOnce() -> T + Send) -> T {
    let run = || {
        if let Err(error) = enter() {
            eprintln!(
                "hil-tests: no real-time priority for the phone ({error}); a busy machine may show gaps that are none"
            );
        }
        task()
    };
    match thread::scope(|scope| scope.spawn(run).join()) {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn enter() -> io::Result<()> {
    let priority = ThreadPriorityValue::try_from(PRIORITY).map_err(io::Error::other)?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(priority), policy)
        .map_err(io::Error::other)
}
