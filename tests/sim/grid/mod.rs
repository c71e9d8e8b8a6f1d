//! Every single fault and every pair of faults, over a grid of starts, lengths, timeouts and settings.
//!
//! | what | values |
//! |---|---|
//! | fault | all of [`kinds::variants`], first and second in every order |
//! | T | 3, 7, 10 s |
//! | settings | fast failover with a gateway, a gateway, neither |
//! | second fault begins | 0, 5 ms, 400 ms, T/2, T after the first |
//! | each of two faults lasts | T/2, or until nothing that could still change is left |
//! | a single fault lasts | 20 ms, 335 ms, T/2, T − 100 ms, T + 1 s, or as above |
//! | forced switch | none; with single faults also 0, 1, 2, 4, 8, 100 ms before the fault |
//! | clocks, roles, phase | by the number of the cell: ±1000 ppm, primary A or B, 0–299 ms |
//!
//! `cargo test` runs every single fault and a part of the pairs in which every ordered pair of faults occurs, with
//! `UCM_HA_BREADTH=wide` more of them, with `full` all. `UCM_HA_GRID=3/20` runs the third twentieth. `UCM_HA_GRID_CELL=<cell>` shows one cell
//! (test `a_cell_of_the_grid_can_be_seen_again`). The outcome of each class is compared with `docs/safety.md`.

mod cell;
pub(crate) mod kinds;
mod table;

use super::breadth::Breadth;
use super::sweep::{in_parallel, number};
use super::trace::Trace;
use super::{A, SEC, Us};
use cell::{Cell, Column, OFFSETS, Outcome, SINGLE_SPANS, SPANS, SWITCHES_US, Serves, TIMEOUTS_S};
use kinds::variants;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use table::Tables;

/// Of the pairs every cell is run whose number is a multiple of this. It shares no factor with any size of the grid, so that each
/// value of each dimension, and each ordered pair of faults, has its turn.
const STRIDES: [usize; 3] = [179, 71, 1];
/// Failures that are shown in full.
const SHOWN: usize = 2;

/// Takes the lowest digit of `rest` in a number system of mixed bases.
fn digit(rest: &mut u64, base: usize) -> usize {
    let value = *rest % base as u64;
    *rest /= base as u64;
    value as usize
}

fn kinds_count() -> usize {
    variants(A).len()
}

fn singles() -> u64 {
    (kinds_count() * SINGLE_SPANS.len() * (1 + SWITCHES_US.len()) * TIMEOUTS_S.len() * Column::ALL.len()) as u64
}

fn pairs() -> u64 {
    let times = OFFSETS.len() * SPANS.len() * SPANS.len();
    (kinds_count() * kinds_count() * times * TIMEOUTS_S.len() * Column::ALL.len()) as u64
}

/// Cell number `index`: single faults first, then pairs.
fn cell(index: u64) -> Cell {
    let pair = index >= singles();
    let mut rest = if pair { index - singles() } else { index };
    let first = digit(&mut rest, kinds_count());
    let second = pair.then(|| digit(&mut rest, kinds_count()));
    let column = Column::ALL[digit(&mut rest, Column::ALL.len())];
    let timeout_s = TIMEOUTS_S[digit(&mut rest, TIMEOUTS_S.len())];
    let (offset, spans, switch) = if pair {
        let offset = OFFSETS[digit(&mut rest, OFFSETS.len())];
        (offset, [SPANS[digit(&mut rest, SPANS.len())], SPANS[digit(&mut rest, SPANS.len())]], 0)
    } else {
        let span = SINGLE_SPANS[digit(&mut rest, SINGLE_SPANS.len())];
        (OFFSETS[0], [span; 2], digit(&mut rest, 1 + SWITCHES_US.len()))
    };
    let switch_us = switch.checked_sub(1).map(|index| SWITCHES_US[index]);
    Cell { index, column, timeout_s, first, second, offset, spans, switch_us }
}

/// What was seen of one class in one column.
#[derive(Default)]
struct Seen {
    runs: u64,
    serves: BTreeMap<Serves, u64>,
    two_actives: u64,
    gap_us: Us,
}

#[derive(Default)]
struct Tally {
    classes: BTreeMap<(Vec<&'static str>, Column), Seen>,
    failures: Vec<(u64, String)>,
    cells: u64,
    virtual_s: u64,
}

impl Tally {
    fn add(mut self, other: Self) -> Self {
        for (class, seen) in other.classes {
            let sum = self.classes.entry(class).or_default();
            sum.runs += seen.runs;
            sum.two_actives += seen.two_actives;
            sum.gap_us = sum.gap_us.max(seen.gap_us);
            for (serves, runs) in seen.serves {
                *sum.serves.entry(serves).or_default() += runs;
            }
        }
        self.failures.extend(other.failures);
        self.cells += other.cells;
        self.virtual_s += other.virtual_s;
        self
    }

    fn take(&mut self, cell: &Cell, tables: &Tables) {
        self.cells += 1;
        match catch_unwind(AssertUnwindSafe(|| cell.run(Trace::new(false, false)))) {
            Ok(outcome) => self.note(cell, &outcome, tables),
            Err(_) => self.failures.push((cell.index, "the node panicked".into())),
        }
    }

    fn note(&mut self, cell: &Cell, outcome: &Outcome, tables: &Tables) {
        self.virtual_s += outcome.world.now / SEC;
        let (first, second) = cell.faults();
        let rows: Vec<&str> = [Some(first.row), second.map(|second| second.row)].into_iter().flatten().collect();
        if let Some((_, text)) = &outcome.world.watch.broken {
            self.failures.push((cell.index, format!("{text}  [{}]", rows.join(" + "))));
        } else if let Err(text) = tables.check(cell, &rows, outcome) {
            self.failures.push((cell.index, format!("not as the table says: {text}  [{}]", rows.join(" + "))));
        }
        let seen = self.classes.entry((rows, cell.column)).or_default();
        seen.runs += 1;
        seen.two_actives += u64::from(outcome.two_actives);
        seen.gap_us = seen.gap_us.max(outcome.gap_us);
        if let Some(serves) = outcome.serves {
            *seen.serves.entry(serves).or_default() += 1;
        }
    }
}

fn run_cells(cells: &[u64]) -> Tally {
    let tables = Tables::read();
    let tallies = in_parallel(cells.len() as u64, Tally::default, |tally, position| {
        tally.take(&cell(cells[position as usize]), &tables);
    });
    let mut sum = tallies.into_iter().fold(Tally::default(), Tally::add);
    sum.failures.sort_unstable();
    sum
}

/// The classes by outcome; with `UCM_HA_GRID_SHOW` only.
fn show(tally: &Tally) {
    if std::env::var_os("UCM_HA_GRID_SHOW").is_some() {
        for ((rows, column), seen) in &tally.classes {
            let (runs, two, gap) = (seen.runs, seen.two_actives, seen.gap_us / super::MS);
            println!(
                "{} | {column:?} | {runs} runs, {:?}, two actives {two}, gap {gap} ms",
                rows.join(" + "),
                seen.serves
            );
        }
    }
}

fn report(what: &str, tally: &Tally, started: Instant) {
    show(tally);
    println!(
        "{what}: {} cells, {} classes, {} virtual seconds, {} failed, in {:.1} s",
        tally.cells,
        tally.classes.len(),
        tally.virtual_s,
        tally.failures.len(),
        started.elapsed().as_secs_f32()
    );
    for (index, text) in &tally.failures {
        println!("cell {index}: {text}");
    }
    for (index, _) in tally.failures.iter().take(SHOWN) {
        println!("\n{}", cell(*index).run(Trace::new(true, false)).world.report(&format!("cell {index}")));
    }
    if let Some((index, text)) = tally.failures.first() {
        panic!("{} of {} cells failed, e.g. {text}; {}", tally.failures.len(), tally.cells, show_again(*index));
    }
}

fn show_again(index: u64) -> String {
    format!("UCM_HA_GRID_CELL={index} cargo test --test simulator a_cell_of_the_grid -- --nocapture")
}

/// The part of the grid that `UCM_HA_GRID` asks for, if it does.
fn part(all: u64) -> Option<core::ops::Range<u64>> {
    let text = std::env::var("UCM_HA_GRID").ok()?;
    let parse = || text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    let (part, of): (u64, u64) = parse().filter(|(part, of)| (1..=*of).contains(part)).unwrap_or_else(|| {
        panic!("UCM_HA_GRID={text} is not a part such as \"3/20\"");
    });
    Some((part - 1) * all / of..part * all / of)
}

#[test]
fn every_single_fault_ends_as_the_safety_document_says() {
    let started = Instant::now();
    let cells: Vec<u64> = match part(singles()) {
        Some(range) => range.collect(),
        None if Breadth::asked() == Breadth::Full => (0..singles()).collect(),
        // With a forced switch beside it only where the two can meet.
        None => (0..singles()).filter(|&index| cell(index).switch_us.is_none() || index.is_multiple_of(7)).collect(),
    };
    report("single faults", &run_cells(&cells), started);
}

#[test]
fn every_pair_of_faults_ends_as_the_safety_document_says() {
    let started = Instant::now();
    let cells: Vec<u64> = match part(pairs()) {
        Some(range) => range.map(|index| singles() + index).collect(),
        None => {
            let [quick, wide, full] = STRIDES;
            let stride = Breadth::asked().choose(quick, wide, full);
            (0..pairs()).step_by(stride).map(|index| singles() + index).collect()
        }
    };
    let tally = run_cells(&cells);
    if std::env::var_os("UCM_HA_GRID").is_none() {
        let tried: BTreeSet<_> = cells.iter().map(|&index| (cell(index).first, cell(index).second)).collect();
        assert_eq!(tried.len(), kinds_count() * kinds_count(), "every ordered pair of faults has its turn");
    }
    report("pairs of faults", &tally, started);
}

/// Shows the cell of `UCM_HA_GRID_CELL`. Without one it shows that a cell can be seen again: the same every time.
#[test]
fn a_cell_of_the_grid_can_be_seen_again() {
    match number("UCM_HA_GRID_CELL") {
        Some(index) => {
            let cell = cell(index);
            let outcome = cell.run(Trace::new(true, true));
            println!("{}\n{cell:?}\nserves {:?}", outcome.world.report("end of the run"), outcome.serves);
            assert!(outcome.world.watch.broken.is_none(), "{:?}", outcome.world.watch.broken);
        }
        None => {
            let hashes =
                [false, true].map(|recording| cell(12_345).run(Trace::new(recording, false)).world.trace.hash());
            assert_eq!(hashes[0], hashes[1]);
        }
    }
}

#[test]
fn the_cells_of_the_grid_are_all_different() {
    let distinct: BTreeSet<String> =
        (0..singles() + pairs()).step_by(997).map(|index| format!("{:?}", Cell { index: 0, ..cell(index) })).collect();
    assert_eq!(distinct.len() as u64, (singles() + pairs()).div_ceil(997));
    println!("the grid has {} cells with one fault and {} with two", singles(), pairs());
}
