//! The thread that writes records to disk. A disk that stalls or is full costs records, never a heartbeat.

use super::ring::{Ring, file_name};
use crate::events::record::{Record, What};
use mio::Waker;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::Duration;
use ucm_ha_control::Log;

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
    /// What is wrong with each file, once said.
    pub(super) failing: [Option<String>; Log::ALL.len()],
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
                let cleared = self.above_all(log, marker);
                let cleared = cleared.and_then(|marker| self.rings.get(&self.dir, log)?.clear(&marker));
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
        while let Some((log, record)) = self.pending.front().cloned() {
            match self.append(log, record) {
                Ok(squeezed) => {
                    self.shared.dropped.fetch_add(squeezed.into(), Ordering::Relaxed);
                    self.say(log, squeezed.then(|| "is full: the oldest make room for new ones".to_owned()));
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    log::error!("a record cannot be written: {error}");
                    self.shared.drop_one();
                }
                Err(error) => {
                    self.say(log, Some(format!("cannot be written: {error}; trying again")));
                    break;
                }
            }
            if let Some(written) = written.get_mut(log as usize) {
                *written = true;
            }
            self.pending.pop_front();
        }
        for log in Log::ALL.into_iter().filter(|log| written.get(*log as usize) == Some(&true)) {
            if let Err(error) = self.rings.get(&self.dir, log).and_then(|ring| ring.sync()) {
                self.say(log, Some(format!("cannot be made durable: {error}")));
            }
        }
    }

    fn append(&mut self, log: Log, record: Record) -> io::Result<bool> {
        let record = self.above_all(log, record)?;
        self.rings.get(&self.dir, log)?.append(&record)
    }

    /// The record, with a higher number where records of an earlier run came to light only now, when the files could be
    /// opened.
    fn above_all(&mut self, log: Log, mut record: Record) -> io::Result<Record> {
        if record.id <= self.rings.get(&self.dir, log)?.newest() {
            for other in Log::ALL {
                let newest = self.rings.get(&self.dir, other)?.newest();
                self.shared.newest.fetch_max(newest, Ordering::Relaxed);
            }
            record.id = self.shared.newest.fetch_add(1, Ordering::Relaxed) + 1;
        }
        Ok(record)
    }

    /// Says what is wrong with a file, or that it is well again, when that changes.
    fn say(&mut self, log: Log, trouble: Option<String>) {
        let path = self.dir.join(file_name(log));
        let Some(told) = self.failing.get_mut(log as usize) else { return };
        match &trouble {
            Some(new) if told.as_ref() != Some(new) => log::error!("{} {new}", path.display()),
            None if told.is_some() => {
                let dropped = self.shared.dropped.load(Ordering::Relaxed);
                log::info!("{} is written again ({dropped} records lost so far)", path.display());
            }
            Some(_) | None => {}
        }
        *told = trouble;
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
                    let path = dir.join(file_name(log));
                    log::error!("{}: {damaged} damaged records were dropped", path.display());
                }
                Ok(slot.insert(ring))
            }
        }
    }
}

/// Clears a log while no daemon runs on it: hold the lock on `run_dir`.
pub(super) fn clear_directly(dir: &Path, log: Log) -> io::Result<()> {
    let mut rings = Rings::default();
    let mut newest = 0;
    for other in Log::ALL {
        newest = newest.max(rings.get(dir, other)?.newest());
    }
    rings.get(dir, log)?.clear(&Record::now(newest + 1, What::Cleared))
}
