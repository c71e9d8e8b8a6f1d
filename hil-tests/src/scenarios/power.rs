//! Power cuts.

use crate::alerts::{Alert, Alerts};
use crate::course::{Course, Failure, OnRig, Step};
use crate::limits::UNNOTICED;
use lab::pair::Pair;
use lab::plan::Node;
use lab::stimulus::Stimulus;
use std::time::Duration;

/// L3 promises a claim after 500 ms; the rest is the emulated machine's.
const FAST_GAP: Duration = Duration::from_secs(1);
/// What a takeover after T may cost besides T.
const SLOW_REST: Duration = Duration::from_secs(1);
/// How long a lone active is watched.
const ALONE: Duration = Duration::from_secs(5);
/// Power cuts in a row, where no other number is given.
const CYCLES: u32 = 20;

pub(super) fn cut_active(course: &mut Course, old: Node) -> Step {
    let survivor = old.peer();
    let before = course.newest_event(survivor)?;
    let cut = course.apply(Stimulus::PowerOff(old))?;
    let gap = course.takes_over(survivor, cut, course.facts().timeout * 3)?;
    course.expect_at_most("gap", gap, FAST_GAP)?;
    is_missed_and_returns(course, old, before)
}

pub(super) fn cut_active_silently(course: &mut Course, old: Node) -> Step {
    let timeout = course.facts().timeout;
    let before = course.newest_event(old.peer())?;
    let cut = course.apply(Stimulus::PowerOffSilently(old))?;
    let gap = course.takes_over(old.peer(), cut, timeout * 3)?;
    course.expect_at_most("gap", gap, timeout + SLOW_REST)?;
    is_missed_and_returns(course, old, before)
}

pub(super) fn cut_standby(course: &mut Course, active: Node) -> Step {
    let before = course.newest_event(active)?;
    let cut = course.apply(Stimulus::PowerOff(active.peer()))?;
    course.watch_service(active, ALONE)?;
    let gap = course.measure_gap(cut)?;
    course.expect_at_most("gap", gap, UNNOTICED)?;
    is_missed_and_returns(course, active.peer(), before)
}

pub(super) fn cut_both(course: &mut Course, _active: Node) -> Step {
    for node in Node::ALL {
        course.apply(Stimulus::PowerOff(node))?;
    }
    course.pass(Duration::from_secs(1))?;
    course.expect(course.pair.holder().is_none(), "nobody holds the cluster IP without power")?;
    for node in Node::ALL {
        course.apply(Stimulus::PowerOn(node))?;
    }
    course.settle().map(drop)
}

/// Each cut hits the active. The term grows with every takeover, and a node that came back must remember it.
pub(super) fn cycles(course: &mut Course, mut active: Node) -> Step {
    let mut term = term_of(course, active)?;
    let mut longest = Duration::ZERO;
    let cycles = course.rounds.unwrap_or(CYCLES);
    for cycle in 1..=cycles {
        course.pair.timeline().note(format_args!("power cycle {cycle} of {cycles}"));
        let cut = course.apply(Stimulus::PowerOff(active))?;
        let gap = course.takes_over(active.peer(), cut, course.facts().timeout * 3)?;
        longest = longest.max(gap);
        course.expect_at_most("gap", gap, FAST_GAP)?;
        returns_as_standby(course, active)?;
        check_state(course, active)?;
        active = active.peer();
        let new_term = term_of(course, active)?;
        course.expect(new_term > term, format_args!("the term grows: {new_term} after {term}"))?;
        term = new_term;
    }
    course.figure("power cuts", cycles.into(), "");
    course.measured("longest gap", longest);
    Ok(())
}

fn term_of(course: &mut Course, node: Node) -> Step<u32> {
    let status = course.status(node).ok_or_else(|| Failure::new(format!("{node} does not give its status")))?;
    Ok(status.term)
}

/// A state file that could not be read is said in the log; one that was written half would be left over.
fn check_state(course: &mut Course, node: Node) -> Step {
    let files = course.run(node, "ls $STATE")?;
    course.expect(!files.trim().is_empty(), format_args!("{node} has a state file"))?;
    let console = course.console(node)?;
    let complaint = console.lines().find(|line| line.contains("state") && line.contains("cannot"));
    course.expect(complaint.is_none(), format_args!("{node} reads its state, but it says: {complaint:?}"))
}

/// The peer has the alert for a node without power, and its end when that node is back.
fn is_missed_and_returns(course: &mut Course, node: Node, before: u64) -> Step {
    let alert = Alert::silent_peer(node.peer());
    course.expect_alert(alert, before)?;
    returns_as_standby(course, node)?;
    course.expect_alert(alert.cleared(), before)
}

fn returns_as_standby(course: &mut Course, node: Node) -> Step {
    course.apply(Stimulus::PowerOn(node))?;
    let active = course.settle()?;
    course.expect(active == node.peer(), "the returning node does not preempt the active")
}
