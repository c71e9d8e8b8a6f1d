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
use crate::settings::{Notify, NotifyTarget};
use command::Program;
use http::Server;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;
use ucm_ha_control::status::Notices;

/// Notices that may wait for one receiver; more are dropped and counted.
const MAX_WAITING: usize = 64;
/// Stack of a receiver's thread, in bytes: looking up a host's name takes some.
const STACK_LEN: usize = 512 * 1024;

/// The daemon's end. Nothing here waits for anybody.
#[derive(Default)]
pub(crate) struct Notifier {
    targets: Vec<Target>,
    /// Disconnected once the last thread has ended.
    ended: Option<Receiver<()>>,
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
        let start = |notify| Target::start(notify, helper, end.clone());
        let targets = settings.iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { targets, ended: Some(ended) })
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

    /// Waits, at most so long, until everybody is told.
    pub(crate) fn finish(&mut self, timeout: Duration) -> bool {
        // Without the daemon's end of its queue a thread ends with the last notice.
        self.targets.clear();
        let ended = self.ended.take().map(|ended| ended.recv_timeout(timeout));
        ended.is_none_or(|ended| ended == Err(RecvTimeoutError::Disconnected))
    }
}

impl Target {
    fn start(notify: &Notify, helper: Option<&Helper>, end: Sender<()>) -> io::Result<Self> {
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
        let worker = Worker { name: name.clone(), means, notices, counters: Arc::clone(&counters), _end: end };
        std::thread::Builder::new().name("notify".to_owned()).stack_size(STACK_LEN).spawn(move || worker.run())?;
        Ok(Self { name, waiting, counters })
    }
}

struct Worker {
    name: String,
    means: Means,
    notices: Receiver<Record>,
    counters: Arc<Counters>,
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
            let told = match &self.means {
                Means::Program(program) => program.tell(&notice),
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
