//! Notes when threads had to wait for the machine.

use rustix::process::setpriority_process;
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
const DAEMON_PRIORITY: u8 = 30;

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
    ended: Arc<AtomicBool>,
    threads: Vec<(Arc<Noted>, JoinHandle<()>)>,
}

/// What one thread has seen.
#[derive(Debug, Default)]
struct Noted {
    naps: AtomicU64,
    longest_us: AtomicU64,
}

impl StallWatch {
    /// Begins to watch. Where real-time priority is not permitted, that is said once, and ordinary threads watch alone.
    ///
    /// # Errors
    /// No thread could be started, or the processors are not known.
    pub fn begin() -> io::Result<Self> {
        let mut watch = Self { ended: Arc::default(), threads: Vec::new() };
        watch.start(|| Ok(()))?;
        let mine = sched_getaffinity(None)?;
        for processor in (0..CpuSet::MAX_CPU).filter(|processor| mine.is_set(*processor)) {
            watch.start(move || take_daemon_priority(processor))?;
        }
        watch.wait_for_naps();
        Ok(watch)
    }

    /// Begins to watch for what the kernel starts itself, such as the helper of a core dump: with nobody's priority, whatever that
    /// of this thread.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn of_nobody() -> io::Result<Self> {
        let mut watch = Self { ended: Arc::default(), threads: Vec::new() };
        // Of the thread that calls: on Linux each has its own.
        watch.start(|| Ok(setpriority_process(None, 0)?))?;
        watch.wait_for_naps();
        Ok(watch)
    }

    fn start(&mut self, prepare: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
        let (ended, noted) = (Arc::clone(&self.ended), Arc::new(Noted::default()));
        let its_noted = Arc::clone(&noted);
        let watch = move || match prepare() {
            Ok(()) => its_noted.watch(&ended),
            Err(error) => say_once(&error),
        };
        self.threads.push((noted, thread::Builder::new().name("stall watch".to_owned()).spawn(watch)?));
        Ok(())
    }

    /// Waits until each thread has ended the nap that it is in: whoever waits may run before they do.
    fn wait_for_naps(&self) {
        let before: Vec<u64> = self.threads.iter().map(|(noted, _)| noted.naps.load(Ordering::Acquire)).collect();
        for ((noted, thread), naps) in self.threads.iter().zip(before) {
            while noted.naps.load(Ordering::Acquire) == naps && !thread.is_finished() {
                thread::sleep(NAP);
            }
        }
    }

    /// The longest stall since the watch began, where one was longer than [`TOLERANCE`].
    pub fn stall(&self) -> Option<Stall> {
        self.wait_for_naps();
        let longest = self.threads.iter().map(|(noted, _)| noted.longest_us.load(Ordering::Relaxed)).max();
        let longest = Duration::from_micros(longest.unwrap_or_default());
        (longest > TOLERANCE).then_some(Stall(longest))
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for (_, thread) in self.threads.drain(..) {
            // A thread that panicked has said so itself.
            drop(thread.join());
        }
    }
}

impl Noted {
    fn watch(&self, ended: &AtomicBool) {
        // From wake to wake, so that no moment is left out.
        let mut last = Instant::now();
        while !ended.load(Ordering::Relaxed) {
            thread::sleep(NAP);
            let now = Instant::now();
            let late = (now - last).saturating_sub(NAP);
            last = now;
            self.longest_us.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.naps.fetch_add(1, Ordering::Release);
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
