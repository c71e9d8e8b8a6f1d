//! A background thread that ends when its owner goes.

use crate::error::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use ucm_ha_linux::shared;

/// Above the daemons' real-time priority.
const PRIORITY: i32 = 40;
/// How often a thread that waits looks whether it should end.
pub const STOP_CHECK: Duration = Duration::from_millis(100);

/// Tells a thread that it should end.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether it should.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The thread. Dropping this ends it.
pub struct Worker {
    name: &'static str,
    stop: Stop,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Worker {
    /// Starts `task`, which must look at its `Stop` at least every [`STOP_CHECK`].
    pub fn start(name: &'static str, task: impl FnOnce(Stop) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let stop = Stop::default();
        let its_stop = stop.clone();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || task(its_stop));
        Ok(Self { name, stop, thread: Some(thread.context(format_args!("cannot start the thread {name}"))?) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.0.store(true, Ordering::Relaxed);
        // A panic was printed by the thread itself.
        if let Some(Ok(Err(error))) = self.thread.take().map(JoinHandle::join) {
            eprintln!("lab: {} ended early: {error}", self.name);
        }
    }
}

/// Lets this thread run before the daemons, as what is no program in reality would. Where that is not permitted it says what suffers.
pub fn run_before_daemons(what_suffers: &str) {
    if let Err(error) = shared::schedule_fifo(PRIORITY) {
        eprintln!("lab: without real-time priority ({error}) {what_suffers} on a busy machine");
    }
}

/// Waits until one of the descriptors can be read, for `timeout` at most.
pub fn wait_readable<const N: usize>(fds: [BorrowedFd<'_>; N], timeout: Duration) -> io::Result<()> {
    let mut entries = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
    match poll(&mut entries, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
