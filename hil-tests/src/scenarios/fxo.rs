//! FXO ports.

use super::UNNOTICED;
use crate::alerts::Alert;
use crate::course::{Course, Step};
use crate::rig::Stimulus;
use ucm_ha_linux::lab::plan::Node;

/// The configuration switches for the first port: its fault hands over.
pub(super) fn fault(course: &mut Course<'_>, old: Node) -> Step {
    let before = course.newest_event(old)?;
    let failed = course.apply(Stimulus::FxoFault(old))?;
    let gap = course.takes_over(old.peer(), failed, course.facts().timeout)?;
    course.expect_at_most("gap", gap, UNNOTICED)?;
    course.expect_alert(Alert { on: old, of: old, cause: "FXO1", raised: true }, before)?;
    course.apply(Stimulus::FxoClear(old))?;
    course.expect_alert(Alert { on: old, of: old, cause: "FXO1", raised: false }, before)?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the role stays where it went")
}
