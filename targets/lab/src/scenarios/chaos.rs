//! Faults at random, one or two at a time: never two holders, and the pair always comes back.

use crate::lab_course::{Course, Step};
use crate::pair::Pair;
use crate::plan::Node;
use crate::stimulus::{Stimulus, Who};
use fastrand::Rng;
use std::time::{Duration, Instant};

/// For how long faults are made, where no other time was asked for, in seconds.
const CHAOS_S: u32 = 120;
/// For how long daemons are frozen and thawed, where no other time was asked for, in seconds.
const FREEZES_S: u32 = 15;
/// A fault lasts this share of T at least, and this many times T at most.
const SHORTEST: f64 = 0.05;
const LONGEST: f64 = 1.6;
/// A storm has gathered after this time.
const GATHERING: Duration = Duration::from_millis(300);

/// One or two of everything that can happen.
pub(super) fn chaos(course: &mut Course) -> Step {
    at_random(course, CHAOS_S, Stimulus::any)
}

/// SIGSTOP and SIGCONT only.
pub(super) fn freezes(course: &mut Course) -> Step {
    at_random(course, FREEZES_S, |rng| Stimulus::Freeze(if rng.bool() { Who::Active } else { Who::Standby }))
}

fn at_random(course: &mut Course, usual_s: u32, draw: fn(&mut Rng) -> Stimulus<Who>) -> Step {
    let seed = course.seed.unwrap_or_else(|| fastrand::u64(..));
    course.pair.timeline.note(format_args!("seed {seed}"));
    let mut rng = Rng::with_seed(seed);
    let mut active = course.boot()?;
    let begin = Instant::now();
    let length = Duration::from_secs(course.seconds.unwrap_or(usual_s).into());
    let mut rounds = 0_u32;
    while begin.elapsed() < length {
        let played = round(course, &mut rng, active, draw);
        active = played.map_err(|failure| failure.in_context(format_args!("seed {seed}, round {rounds}")))?;
        rounds += 1;
    }
    course.figure("rounds", rounds.into(), "faults or pairs of faults");
    Ok(())
}

/// How long things last depends on nothing but the seed, so that the same seed does the same things in the same order.
fn round(course: &mut Course, rng: &mut Rng, active: Node, draw: fn(&mut Rng) -> Stimulus<Who>) -> Step<Node> {
    course.pair.timeline.note("--- a new round");
    for _ in 0..rng.u8(1..=2) {
        let stimulus = draw(rng);
        let length = course.timeout.mul_f64(SHORTEST + rng.f64() * (LONGEST - SHORTEST));
        course.pair.timeline.note(format_args!("{stimulus:?} for {length:?}"));
        course.pair.apply(stimulus.on(active))?;
        if let Stimulus::StormGathers(_) = stimulus {
            course.watch("never both nodes with the cluster IP", GATHERING, never_two)?;
            course.pair.let_storm_rage();
        }
        course.watch("never both nodes with the cluster IP", length, never_two)?;
    }
    course.pair.restore()?;
    let active = course.settle()?;
    course.expect_never_two()?;
    Ok(active)
}

fn never_two(course: &mut Course) -> bool {
    course.pair.two_holders().is_none()
}
