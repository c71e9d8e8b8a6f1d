//! A poller on a simulated board, in virtual time.

use crate::sim::{Chip, Defect, Spi, Wire};
use std::cell::RefMut;
use ucm_ha::debounce::Edge;
use ucm_ha::fxo::si3050::{Chain, Companding, Country, Framing, MAX_ACCESSES_PER_POLL, Settings};
use ucm_ha::fxo::{FaultKind, Poller, PollerSettings, Verdict};
use ucm_ha::time::Instant;

pub(crate) const SETTINGS: Settings =
    Settings { framing: Framing::Word, companding: Companding::ALaw, country: Country::TBR21 };

/// A raised or cleared fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at_ms: u64,
    pub(crate) port: u8,
    pub(crate) edge: Edge,
}

pub(crate) struct Rig {
    pub(crate) spi: Spi,
    pub(crate) poller: Poller<Chain<Spi>>,
    pub(crate) now_ms: u64,
    pub(crate) changes: Vec<Change>,
    /// Verdicts of port 0, without repetitions.
    pub(crate) verdicts: Vec<Verdict>,
    /// Most register accesses in one poll so far.
    pub(crate) most_accesses: u32,
    /// Polls come late by up to this, in a fixed pattern.
    pub(crate) lateness_ms: u64,
    polls: u64,
}

impl Rig {
    /// A board of `ports` chips that were just powered on.
    pub(crate) fn new(ports: u8, framing: Framing) -> Self {
        let spi = Spi::new(ports.into(), framing);
        Self::on_board(spi, ports, framing)
    }

    /// A program started on a board that may be at work already.
    pub(crate) fn on_board(spi: Spi, ports: u8, framing: Framing) -> Self {
        let mut chain = Chain::new(spi.clone(), ports, Settings { framing, ..SETTINGS }).unwrap();
        chain.align().unwrap();
        let poller = Poller::new(chain, PollerSettings::default()).unwrap();
        let (changes, verdicts) = (vec![], vec![]);
        Self { spi, poller, now_ms: 0, changes, verdicts, most_accesses: 0, lateness_ms: 0, polls: 0 }
    }

    /// One port, set up and healthy.
    pub(crate) fn healthy() -> Self {
        let mut rig = Self::new(1, Framing::Word);
        rig.run(1000);
        assert_eq!(rig.verdict(), Verdict::Healthy);
        rig.verdicts.clear();
        rig
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        loop {
            let due_ms = self.poller.next_poll().as_us().div_ceil(1000);
            let late_ms = self.polls * 7 % (self.lateness_ms + 1);
            let at_ms = (due_ms + late_ms).max(self.now_ms);
            if at_ms > end_ms {
                break;
            }
            self.now_ms = at_ms;
            self.poll_now();
        }
        self.now_ms = end_ms;
        self.spi.board_mut().advance(end_ms);
    }

    fn poll_now(&mut self) {
        self.polls += 1;
        self.spi.board_mut().advance(self.now_ms);
        let before = self.spi.board().accesses;
        let update = self.poller.poll(Instant::from_ms(self.now_ms));
        let accesses = self.spi.board().accesses - before;
        assert!(accesses <= MAX_ACCESSES_PER_POLL, "{accesses} accesses in one poll");
        self.most_accesses = self.most_accesses.max(accesses);
        let Some(update) = update else { return };
        if let Some(edge) = update.fault {
            self.changes.push(Change { at_ms: self.now_ms, port: update.port, edge });
        }
        if update.port == 0 && self.verdicts.last() != Some(&update.report.verdict) {
            self.verdicts.push(update.report.verdict);
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.poller.report(0).expect("port 0 was polled").verdict
    }

    pub(crate) fn fault(&self) -> Option<FaultKind> {
        self.poller.fault(0)
    }

    pub(crate) fn chip(&self) -> RefMut<'_, Chip> {
        RefMut::map(self.spi.board_mut(), |board| &mut board.chips[0])
    }

    pub(crate) fn set_defect(&self, defect: Defect) {
        self.spi.board_mut().set_defect(0, defect);
    }

    pub(crate) fn set_wire(&self, wire: Wire) {
        self.spi.board_mut().wire = wire;
    }

    /// Lets time pass until port 0 is raised and returns how long it took.
    pub(crate) fn time_to_raise_ms(&mut self, at_most_ms: u64) -> Option<u64> {
        self.time_to(Edge::Raised, at_most_ms)
    }

    /// Lets time pass until port 0 is cleared and returns how long it took.
    pub(crate) fn time_to_clear_ms(&mut self, at_most_ms: u64) -> Option<u64> {
        self.time_to(Edge::Cleared, at_most_ms)
    }

    fn time_to(&mut self, edge: Edge, at_most_ms: u64) -> Option<u64> {
        let (from_ms, seen) = (self.now_ms, self.changes.len());
        while self.now_ms - from_ms < at_most_ms {
            self.run(20.min(at_most_ms));
            let hit = self.changes.iter().skip(seen).find(|change| change.port == 0 && change.edge == edge);
            if let Some(change) = hit {
                return Some(change.at_ms - from_ms);
            }
        }
        None
    }
}
