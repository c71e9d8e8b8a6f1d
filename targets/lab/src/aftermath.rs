//! What must hold after every scenario, whatever it was about: one active, whose phone is served; the cluster IP on it and
//! on nobody else; and state files from which both nodes could start.

use crate::lab_course::{Course, Failure, Step};
use crate::paths;
use crate::plan::Node;
use std::time::{Duration, Instant};
use ucm_ha_linux::shared;

/// Beside T: a node that has just started listens for so long, and a disk is tried again once a second.
const LIMIT: Duration = Duration::from_secs(10);

/// Makes everything good again and checks it.
pub(crate) fn check(course: &mut Course) -> Step {
    course.pair.restore()?;
    let limit = course.timeout + LIMIT;
    let mut wrong = String::new();
    let waited =
        course.wait_for("one active, one standby, and nothing left behind", limit, |course| match look(course) {
            Ok(()) => true,
            Err(Failure { reason, .. }) => {
                wrong = reason;
                false
            }
        });
    waited.map(drop).map_err(|failure| Failure { reason: format!("{}: {wrong}", failure.reason), ..failure })
}

fn look(course: &mut Course) -> Step {
    let active = course.the_active()?;
    let standby = active.peer();
    let is_standby = course.has_role(standby, "Standby");
    course.expect(is_standby, format_args!("{standby} is standby"))?;
    let bound = course.pair.sightings().now();
    course.expect(bound[active.index()], format_args!("{active} has the cluster IP"))?;
    course.expect(!bound[standby.index()], format_args!("{standby} has no cluster IP"))?;
    let served_by = course.pair.phone_view(Instant::now()).served_by;
    course.expect(served_by == Some(active), format_args!("the phone is served by {active}, not {served_by:?}"))?;
    Node::ALL.into_iter().try_for_each(|node| look_at_files(course, node))
}

/// The daemon must be able to start from what it has stored, and use no term that it would forget.
fn look_at_files(course: &mut Course, node: Node) -> Step {
    let dir = paths::state_dir(node);
    let record = shared::stored_record(&dir).map_err(Failure::new)?;
    let term = course.pair.status(node).map_or(0, |status| status.term);
    course.expect(
        record.term_ceiling >= term,
        format_args!("{node} has stored its term {term}; what it has stored is {record:?}"),
    )?;
    let damaged = shared::damaged_records(&dir)?;
    course.expect(damaged == 0, format_args!("no damaged records in the logs of {node}, there are {damaged}"))
}
