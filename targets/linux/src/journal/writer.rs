//! The thread that writes records to disk. A disk that stalls or is full costs records, never a heartbeat.

use super::record::{Log, Record};
use super::ring::Ring;
use mio::Waker;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::Duration;

/// Records that wait for a disk that takes none; of more the oldest are dropped and counted.
const MAX_PENDING: usize = 256;
/// Pause before a disk that took no record is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What the thread is told.
pub(super) enum Order {
    /// Write this record to this log.
    Store(Log, Record),
    /// Clear this log; the record is the marker.
    Clear(Log, Record),
    /// Say when everything before is written.
    Flush(SyncSender<()>),
}

/// What became of [`Order::Clear`].
pub(crate) type Cleared = (Log, Result<(), String>);

/// The counters that both ends know.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Number of the newest record.
    pub(super) newest: AtomicU64,
    /// Records lost: to a full queue, a full disk, or a disk that took none.
    pub(super) dropped: AtomicU64,
}

impl Shared {
    pub(super) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) struct Writer {
    pub(super) dir: PathBuf,
    pub(super) orders: Receiver<Order>,
    pub(super) shared: Arc<Shared>,
    pub(super) report: Sender<Cleared>,
    pub(super) waker: Arc<Waker>,
    pub(super) rings: Rings,
    pub(super) pending: VecDeque<(Log, Record)>,
    /// What is wrong with the disk, once said.
    pub(super) failing: Option<String>,
}

impl Writer {
    /// Runs until the daemon has let go of the other end.
    pub(super) fn run(mut self) {
        loop {
            let order = if self.pending.is_empty() {
                self.orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.orders.recv_timeout(RETRY_PAUSE)
            };
            match order {
                Ok(order) => self.take(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(order) = self.orders.try_recv() {
                self.take(order);
            }
            self.write_pending();
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Store(log, record) => {
                if self.pending.len() >= MAX_PENDING {
                    self.pending.pop_front();
                    self.shared.drop_one();
                }
                self.pending.push_back((log, record));
            }
            Order::Clear(log, marker) => {
                self.write_pending();
                self.pending.retain(|(other, _)| *other != log);
                let cleared = self.rings.get(&self.dir, log).and_then(|ring| ring.clear(&marker));
                // The daemon ends when nobody listens; the waker only fails with it.
                let told = self.report.send((log, cleared.map_err(|error| error.to_string())));
                if told.is_ok() && self.waker.wake().is_err() {
                    log::error!("the main loop cannot be woken");
                }
            }
            Order::Flush(done) => {
                self.write_pending();
                if self.pending.is_empty() {
                    // The one who asked may have given up waiting.
                    done.try_send(()).unwrap_or_default();
                }
            }
        }
    }

    /// Writes what waits, in order, until the disk takes no more.
    fn write_pending(&mut self) {
        let mut written = [false; Log::ALL.len()];
        let mut squeezed = 0;
        let outcome = loop {
            let Some((log, record)) = self.pending.front().cloned() else { break Ok(()) };
            match self.append(log, record) {
                Ok(dropped_one) => squeezed += u64::from(dropped_one),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    log::error!("a record cannot be written: {error}");
                    self.shared.drop_one();
                }
                Err(error) => break Err(error),
            }
            if let Some(written) = written.get_mut(log as usize) {
                *written = true;
            }
            self.pending.pop_front();
        };
        self.shared.dropped.fetch_add(squeezed, Ordering::Relaxed);
        let synced = self.rings.sync(written);
        self.say(outcome.and(synced).err(), squeezed);
    }

    fn append(&mut self, log: Log, mut record: Record) -> io::Result<bool> {
        let ring = self.rings.get(&self.dir, log)?;
        if record.id <= ring.newest() {
            // Records of an earlier run came to light only now, when the file could be opened.
            record.id = self.shared.newest.fetch_max(ring.newest(), Ordering::Relaxed).max(ring.newest()) + 1;
            self.shared.newest.fetch_max(record.id, Ordering::Relaxed);
        }
        ring.append(&record)
    }

    fn say(&mut self, error: Option<io::Error>, squeezed: u64) {
        let dir = self.dir.display();
        let trouble = match error {
            Some(error) => Some(format!("events cannot be written to {dir}: {error}; trying again")),
            None if squeezed > 0 => Some(format!("{dir} is full: the oldest events make room for new ones")),
            None => None,
        };
        match (&trouble, &self.failing) {
            (Some(new), old) if old.as_ref() != Some(new) => log::error!("{new}"),
            (None, Some(_)) => {
                let dropped = self.shared.dropped.load(Ordering::Relaxed);
                log::info!("events are written to {dir} again ({dropped} lost so far)");
            }
            _ => {}
        }
        self.failing = trouble;
    }
}

/// The files, opened when they are first needed.
#[derive(Default)]
pub(super) struct Rings([Option<Ring>; Log::ALL.len()]);

impl Rings {
    /// The file of `log`; a new one where somebody removed it.
    pub(super) fn get(&mut self, dir: &Path, log: Log) -> io::Result<&mut Ring> {
        let slot = self.0.get_mut(log as usize).ok_or(io::ErrorKind::NotFound)?;
        if slot.as_ref().is_some_and(|ring| !ring.is_linked()) {
            *slot = None;
        }
        match slot {
            Some(ring) => Ok(ring),
            None => {
                let (ring, damaged) = Ring::open(dir, log)?;
                if damaged > 0 {
                    let path = dir.join(log.file_name());
                    log::error!("{}: {damaged} damaged records were dropped", path.display());
                }
                Ok(slot.insert(ring))
            }
        }
    }

    fn sync(&self, written: [bool; Log::ALL.len()]) -> io::Result<()> {
        self.0.iter().zip(written).filter(|(_, written)| *written).flat_map(|(ring, _)| ring).try_for_each(Ring::sync)
    }
}
