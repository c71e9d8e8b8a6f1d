//! One cell of the grid: a pair's settings, one or two faults with their times, and what came of them.

use super::kinds::{Variant, variants};
use crate::sim::faults::{Fault, Kind};
use crate::sim::plan::Plan;
use crate::sim::settings::Settings;
use crate::sim::trace::Trace;
use crate::sim::world::World;
use crate::sim::{A, B, MS, SEC, Us};
use ucm_ha::role::Role;
use ucm_ha::types::StationType;

/// Heartbeat timeouts T, in seconds.
pub(crate) const TIMEOUTS_S: [u8; 3] = [3, 7, 10];
/// When the second fault begins, after the first: at once, within a handover, at the fast claim, within T, at the claim.
pub(crate) const OFFSETS: [Offset; 5] =
    [Offset::Us(0), Offset::Us(5 * MS), Offset::Us(400 * MS), Offset::Half, Offset::Timeout];
/// How long the faults of a pair last.
pub(crate) const SPANS: [Span; 2] = [Span::Half, Span::Lasting];
/// How long a single fault lasts.
pub(crate) const SINGLE_SPANS: [Span; 6] =
    [Span::Us(20 * MS), Span::Us(335 * MS), Span::Half, Span::AlmostTimeout, Span::OverTimeout, Span::Lasting];
/// When a forced switch begins, before the fault, in µs.
pub(crate) const SWITCHES_US: [Us; 6] = [0, MS, 2 * MS, 4 * MS, 8 * MS, 100 * MS];
/// What ends together would hide the order; the second fault ends this much later.
const STAGGER_US: Us = 150 * MS;

/// What the pair knows of the world beside each other: a column of the tables in `docs/safety.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// A gateway, and fast failover.
    Fast,
    /// A gateway.
    Gateway,
    /// Neither.
    Alone,
}

impl Column {
    pub(crate) const ALL: [Self; 3] = [Self::Fast, Self::Gateway, Self::Alone];
}

/// When the second fault begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offset {
    Us(Us),
    Half,
    Timeout,
}

impl Offset {
    fn us(self, timeout: Us) -> Us {
        match self {
            Self::Us(us) => us,
            Self::Half => timeout / 2,
            Self::Timeout => timeout,
        }
    }
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Us(Us),
    Half,
    AlmostTimeout,
    OverTimeout,
    /// Until nothing that could still change is left.
    Lasting,
}

impl Span {
    fn us(self, timeout: Us) -> Us {
        match self {
            Self::Us(us) => us,
            Self::Half => timeout / 2,
            Self::AlmostTimeout => timeout - 100 * MS,
            Self::OverTimeout => timeout + SEC,
            // The longest legal way of `invariants`, and a second.
            Self::Lasting => 3 * timeout + 4 * SEC,
        }
    }
}

/// Who serves the phone while the faults last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Serves {
    Active,
    Standby,
    Nobody,
}

/// Where in the grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) index: u64,
    pub(crate) column: Column,
    pub(crate) timeout_s: u8,
    /// The faults, by their number in [`variants`].
    pub(crate) first: usize,
    pub(crate) second: Option<usize>,
    pub(crate) offset: Offset,
    pub(crate) spans: [Span; 2],
    /// A forced switch, this long before the first fault.
    pub(crate) switch_us: Option<Us>,
}

/// What came of a cell.
pub(crate) struct Outcome {
    /// Who served while all faults lasted, where they did last.
    pub(crate) serves: Option<Serves>,
    /// The longest time without service from the first fault until then.
    pub(crate) gap_us: Us,
    /// Both machines had the address under S2's exception.
    pub(crate) two_actives: bool,
    pub(crate) world: World,
}

impl Cell {
    /// The node that is active when the first fault begins: the primary, which is A in every other cell.
    fn active(&self) -> usize {
        if self.index.is_multiple_of(2) { A } else { B }
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings {
            timeout_s: [self.timeout_s; 2],
            fast: [self.column == Column::Fast; 2],
            gateway: [self.column != Column::Alone; 2],
            // Odd and even cells also differ in the clocks: the two rates that are farthest apart, either way.
            rate_ppm: if self.index.is_multiple_of(4) { [1000, -1000] } else { [-1000, 1000] },
            ..Settings::default()
        };
        let (first, second) = self.faults();
        settings.key = [Some(first), second].into_iter().flatten().any(|it| matches!(it.kind, Kind::Recorder(_)));
        if self.active() == B {
            settings.station = [StationType::Secondary, StationType::Primary];
        }
        settings
    }

    /// The variants of this cell.
    pub(crate) fn faults(&self) -> (Variant, Option<Variant>) {
        let mut all = variants(self.active());
        let second = self.second.map(|index| all[index].clone());
        (all.swap_remove(self.first), second)
    }

    fn lasts(&self) -> bool {
        self.spans[0] == Span::Lasting && (self.second.is_none() || self.spans[1] == Span::Lasting)
    }

    /// The run of this cell.
    pub(crate) fn plan(&self) -> Plan {
        let timeout = Us::from(self.timeout_s) * SEC;
        // The phase of the heartbeats at that moment depends on the cell, too.
        let from = timeout + 3 * SEC + (self.index * 7919) % 300 * MS;
        let (first, second) = self.faults();
        let mut faults = vec![Fault { kind: first.kind, from, to: from + self.spans[0].us(timeout) }];
        if let Some(second) = second {
            let begin = from + self.offset.us(timeout);
            let end = begin + self.spans[1].us(timeout) + STAGGER_US;
            if self.lasts() {
                faults[0].to = end - STAGGER_US;
            }
            faults.push(Fault { kind: second.kind, from: begin, to: end });
        }
        let switch_at = self.switch_us.map(|before| from - before);
        Plan { seed: self.index, settings: self.settings(), faults, switch_at }
    }

    /// Runs the cell.
    pub(crate) fn run(&self, trace: Trace) -> Outcome {
        let plan = self.plan();
        let mut world = plan.begin(trace);
        let begin = plan.faults[0].from.min(plan.switch_at.unwrap_or(Us::MAX));
        world.run_until(begin - MS);
        let active = self.active();
        if world.machines[active].role != Role::Active || world.machines[1 - active].role != Role::Standby {
            world.breaks("L6", || {
                "the primary is not active, or the other not standby, when the first fault begins".into()
            });
        }
        let mut seen = (None, 0);
        if self.lasts() && self.switch_us.is_none() {
            let end = plan.faults.iter().map(|fault| fault.to).min().unwrap_or(0);
            world.run_until(end - MS);
            seen = (Some(serves(&world, active)), longest_gap(&world, begin));
        }
        plan.finish(&mut world);
        plan.check_single(&mut world);
        Outcome { serves: seen.0, gap_us: seen.1, two_actives: world.watch.exempt_splits > 0, world }
    }
}

fn serves(world: &World, active: usize) -> Serves {
    match world.server() {
        Some(node) if node == active => Serves::Active,
        Some(_) => Serves::Standby,
        None => Serves::Nobody,
    }
}

/// The longest time without service that ended since `begin`.
fn longest_gap(world: &World, begin: Us) -> Us {
    let gaps = world.watch.outages.iter().filter(|(_, to)| *to >= begin);
    gaps.map(|(from, to)| to - from.max(&begin)).max().unwrap_or(0)
}
