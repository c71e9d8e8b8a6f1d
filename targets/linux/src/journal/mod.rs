//! The durable journal of what happened on this node: system alert events, the failover log and the backup log.
//!
//! | file | concept |
//! |---|---|
//! | `mod` | the daemon's end: numbers, the bounded queue to the thread that writes |
//! | `record` | one record, and its form on disk |
//! | `ring` | one file of bounded size |
//! | `writer` | the thread that writes |
//! | `condition` | when a cause that has several sources begins and ends |
//! | `form` | the forms of the guide |
//! | `show`, `watch` | the commands `events` and `log` |

mod condition;
mod form;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod record;
mod ring;
mod show;
mod watch;
mod writer;

pub(crate) use form::Notice;
pub(crate) use record::{Record, What};
pub(crate) use show::{EventsForm, clear, events, log};

use crate::clock;
use crate::describe::{self, Words};
use crate::notify::Notifier;
use condition::{Conditions, Source};
use mio::Waker;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use ucm_ha::event::Alert;
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;
use ucm_ha::types::MacAddr;
use ucm_ha_control::Log;
use ucm_ha_control::status::Notices;
use writer::{Cleared, Order, Rings, Shared, Writer};

/// Records that may wait for the thread that writes; more are dropped and counted.
const MAX_WAITING: usize = 256;
/// Stack of the writing thread, in bytes.
const STACK_LEN: usize = 128 * 1024;

/// How many records of the logs in `dir` are damaged.
pub(crate) fn damaged(dir: &Path) -> io::Result<usize> {
    let mut damaged = 0;
    for log in Log::ALL {
        damaged += ring::read(dir, log)?.damaged;
    }
    Ok(damaged)
}

/// The daemon's end of the journal. Nothing here waits for the disk, or for those who are told of events.
pub(crate) struct Journal {
    orders: SyncSender<Order>,
    cleared: Receiver<Cleared>,
    shared: Arc<Shared>,
    notifier: Notifier,
    conditions: Conditions,
    /// The last role that was more than a passage.
    settled: Role,
    /// The role was given away since, and may come back.
    yielded: bool,
}

impl Journal {
    /// Reads what earlier runs wrote, for its numbers, and starts the thread. `notifier` is told of every alert and role
    /// change; `waker` wakes the loop when a log was cleared.
    pub(crate) fn start(dir: PathBuf, notifier: Notifier, waker: Arc<Waker>) -> io::Result<Self> {
        let (orders, waiting) = sync_channel(MAX_WAITING);
        let (report, cleared) = channel();
        let shared = Arc::new(Shared::default());
        let mut rings = Rings::default();
        for log in Log::ALL {
            match rings.get(&dir, log) {
                Ok(ring) => drop(shared.newest.fetch_max(ring.newest(), Ordering::Relaxed)),
                Err(error) => log::error!("{} cannot be opened: {error}", dir.join(ring::file_name(log)).display()),
            }
        }
        let thread_shared = Arc::clone(&shared);
        let pending = VecDeque::new();
        let writer = Writer {
            dir,
            orders: waiting,
            shared: thread_shared,
            report,
            waker,
            rings,
            pending,
            failing: Default::default(),
        };
        std::thread::Builder::new().name("journal".to_owned()).stack_size(STACK_LEN).spawn(move || writer.run())?;
        let conditions = Conditions::default();
        Ok(Self { orders, cleared, shared, notifier, conditions, settled: Role::Init, yielded: false })
    }

    /// An alert of the node began (`raised`) or ended.
    pub(crate) fn alert(&mut self, alert: Alert, raised: bool, mac: Option<MacAddr>) {
        self.change(describe::alert(alert), Source::Alert(alert), raised, mac);
    }

    /// A fault of this node, whose address is `mac`, was raised or cleared. A failed service is told by its name with
    /// [`own_condition`](Self::own_condition) instead.
    pub(crate) fn fault(&mut self, faults: Faults, raised: bool, mac: MacAddr) {
        for (name, fault) in faults.iter_names() {
            if let Some(words) = describe::fault(name, fault) {
                self.change(words, Source::Fault(fault), raised, Some(mac));
            }
        }
    }

    /// Something that is wrong with this node (whose address is `mac`) and that only the adapter knows by name, as in
    /// `SERVICE asterisk`, began or ended. `text` is what the event says of it.
    pub(crate) fn own_condition(&mut self, cause: &str, text: &'static str, raised: bool, mac: MacAddr) {
        self.change(Words { cause, text }, Source::Named, raised, Some(mac));
    }

    fn change(&mut self, words: Words<'_>, source: Source, raised: bool, mac: Option<MacAddr>) {
        if self.conditions.change(words, source, raised) {
            let (cause, text) = (words.cause.to_owned(), words.text.to_owned());
            self.record(Log::Events, What::Alert { cause, text, raised, mac: mac.map(form::mac) });
        }
    }

    /// The node's role changed. Only roles that last are recorded, and a role that was taken anew.
    pub(crate) fn role(&mut self, from: Role, to: Role, term: u32, reason: String, mac: MacAddr) {
        match to {
            Role::Init | Role::Claiming => return,
            Role::Yielding => {
                self.yielded = true;
                return;
            }
            Role::Off | Role::Standby | Role::Active => {}
        }
        let came_back = std::mem::take(&mut self.yielded) && self.settled == to;
        let before = std::mem::replace(&mut self.settled, to);
        let shown_from = if came_back { Role::Yielding } else { before };
        if shown_from != to || from == to {
            let [from, to] = [shown_from, to].map(|role| describe::role(role).to_owned());
            self.record(Log::Failover, What::Role { from, to, reason, term, mac: form::mac(mac) });
        }
    }

    /// Numbers what happened and hands it to the thread.
    fn record(&mut self, log: Log, what: What) {
        let record = self.number(what);
        self.notifier.tell(&record);
        if self.orders.try_send(Order::Store(log, record)).is_err() {
            self.shared.drop_one();
        }
    }

    fn number(&self, what: What) -> Record {
        let id = self.shared.newest.fetch_add(1, Ordering::Relaxed) + 1;
        Record { id, unix_ms: unix_ms(), monotonic_ms: clock::now().as_ms(), what }
    }

    /// The node starts anew: what it had raised, and its role, do not count any more.
    pub(crate) fn forget_node(&mut self) {
        self.conditions.forget_node();
        self.settled = Role::Init;
        self.yielded = false;
    }

    /// Begins to clear a log; [`cleared`](Self::cleared) says what became of it.
    pub(crate) fn clear(&mut self, log: Log) -> Result<(), &'static str> {
        let marker = self.number(What::Cleared);
        self.orders.try_send(Order::Clear(log, marker)).map_err(|_| "the disk is too slow; try again")
    }

    /// The next log that was cleared, or could not be.
    pub(crate) fn cleared(&mut self) -> Option<Cleared> {
        self.cleared.try_recv().ok()
    }

    /// Records that were lost since the daemon started.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// What became of the notices since the daemon started.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = Notices> {
        self.notifier.tallies()
    }

    /// Waits, at most until `end`, until everything is written and everybody is told. Says what is left.
    pub(crate) fn finish(&mut self, end: Instant) {
        let left = || end.saturating_duration_since(Instant::now());
        let (done, finished) = sync_channel(1);
        if self.orders.try_send(Order::Flush(done)).is_err() || finished.recv_timeout(left()).is_err() {
            log::error!("the last events could not be written");
        }
        if !self.notifier.finish(left()) {
            log::error!("not everybody of [[notify]] was told of the last events");
        }
    }
}

/// Clears a log while no daemon runs on it: hold the lock on `run_dir`.
fn clear_directly(dir: &Path, log: Log) -> io::Result<()> {
    let mut rings = Rings::default();
    let mut newest = 0;
    for other in Log::ALL {
        newest = newest.max(rings.get(dir, other)?.newest());
    }
    let marker = Record { id: newest + 1, unix_ms: unix_ms(), monotonic_ms: clock::now().as_ms(), what: What::Cleared };
    rings.get(dir, log)?.clear(&marker)
}

fn unix_ms() -> i64 {
    // A clock before 1970 has not been set; the numbers keep the order.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
