//! Model checking of the code that ships: two real nodes, and every choice of faults within a scope.
//!
//! A state is both nodes, everything in flight, what the kernels hold, what is broken, and virtual time. From each state the
//! search tries every choice that is left: nothing; a single frame lost, twice, or late and out of order; a fault of any kind
//! of the grid, for each of a few spans. Faults begin at multiples of a quantum and, while roles change, between any two
//! events. Between choices everything takes a fixed time, and timers fire when they are due; what runs between choices is
//! what makes the search finite. Two states are the same when all that differs is when they happen (`canon`).
//!
//! `cargo test` runs narrow searches, `UCM_HA_BREADTH=wide cargo test --test simulator model:: -- --nocapture` wider ones, and
//! `UCM_HA_BREADTH=full` all.

mod canon;
mod pair;
mod scope;
mod step;
mod watch;

use super::breadth::Breadth;
use super::faults::Kind;
use super::grid::kinds::variants;
use super::recorder::{Tactic, Tape, old_frames};
use super::settings::Settings;
use super::{A, B, MS, SEC, Us};
use scope::{Reach, Scope, Start};
use stateright::{Checker, DiscoveryClassification, Model};
use std::time::Instant;

/// The shortest T.
const TIMEOUT_US: Us = 3 * SEC;

/// Faults of the grid that the model can have: what loses or delays at random is there as choices about single frames.
fn all_kinds() -> Vec<Kind> {
    let kinds = variants(A).into_iter().map(|variant| variant.kind);
    kinds
        .filter(|kind| {
            !matches!(
                kind,
                Kind::CableBad(_)
                    | Kind::LanBad { .. }
                    | Kind::Attack
                    | Kind::AnotherPair(_)
                    | Kind::Misset { .. }
                    | Kind::BindFails { .. }
                    | Kind::PersistFails { .. }
            )
        })
        .collect()
}

fn fast() -> Settings {
    Settings { boot_at: [100 * MS, 150 * MS], ..Settings::default() }
}

fn slow() -> Settings {
    Settings { fast: [false; 2], ..fast() }
}

fn alone() -> Settings {
    Settings { gateway: [false; 2], ..slow() }
}

fn scope(name: &'static str, settings: Settings, start: Start) -> Scope {
    Scope {
        name,
        start,
        budget: 1,
        quantum_us: 50 * MS,
        window_us: 300 * MS,
        kinds: all_kinds(),
        spans_us: vec![TIMEOUT_US + 500 * MS],
        frames: true,
        recorder: None,
        recorded: [B, A].map(|from| old_frames(&settings, from)),
        sockets_first: false,
        reaches: &[],
        settings,
    }
}

/// Searches a scope to its end and says what was found.
fn explore(scope: Scope) {
    let (name, started) = (scope.name, Instant::now());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = scope.checker().threads(threads).spawn_dfs().join();
    println!(
        "{name}: {} states ({} different), depth {}, in {:.1} s",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32()
    );
    for (property, path) in checker.discoveries() {
        if matches!(checker.discovery_classification(property), DiscoveryClassification::Counterexample) {
            println!("{name}: {property} does not hold:");
            for (state, action) in path.into_vec() {
                println!("{state:?}  then {action:?}");
            }
        }
    }
    checker.assert_properties();
}

/// The faults of which two at a time are the hard cases: both paths, both LAN ports, the gateway, and the active itself.
fn hard_kinds() -> Vec<Kind> {
    let node = |wanted: usize| [wanted == A, wanted == B];
    let dead = |node, carrier_lost| Kind::LanPortDead { node, send: true, receive: true, carrier_lost };
    let mut kinds = vec![
        Kind::CableCut { from: node(A), carrier_lost: [false; 2] },
        Kind::LanCut { pairs: vec![(A, B), (B, A)] },
        dead(A, false),
        dead(B, true),
        Kind::GatewayDead,
    ];
    kinds.extend(hard_kinds_of_a_handover());
    kinds
}

/// The same for a handover: what ends the talk of the nodes, and what ends a node.
fn hard_kinds_of_a_handover() -> Vec<Kind> {
    vec![
        Kind::CableCut { from: [true; 2], carrier_lost: [true; 2] },
        Kind::UdpFiltered { from: [true; 2] },
        Kind::DaemonKilled { node: A },
        Kind::DaemonFrozen { node: A },
        Kind::PowerLost { node: A },
        Kind::DaemonFrozen { node: B },
    ]
}

#[test]
fn one_fault_at_any_time_breaks_nothing() {
    let skewed = Settings { rate_ppm: [-1000, 1000], ..fast() };
    let all = [("fast", fast()), ("no gateway", alone()), ("fast, clocks 2000 ppm apart", skewed), ("slow", slow())];
    let count = Breadth::asked().choose(2, all.len(), all.len());
    for (name, settings) in all.into_iter().take(count) {
        let spans_us = vec![300 * MS, TIMEOUT_US / 2, TIMEOUT_US + 500 * MS];
        let window_us = Breadth::asked().choose(150, 300, 1500) * MS;
        explore(Scope { window_us, spans_us, reaches: &[Reach::TakenOver], ..scope(name, settings, Start::Pair) });
    }
}

#[test]
fn any_two_faults_break_nothing_but_by_the_formula_of_s2() {
    for (name, settings) in [("two faults, fast", fast()), ("two faults, slow", slow())] {
        let base = scope(name, settings, Start::Pair);
        let narrow = (hard_kinds(), 1700 * MS, 3500 * MS);
        let wide = (hard_kinds(), 1200 * MS, 3500 * MS);
        let (kinds, quantum_us, window_us) = Breadth::asked().choose(narrow, wide, (all_kinds(), 250 * MS, 4 * SEC));
        let reaches = &[Reach::TakenOver, Reach::TwoActives];
        explore(Scope { budget: 2, kinds, quantum_us, window_us, frames: false, reaches, ..base });
    }
}

#[test]
fn one_fault_at_any_event_of_a_handover_breaks_nothing() {
    let all = [("handover, fast", fast()), ("handover, slow", slow()), ("handover, no gateway", alone())];
    let (window_us, count) = Breadth::asked().choose((12 * MS, 1), (60 * MS, all.len()), (60 * MS, all.len()));
    for (name, settings) in all.into_iter().take(count) {
        explore(Scope { window_us, reaches: &[Reach::HandedOver], ..scope(name, settings, Start::Switch) });
    }
}

#[test]
fn any_two_frames_of_a_handover_lost_repeated_or_late_break_nothing() {
    let budget = Breadth::asked().choose(2, 2, 3);
    let base = scope("frames of a handover", fast(), Start::Switch);
    explore(Scope { budget, kinds: Vec::new(), window_us: 60 * MS, reaches: &[Reach::HandedOver], ..base });
}

#[test]
fn a_fault_and_a_frame_of_a_handover_lost_repeated_or_late_break_nothing() {
    let all = [
        ("a handover, two faults, slow", slow()),
        ("a handover, two faults, fast", fast()),
        ("a handover, two faults, no gateway", alone()),
    ];
    let hard = hard_kinds_of_a_handover;
    let full = (all_kinds(), 60 * MS, all.len());
    let (kinds, window_us, count) = Breadth::asked().choose((hard(), 2 * MS, 1), (hard(), 5 * MS, 1), full);
    for (name, settings) in all.into_iter().take(count) {
        let base = scope(name, settings, Start::Switch);
        explore(Scope { budget: 2, kinds: kinds.clone(), window_us, reaches: &[Reach::HandedOver], ..base });
    }
}

#[test]
fn what_a_frozen_daemon_looks_at_first_does_not_matter() {
    let kinds = vec![Kind::DaemonFrozen { node: A }, Kind::DaemonFrozen { node: B }];
    let all = vec![90 * MS, 900 * MS, 2500 * MS, TIMEOUT_US, TIMEOUT_US + 500 * MS];
    for (name, settings) in [("sockets first, fast", fast()), ("sockets first, no gateway", alone())] {
        let spans_us = Breadth::asked().choose(vec![900 * MS, TIMEOUT_US + 500 * MS], all.clone(), all.clone());
        let base = scope(name, settings, Start::Pair);
        explore(Scope { budget: 2, kinds: kinds.clone(), spans_us, sockets_first: true, frames: false, ..base });
    }
}

#[test]
fn one_fault_beside_a_recorder_on_the_lan_breaks_nothing() {
    let old = Tactic { withholds: true, plays: Tape::Old, is_peer: true, is_gateway: true, ..Tactic::NOTHING };
    let all = [
        ("recorder, fast", fast(), old),
        ("recorder with the cluster IP, slow", slow(), Tactic { is_cluster: true, ..old }),
    ];
    let (quantum_us, window_us) =
        Breadth::asked().choose((150 * MS, 150 * MS), (50 * MS, 300 * MS), (50 * MS, 1500 * MS));
    for (name, settings, tactic) in all {
        // It ends before the fault does, or after its end: what was held back comes then.
        for span in [TIMEOUT_US / 2 + 200 * MS, 3 * TIMEOUT_US] {
            let spans_us = vec![300 * MS, TIMEOUT_US + 500 * MS];
            let recorder = Some((tactic, span));
            let reaches = &[Reach::TakenOver];
            let base = scope(name, settings.clone(), Start::Pair);
            explore(Scope { recorder, quantum_us, window_us, spans_us, reaches, frames: false, ..base });
        }
    }
}

#[test]
fn one_fault_while_both_boot_breaks_nothing() {
    let quantum_us = Breadth::asked().choose(500, 150, 150) * MS;
    for (name, settings) in [("boot, fast", fast()), ("boot, no gateway", alone())] {
        explore(Scope { window_us: 1500 * MS, quantum_us, ..scope(name, settings, Start::Boot) });
    }
}

#[test]
fn any_two_faults_while_both_boot_break_nothing_but_by_the_formula_of_s2() {
    let hard = (hard_kinds(), 400 * MS, 400 * MS);
    let (kinds, quantum_us, window_us) =
        Breadth::asked().choose(hard.clone(), hard, (all_kinds(), 150 * MS, 1500 * MS));
    for (name, settings) in [("boot, two faults, fast", fast()), ("boot, two faults, no gateway", alone())] {
        let base = scope(name, settings, Start::Boot);
        explore(Scope { budget: 2, kinds: kinds.clone(), quantum_us, window_us, frames: false, ..base });
    }
}
