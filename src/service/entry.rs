//! One service in the table.

use super::{Causes, Life, PROBE_FAILURES, ServiceEvent, ServiceFault, ServiceSettings};
use crate::debounce::Edge;
use crate::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub(super) struct Entry {
    settings: ServiceSettings,
    pub(super) life: Life,
    pub(super) causes: Causes,
    /// What raised the fault that stands.
    pub(super) raised: Option<ServiceFault>,
    failed_probes: u8,
    /// The last kick, or what the first one is awaited from.
    pub(super) since: Instant,
    /// Since when nothing has been wrong.
    pub(super) well_since: Instant,
    /// Somebody who must know said that it is well: the clear time need not pass.
    vouched: bool,
}

impl Entry {
    pub(super) fn new(now: Instant, settings: ServiceSettings) -> Self {
        let mut entry = Self {
            settings,
            life: Life::Expected,
            causes: Causes::empty(),
            raised: None,
            failed_probes: 0,
            since: now,
            well_since: now,
            vouched: false,
        };
        if !settings.watched {
            entry.start(now);
        }
        entry
    }

    pub(super) fn take(&mut self, now: Instant, event: ServiceEvent) {
        let was_well = self.is_well();
        match event {
            ServiceEvent::Started => {
                self.causes -= Causes::CRASH | Causes::EXIT | Causes::NOT_RUNNING;
                self.start(now);
            }
            ServiceEvent::Kick => self.kick(now),
            ServiceEvent::Crashed => self.end(ServiceFault::Crash),
            ServiceEvent::Exited => self.end(ServiceFault::Exit),
            ServiceEvent::ProbePassed => {
                self.failed_probes = 0;
                self.causes -= Causes::PROBE;
                self.show_life(now);
            }
            ServiceEvent::ProbeFailed => {
                self.failed_probes = self.failed_probes.saturating_add(1);
                self.causes.set(Causes::PROBE, self.failed_probes >= PROBE_FAILURES);
            }
            ServiceEvent::Reported => self.causes |= Causes::REPORTED,
            ServiceEvent::Withdrawn => self.withdraw(now),
        }
        self.vouched &= self.is_well();
        if self.is_well() && !was_well {
            self.well_since = now;
        }
    }

    /// A deadline that has passed makes a cause.
    pub(super) fn miss_deadline(&mut self, now: Instant) {
        if now >= self.deadline() {
            self.causes |= if self.life == Life::Expected { Causes::NOT_RUNNING } else { Causes::DEADLOCK };
        }
    }

    /// Raises or clears the fault, if it is time.
    pub(super) fn settle(&mut self, now: Instant, clear: Duration) -> Option<(Edge, ServiceFault)> {
        match self.raised {
            None => {
                self.raised = self.worst();
                self.raised.map(|fault| (Edge::Raised, fault))
            }
            Some(fault) => self.is_well_for(clear, now).then(|| {
                self.raised = None;
                (Edge::Cleared, fault)
            }),
        }
    }

    /// When a sign of life is due.
    pub(super) fn deadline(&self) -> Instant {
        let ServiceSettings { kick_timeout, start_timeout, .. } = self.settings;
        let judged = Causes::DEADLOCK | Causes::NOT_RUNNING;
        let timeout = match self.life {
            _ if self.causes.intersects(judged) => None,
            Life::Expected => start_timeout,
            Life::Starting => start_timeout.or(kick_timeout),
            Life::Running => kick_timeout,
            Life::Down => None,
        };
        timeout.map_or(Instant::NEVER, |timeout| self.since + timeout)
    }

    /// When a fault that stands is cleared, if nothing happens. Where kicks are awaited, a kick clears it.
    pub(super) fn clears_at(&self, clear: Duration) -> Instant {
        let by_time = self.raised.is_some() && self.is_well() && self.settings.kick_timeout.is_none();
        if by_time { self.well_since + clear } else { Instant::NEVER }
    }

    /// Where kicks are awaited, a service has been well until its last kick. Of others no more is known than that nobody
    /// has said otherwise.
    fn is_well_for(&self, clear: Duration, now: Instant) -> bool {
        let until = if self.settings.kick_timeout.is_some() { self.since } else { now };
        self.is_well() && (self.vouched || until.since(self.well_since) >= clear)
    }

    fn is_well(&self) -> bool {
        self.causes.is_empty() && self.life == Life::Running
    }

    fn start(&mut self, now: Instant) {
        self.life = if self.settings.kick_timeout.is_some() { Life::Starting } else { Life::Running };
        self.since = now;
        self.failed_probes = 0;
    }

    fn kick(&mut self, now: Instant) {
        self.show_life(now);
        if self.life != Life::Down {
            self.causes -= Causes::DEADLOCK | Causes::NOT_RUNNING;
            self.life = Life::Running;
            self.since = now;
        }
    }

    /// A sign of life makes up for the end of an unwatched service. Of a watched one it was given before the end, and read
    /// after it.
    fn show_life(&mut self, now: Instant) {
        if self.life == Life::Down && !self.settings.watched {
            self.causes -= Causes::CRASH | Causes::EXIT;
            self.start(now);
        }
    }

    /// A process that crashed ends, too: it stays a crash.
    fn end(&mut self, fault: ServiceFault) {
        if !self.causes.contains(Causes::CRASH) {
            self.causes |= fault.into();
        }
        self.life = Life::Down;
    }

    fn withdraw(&mut self, now: Instant) {
        let before = self.causes;
        self.causes -= Causes::REPORTED;
        self.show_life(now);
        self.vouched = self.causes != before;
    }

    fn worst(&self) -> Option<ServiceFault> {
        use ServiceFault::{Crash, Deadlock, Exit, NotRunning, Probe, Reported};
        [Crash, Exit, NotRunning, Deadlock, Probe, Reported]
            .into_iter()
            .find(|fault| self.causes.contains((*fault).into()))
    }
}
