//! Nodes that boot.

use crate::lab_course::{Course, Step};
use crate::plan::{HEARTBEAT_PORT, Node, Port};
use crate::relay::Impairment;
use std::fmt::Display;
use std::time::Duration;

/// L6 allows T and this.
const BOOT_EXTRA: Duration = Duration::from_secs(1);

pub(super) fn pair(course: &mut Course) -> Step {
    for node in Node::ALL {
        course.pair.start(node)?;
    }
    let took = one_active(course, "one active")?;
    course.measured("active after", took);
    let active = course.settle()?;
    let standby = active.peer();
    let length = course.timeout;
    course.watch("one active, one standby", length, |course| {
        course.has_role(active, "Active") && course.has_role(standby, "Standby")
    })
}

/// Waits for the active that L6 promises, and says how long that took.
fn one_active(course: &mut Course, what: impl Display) -> Step<Duration> {
    let limit = course.timeout + BOOT_EXTRA;
    course.wait_for(what, limit, |course| Node::ALL.into_iter().any(|node| course.has_role(node, "Active")))
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
            course.pair.power_off(node)?;
        }
        course.pass(DARK_STEP * (round % 10))?;
        for node in Node::ALL {
            course.pair.power_on(node)?;
        }
        longest = one_active(course, format_args!("one active after reboot {round}"))?.max(longest);
        course.settle()?;
        course.expect_never_two()?;
    }
    course.measured("active after, at most", longest);
    Ok(())
}

/// Both lose their power while nothing but ARP passes between them. Either boots first, and the other one a little later each time.
pub(super) fn both_by_arp(course: &mut Course) -> Step {
    course.boot()?;
    let impairment = Impairment { filtered_udp_port: Some(HEARTBEAT_PORT), ..Impairment::default() };
    course.pair.impair(Port::lan(Node::A), impairment)?;
    course.pair.pull_cable()?;
    for round in 0..course.rounds.unwrap_or(REBOOTS) {
        for node in Node::ALL {
            course.pair.power_off(node)?;
        }
        let first = Node::ALL[round as usize % 2];
        course.pair.power_on(first)?;
        course.pass(DARK_STEP * (round % 10))?;
        course.pair.power_on(first.peer())?;
        one_active(course, format_args!("one active after reboot {round}"))?;
        let other = course.the_active()?.peer();
        let length = course.timeout;
        course.watch("the other one holds back", length, |course| !course.has_role(other, "Active"))?;
        course.expect_never_two()?;
    }
    course.pair.mend(Port::lan(Node::A))?;
    course.pair.restore_cable()?;
    course.settle().map(drop)
}

pub(super) fn alone(course: &mut Course) -> Step {
    course.pair.start(Node::B)?;
    let limit = course.timeout + BOOT_EXTRA;
    let took = course.wait_for("B active", limit, |course| course.has_role(Node::B, "Active"))?;
    course.measured("active after", took);
    course.pair.start(Node::A)?;
    let active = course.settle()?;
    course.expect(active == Node::B, "the returning primary does not preempt the active")
}
