//! Real-time priority and locked memory for the main thread. What is not permitted is said, and is no reason not to run.

use crate::helper::{Helper, Request};
use crate::realtime;
use std::io;
use std::thread;
use std::time::Duration;

/// What the helper may take to give the priority once it runs.
const PRIORITY_DURATION: Duration = Duration::from_secs(1);

/// Makes the calling thread, the main one, urgent: by itself, or by the helper in a while, which reads the configuration too.
pub(super) fn enter(helper: Option<&Helper>, priority: u8) {
    match helper {
        None => say_without_priority(
            realtime::give_priority(realtime::OWN, priority).map_err(|error| format!("{error}; grant CAP_SYS_NICE")),
        ),
        Some(helper) => {
            if let Err(error) = ask(helper.clone()) {
                say_without_priority(Err(format!("the helper cannot be asked: {error}")));
            }
        }
    }
    if let Err(error) = realtime::lock_memory() {
        log::warn!(
            "memory is not locked: {error}; grant CAP_IPC_LOCK to keep heartbeats on time under memory pressure"
        );
    }
}

/// In a thread of its own: the loop waits for nobody.
fn ask(helper: Helper) -> io::Result<()> {
    let ask = move || say_without_priority(helper.ask(&Request::Priority, PRIORITY_DURATION));
    thread::Builder::new().name("priority".to_owned()).spawn(ask).map(drop)
}

fn say_without_priority(given: Result<(), String>) {
    if let Err(reason) = given {
        log::warn!("no real-time priority, which keeps heartbeats on time under load: {reason}");
    }
}
