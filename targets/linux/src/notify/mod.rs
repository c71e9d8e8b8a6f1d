//! Programs and HTTP servers that are told of every alert and role change.
//!
//! | file | concept |
//! |---|---|
//! | `mod` | the daemon's end, and the thread of each receiver |
//! | `command` | a program, run by the daemon itself or by the helper |
//! | `http` | a server |

mod command;
mod http;

use crate::events::form::Notice;
use crate::events::record::Record;
use crate::helper::Helper;
use crate::program::TERM_GRACE;
use crate::settings::{Notify, NotifyTarget};
use command::Program;
use http::Server;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;
use ucm_ha_control::status::Notices;

/// Notices that may wait for one receiver; more are dropped and counted.
const MAX_WAITING: usize = 64;
/// How long the programs may take to end once they have to.
const END_TIMEOUT: Duration = TERM_GRACE.saturating_add(Duration::from_millis(200));
/// Stack of a receiver's thread, in bytes: looking up a host's name takes some.
const STACK_LEN: usize = 512 * 1024;

/// The daemon's end. Nothing here waits for anybody.
#[derive(Default)]
pub(crate) struct Notifier {
    targets: Vec<Target>,
    /// Disconnected once the last thread has ended.
    ended: Option<Receiver<()>>,
    /// Closed once no program may go on.
    stop: Option<PipeWriter>,
}

struct Target {
    name: String,
    waiting: SyncSender<Record>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    /// Dropped, and not told in the log yet.
    untold: AtomicU64,
}

enum Means {
    Program(Program),
    Server(Server),
}

impl Notifier {
    /// Starts a thread for each receiver. Programs are run by `helper` where there is one.
    pub(crate) fn start(settings: &[Notify], helper: Option<&Helper>) -> io::Result<Self> {
        let (end, ended) = channel();
        let (stopped, stop) = io::pipe()?;
        let start = |notify| Target::start(notify, helper, end.clone(), stopped.try_clone()?);
        let targets = settings.iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { targets, ended: Some(ended), stop: Some(stop) })
    }

    /// Tells everybody, each in its own time.
    pub(crate) fn tell(&self, record: &Record) {
        for target in &self.targets {
            if target.waiting.try_send(record.clone()).is_err() {
                target.counters.dropped.fetch_add(1, Ordering::Relaxed);
                target.counters.untold.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What became of the notices.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = Notices> {
        self.targets.iter().map(|Target { name, counters, .. }| Notices {
            target: name.clone(),
            delivered: counters.delivered.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
        })
    }

    /// Waits, at most so long, until everybody is told. Then the programs that the daemon runs itself are ended, and not even one
    /// that ignores that it is asked to end outlives this.
    pub(crate) fn finish(&mut self, timeout: Duration) -> bool {
        // Without the daemon's end of its queue a thread ends with the last notice.
        self.targets.clear();
        let Some(ended) = self.ended.take() else { return true };
        let all_end_in = |timeout| ended.recv_timeout(timeout) == Err(RecvTimeoutError::Disconnected);
        if all_end_in(timeout) {
            return true;
        }
        self.stop = None;
        // Whoever waits for a server or for the helper is not waited for.
        let _programs_ended = all_end_in(END_TIMEOUT);
        false
    }
}

impl Target {
    fn start(notify: &Notify, helper: Option<&Helper>, end: Sender<()>, stopped: PipeReader) -> io::Result<Self> {
        let timeout = Duration::from_millis(u64::from(notify.timeout_ms));
        let (name, means) = match &notify.target {
            NotifyTarget::Command { words, user } => {
                let program = Program::new(words, user.as_deref(), timeout, helper).map_err(io::Error::other)?;
                (program.name().to_owned(), Means::Program(program))
            }
            NotifyTarget::Http { url, template } => {
                (url.clone(), Means::Server(Server::new(url.clone(), template.clone(), timeout)))
            }
        };
        let (waiting, notices) = sync_channel(MAX_WAITING);
        let counters = Arc::new(Counters::default());
        let worker = Worker { name: name.clone(), means, notices, counters: Arc::clone(&counters), stopped, _end: end };
        std::thread::Builder::new().name("notify".to_owned()).stack_size(STACK_LEN).spawn(move || worker.run())?;
        Ok(Self { name, waiting, counters })
    }
}

struct Worker {
    name: String,
    means: Means,
    notices: Receiver<Record>,
    counters: Arc<Counters>,
    /// Can be read once no program may go on.
    stopped: PipeReader,
    /// Let go with the thread.
    _end: Sender<()>,
}

impl Worker {
    /// One at a time, in their order, until the daemon has let go of the other end.
    fn run(self) {
        while let Ok(record) = self.notices.recv() {
            let dropped = self.counters.untold.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                log::error!("{}: {dropped} events were not told: too many waited", self.name);
            }
            let Some(notice) = Notice::of(&record) else { continue };
            if matches!(self.means, Means::Program(_)) && is_closed(&self.stopped) {
                // It would be ended as well; the daemon says that not everybody was told.
                return;
            }
            let told = match &self.means {
                Means::Program(program) => program.tell(&notice, self.stopped.as_fd()),
                Means::Server(server) => server.tell(&notice),
            };
            match told {
                Ok(()) => drop(self.counters.delivered.fetch_add(1, Ordering::Relaxed)),
                Err(reason) => {
                    self.counters.failed.fetch_add(1, Ordering::Relaxed);
                    log::error!("{} was not told of event {} ({}): {reason}", self.name, record.id, notice.content());
                }
            }
        }
    }
}

/// Whether the other end of a pipe to which nobody writes was closed.
fn is_closed(pipe: &PipeReader) -> bool {
    const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&AT_ONCE)).is_ok_and(|ready| ready > 0)
}
