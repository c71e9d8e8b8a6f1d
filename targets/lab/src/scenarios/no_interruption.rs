//! What must not interrupt the service (L4, L7).

use crate::lab_course::{Course, PHONE_JUDGES, Step};
use crate::network::Cut;
use crate::plan::{Node, Port};
use std::time::{Duration, Instant};

/// A pause that the phone may notice though the service goes on: the lab shares its processors with the daemons.
const NO_GAP: Duration = Duration::from_millis(50);
/// For how long the starvation lasts, where no other time was asked for, in seconds.
const STARVATION_S: u32 = 10;

/// Watches for two timeouts that `active` stays active and the phone notices nothing.
fn undisturbed(course: &mut Course, active: Node, since: Instant) -> Step {
    let length = course.timeout * 2;
    course.watch(format_args!("{active} active"), length, |course| course.has_role(active, "Active"))?;
    course.pass(PHONE_JUDGES)?;
    let gap = course.longest_gap(since);
    course.expect_at_most("gap", gap, NO_GAP)
}

/// The gap over the whole scenario.
fn measure_gap(course: &mut Course, since: Instant) {
    let gap = course.longest_gap(since);
    course.measured("longest gap", gap);
}

pub(super) fn cable_cut(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    course.pair.pull_cable()?;
    undisturbed(course, active, begin)?;
    let reported = course.pair.status(active).is_some_and(|status| !status.peer.cable);
    course.expect(reported, "the cable is reported as cut")?;
    course.pair.restore_cable()?;
    let now_active = course.settle()?;
    course.expect(now_active == active, "the same node is active")?;
    for node in Node::ALL {
        course.pair.cut(Port::cable(node), Cut::Silent)?;
    }
    undisturbed(course, active, begin)?;
    course.pair.restore_cable()?;
    let now_active = course.settle()?;
    measure_gap(course, begin);
    course.expect(now_active == active, "the same node is active")
}

pub(super) fn lan_cut_standby(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    for how in [Cut::Carrier, Cut::Silent] {
        course.pair.cut(Port::lan(active.peer()), how)?;
        undisturbed(course, active, begin)?;
        course.pair.mend(Port::lan(active.peer()))?;
        let now_active = course.settle()?;
        course.expect(now_active == active, "the same node is active")?;
    }
    measure_gap(course, begin);
    Ok(())
}

pub(super) fn gateway_death(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    course.pair.set_gateway(false)?;
    undisturbed(course, active, begin)?;
    course.pair.set_gateway(true)?;
    let now_active = course.settle()?;
    measure_gap(course, begin);
    course.expect(now_active == active, "the same node is active")
}

pub(super) fn standby_death(course: &mut Course) -> Step {
    let active = course.boot()?;
    let begin = Instant::now();
    course.pair.kill(active.peer())?;
    undisturbed(course, active, begin)?;
    course.pair.start(active.peer())?;
    course.settle()?;
    course.pair.power_off(active.peer())?;
    undisturbed(course, active, begin)?;
    course.pair.power_on(active.peer())?;
    let now_active = course.settle()?;
    measure_gap(course, begin);
    course.expect(now_active == active, "the same node is active")
}

pub(super) fn starvation(course: &mut Course) -> Step {
    let active = course.boot()?;
    let length = Duration::from_secs(course.seconds.unwrap_or(STARVATION_S).into());
    course.pair.set_load(true);
    let begin = Instant::now();
    let holds = |course: &mut Course| course.has_role(active, "Active") && course.has_role(active.peer(), "Standby");
    course.watch("the same roles under load", length, holds)?;
    course.pair.pull_cable()?;
    course.watch("the same roles under load without the cable", length, holds)?;
    course.pair.set_load(false);
    course.pass(PHONE_JUDGES)?;
    measure_gap(course, begin);
    Ok(())
}
