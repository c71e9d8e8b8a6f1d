//! The tour: what the pair is for, in less than a minute.

use crate::lab_course::{Course, Failure, Step};
use crate::plan::Node;
use std::time::{Duration, Instant};

pub(super) fn tour(course: &mut Course) -> Step {
    let first = course.boot()?;
    let second = first.peer();
    forced_switch(course, first)?;
    crash(course, second)?;
    cable(course, first)?;
    power_loss(course, first)
}

fn forced_switch(course: &mut Course, old: Node) -> Step {
    let begin = Instant::now();
    course.pair.force_switch(old).map_err(Failure::new)?;
    course.takes_over(old.peer(), begin, Duration::from_secs(1))?;
    let gap = course.gap_of_change(old.peer(), begin)?.length();
    course.measured("forced switch gap", gap);
    course.settle().map(drop)
}

fn crash(course: &mut Course, old: Node) -> Step {
    let begin = Instant::now();
    course.pair.kill(old)?;
    course.takes_over(old.peer(), begin, course.timeout * 2)?;
    let gap = course.gap_of_change(old.peer(), begin)?.length();
    course.measured("crash gap", gap);
    course.pair.start(old)?;
    course.settle().map(drop)
}

fn cable(course: &mut Course, active: Node) -> Step {
    let begin = Instant::now();
    course.pair.pull_cable()?;
    let length = course.timeout + Duration::from_secs(1);
    course.watch("no role change", length, |course| course.has_role(active, "Active"))?;
    course.pair.restore_cable()?;
    course.settle()?;
    let gap = course.longest_gap(begin);
    course.measured("cable cut gap", gap);
    Ok(())
}

fn power_loss(course: &mut Course, old: Node) -> Step {
    let begin = Instant::now();
    course.pair.power_off(old)?;
    course.takes_over(old.peer(), begin, course.timeout * 2)?;
    let gap = course.gap_of_change(old.peer(), begin)?.length();
    course.measured("power loss gap", gap);
    course.pair.power_on(old)?;
    course.settle().map(drop)
}
