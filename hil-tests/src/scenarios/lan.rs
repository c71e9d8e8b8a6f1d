//! LAN ports and their switch.

use super::own_fault;
use crate::alerts::{Alert, Alerts};
use crate::course::{Course, OnRig, Step};
use crate::limits::UNNOTICED;
use lab::pair::Pair;
use lab::plan::Node;
use lab::stimulus::Stimulus;
use std::time::{Duration, Instant};

/// Longest gap for a LAN port without carrier: its debouncing and a handover.
const UNPLUGGED_GAP: Duration = Duration::from_millis(250);
/// How long a port stays unplugged.
const UNPLUGGED: Duration = Duration::from_secs(5);
/// How long a switch takes to reboot.
const SWITCH_REBOOT: Duration = Duration::from_secs(5);

pub(super) fn pull_active(course: &mut Course, old: Node) -> Step {
    let before = course.newest_event(old)?;
    let boot = own_fault::boot_id(course, old)?;
    let pulled = course.apply(Stimulus::lan_pull(old))?;
    let gap = course.takes_over(old.peer(), pulled, course.facts().timeout)?;
    course.expect_at_most("gap", gap, UNPLUGGED_GAP)?;
    own_fault::returns(course, old, boot.as_deref())?;
    own_fault::shows(course, old, "LAN", true)?;
    course.expect_alert(Alert::lan_down(old), before)?;
    course.apply(Stimulus::lan_plug(old))?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the role stays where it went")?;
    own_fault::shows(course, old, "LAN", false)?;
    course.expect_alert(Alert::lan_down(old).cleared(), before)
}

pub(super) fn pull_standby(course: &mut Course, active: Node) -> Step {
    let standby = active.peer();
    let before = course.newest_event(standby)?;
    let pulled = course.apply(Stimulus::lan_pull(standby))?;
    course.watch_service(active, UNPLUGGED)?;
    course.expect_alert(Alert::lan_down(standby), before)?;
    course.apply(Stimulus::lan_plug(standby))?;
    course.expect_alert(Alert::lan_down(standby).cleared(), before)?;
    let still = course.settle()?;
    course.expect(still == active, "no change of roles")?;
    let gap = course.measure_gap(pulled)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

pub(super) fn switch_reboot(course: &mut Course, _active: Node) -> Step {
    let before = [course.newest_event(Node::A)?, course.newest_event(Node::B)?];
    course.apply(Stimulus::SwitchOff)?;
    course.pass(SWITCH_REBOOT)?;
    course.expect(course.pair.holder().is_none(), "nobody is reached through a dead switch")?;
    course.apply(Stimulus::SwitchOn)?;
    let on = Instant::now();
    let limit = course.facts().timeout * 2 + Duration::from_secs(1);
    course.wait_for("the phone is served again", limit, |course| course.pair.phone(on).served_by.is_some())?;
    course.measured("served after the switch", on.elapsed());
    course.settle()?;
    for node in Node::ALL {
        course.expect_alert(Alert::lan_down(node), before[node.index()])?;
        course.expect_alert(Alert::lan_down(node).cleared(), before[node.index()])?;
    }
    Ok(())
}
