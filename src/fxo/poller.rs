//! Visiting the ports in turn and debouncing what they say.

use super::{FaultKind, LineInterface, MAX_PORTS, Notices, Report, Verdict, fault_of_port};
use crate::debounce::{Counters, Debounce, Edge, Limits, Sample};
use crate::fault::Faults;
use crate::time::{Duration, Instant};
use core::fmt;
use heapless::Vec;

/// How often ports are visited and when a fault counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PollerSettings {
    /// Time between two visits to the same port …
    pub quiet_interval: Duration,
    /// … and while what is seen there contradicts its debounced state. No longer than the other.
    pub interval: Duration,
    /// When a fault is raised and cleared.
    pub debounce: Limits,
}

impl Default for PollerSettings {
    /// Each port every 100 ms; raised after 300 ms, cleared after 2 s.
    fn default() -> Self {
        let interval = Duration::from_ms(100);
        Self { quiet_interval: interval, interval, debounce: Limits::from_ms(300, 2000) }
    }
}

/// Why a poller cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PollerError {
    /// The interface has no port, or more than [`MAX_PORTS`].
    PortCount(u8),
}

impl fmt::Display for PollerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::PortCount(ports) = self;
        write!(f, "{ports} FXO ports cannot be polled; configure 1 to {MAX_PORTS}, or no FXO polling")
    }
}

impl core::error::Error for PollerError {}

/// A visit after which something is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Update {
    /// The port, counted from 0.
    pub port: u8,
    /// What the visit showed.
    pub report: Report,
    /// Notices that are new.
    pub notices_raised: Notices,
    /// Notices that are gone.
    pub notices_cleared: Notices,
    /// Whether the debounced fault was raised or cleared: what the node is told by `Input::Fault`.
    pub fault: Option<Edge>,
}

impl Update {
    /// The fault bit of the port.
    pub fn faults(&self) -> Faults {
        fault_of_port(self.port)
    }
}

#[derive(Clone, Debug)]
struct Port {
    report: Option<Report>,
    debounce: Debounce,
    fault: Option<FaultKind>,
    /// Whether it has been seen well, or its fault was raised, since the start.
    known: bool,
    visited: Instant,
}

impl Port {
    const fn new(limits: Limits) -> Self {
        Self { report: None, debounce: Debounce::new(limits), fault: None, known: false, visited: Instant::ZERO }
    }

    /// When to visit it out of turn: often while its state may be about to change, and when its raise or clear time is over.
    fn due(&self, interval: Duration) -> Instant {
        if !self.debounce.is_contradicted() {
            return Instant::NEVER;
        }
        let soon = self.visited + interval;
        // A visit that was made and changed nothing is not made again at once.
        self.debounce.due().filter(|due| *due > self.visited).map_or(soon, |due| due.min(soon))
    }

    /// Takes a report; returns the update unless nothing is different.
    fn take(&mut self, port: u8, report: Report, now: Instant) -> Option<Update> {
        let notices_before = self.report.map_or(Notices::empty(), |before| before.notices);
        let changed = self.report.replace(report) != Some(report);
        let sample = report.verdict.sample();
        let fault = self.debounce.update(now, sample);
        self.known |= sample == Sample::Good || fault.is_some();
        self.visited = now;
        match (fault, report.verdict) {
            (Some(Edge::Raised), Verdict::Fault(kind)) => self.fault = Some(kind),
            (Some(Edge::Cleared), _) => self.fault = None,
            (Some(Edge::Raised) | None, _) => {}
        }
        (changed || fault.is_some()).then_some(Update {
            port,
            report,
            notices_raised: report.notices - notices_before,
            notices_cleared: notices_before - report.notices,
            fault,
        })
    }
}

/// Visits one port at a time, so that the work between two heartbeats is that of one port whatever state it is in.
///
/// A port whose state may be about to change is visited out of turn, and when its raise or clear time is over, so that neither
/// waits for its turn.
#[derive(Debug)]
pub struct Poller<L> {
    interface: L,
    ports: Vec<Port, MAX_PORTS>,
    /// Time between two turns of any ports.
    step: Duration,
    interval: Duration,
    next_port: u8,
    next_turn: Instant,
}

impl<L: LineInterface> Poller<L> {
    /// A poller of all ports of the interface; its first visit is due at once.
    pub fn new(interface: L, settings: PollerSettings) -> Result<Self, PollerError> {
        let mut poller = Self::without_ports(interface);
        poller.add_ports(settings)?;
        Ok(poller)
    }

    /// A poller that visits nothing yet. The C ABI makes it where it stays and adds the ports there: it is large.
    pub(crate) const fn without_ports(interface: L) -> Self {
        let (step, interval, next_turn) = (Duration::ZERO, Duration::ZERO, Instant::ZERO);
        Self { interface, ports: Vec::new(), step, interval, next_port: 0, next_turn }
    }

    /// Takes the ports that the interface has now.
    #[inline(never)]
    pub(crate) fn add_ports(&mut self, settings: PollerSettings) -> Result<(), PollerError> {
        let count = self.interface.ports();
        let error = PollerError::PortCount(count);
        self.step = settings.quiet_interval.divided_by(count).ok_or(error)?;
        self.interval = settings.interval;
        for _ in 0..count {
            self.ports.push(Port::new(settings.debounce)).map_err(|_| error)?;
        }
        Ok(())
    }

    /// When [`Self::poll`] is to be called next.
    pub fn next_poll(&self) -> Instant {
        self.ports.iter().map(|port| port.due(self.interval)).fold(self.next_turn, Instant::min)
    }

    /// Visits the next port if it is time. At most one port is visited per call, also after a delay.
    pub fn poll(&mut self, now: Instant) -> Option<Update> {
        if let Some((port, _)) = (0..).zip(&self.ports).find(|(_, port)| port.due(self.interval) <= now) {
            return self.visit(port, now);
        }
        if now < self.next_turn {
            return None;
        }
        let on_schedule = self.next_turn + self.step;
        self.next_turn = if on_schedule > now { on_schedule } else { now + self.step };
        let port = self.next_port;
        self.next_port = if usize::from(port) + 1 < self.ports.len() { port.saturating_add(1) } else { 0 };
        // One that is visited often does not need its turn: two looks at the same moment are one.
        if self.ports.get(usize::from(port))?.due(self.interval) < Instant::NEVER {
            return None;
        }
        self.visit(port, now)
    }

    /// Visits a port out of turn, as when its fault line has just changed. The others keep their turns.
    pub fn visit(&mut self, port: u8, now: Instant) -> Option<Update> {
        let state = self.ports.get_mut(usize::from(port))?;
        let report = self.interface.poll(port, now)?;
        state.take(port, report, now)
    }

    /// The interface that is polled.
    pub const fn interface_mut(&mut self) -> &mut L {
        &mut self.interface
    }

    /// The faults of the ports that have been neither seen well nor found faulty since the start: what the node is told by
    /// `Input::FaultUnknown`. It only shrinks, and only by a visit that gives an [`Update`].
    pub fn unknown(&self) -> Faults {
        let unknown = (0u8..).zip(&self.ports).filter(|(_, state)| !state.known);
        unknown.fold(Faults::empty(), |all, (port, _)| all | fault_of_port(port))
    }

    /// The debounced faults of all ports.
    pub fn faults(&self) -> Faults {
        let raised = (0u8..).zip(&self.ports).filter(|(_, state)| state.debounce.is_raised());
        raised.fold(Faults::empty(), |all, (port, _)| all | fault_of_port(port))
    }

    /// What was wrong with a port when its fault was raised; `None` while none stands.
    pub fn fault(&self, port: u8) -> Option<FaultKind> {
        self.ports.get(usize::from(port))?.fault
    }

    /// The newest report of a port; `None` before the first one.
    pub fn report(&self, port: u8) -> Option<Report> {
        self.ports.get(usize::from(port))?.report
    }

    /// The debounce counters of a port.
    pub fn counters(&self, port: u8) -> Option<Counters> {
        Some(self.ports.get(usize::from(port))?.debounce.counters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fxo::Observation;
    use std::vec;

    /// A board whose ports report what the test says.
    struct Board {
        verdicts: vec::Vec<Verdict>,
        visits: vec::Vec<u8>,
    }

    impl LineInterface for Board {
        fn ports(&self) -> u8 {
            self.verdicts.len() as u8
        }

        fn poll(&mut self, port: u8, _now: Instant) -> Option<Report> {
            self.visits.push(port);
            Some(Report { verdict: *self.verdicts.get(usize::from(port))?, notices: Notices::empty() })
        }
    }

    fn poller(ports: usize) -> Poller<Board> {
        let board = Board { verdicts: vec![Verdict::Healthy; ports], visits: vec![] };
        Poller::new(board, PollerSettings::default()).unwrap()
    }

    fn run(poller: &mut Poller<Board>, from_ms: u64, to_ms: u64) -> vec::Vec<(u64, Update)> {
        (from_ms..to_ms).filter_map(|ms| Some((ms, poller.poll(Instant::from_ms(ms))?))).collect()
    }

    #[test]
    fn each_of_eight_ports_is_visited_once_per_interval_and_one_at_a_time() {
        let mut poller = poller(8);
        run(&mut poller, 0, 200);
        assert_eq!(poller.interface.visits, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_caller_that_was_held_up_gets_one_visit_and_no_burst() {
        let mut poller = poller(8);
        poller.poll(Instant::from_ms(0));
        poller.poll(Instant::from_ms(5000));
        poller.poll(Instant::from_ms(5000));
        assert_eq!(poller.interface.visits, [0, 1]);
        assert_eq!(poller.next_poll(), Instant::from_us(5_012_500));
    }

    #[test]
    fn a_fault_of_one_port_is_raised_and_cleared_for_that_port_only() {
        let mut poller = poller(4);
        run(&mut poller, 0, 1000);
        poller.interface.verdicts[2] = Verdict::Fault(FaultKind::NoAnswer);
        let raised: vec::Vec<_> = run(&mut poller, 1000, 2000).into_iter().filter(|(_, u)| u.fault.is_some()).collect();
        let [(at_ms, update)] = raised[..] else { panic!("one fault, not {raised:?}") };
        assert_eq!((at_ms, update.port, update.fault), (1350, 2, Some(Edge::Raised)));
        assert_eq!((poller.faults(), poller.fault(2)), (Faults::FXO3, Some(FaultKind::NoAnswer)));

        poller.interface.verdicts[2] = Verdict::NotAFault(Observation::Unplugged);
        run(&mut poller, 2000, 4500);
        assert_eq!((poller.faults(), poller.fault(2)), (Faults::empty(), None));
        assert_eq!(poller.counters(2).map(|c| (c.raised, c.cleared)), Some((1, 1)));
    }

    #[test]
    fn a_port_seen_bad_out_of_turn_is_raised_when_its_time_is_over_and_not_at_its_next_turn() {
        let mut poller = poller(4);
        run(&mut poller, 0, 1010);
        poller.interface.verdicts[2] = Verdict::Fault(FaultKind::NoAnswer);
        assert!(poller.visit(2, Instant::from_ms(1010)).is_some());
        let updates = run(&mut poller, 1011, 2000);
        let raised = updates.iter().find(|(_, update)| update.fault.is_some()).map(|(ms, _)| *ms);
        assert_eq!(raised, Some(1310), "its turns are 1250 and 1350");
        poller.interface.verdicts[2] = Verdict::Healthy;
        poller.visit(2, Instant::from_ms(2010));
        let updates = run(&mut poller, 2011, 5000);
        assert_eq!(updates.iter().map(|(ms, _)| *ms).collect::<vec::Vec<_>>(), [4010]);
    }

    #[test]
    fn a_quiet_port_is_visited_seldom_and_one_that_is_seen_bad_often() {
        let board = Board { verdicts: vec![Verdict::Healthy; 2], visits: vec![] };
        let settings = PollerSettings { quiet_interval: Duration::from_ms(1000), ..PollerSettings::default() };
        let mut poller = Poller::new(board, settings).unwrap();
        run(&mut poller, 0, 5000);
        assert_eq!(poller.interface.visits.len(), 10);
        poller.interface.verdicts[1] = Verdict::Fault(FaultKind::FaultLine);
        poller.interface.visits.clear();
        let updates = run(&mut poller, 5000, 6000);
        assert_eq!(updates.iter().map(|(ms, _)| *ms).collect::<vec::Vec<_>>(), [5500, 5800], "seen, raised");
        assert_eq!(poller.interface.visits, [0, 1, 1, 1, 1]);
    }

    #[test]
    fn a_port_that_cannot_be_judged_when_its_time_is_over_waits_for_its_turn() {
        let mut poller = poller(1);
        poller.interface.verdicts[0] = Verdict::Fault(FaultKind::NoAnswer);
        run(&mut poller, 0, 250);
        poller.interface.verdicts[0] = Verdict::NotAFault(Observation::Settling);
        poller.interface.visits.clear();
        run(&mut poller, 250, 1250);
        assert_eq!(poller.interface.visits.len(), 10, "no visit is repeated at once");
        assert!(poller.next_poll() > Instant::from_ms(1249));
    }

    #[test]
    fn a_port_is_unknown_until_it_was_seen_well_or_found_faulty() {
        let mut poller = poller(3);
        let starting = Verdict::NotAFault(Observation::Starting);
        poller.interface.verdicts = vec![starting, Verdict::Healthy, Verdict::Fault(FaultKind::NoAnswer)];
        assert_eq!(poller.unknown(), Faults::FXO1 | Faults::FXO2 | Faults::FXO3);
        run(&mut poller, 0, 200);
        assert_eq!(poller.unknown(), Faults::FXO1 | Faults::FXO3);
        run(&mut poller, 200, 500);
        assert_eq!((poller.unknown(), poller.faults()), (Faults::FXO1, Faults::FXO3));
        poller.interface.verdicts[0] = Verdict::NotAFault(Observation::Unplugged);
        run(&mut poller, 500, 700);
        poller.interface.verdicts = vec![starting; 3];
        run(&mut poller, 700, 1000);
        assert_eq!(poller.unknown(), Faults::empty(), "what was once known stays known");
    }

    #[test]
    fn an_unchanged_port_gives_no_update() {
        let mut poller = poller(1);
        let updates = run(&mut poller, 0, 10_000);
        assert_eq!(updates.len(), 1, "only the first report is news");
    }

    #[test]
    fn a_board_without_ports_or_with_nine_is_refused() {
        for ports in [0u8, 9] {
            let board = Board { verdicts: vec![Verdict::Healthy; ports.into()], visits: vec![] };
            let error = Poller::new(board, PollerSettings::default()).err();
            assert_eq!(error, Some(PollerError::PortCount(ports)));
        }
    }
}
