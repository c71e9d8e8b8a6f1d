//! Watching the core services of the PBX: crashes, exits, deadlocks, failing probes, and what a service says of itself.
//!
//! [`Services`] is a bounded table beside the node, as the FXO poller is. Facts go in by [`Services::handle`], deadlines
//! pass in [`Services::poll`], and each returns at most one [`Change`]: the fault of one service was raised or cleared.
//! The node has one bit for all services together; after a change tell it [`Services::faults`].
//!
//! A crash, an exit and a report of the service itself are facts and count at once. A deadlock counts when the kick
//! deadline has passed, a probe after [`PROBE_FAILURES`] failures in a row. A fault is cleared when the service has been
//! well for [`Services::new`]'s `clear`. `docs/services.md` has the whole table.

mod entry;
#[cfg(test)]
mod tests;

use crate::debounce::Edge;
use crate::fault::Faults;
use crate::time::{Duration, Instant};
use bitflags::bitflags;
use core::fmt;
use entry::Entry;

/// Services in a table, unless its type says another number.
pub const MAX_SERVICES: usize = 32;
/// Failed probes in a row that make a fault.
pub const PROBE_FAILURES: u8 = 3;
/// While a deadline runs the table wants to be asked at least this often, to notice that its caller stood still.
const LOOK_INTERVAL: Duration = Duration::from_ms(500);
/// Not asked for this long, the caller stood still. Services may have stood still with it, and their kicks may wait to be
/// read: the time is held against nobody.
const STALL: Duration = Duration::from_ms(1000);

/// A service in the table. Its number is free again after [`Services::unregister`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ServiceId(pub u8);

/// How a service is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ServiceSettings {
    /// Whether somebody watches its process and reports [`ServiceEvent::Started`] and the end. Only a start makes up for the
    /// end of such a service; of another one any sign of life does.
    pub watched: bool,
    /// No kick for this long is a deadlock. `None`: its kicks are not awaited.
    pub kick_timeout: Option<Duration>,
    /// How long after its registration, or its start, the first sign of life may take. `None`: a watched process is waited
    /// for without limit, the first kick for `kick_timeout`.
    pub start_timeout: Option<Duration>,
}

/// A fact about one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ServiceEvent {
    /// Its process runs.
    Started,
    /// It gave a sign of life.
    Kick,
    /// It crashed.
    Crashed,
    /// Its process ended by itself.
    Exited,
    /// A probe of it succeeded.
    ProbePassed,
    /// A probe of it failed or took too long.
    ProbeFailed,
    /// It, or somebody on its behalf, reports a critical fault.
    Reported,
    /// What was reported, of an unwatched service also its crash or end, is over. Where nothing else is wrong, the fault is
    /// cleared at once.
    Withdrawn,
}

/// What is wrong with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ServiceFault {
    /// It crashed.
    Crash,
    /// Its process ended by itself.
    Exit,
    /// Its process was not there in time.
    NotRunning,
    /// It missed its kick deadline.
    Deadlock,
    /// Its probes fail.
    Probe,
    /// It was reported to be at fault.
    Reported,
}

bitflags! {
    /// Everything that is wrong with a service now.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Causes: u8 {
        /// [`ServiceFault::Crash`]
        const CRASH = 1 << 0;
        /// [`ServiceFault::Exit`]
        const EXIT = 1 << 1;
        /// [`ServiceFault::NotRunning`]
        const NOT_RUNNING = 1 << 2;
        /// [`ServiceFault::Deadlock`]
        const DEADLOCK = 1 << 3;
        /// [`ServiceFault::Probe`]
        const PROBE = 1 << 4;
        /// [`ServiceFault::Reported`]
        const REPORTED = 1 << 5;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Causes {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Causes({=u8:#x})", self.bits());
    }
}

impl From<ServiceFault> for Causes {
    fn from(fault: ServiceFault) -> Self {
        match fault {
            ServiceFault::Crash => Self::CRASH,
            ServiceFault::Exit => Self::EXIT,
            ServiceFault::NotRunning => Self::NOT_RUNNING,
            ServiceFault::Deadlock => Self::DEADLOCK,
            ServiceFault::Probe => Self::PROBE,
            ServiceFault::Reported => Self::REPORTED,
        }
    }
}

/// What is known of a service's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Life {
    /// Its process has not been seen yet.
    Expected,
    /// It runs, or was registered, and its first kick is awaited.
    Starting,
    /// It lives, as far as anybody can tell.
    Running,
    /// It crashed or ended.
    Down,
}

/// The fault of one service was raised or cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Change {
    /// Which service.
    pub id: ServiceId,
    /// Raised or cleared.
    pub edge: Edge,
    /// What raised the fault. More may have come since: [`Services::causes`].
    pub fault: ServiceFault,
}

/// Why a service cannot be registered: as many as the table holds, this number, are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TableFull(pub usize);

impl fmt::Display for TableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} services are watched already, as many as there is room for; unregister one", self.0)
    }
}

impl core::error::Error for TableFull {}

/// The services of a PBX, at most `N` and never more than 256.
#[derive(Clone, Debug)]
pub struct Services<const N: usize = MAX_SERVICES> {
    entries: [Option<Entry>; N],
    clear: Duration,
    /// When the table was last asked anything.
    asked: Instant,
}

impl<const N: usize> Services<N> {
    /// A table without services. A service must have been well for `clear` before its fault is cleared.
    pub const fn new(clear: Duration, now: Instant) -> Self {
        const { assert!(N <= 1 << u8::BITS, "a service's number has 8 bits") };
        Self { entries: [const { None }; N], clear, asked: now }
    }

    /// Takes a service into the table; its deadlines count from now.
    ///
    /// # Errors
    /// The table is full and stays as it was.
    pub fn register(&mut self, now: Instant, settings: ServiceSettings) -> Result<ServiceId, TableFull> {
        let free = self.entries.iter().position(Option::is_none).and_then(|at| u8::try_from(at).ok());
        let number = free.ok_or(TableFull(N))?;
        self.notice_stall(now);
        if let Some(slot) = self.entries.get_mut(usize::from(number)) {
            *slot = Some(Entry::new(now, settings));
        }
        Ok(ServiceId(number))
    }

    /// Forgets a service. Its fault, if it stands, is cleared.
    pub fn unregister(&mut self, id: ServiceId) -> Option<Change> {
        let fault = self.entries.get_mut(usize::from(id.0))?.take()?.raised?;
        Some(Change { id, edge: Edge::Cleared, fault })
    }

    /// Takes a fact about a service. One that is not registered has no facts: nothing changes.
    pub fn handle(&mut self, now: Instant, id: ServiceId, event: ServiceEvent) -> Option<Change> {
        self.notice_stall(now);
        let clear = self.clear;
        let entry = self.entries.get_mut(usize::from(id.0))?.as_mut()?;
        entry.take(now, event);
        let (edge, fault) = entry.settle(now, clear)?;
        Some(Change { id, edge, fault })
    }

    /// Lets deadlines pass. Call it at [`next_deadline`](Self::next_deadline), after what waits to be handled, until it
    /// returns `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Change> {
        self.notice_stall(now);
        let clear = self.clear;
        for (number, slot) in (0u8..=u8::MAX).zip(&mut self.entries) {
            let Some(entry) = slot else { continue };
            entry.miss_deadline(now);
            if let Some((edge, fault)) = entry.settle(now, clear) {
                return Some(Change { id: ServiceId(number), edge, fault });
            }
        }
        None
    }

    /// When to call [`poll`](Self::poll) next, at the latest.
    pub fn next_deadline(&self) -> Instant {
        let deadlines = self.entries.iter().flatten().map(|entry| entry.deadline().min(entry.clears_at(self.clear)));
        match deadlines.min() {
            None | Some(Instant::NEVER) => Instant::NEVER,
            Some(deadline) => deadline.min(self.asked + LOOK_INTERVAL),
        }
    }

    /// [`Faults::SERVICE`] while the fault of any service stands: what to tell the node.
    pub fn faults(&self) -> Faults {
        let any = self.entries.iter().flatten().any(|entry| entry.raised.is_some());
        if any { Faults::SERVICE } else { Faults::empty() }
    }

    /// What raised the fault of a service that stands; `None` while none does.
    pub fn fault(&self, id: ServiceId) -> Option<ServiceFault> {
        self.entry(id)?.raised
    }

    /// Everything that is wrong with a service now, debounced or not.
    pub fn causes(&self, id: ServiceId) -> Causes {
        self.entry(id).map_or(Causes::empty(), |entry| entry.causes)
    }

    /// What is known of a service's life; `None` for one that is not registered.
    pub fn life(&self, id: ServiceId) -> Option<Life> {
        Some(self.entry(id)?.life)
    }

    /// Kicks, or other signs of life, may have been lost: every kick deadline counts from now.
    pub fn excuse(&mut self, now: Instant) {
        self.notice_stall(now);
        for entry in self.entries.iter_mut().flatten().filter(|entry| entry.raised.is_none()) {
            entry.since = now;
        }
    }

    fn entry(&self, id: ServiceId) -> Option<&Entry> {
        self.entries.get(usize::from(id.0))?.as_ref()
    }

    fn notice_stall(&mut self, now: Instant) {
        let gap = now.since(self.asked);
        self.asked = self.asked.max(now);
        if gap > STALL {
            for entry in self.entries.iter_mut().flatten() {
                entry.since = entry.since + gap;
                entry.well_since = entry.well_since + gap;
            }
        }
    }
}
