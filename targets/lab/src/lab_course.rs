//! The course of a scenario on the lab, which sees the kernels of both nodes.

use crate::course;
pub(crate) use crate::course::{Failure, Figure, PHONE_JUDGES, Step};
use crate::operations::Lab;
use crate::plan::Node;
use std::time::{Duration, Instant};

/// The course.
pub(crate) type Course = course::Course<Lab>;

impl Course {
    /// A check that the cluster IP was bound no more often than this.
    pub(crate) fn expect_at_most_binds(&mut self, since: Instant, limit: usize) -> Step {
        let binds = self.pair.sightings().after(since).filter(|binding| binding.bound).count();
        self.expect(binds <= limit, format_args!("at most {limit} changes of the active, were {binds}"))
    }

    /// A check that the cluster IP was neither bound nor released.
    pub(crate) fn expect_unchanged(&mut self, since: Instant) -> Step {
        let change = self.pair.sightings().after(since).next().copied();
        self.expect(change.is_none(), format_args!("the cluster IP stays where it is, there was {change:?}"))
    }

    /// A check that this node has not bound the cluster IP.
    pub(crate) fn expect_not_bound(&mut self, node: Node, since: Instant) -> Step {
        let bound = self.pair.sightings().bound_after(node, since);
        self.expect(bound.is_none(), format_args!("{node} has not bound the cluster IP"))
    }

    /// Starts both daemons and waits for a settled pair; gives the active.
    pub(crate) fn boot(&mut self) -> Step<Node> {
        for node in Node::ALL {
            self.pair.start(node)?;
        }
        self.settle()
    }

    /// Waits until a node is active, has bound the address, and serves the phone. Gives the time of the bind.
    pub(crate) fn takes_over(&mut self, node: Node, since: Instant, limit: Duration) -> Step<Instant> {
        let what = format!("{node} active and serving the phone");
        self.wait_for(what, limit, |course| {
            course.has_role(node, "Active") && course.pair.phone_view(since).served_by == Some(node)
        })?;
        self.pass(PHONE_JUDGES)?;
        let bound = self.pair.sightings().bound_after(node, since);
        bound.ok_or_else(|| Failure::new(format!("{node} says it is active, but never bound the cluster IP")))
    }
}
