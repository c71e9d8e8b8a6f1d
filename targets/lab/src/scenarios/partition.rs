//! Splits between the nodes.

use crate::lab_course::{Course, Step};
use crate::network::Station;
use crate::plan::Node;
use std::time::{Duration, Instant};

/// S5: two intervals of 50 ms, and 100 ms.
const HEALED: Duration = Duration::from_millis(200);
/// For how long both stay active.
const SPLIT_FOR: Duration = Duration::from_secs(1);
/// Time the lab's own looking may add.
const LAB_SLACK: Duration = Duration::from_millis(50);

/// The one provable exception (S2): nothing passes between the nodes, and both reach the gateway.
pub(super) fn split_heal(course: &mut Course) -> Step {
    course.boot()?;
    course.pair.separate_nodes()?;
    course.pair.pull_cable()?;
    let limit = course.timeout * 3;
    let both = |course: &mut Course| Node::ALL.into_iter().all(|node| course.has_role(node, "Active"));
    let took = course.wait_for("both active, as S2 allows", limit, both)?;
    course.measured("two actives after", took);
    course.pass(SPLIT_FOR)?;
    let heal = Instant::now();
    course.pair.heal_lan()?;
    let healed = Instant::now();
    let single = |course: &mut Course| course.pair.sightings().now().iter().filter(|&&bound| bound).count() == 1;
    course.wait_for("one holder of the cluster IP", Duration::from_secs(2), single)?;
    let released = course.pair.sightings().bindings.last().map_or(heal, |binding| binding.at);
    let one_after = released.saturating_duration_since(healed);
    course.measured("one active after", one_after);
    course.pair.restore_cable()?;
    course.settle()?;
    course.expect_at_most("one active after", one_after, HEALED + LAB_SLACK)
}

/// The active is cut off from gateway and phone together; the cable is fine.
pub(super) fn lan_split(course: &mut Course) -> Step {
    let old = course.boot()?;
    let begin = Instant::now();
    course.pair.split_lan(&[Station::Node(old)])?;
    let bound = course.takes_over(old.peer(), begin, course.timeout * 2)?;
    course.measured("takeover after", bound - begin);
    course.pair.heal_lan()?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the healed node does not preempt the active")?;
    let again = Instant::now();
    course.pair.split_lan(&[Station::Node(old), Station::Phone])?;
    let length = course.timeout * 2;
    course.watch("the side of the gateway stays active", length, |course| course.has_role(active, "Active"))?;
    course.pair.heal_lan()?;
    course.wait_for("the phone is served again", Duration::from_secs(2), |course| {
        course.pair.phone_view(again).served_by == Some(active)
    })?;
    Ok(())
}
