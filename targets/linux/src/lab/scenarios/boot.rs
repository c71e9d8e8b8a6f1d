//! Nodes that boot.

use crate::lab::course::{Course, Step};
use crate::lab::plan::Node;
use std::time::Duration;

/// L6 allows T and this.
const BOOT_EXTRA: Duration = Duration::from_secs(1);

pub(super) fn pair(course: &mut Course) -> Step {
    for node in Node::ALL {
        course.lab.start(node)?;
    }
    let limit = course.timeout + BOOT_EXTRA;
    let took = course
        .wait_for("one active", limit, |course| Node::ALL.into_iter().any(|node| course.has_role(node, "Active")))?;
    course.measured("active after", took);
    let active = course.settle()?;
    let standby = active.peer();
    let length = course.timeout;
    course.watch("one active, one standby", length, |course| {
        course.has_role(active, "Active") && course.has_role(standby, "Standby")
    })
}

/// How often, where that was not asked for.
const REBOOTS: u32 = 5;
/// For how long both are without power, from once to once a little longer.
const DARK_STEP: Duration = Duration::from_millis(40);

/// Both lose their power at once, and boot at once.
pub(super) fn both_again(course: &mut Course) -> Step {
    course.boot()?;
    let mut longest = Duration::ZERO;
    for round in 0..course.rounds.unwrap_or(REBOOTS) {
        for node in Node::ALL {
            course.lab.power_off(node)?;
        }
        course.pass(DARK_STEP * (round % 10))?;
        for node in Node::ALL {
            course.lab.power_on(node)?;
        }
        let limit = course.timeout + BOOT_EXTRA;
        let what = format_args!("one active after reboot {round}");
        let one = |course: &mut Course| Node::ALL.into_iter().any(|node| course.has_role(node, "Active"));
        longest = course.wait_for(what, limit, one)?.max(longest);
        course.settle()?;
        course.expect_never_two()?;
    }
    course.measured("active after, at most", longest);
    Ok(())
}

pub(super) fn alone(course: &mut Course) -> Step {
    course.lab.start(Node::B)?;
    let limit = course.timeout + BOOT_EXTRA;
    let took = course.wait_for("B active", limit, |course| course.has_role(Node::B, "Active"))?;
    course.measured("active after", took);
    course.lab.start(Node::A)?;
    let active = course.settle()?;
    course.expect(active == Node::B, "the returning primary does not preempt the active")
}
