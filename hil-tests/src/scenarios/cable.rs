//! The heartbeat cable.

use crate::alerts::{Alert, Alerts};
use crate::course::{Course, OnRig, Step};
use crate::limits::UNNOTICED;
use lab::plan::Node;
use lab::stimulus::Stimulus;
use std::time::Duration;

/// How long the pair is watched with the cable pulled: longer than T.
const PULLED: Duration = Duration::from_secs(6);

pub(super) fn pull(course: &mut Course, active: Node) -> Step {
    let before = [course.newest_event(Node::A)?, course.newest_event(Node::B)?];
    let pulled = course.apply(Stimulus::CablePull)?;
    course.watch_service(active, PULLED)?;
    for node in Node::ALL {
        let status = course.status(node);
        let lan_only = status.is_some_and(|status| !status.peer.cable && status.peer.lan);
        course.expect(lan_only, format_args!("{node} hears its peer over the LAN only"))?;
    }
    for node in Node::ALL {
        course.expect_alert(Alert::silent_peer(node), before[node.index()])?;
    }
    course.apply(Stimulus::CablePlug)?;
    for node in Node::ALL {
        course.expect_alert(Alert::silent_peer(node).cleared(), before[node.index()])?;
    }
    let still = course.settle()?;
    course.expect(still == active, "no change of roles")?;
    let gap = course.measure_gap(pulled)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}
