//! Everything the picture shows, as plain data.

use crate::gaps::Gap;
use crate::lab_course::Course;
use crate::plan::{Node, Port};
use std::time::{Duration, Instant};
use ucm_ha_control::Report;

/// Events that are shown at most.
const MAX_EVENTS: usize = 100;

/// A moment of the pair.
pub(super) struct Picture {
    /// The nodes.
    pub(super) nodes: [NodePicture; 2],
    /// Whether the gateway is there.
    pub(super) gateway_on: bool,
    /// Who answers the phone.
    pub(super) served_by: Option<Node>,
    /// For how long nobody has, while nobody does.
    pub(super) silent_for: Option<Duration>,
    /// The newest gap.
    pub(super) last_gap: Option<Gap>,
    /// The longest gap.
    pub(super) longest_gap: Option<Gap>,
    /// Time during which both nodes had the cluster IP.
    pub(super) both_bound: Duration,
    /// What happened, the oldest first: milliseconds since the start, and words.
    pub(super) events: Vec<(u128, String)>,
}

/// A moment of one node.
pub(super) struct NodePicture {
    /// Which.
    pub(super) node: Node,
    /// Whether the machine has power.
    pub(super) powered: bool,
    /// Whether the daemon runs.
    pub(super) running: bool,
    /// Whether it is frozen.
    pub(super) frozen: bool,
    /// Whether the kernel has the cluster IP.
    pub(super) bound: bool,
    /// Whether the LAN port is cut off.
    pub(super) lan_cut: bool,
    /// Whether the heartbeat port is cut off.
    pub(super) cable_cut: bool,
    /// What the daemon says, where it answers.
    pub(super) status: Option<Report>,
}

impl Picture {
    /// Looks at everything. The phone's gaps count since `begin`.
    pub(super) fn take(course: &mut Course, begin: Instant) -> Self {
        let [a, b] = course.statuses();
        let sightings = course.pair.sightings();
        let now = sightings.now();
        let phone = course.pair.phone_view(begin);
        let mut node = |node: Node, status| NodePicture {
            node,
            powered: course.pair.is_powered(node),
            running: course.pair.is_running(node),
            frozen: course.pair.is_frozen(node),
            bound: now[node.index()],
            lan_cut: course.pair.is_cut(Port::lan(node)),
            cable_cut: course.pair.is_cut(Port::cable(node)),
            status,
        };
        Self {
            nodes: [node(Node::A, a), node(Node::B, b)],
            gateway_on: course.pair.gateway_is_on(),
            served_by: phone.served_by,
            silent_for: phone.silent_for,
            last_gap: phone.gaps.last().copied(),
            longest_gap: phone.longest(),
            both_bound: sightings.both_bound().unwrap_or_default(),
            events: course
                .pair
                .timeline
                .newest(MAX_EVENTS)
                .map(|entry| (entry.at.as_millis(), entry.text.clone()))
                .collect(),
        }
    }
}
