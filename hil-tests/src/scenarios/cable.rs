//! The heartbeat cable.

use super::UNNOTICED;
use crate::alerts::Alert;
use crate::course::{Course, Step};
use crate::rig::Stimulus;
use std::time::Duration;
use ucm_ha_linux::lab::plan::Node;

/// How long the pair is watched with the cable pulled: longer than T.
const PULLED: Duration = Duration::from_secs(6);

pub(super) fn pull(course: &mut Course<'_>, active: Node) -> Step {
    let before = [course.newest_event(Node::A)?, course.newest_event(Node::B)?];
    let pulled = course.apply(Stimulus::CablePull)?;
    course.watch_service(active, PULLED)?;
    for node in Node::ALL {
        let status = course.status(node);
        let lan_only = status.is_some_and(|status| !status.peer.cable && status.peer.lan);
        course.expect(lan_only, format_args!("{node} hears its peer over the LAN only"))?;
    }
    expect_alerts(course, before, true)?;
    course.apply(Stimulus::CablePlug)?;
    expect_alerts(course, before, false)?;
    let still = course.settle()?;
    course.expect(still == active, "no change of roles")?;
    let gap = course.longest_gap(pulled)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

/// Each node says it of its peer.
fn expect_alerts(course: &mut Course<'_>, before: [u64; 2], raised: bool) -> Step {
    for on in Node::ALL {
        course.expect_alert(Alert { on, of: on.peer(), cause: "HEARTBEAT", raised }, before[on.index()])?;
    }
    Ok(())
}
