//! FXO ports that die, and what only looks like it. `FXO1` and `FXO2` have their fault switch on.

use crate::lab_course::{Course, Failure, PHONE_JUDGES, Step};
use crate::plan::Node;
use std::time::{Duration, Instant};

/// How long a port must be bad to be faulty, and good to be none any more: the daemon's defaults.
const RAISE: Duration = Duration::from_millis(300);
const CLEAR: Duration = Duration::from_millis(2000);
/// A handover takes no longer.
const HANDOVER: Duration = Duration::from_millis(10);
/// Time the lab's own measuring may add on a busy machine.
const LAB_SLACK: Duration = Duration::from_millis(50);
/// Longest time for something that is not timed.
const PATIENCE: Duration = Duration::from_secs(5);
/// A pause that the phone may notice though nobody handed over.
const NO_GAP: Duration = Duration::from_millis(50);
/// Handovers for own faults that a node has by default.
const BUDGET: u32 = 2;

pub(super) fn dead(course: &mut Course) -> Step {
    let old = course.boot()?;
    let new = old.peer();
    let begin = Instant::now();
    course.pair.set_fxo(old, 1, "dead")?;
    course.takes_over(new, begin, PATIENCE)?;
    let gap = course.gap_of_change(new, begin)?;
    let served = gap.end.saturating_duration_since(begin);
    course.measured("gap", gap.length());
    course.measured("served after", served);
    course.expect(served >= RAISE, format_args!("no handover before the raise time, was {served:?}"))?;
    course.expect_at_most("served after", served, RAISE + HANDOVER + LAB_SLACK)?;
    course.wait_for("the fault is shown", PATIENCE, |course| course.has_fault(old, "FXO1"))?;
    cleared_without_preemption(course, old)
}

/// The port works again: the fault is cleared, and the role stays where it is.
fn cleared_without_preemption(course: &mut Course, old: Node) -> Step {
    let begin = Instant::now();
    course.pair.set_fxo(old, 1, "ok")?;
    course.wait_for("the fault is cleared", CLEAR + PATIENCE, |course| !course.has_fault(old, "FXO1"))?;
    course.measured("cleared after", begin.elapsed());
    course.expect(begin.elapsed() >= CLEAR, "not cleared before the clear time")?;
    let length = course.timeout * 2;
    course.watch("no preemption", length, |course| course.has_role(old.peer(), "Active"))?;
    course.settle().map(drop)
}

pub(super) fn switch_off(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    course.pair.set_fxo(active, 3, "dead")?;
    course.wait_for("the fault is shown", PATIENCE, |course| course.has_fault(active, "FXO3"))?;
    let length = course.timeout * 2;
    course.watch("no role change", length, |course| course.has_role(active, "Active"))?;
    course.pair.set_fxo(active, 3, "ok")?;
    course.wait_for("the fault is cleared", CLEAR + PATIENCE, |course| !course.has_fault(active, "FXO3"))?;
    no_gap_since(course, begin)
}

pub(super) fn unplugged(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    for state in ["unplugged", "ringing", "unplugged", "ok"] {
        course.pair.set_fxo(active, 1, state)?;
        course.watch(format_args!("no fault while {state}"), Duration::from_secs(2), |course| calm(course, active))?;
    }
    // Bad, but never for as long as the raise time.
    for _ in 0..5 {
        course.pair.set_fxo(active, 1, "dead")?;
        course.watch("no fault yet", RAISE / 2, |course| calm(course, active))?;
        course.pair.set_fxo(active, 1, "ok")?;
        course.watch("no fault", RAISE / 2, |course| calm(course, active))?;
    }
    no_gap_since(course, begin)
}

fn calm(course: &mut Course, active: Node) -> bool {
    course.has_role(active, "Active") && !course.has_fault(active, "FXO1")
}

fn no_gap_since(course: &mut Course, begin: Instant) -> Step {
    course.pass(PHONE_JUDGES)?;
    let gap = course.longest_gap(begin);
    course.measured("longest gap", gap);
    course.expect_at_most("gap", gap, NO_GAP)
}

pub(super) fn both(course: &mut Course) -> Step {
    let first = course.boot()?;
    let begin = Instant::now();
    for node in [first, first.peer()] {
        course.pair.set_fxo(node, 1, "dead")?;
    }
    let faulty = |course: &mut Course| Node::ALL.into_iter().all(|node| course.has_fault(node, "FXO1"));
    course.wait_for("both have the fault", PATIENCE, faulty)?;
    let length = course.timeout * 2;
    course.watch("somebody serves, with its fault", length, one_active)?;
    course.expect_at_most_binds(begin, 1)?;
    restarted_standby(course)
}

fn one_active(course: &mut Course) -> bool {
    Node::ALL.into_iter().filter(|node| course.has_role(*node, "Active")).count() <= 1
}

/// A standby that restarts has not found its fault yet, and must not be taken for healthy.
fn restarted_standby(course: &mut Course) -> Step {
    let active = course.the_active()?;
    let begin = Instant::now();
    course.pair.kill(active.peer())?;
    course.pair.start(active.peer())?;
    course.wait_for("the standby is back with its fault", course.timeout + PATIENCE, |course| {
        course.has_role(active.peer(), "Standby") && course.has_fault(active.peer(), "FXO1")
    })?;
    let length = course.timeout * 2;
    course.watch("the role stays", length, |course| course.has_role(active, "Active"))?;
    course.expect_at_most_binds(begin, 0)?;
    course.pair.set_fxo(active.peer(), 1, "ok")?;
    let limit = CLEAR + course.timeout + PATIENCE;
    course.takes_over(active.peer(), begin, limit).map(drop)
}

pub(super) fn budget(course: &mut Course) -> Step {
    let node = course.boot()?;
    for _ in 0..BUDGET {
        fail_and_return(course, node)?;
    }
    let begin = Instant::now();
    course.pair.set_fxo(node, 1, "dead")?;
    course.wait_for("the fault is shown", PATIENCE, |course| course.has_fault(node, "FXO1"))?;
    let length = course.timeout * 2;
    course.watch("the role is kept", length, |course| course.has_role(node, "Active"))?;
    let alert = "no more handovers for own faults in this window";
    course.expect(course.pair.logged(node, alert), "the operator is told")?;
    course.pair.force_switch(node).map_err(Failure::new)?;
    course.takes_over(node.peer(), begin, PATIENCE).map(drop)
}

/// One handover for a fault of `node`, which then is repaired and gets the role back by hand.
fn fail_and_return(course: &mut Course, node: Node) -> Step {
    let begin = Instant::now();
    course.pair.set_fxo(node, 1, "dead")?;
    course.takes_over(node.peer(), begin, PATIENCE)?;
    course.pair.set_fxo(node, 1, "ok")?;
    course.wait_for("the fault is cleared", CLEAR + PATIENCE, |course| !course.has_fault(node, "FXO1"))?;
    course.settle()?;
    course.pair.force_switch(node.peer()).map_err(Failure::new)?;
    let active = course.settle()?;
    course.expect(active == node, "the role is back")
}
