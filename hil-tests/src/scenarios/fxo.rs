//! FXO ports.

use super::own_fault;
use crate::alerts::{Alert, Alerts};
use crate::course::{Course, OnRig, Step};
use crate::limits::UNNOTICED;
use lab::plan::Node;
use lab::stimulus::{FxoPort, Stimulus};
use std::time::Duration;

/// How long a pair is watched whose fault must not hand over: longer than T.
const WATCHED: Duration = Duration::from_secs(6);

/// The box of the port is ticked: its fault hands over, and the node that has it reboots.
pub(super) fn fault(course: &mut Course, old: Node) -> Step {
    let before = course.newest_event(old)?;
    let boot = own_fault::boot_id(course, old)?;
    let failed = course.apply(Stimulus::FxoFault(old, FxoPort::Switching))?;
    let gap = course.takes_over(old.peer(), failed, course.facts().timeout)?;
    course.expect_at_most("gap", gap, UNNOTICED)?;
    own_fault::returns(course, old, boot.as_deref())?;
    let alert = Alert { on: old, of: old, cause: "FXO1", raised: true };
    course.expect_alert(alert, before)?;
    own_fault::shows(course, old, "FXO1", true)?;
    course.apply(Stimulus::FxoClear(old, FxoPort::Switching))?;
    course.expect_alert(alert.cleared(), before)?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the role stays where it went")
}

/// The box of the port is not ticked: its fault only alerts.
pub(super) fn fault_without_switch(course: &mut Course, active: Node) -> Step {
    let before = course.newest_event(active)?;
    let failed = course.apply(Stimulus::FxoFault(active, FxoPort::Alerting))?;
    let alert = Alert { on: active, of: active, cause: "FXO4", raised: true };
    course.expect_alert(alert, before)?;
    course.watch_service(active, WATCHED)?;
    own_fault::shows(course, active, "FXO4", true)?;
    course.apply(Stimulus::FxoClear(active, FxoPort::Alerting))?;
    course.expect_alert(alert.cleared(), before)?;
    own_fault::shows(course, active, "FXO4", false)?;
    let still = course.settle()?;
    course.expect(still == active, "no change of roles")?;
    let gap = course.measure_gap(failed)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}
