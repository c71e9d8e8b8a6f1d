//! What a node does that has found a fault in itself: it hands over, reboots, and returns as standby with its fault.

use crate::course::{Course, OnRig, Step};
use lab::pair::Ability;
use lab::plan::Node;
use std::time::Duration;

/// How long a fault may take to show: debouncing and a few looks.
const SHOWS: Duration = Duration::from_secs(5);

/// The kernel's name for its boot; `None` where the node has no kernel of its own and cannot reboot.
pub(super) fn boot_id(course: &mut Course, node: Node) -> Step<Option<String>> {
    if course.can(Ability::OwnKernel) { super::machine::boot_id(course, node).map(Some) } else { Ok(None) }
}

/// The node that was active returns as standby, in another boot than `boot`.
pub(super) fn returns(course: &mut Course, node: Node, boot: Option<&str>) -> Step {
    let limit = course.facts().boot_limit + course.facts().timeout;
    if let Some(boot) = boot {
        course.wait_for(format_args!("{node} has rebooted"), limit, |course| {
            boot_id(course, node).is_ok_and(|now| now.is_some_and(|now| now != boot))
        })?;
    }
    course.wait_for(format_args!("{node} is standby"), limit, |course| {
        course.status(node).is_some_and(|status| status.role == "Standby")
    })?;
    Ok(())
}

/// The node's status comes to say that it has this fault, or has it no more.
pub(super) fn shows(course: &mut Course, node: Node, name: &str, raised: bool) -> Step {
    let state = if raised { "raised" } else { "cleared" };
    let what = format!("{node} says that its fault {name} is {state}");
    course
        .wait_for(what, SHOWS, |course| {
            let status = course.status(node);
            status.is_some_and(|status| status.faults.iter().any(|fault| fault.name == name && fault.raised) == raised)
        })
        .map(drop)
}
