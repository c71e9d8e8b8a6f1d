//! Thousands of random runs, on all processors.
//!
//! `UCM_HA_BREADTH` or `UCM_HA_SIM_RUNS` sets how many, `UCM_HA_SIM_FIRST_SEED` where they start. `UCM_HA_SIM_CLASS`, a line of the table such
//! as `LAN delayed + cable cut`, leaves out all seeds of other classes.

use super::breadth::Breadth;
use super::plan::Plan;
use super::trace::Trace;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Runs of each breadth.
const RUNS: [u64; 3] = [8_000, 20_000, 1_000_000];
/// Every run with a seed divisible by this one is run twice.
const TWICE: u64 = 100;
/// Failures that are shown in full.
const SHOWN: usize = 3;

/// Runs of one class.
#[derive(Clone, Copy, Default)]
struct Count {
    runs: u64,
    exempt: u64,
    failed: u64,
}

/// What a number of runs came to.
#[derive(Default)]
struct Tally {
    classes: BTreeMap<String, Count>,
    failures: Vec<(u64, &'static str, String)>,
    virtual_s: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (class, count) in other.classes {
            let sum = self.classes.entry(class).or_default();
            sum.runs += count.runs;
            sum.exempt += count.exempt;
            sum.failed += count.failed;
        }
        self.failures.extend(other.failures);
        self.virtual_s += other.virtual_s;
    }
}

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// The command that shows a run again.
pub(crate) fn replay_command(seed: u64) -> String {
    format!("UCM_HA_SIM_SEED={seed} cargo test --test simulator replay -- --nocapture")
}

fn run_one(seed: u64, only: Option<&str>, tally: &mut Tally) {
    let plan = Plan::random(seed);
    if only.is_some_and(|class| plan.class() != class) {
        return;
    }
    let count = tally.classes.entry(plan.class()).or_default();
    count.runs += 1;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = plan.run(Trace::new(false, false));
        plan.check_single(&mut world);
        if seed.is_multiple_of(TWICE) && plan.run(Trace::new(false, false)).trace.hash() != world.trace.hash() {
            world.breaks("determinism", || "the same seed ran differently".into());
        }
        (world.watch.broken.take(), world.watch.exempt_splits, world.now)
    }));
    match outcome {
        Ok((broken, exempt, now)) => {
            tally.virtual_s += now / super::SEC;
            count.exempt += u64::from(exempt > 0 && broken.is_none());
            if let Some((promise, text)) = broken {
                count.failed += 1;
                tally.failures.push((seed, promise, format!("{text}  [{}]", plan.class())));
            }
        }
        Err(_) => {
            count.failed += 1;
            tally.failures.push((seed, "panic", format!("the node panicked  [{}]", plan.class())));
        }
    }
}

/// Does `work` with the numbers below `count`, on all processors; each of them sums up on its own.
pub(crate) fn in_parallel<T: Send>(count: u64, begin: fn() -> T, work: impl Fn(&mut T, u64) + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut sum = begin();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return sum;
            }
            work(&mut sum, number);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
    })
}

/// Runs `runs` seeds, or those of them that are of the class `only`.
fn run_all(first: u64, runs: u64, only: Option<&str>) -> Tally {
    let tallies = in_parallel(runs, Tally::default, |tally, number| run_one(first + number, only, tally));
    tallies.into_iter().fold(Tally::default(), |mut sum, tally| {
        sum.add(tally);
        sum
    })
}

/// The runs by class, and how often each promise broke.
fn table(tally: &Tally) -> String {
    let mut text = format!("{:>7} {:>7} {:>7}  faults\n", "runs", "S2", "failed");
    for (class, count) in &tally.classes {
        text += &format!("{:>7} {:>7} {:>7}  {class}\n", count.runs, count.exempt, count.failed);
    }
    let mut promises: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, promise, _) in &tally.failures {
        *promises.entry(promise).or_default() += 1;
    }
    text + &format!("broken promises: {promises:?}\n")
}

#[test]
fn random_pairs_of_faults_break_no_promise() {
    let runs = number("UCM_HA_SIM_RUNS").unwrap_or_else(|| {
        let [quick, wide, full] = RUNS;
        Breadth::asked().choose(quick, wide, full)
    });
    let first = number("UCM_HA_SIM_FIRST_SEED").unwrap_or(1);
    let only = std::env::var("UCM_HA_SIM_CLASS").ok();
    let started = Instant::now();
    let mut tally = run_all(first, runs, only.as_deref());
    tally.failures.sort_unstable();
    println!("{}", table(&tally));
    let done: u64 = tally.classes.values().map(|count| count.runs).sum();
    println!("{done} runs, {} virtual seconds, in {:.1} s", tally.virtual_s, started.elapsed().as_secs_f32());
    if tally.failures.is_empty() {
        return;
    }
    for (seed, _, text) in &tally.failures {
        println!("seed {seed}: {text}");
    }
    for (seed, promise, _) in tally.failures.iter().filter(|(_, promise, _)| *promise != "panic").take(SHOWN) {
        let plan = Plan::random(*seed);
        let mut world = plan.run(Trace::new(true, false));
        plan.check_single(&mut world);
        let what = world.watch.broken.as_ref().map_or(*promise, |(_, text)| text.as_str());
        println!("\n{}\nreplay: {}", world.report(what), replay_command(*seed));
    }
    let (seed, _, text) = &tally.failures[0];
    panic!("{} of {done} runs broke a promise, e.g. {text}; {}", tally.failures.len(), replay_command(*seed));
}
