//! The loop's end of the thread that writes: numbers, and a bounded queue. Nothing here waits for the disk.

use super::ring::file_name;
use super::writer::{Cleared, Order, Rings, Shared, Writer};
use crate::events::record::{Record, What};
use mio::Waker;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::Duration;
use ucm_ha_control::Log;

/// Records that may wait for the thread that writes; more are dropped and counted.
const MAX_WAITING: usize = 256;
/// Stack of the writing thread, in bytes.
const STACK_LEN: usize = 128 * 1024;

/// The loop's end.
pub(crate) struct Recorder {
    orders: SyncSender<Order>,
    cleared: Receiver<Cleared>,
    shared: Arc<Shared>,
}

impl Recorder {
    /// Reads what earlier runs wrote into `dir`, for its numbers, and starts the thread. `waker` wakes the loop when a log was
    /// cleared.
    pub(crate) fn start(dir: PathBuf, waker: Arc<Waker>) -> io::Result<Self> {
        let (orders, waiting) = sync_channel(MAX_WAITING);
        let (report, cleared) = channel();
        let shared = Arc::new(Shared::default());
        let mut rings = Rings::default();
        for log in Log::ALL {
            match rings.get(&dir, log) {
                Ok(ring) => drop(shared.newest.fetch_max(ring.newest(), Ordering::Relaxed)),
                Err(error) => log::error!("{} cannot be opened: {error}", dir.join(file_name(log)).display()),
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
        Ok(Self { orders, cleared, shared })
    }

    /// A record of what happened, with its number.
    pub(crate) fn number(&self, what: What) -> Record {
        Record::now(self.shared.newest.fetch_add(1, Ordering::Relaxed) + 1, what)
    }

    /// Hands a record to the thread.
    pub(crate) fn store(&self, log: Log, record: Record) {
        if self.orders.try_send(Order::Store(log, record)).is_err() {
            self.shared.drop_one();
        }
    }

    /// Begins to clear a log; [`cleared`](Self::cleared) says what became of it.
    pub(crate) fn clear(&self, log: Log) -> Result<(), &'static str> {
        let marker = self.number(What::Cleared);
        self.orders.try_send(Order::Clear(log, marker)).map_err(|_| "the disk is too slow; try again")
    }

    /// The next log that was cleared, or could not be.
    pub(crate) fn cleared(&self) -> Option<Cleared> {
        self.cleared.try_recv().ok()
    }

    /// Records that were lost since the daemon started.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits, at most so long, until everything is written; whether it is.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let (done, finished) = sync_channel(1);
        self.orders.try_send(Order::Flush(done)).is_ok() && finished.recv_timeout(timeout).is_ok()
    }
}
