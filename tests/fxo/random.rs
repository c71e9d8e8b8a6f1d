//! Random sequences of what happens to telephone lines, with and without a real fault among them.

use crate::rig::Rig;
use crate::sim::{Defect, Wire};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use ucm_ha::debounce::{Edge, Sample};
use ucm_ha::fxo::si3050::Framing;

const SEQUENCES: u32 = 10_000;
/// Call control that was put on-hook by the driver tries again no sooner than this.
const REDIAL_MS: u64 = 3000;

/// Something that happens to a line and is no fault.
#[derive(Clone, Copy, Debug)]
enum Event {
    Plug(bool),
    Battery(i8),
    Ring(bool),
    Overload(bool),
    ParallelPhone(bool),
    Call(bool),
    FlippedBit(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => any::<bool>().prop_map(Event::Plug),
        1 => prop_oneof![Just(48), Just(-48), Just(0), Just(24)].prop_map(Event::Battery),
        4 => any::<bool>().prop_map(Event::Ring),
        2 => any::<bool>().prop_map(Event::Overload),
        1 => any::<bool>().prop_map(Event::ParallelPhone),
        3 => any::<bool>().prop_map(Event::Call),
        1 => (0u8..8).prop_map(|bit| Event::FlippedBit(1 << bit)),
    ]
}

/// A board and what happens to the line of its first port, each event after a wait.
#[derive(Clone, Debug)]
struct Sequence {
    framing: Framing,
    starves: bool,
    lock_delay_ms: u64,
    lateness_ms: u64,
    events: Vec<(u64, Event)>,
}

fn sequence() -> impl Strategy<Value = Sequence> {
    // Half of the waits are shorter than two polls.
    let wait_ms = prop_oneof![10..200u64, 10..3000u64];
    let framing = prop_oneof![Just(Framing::Word), Just(Framing::Byte)];
    let events = prop::collection::vec((wait_ms, event()), 5..40);
    (framing, any::<bool>(), 0..1500u64, 0..20u64, events).prop_map(
        |(framing, starves, lock_delay_ms, lateness_ms, events)| Sequence {
            framing,
            starves,
            lock_delay_ms,
            lateness_ms,
            events,
        },
    )
}

/// A rig to which a sequence happens.
struct Run {
    rig: Rig,
    seized_ms: Option<u64>,
}

impl Run {
    fn new(sequence: &Sequence) -> Self {
        let mut rig = Rig::new(1, sequence.framing);
        rig.lateness_ms = sequence.lateness_ms;
        rig.chip().starves = sequence.starves;
        rig.chip().lock_delay_ms = sequence.lock_delay_ms;
        Self { rig, seized_ms: None }
    }

    fn happens(&mut self, (wait_ms, event): (u64, Event)) {
        self.rig.run(wait_ms);
        let now_ms = self.rig.now_ms;
        let mut chip = self.rig.chip();
        match event {
            Event::Plug(plugged) => chip.line.plugged = plugged,
            Event::Battery(volts) => chip.line.battery_v = volts,
            Event::Ring(ringing) => chip.line.ringing = ringing,
            Event::Overload(overload) => chip.line.overload = overload,
            Event::ParallelPhone(off_hook) => chip.line.parallel_phone = off_hook,
            Event::FlippedBit(mask) => {
                drop(chip);
                self.rig.spi.board_mut().flips = vec![mask];
            }
            // Call control leaves a chip alone whose line side is not up.
            Event::Call(_) if !chip.is_up(now_ms) => {}
            Event::Call(false) => chip.set_off_hook(false),
            Event::Call(true) => {
                if chip.hung_up_ms.is_none_or(|at_ms| now_ms >= at_ms + REDIAL_MS) {
                    chip.set_off_hook(true);
                    drop(chip);
                    self.seized_ms = Some(now_ms);
                }
            }
        }
    }
}

/// Runs a test on [`SEQUENCES`] sequences, the same ones each time.
fn for_all<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(failure) = runner.run(&strategy, test) {
        panic!("{failure}");
    }
}

#[test]
fn ten_thousand_sequences_without_a_fault_raise_none() {
    let seen = RefCell::new(BTreeMap::<String, u32>::new());
    for_all(sequence(), |sequence| {
        let mut run = Run::new(&sequence);
        sequence.events.iter().for_each(|event| run.happens(*event));
        run.rig.run(6000);
        prop_assert_eq!(&run.rig.changes, &[]);
        prop_assert_eq!(run.rig.chip().power_downs, 0, "no remedy was used up either");
        prop_assert_eq!(run.rig.chip().soft_resets, 1);
        for verdict in &run.rig.verdicts {
            *seen.borrow_mut().entry(format!("{verdict:?}")).or_default() += 1;
        }
        Ok(())
    });
    println!("verdicts seen: {:#?}", seen.borrow());
}

/// A real fault.
#[derive(Clone, Copy, Debug)]
enum RealFault {
    Wire(Wire),
    Chip(Defect),
}

impl RealFault {
    fn inject(self, rig: &Rig) {
        match self {
            Self::Wire(wire) => rig.set_wire(wire),
            Self::Chip(defect) => rig.set_defect(defect),
        }
    }

    /// The documented detection bound, and its name there. A chip that is being set up when the fault comes, or whose line
    /// call control seizes meanwhile, takes the longer one.
    fn bound_ms(self, quiet: bool) -> (&'static str, u64) {
        let (name, watched_ms, otherwise_ms) = match self {
            Self::Wire(_) | Self::Chip(Defect::Vanished | Defect::None) => ("bus or chip dead", 600, 900),
            Self::Chip(Defect::StuckBits { register: 33, and: 0xdf, .. }) => ("PCM cannot be kept on", 1800, 4500),
            Self::Chip(Defect::StuckBits { .. }) => ("register wrong", 900, 4500),
            Self::Chip(Defect::Resets { period_ms }) => {
                let name = if period_ms < 3000 { "resets itself often" } else { "resets itself" };
                return (name, period_ms + period_ms.max(3000) + 1000);
            }
            Self::Chip(Defect::LinkDead) => ("link dead", 5500, 10_000),
            Self::Chip(Defect::LinkFlaps { .. }) => ("link flapping", 8000, 12_000),
        };
        (name, if quiet { watched_ms } else { otherwise_ms })
    }
}

fn real_fault() -> impl Strategy<Value = RealFault> {
    let stuck_register = prop_oneof![
        (0u8..8).prop_map(|bit| (2, !0, 1u8 << bit)).prop_filter("reads 03 anyway", |(_, _, or)| or & 0x03 == 0),
        Just((5, !0, 0x02)),
        Just((6, !0, 0x08)),
        Just((33, !0, 0x08)),
        Just((33, !0x20, 0)),
        Just((26, !0x80, 0)),
        Just((30, !0x02, 0)),
        Just((31, !0x20, 0)),
    ];
    prop_oneof![
        prop_oneof![Just(Wire::StuckHigh), Just(Wire::StuckLow), Just(Wire::Error)].prop_map(RealFault::Wire),
        Just(RealFault::Chip(Defect::Vanished)),
        stuck_register.prop_map(|(register, and, or)| RealFault::Chip(Defect::StuckBits { register, and, or })),
        (20..20_000u64).prop_map(|period_ms| RealFault::Chip(Defect::Resets { period_ms })),
        Just(RealFault::Chip(Defect::LinkDead)),
        (20..400u64).prop_map(|period_ms| RealFault::Chip(Defect::LinkFlaps { period_ms })),
    ]
}

#[test]
fn ten_thousand_sequences_with_a_real_fault_raise_it_within_the_bound() {
    let slowest = RefCell::new(BTreeMap::<(&str, bool), (u64, u32)>::new());
    let with_fault = (sequence(), real_fault(), any::<prop::sample::Index>());
    for_all(with_fault, |(sequence, fault, at)| {
        let mut run = Run::new(&sequence);
        let (before, after) = sequence.events.split_at(at.index(sequence.events.len() + 1));
        before.iter().for_each(|event| run.happens(*event));
        prop_assert_eq!(&run.rig.changes, &[], "nothing was raised before the fault");

        let settled = run.rig.poller.report(0).is_some_and(|report| report.verdict.sample() == Sample::Good);
        let in_call = run.rig.chip().is_off_hook();
        fault.inject(&run.rig);
        let injected_ms = run.rig.now_ms;
        for event in after {
            run.happens(*event);
        }
        run.rig.run(45_000);
        let quiet = settled && !in_call && run.seized_ms.is_none_or(|at_ms| at_ms < injected_ms);
        let (name, bound_ms) = fault.bound_ms(quiet);
        let raised = run.rig.changes.iter().find(|change| change.edge == Edge::Raised);
        let Some(raised) = raised else { return Err(TestCaseError::fail("not raised")) };
        let took_ms = raised.at_ms - injected_ms;
        prop_assert!(took_ms <= bound_ms, "{} took {} ms, not {}", name, took_ms, bound_ms);
        // What counts is the time from the second reset, which is two periods after the injection.
        let took_ms = match fault {
            RealFault::Chip(Defect::Resets { period_ms }) => took_ms.saturating_sub(2 * period_ms),
            RealFault::Chip(_) | RealFault::Wire(_) => took_ms,
        };
        let mut slowest = slowest.borrow_mut();
        let (most_ms, count) = slowest.entry((name, quiet)).or_default();
        *most_ms = took_ms.max(*most_ms);
        *count += 1;
        Ok(())
    });
    for ((name, quiet), (most_ms, count)) in slowest.into_inner() {
        println!("{name:35} watched: {quiet:5} {count:5} times, at most {most_ms} ms");
    }
}
