//! Notes when threads had to wait for the machine.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

/// A thread that was later than this had to wait for the machine. A healthy one with other work stays below.
pub const TOLERANCE: Duration = Duration::from_millis(20);
/// How long a thread of the watch sleeps.
const NAP: Duration = Duration::from_millis(1);
/// The daemon's own real-time priority, of 99.
const DAEMON_PRIORITY: u8 = 10;

/// The longest time that a thread of the watch was late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stall(pub Duration);

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the machine stood still for {} ms", self.0.as_millis())
    }
}

/// Threads that sleep for a millisecond at a time and note how late they woke: one on each processor with the daemon's
/// priority, and one with that of its creator. They end with this.
#[derive(Debug)]
pub struct StallWatch {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    longest_us: AtomicU64,
    ended: AtomicBool,
}

impl StallWatch {
    /// Begins to watch. Where real-time priority is not permitted, that is said once, and ordinary threads watch alone.
    ///
    /// # Errors
    /// No thread could be started, or the processors are not known.
    pub fn begin() -> io::Result<Self> {
        let mut watch = Self { shared: Arc::default(), threads: Vec::new() };
        watch.start(|| Ok(()))?;
        let mine = sched_getaffinity(None)?;
        for processor in (0..CpuSet::MAX_CPU).filter(|processor| mine.is_set(*processor)) {
            watch.start(move || take_daemon_priority(processor))?;
        }
        Ok(watch)
    }

    fn start(&mut self, prepare: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let watch = move || match prepare() {
            Ok(()) => shared.watch(),
            Err(error) => say_once(&error),
        };
        self.threads.push(thread::Builder::new().name("stall watch".to_owned()).spawn(watch)?);
        Ok(())
    }

    /// The longest stall since the watch began, where one was longer than [`TOLERANCE`].
    pub fn stall(&self) -> Option<Stall> {
        let longest = Duration::from_micros(self.shared.longest_us.load(Ordering::Relaxed));
        (longest > TOLERANCE).then_some(Stall(longest))
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn watch(&self) {
        while !self.ended.load(Ordering::Relaxed) {
            let begin = Instant::now();
            thread::sleep(NAP);
            let late = begin.elapsed().saturating_sub(NAP);
            self.longest_us.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

/// One processor, which the others do not speak for, and the priority of what is watched there.
fn take_daemon_priority(processor: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(processor);
    sched_setaffinity(None, &only)?;
    let priority = ThreadPriorityValue::try_from(DAEMON_PRIORITY).map_err(io::Error::other)?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(priority), policy)
        .map_err(io::Error::other)
}

fn say_once(error: &io::Error) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        eprintln!("stall watch: no real-time priority ({error}); it sees less of what the daemon waits for")
    });
}
