//! LAN ports and their switch.

use super::UNNOTICED;
use crate::alerts::Alert;
use crate::course::{Course, Step};
use crate::rig::Stimulus;
use std::time::{Duration, Instant};
use ucm_ha_linux::lab::plan::Node;

/// Longest gap for a LAN port without carrier: its debouncing and a handover.
const UNPLUGGED_GAP: Duration = Duration::from_millis(250);
/// How long a port stays unplugged.
const UNPLUGGED: Duration = Duration::from_secs(5);
/// How long a switch takes to reboot.
const SWITCH_REBOOT: Duration = Duration::from_secs(5);

pub(super) fn pull_active(course: &mut Course<'_>, old: Node) -> Step {
    let before = course.newest_event(old)?;
    let pulled = course.apply(Stimulus::LanPull(old))?;
    let gap = course.takes_over(old.peer(), pulled, course.facts().timeout)?;
    course.expect_at_most("gap", gap, UNPLUGGED_GAP)?;
    course.wait_for("the LAN fault is raised", UNPLUGGED, |course| has_lan_fault(course, old, true))?;
    course.expect_alert(Alert { on: old, of: old, cause: "LAN", raised: true }, before)?;
    course.apply(Stimulus::LanPlug(old))?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the role stays where it went")?;
    course.wait_for("the LAN fault is cleared", UNPLUGGED, |course| has_lan_fault(course, old, false))?;
    course.expect_alert(Alert { on: old, of: old, cause: "LAN", raised: false }, before)
}

pub(super) fn pull_standby(course: &mut Course<'_>, active: Node) -> Step {
    let pulled = course.apply(Stimulus::LanPull(active.peer()))?;
    course.watch_service(active, UNPLUGGED)?;
    course.apply(Stimulus::LanPlug(active.peer()))?;
    let still = course.settle()?;
    course.expect(still == active, "no change of roles")?;
    let gap = course.longest_gap(pulled)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

pub(super) fn switch_reboot(course: &mut Course<'_>, _active: Node) -> Step {
    course.apply(Stimulus::SwitchOff)?;
    course.pass(SWITCH_REBOOT)?;
    course.expect(course.holder().is_none(), "nobody is reached through a dead switch")?;
    course.apply(Stimulus::SwitchOn)?;
    let on = Instant::now();
    let limit = course.facts().timeout * 2 + Duration::from_secs(1);
    course.wait_for("the phone is served again", limit, |course| course.phone(on).served_by.is_some())?;
    course.measured("served after the switch", on.elapsed());
    course.settle().map(drop)
}

fn has_lan_fault(course: &mut Course<'_>, node: Node, raised: bool) -> bool {
    let status = course.status(node);
    status.is_some_and(|status| status.faults.iter().any(|fault| fault.name == "LAN" && fault.raised) == raised)
}
