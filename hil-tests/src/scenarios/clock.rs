//! The wall clock: steps of a day change nothing, as nothing of the protocol looks at it.

use crate::course::{Course, OnRig, Step};
use crate::limits::UNNOTICED;
use lab::plan::Node;
use std::time::{Duration, Instant};

const DAY_S: i64 = 86_400;
/// Beside T, for how long each step is watched.
const WATCHED: Duration = Duration::from_secs(2);

/// Forward and back again on one node at a time, so that the two are a day apart in between.
pub(super) fn steps(course: &mut Course, active: Node) -> Step {
    let begin = Instant::now();
    for (node, step_s) in [(active, DAY_S), (active, -DAY_S), (active.peer(), -DAY_S), (active.peer(), DAY_S)] {
        step(course, node, step_s)?;
        let watched = course.facts().timeout + WATCHED;
        course.watch_service(active, watched)?;
        let now = course.settle()?;
        course.expect(now == active, format_args!("{active} stays active, whatever day it is on {node}"))?;
    }
    let gap = course.measure_gap(begin)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

fn step(course: &mut Course, node: Node, by_s: i64) -> Step {
    let before = unix_time(course, node)?;
    course.run(node, &format!("date -s @{}", before + by_s))?;
    let now = unix_time(course, node)?;
    let stepped = now - before;
    // Some seconds pass meanwhile on a busy machine.
    let done = (by_s..by_s + 60).contains(&stepped);
    course.expect(done, format_args!("the clock of {node} is stepped by {by_s} s, not by {stepped} s"))
}

fn unix_time(course: &mut Course, node: Node) -> Step<i64> {
    let said = course.run(node, "date +%s")?;
    Ok(said.trim().parse().map_err(std::io::Error::other)?)
}
