//! What a daemon costs, and whether the lab itself can be trusted.

use crate::lab_course::{Course, Failure, PHONE_JUDGES, Step};
use crate::operations::Lab;
use crate::plan::Node;
use std::io;
use std::time::{Duration, Instant};

/// For how long the daemons are measured, where no other time was asked for, in seconds.
const IDLE_S: u32 = 10;
/// Error of the measuring that is allowed.
const TOLERANCE: Duration = Duration::from_millis(15);
/// The gap that is made by hand.
const HAND_GAP: Duration = Duration::from_millis(300);
/// For how long both nodes are given the address by hand.
const HAND_OVERLAP: Duration = Duration::from_millis(200);

pub(super) fn idle(course: &mut Course) -> Step {
    course.boot()?;
    let length = Duration::from_secs(course.seconds.unwrap_or(IDLE_S).into());
    let before = [course.pair.usage(Node::A)?, course.pair.usage(Node::B)?];
    let begin = Instant::now();
    // The status is not asked for meanwhile: answering costs as well.
    std::thread::sleep(length);
    let took = begin.elapsed().as_secs_f64();
    for (node, names) in [(Node::A, ["memory of A", "processor of A"]), (Node::B, ["memory of B", "processor of B"])] {
        let after = course.pair.usage(node)?;
        let cpu = after.cpu.saturating_sub(before[node.index()].cpu).as_secs_f64() / took * 100.0;
        course.figure(names[0], after.rss_kib as f64 / 1024.0, "MiB");
        course.figure(names[1], cpu, "%");
    }
    Ok(())
}

/// Moves the cluster IP by hand. Nobody announces it, so the phone first goes on asking the old owner: an owner that
/// is silent leaves stale ARP caches, and the lab must show that.
pub(super) fn calibration(course: &mut Course) -> Step {
    course.pair.bind_by_hand(Node::A)?;
    course.wait_for("A serves the phone", Duration::from_secs(5), |course| served_by(course, Node::A))?;
    gap_by_hand(course)?;
    overlap_by_hand(course)?;
    overlap_of_an_instant(course)?;
    silent_move(course)
}

fn served_by(course: &Course, node: Node) -> bool {
    course.pair.phone_view(Instant::now()).served_by == Some(node)
}

/// A time that was made by hand. Each step waits for the kernel, so it lies between two lengths.
struct Made {
    at_least: Duration,
    at_most: Duration,
}

impl Made {
    fn matches(&self, seen: Duration) -> bool {
        self.at_least.saturating_sub(TOLERANCE) <= seen && seen <= self.at_most + TOLERANCE
    }
}

/// Does one thing, lets time pass, and does the other.
fn between(
    course: &mut Course,
    length: Duration,
    first: impl FnOnce(&mut Lab) -> io::Result<()>,
    second: impl FnOnce(&mut Lab) -> io::Result<()>,
) -> Step<Made> {
    let outer = Instant::now();
    first(&mut course.pair)?;
    let inner = Instant::now();
    course.pass(length)?;
    let at_least = inner.elapsed();
    second(&mut course.pair)?;
    let at_most = outer.elapsed();
    course.pass(PHONE_JUDGES)?;
    Ok(Made { at_least, at_most })
}

/// The address is gone for a while and comes back: the phone must measure that while.
fn gap_by_hand(course: &mut Course) -> Step {
    let begin = Instant::now();
    let made = between(course, HAND_GAP, |lab| lab.release_by_hand(Node::A), |lab| lab.bind_by_hand(Node::A))?;
    let gap = course.longest_gap(begin);
    course.measured("gap made", made.at_most);
    course.measured("gap seen", gap);
    course.expect(made.matches(gap), "the phone sees the gap that was made")
}

/// Both nodes have the address for a while: the observer must see that while.
fn overlap_by_hand(course: &mut Course) -> Step {
    course.expect_never_two()?;
    let made = between(course, HAND_OVERLAP, |lab| lab.bind_by_hand(Node::B), |lab| lab.release_by_hand(Node::B))?;
    let seen = both_bound(course);
    course.measured("overlap made", made.at_most);
    course.measured("overlap seen", seen);
    course.expect(made.matches(seen), "the observer sees the overlap that was made")
}

/// Both nodes have the address for less than a sample would see: the observer must see that as well.
fn overlap_of_an_instant(course: &mut Course) -> Step {
    let before = both_bound(course);
    course.pair.bind_by_hand(Node::B)?;
    course.pair.release_by_hand(Node::B)?;
    course.pass(PHONE_JUDGES)?;
    let seen = both_bound(course) - before;
    course.measured("instant seen", seen);
    course.expect(!seen.is_zero(), "the observer sees an overlap of an instant")
}

fn both_bound(course: &Course) -> Duration {
    course.pair.sightings().both_bound().unwrap_or_default()
}

/// The address moves and nobody says so: the phone's ARP cache must still point to the old owner.
fn silent_move(course: &mut Course) -> Step {
    let begin = Instant::now();
    let before = both_bound(course);
    course.pair.release_by_hand(Node::A)?;
    course.pair.bind_by_hand(Node::B)?;
    course.pass(HAND_GAP)?;
    course.expect(both_bound(course) == before, "released and then bound is no overlap, however fast")?;
    let view = course.pair.phone_view(begin);
    course.pair.release_by_hand(Node::B)?;
    let silent = view.silent_for.ok_or_else(|| Failure::new(format!("the phone found the silent owner: {view:?}")))?;
    course.measured("stale ARP cache for", silent);
    Ok(())
}
