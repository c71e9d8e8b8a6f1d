//! The course of one scenario: what it waits for, what it checks, what it measures.

use crate::daemon::active_of_complete_pair;
use crate::gaps::Gap;
use crate::observer::FAST_PERIOD;
use crate::operations::Lab;
pub(crate) use crate::outcome::{Failure, Step};
use crate::plan::Node;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use ucm_ha_control::Report;

/// Time between two looks at what is waited for.
const LOOK_PERIOD: Duration = Duration::from_millis(10);
/// Time after an event in which the phone has certainly judged the probes sent before it.
pub(crate) const PHONE_JUDGES: Duration = Duration::from_millis(150);
/// Time in which a pair that came up settles: both paths heard, synchronised, ready to switch.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// A measured figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// What it is, as in `gap`.
    pub(crate) name: &'static str,
    /// How much.
    pub(crate) value: f64,
    /// Of what, as in `ms`.
    pub(crate) unit: &'static str,
}

/// The course of one scenario.
pub(crate) struct Course {
    /// The lab.
    pub(crate) lab: Lab,
    /// Heartbeat timeout T.
    pub(crate) timeout: Duration,
    /// How long to watch, where that was given.
    pub(crate) seconds: Option<u32>,
    /// Where the random faults begin, where that was given.
    pub(crate) seed: Option<u64>,
    /// How often to repeat, where that was given.
    pub(crate) rounds: Option<u32>,
    figures: Vec<Figure>,
    roles: [Option<(String, u32)>; 2],
    /// Raised faults of each node.
    faults: [Vec<String>; 2],
    interrupted: Arc<AtomicBool>,
}

impl Course {
    /// One that begins now.
    pub(crate) fn new(lab: Lab, timeout: Duration, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            lab,
            timeout,
            seconds: None,
            seed: None,
            rounds: None,
            figures: Vec::new(),
            roles: [None, None],
            faults: Default::default(),
            interrupted,
        }
    }

    /// What was measured.
    pub(crate) fn into_figures(self) -> Vec<Figure> {
        self.figures
    }

    /// Adds a figure in milliseconds.
    pub(crate) fn measured(&mut self, name: &'static str, length: Duration) {
        self.figure(name, length.as_secs_f64() * 1000.0, "ms");
    }

    /// Adds a figure.
    pub(crate) fn figure(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.lab.timeline.note(format_args!("measured: {name} {value:.1} {unit}"));
        self.figures.push(Figure { name, value, unit });
    }

    /// Both daemons' status, with changes of role noted on the timeline.
    pub(crate) fn statuses(&mut self) -> [Option<Report>; 2] {
        let statuses = [self.lab.status(Node::A), self.lab.status(Node::B)];
        for node in Node::ALL {
            let faults = statuses[node.index()].iter().flat_map(|status| &status.faults);
            self.faults[node.index()] = faults.filter(|fault| fault.raised).map(|fault| fault.name.clone()).collect();
            let role = statuses[node.index()].as_ref().map(|status| (status.role.clone(), status.term));
            let last = &mut self.roles[node.index()];
            if *last != role {
                let text = match &role {
                    Some((role, term)) => format!("{node} is {role}, term {term}"),
                    None => format!("{node} does not answer"),
                };
                *last = role;
                self.lab.timeline.note(text);
            }
        }
        statuses
    }

    /// Waits until `reached`, and says how long that took.
    pub(crate) fn wait_for(
        &mut self,
        what: impl Display,
        limit: Duration,
        mut reached: impl FnMut(&mut Self) -> bool,
    ) -> Step<Duration> {
        let begin = Instant::now();
        loop {
            self.statuses();
            if reached(self) {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > limit {
                return Err(Failure(format!("after {limit:?} not yet: {what}")));
            }
            self.check_interrupted()?;
            thread::sleep(LOOK_PERIOD);
        }
    }

    /// Lets time pass while `holds`.
    pub(crate) fn watch(
        &mut self,
        what: impl Display,
        length: Duration,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> Step {
        let begin = Instant::now();
        while begin.elapsed() < length {
            self.statuses();
            if !holds(self) {
                return Err(Failure(format!("{:?} later no longer: {what}", begin.elapsed())));
            }
            self.check_interrupted()?;
            thread::sleep(LOOK_PERIOD);
        }
        Ok(())
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, length: Duration) -> Step {
        self.watch("", length, |_| true)
    }

    fn check_interrupted(&self) -> Step {
        if self.interrupted.load(Ordering::Relaxed) { Err(Failure("interrupted".to_owned())) } else { Ok(()) }
    }

    /// The role of a node, as its daemon says.
    pub(crate) fn has_role(&mut self, node: Node, role: &str) -> bool {
        self.roles[node.index()].as_ref().is_some_and(|(now, _)| now == role)
    }

    /// Whether a node has this fault, as its daemon says.
    pub(crate) fn has_fault(&self, node: Node, name: &str) -> bool {
        self.faults[node.index()].iter().any(|raised| raised == name)
    }

    /// The node that is active, as the daemons last said.
    pub(crate) fn the_active(&mut self) -> Step<Node> {
        let active = Node::ALL.into_iter().find(|node| self.has_role(*node, "Active"));
        active.ok_or_else(|| Failure("no active".to_owned()))
    }

    /// A check that the cluster IP was bound no more often than this.
    pub(crate) fn expect_at_most_binds(&mut self, since: Instant, limit: usize) -> Step {
        let bindings = self.lab.sightings().bindings;
        let binds = bindings.iter().filter(|binding| binding.bound && binding.at > since).count();
        self.expect(binds <= limit, format_args!("at most {limit} changes of the active, were {binds}"))
    }

    /// Starts both daemons and waits for a settled pair; gives the active.
    pub(crate) fn boot(&mut self) -> Step<Node> {
        for node in Node::ALL {
            self.lab.start(node)?;
        }
        self.settle()
    }

    /// Waits for a pair that is complete: one active that would switch, one standby, the phone served.
    pub(crate) fn settle(&mut self) -> Step<Node> {
        let limit = self.timeout + Duration::from_secs(1) + SETTLE_TIME;
        let mut active = None;
        self.wait_for("one active ready to switch, one standby, phone served", limit, |course| {
            active = course.settled_active();
            active.is_some()
        })?;
        active.ok_or_else(|| Failure("no active".to_owned()))
    }

    fn settled_active(&mut self) -> Option<Node> {
        let [Some(a), Some(b)] = self.statuses() else { return None };
        let active = active_of_complete_pair(&[a, b])?;
        let served = self.lab.phone(Instant::now()).served_by == Some(active);
        served.then_some(active)
    }

    /// Makes the observer look as fast as it can from now on, where release and bind follow each other closely.
    pub(crate) fn observe_closely(&mut self) {
        self.lab.observe_every(FAST_PERIOD);
    }

    /// Waits until a node is active, has bound the address, and serves the phone. Gives the time of the bind.
    pub(crate) fn takes_over(&mut self, node: Node, since: Instant, limit: Duration) -> Step<Instant> {
        let what = format!("{node} active and serving the phone");
        self.wait_for(what, limit, |course| {
            course.has_role(node, "Active") && course.lab.phone(since).served_by == Some(node)
        })?;
        self.pass(PHONE_JUDGES)?;
        let bound = self.lab.sightings().bound_after(node, since);
        bound.ok_or_else(|| Failure(format!("{node} says it is active, but never bound the cluster IP")))
    }

    /// The longest gap the phone noticed since `since`.
    pub(crate) fn longest_gap(&self, since: Instant) -> Duration {
        self.lab.phone(since).longest().map_or(Duration::ZERO, |gap| gap.length())
    }

    /// The gap of the change to `node`.
    pub(crate) fn gap_of_change(&self, node: Node, since: Instant) -> Step<Gap> {
        let gaps = self.lab.phone(since).gaps;
        let change = gaps.into_iter().rev().find(|gap| gap.after == node && gap.before != node);
        change.ok_or_else(|| Failure(format!("the phone saw no change to {node}")))
    }

    /// A check.
    pub(crate) fn expect(&mut self, holds: bool, what: impl Display) -> Step {
        if holds { Ok(()) } else { Err(Failure(format!("expected: {what}"))) }
    }

    /// The check of S1.
    pub(crate) fn expect_never_two(&mut self) -> Step {
        let both_bound = self.lab.sightings().both_bound;
        self.expect(both_bound.is_zero(), format_args!("never both nodes with the cluster IP, was {both_bound:?}"))
    }

    /// A check of a length of time.
    pub(crate) fn expect_at_most(&mut self, what: impl Display, length: Duration, limit: Duration) -> Step {
        self.expect(length <= limit, format_args!("{what} at most {limit:?}, was {length:?}"))
    }
}
