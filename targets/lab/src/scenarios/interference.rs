//! Networks that do some things and not others.

use crate::lab_course::{Course, PHONE_JUDGES, Step};
use crate::network::Cut;
use crate::plan::{HEARTBEAT_PORT, Node, Port, Wire};
use crate::relay::Impairment;
use std::time::{Duration, Instant};

/// An active that cannot reach the gateway hands over after 2.5 s; with the handover and the lab's own time.
const GATEWAY_LOST: Duration = Duration::from_millis(3500);
/// What a bad wire does.
const LOSSY: Impairment = Impairment {
    loss_pct: 20,
    duplicate_pct: 5,
    delay: Duration::from_millis(2),
    jitter: Duration::from_millis(8),
    ..Impairment::GOOD
};
/// For how long a bad network is watched, where no other time was asked for, in seconds.
const WATCH_S: u32 = 10;

pub(super) fn lan_cut_active(course: &mut Course) -> Step {
    let old = course.boot()?;
    standby_serves_after(course, old, |course| Ok(course.pair.cut(Port::lan(old), Cut::Silent)?))
}

pub(super) fn deaf_lan(course: &mut Course) -> Step {
    let old = course.boot()?;
    let impairment = Impairment { deaf: true, ..Impairment::default() };
    standby_serves_after(course, old, |course| Ok(course.pair.impair(Port::lan(old), impairment)?))
}

pub(super) fn mute_lan(course: &mut Course) -> Step {
    let old = course.boot()?;
    let impairment = Impairment { mute: true, ..Impairment::default() };
    standby_serves_after(course, old, |course| Ok(course.pair.impair(Port::lan(old), impairment)?))
}

/// The standby serves soon after the fault, and goes on when it has gone.
fn standby_serves_after(course: &mut Course, old: Node, fault: impl FnOnce(&mut Course) -> Step) -> Step {
    let new = old.peer();
    let begin = Instant::now();
    fault(course)?;
    let bound = course.takes_over(new, begin, course.timeout + GATEWAY_LOST)?;
    course.measured("takeover after", bound - begin);
    let gap = course.gap_of_change(new, begin)?.length();
    course.measured("gap", gap);
    course.expect_at_most("gap", gap, GATEWAY_LOST)?;
    course.pair.mend(Port::lan(old))?;
    let active = course.settle()?;
    course.expect(active == new, "the healed node does not preempt the active")
}

pub(super) fn one_way_cable(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    let length = course.timeout * 2;
    for (deaf, mute) in [(true, false), (false, true)] {
        course.pair.impair(Port::cable(active), Impairment { deaf, mute, ..Impairment::default() })?;
        let holds =
            |course: &mut Course| course.has_role(active, "Active") && course.has_role(active.peer(), "Standby");
        course.watch("the same roles", length, holds)?;
        course.pair.mend(Port::cable(active))?;
        course.settle()?;
    }
    let gap = course.longest_gap(begin);
    course.measured("longest gap", gap);
    Ok(())
}

pub(super) fn filtered(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    let impairment = Impairment { filtered_udp_port: Some(HEARTBEAT_PORT), ..Impairment::default() };
    course.pair.impair(Port::lan(active), impairment)?;
    course.pair.pull_cable()?;
    let length = course.timeout * 3;
    let peer = active.peer();
    course.watch("the active serves, the other holds back", length, |course| {
        course.has_role(active, "Active") && !course.has_role(peer, "Active")
    })?;
    course.pair.mend(Port::lan(active))?;
    course.pair.restore_cable()?;
    course.settle()?;
    let gap = course.longest_gap(begin);
    course.measured("longest gap", gap);
    Ok(())
}

/// Both ends of both wires: more than a third of all frames between the nodes is lost.
pub(super) fn lossy_heavy(course: &mut Course) -> Step {
    course.boot()?;
    for node in Node::ALL {
        for wire in Wire::ALL {
            course.pair.impair(Port { node, wire }, LOSSY)?;
        }
    }
    course.pass(Duration::from_secs(course.seconds.unwrap_or(WATCH_S).into()))
}

pub(super) fn lossy(course: &mut Course) -> Step {
    let active = course.boot()?;
    // Three wires. A frame between the nodes crosses both of the LAN.
    for port in [Port::lan(Node::A), Port::lan(Node::B), Port::cable(Node::A)] {
        course.pair.impair(port, LOSSY)?;
    }
    let length = Duration::from_secs(course.seconds.unwrap_or(WATCH_S).into());
    course.watch("the same roles on bad wires", length, |course| {
        course.has_role(active, "Active") && course.has_role(active.peer(), "Standby")
    })?;
    course.pass(PHONE_JUDGES)
}
