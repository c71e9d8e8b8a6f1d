//! The course of one scenario on a pair: what it waits for, what it checks, what it measures.

use crate::daemon::active_of_complete_pair;
use crate::gaps::{ANSWER_DEADLINE, Gap};
pub use crate::outcome::{Failure, Step};
use crate::pair::Pair;
use crate::plan::Node;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use ucm_ha_control::Report;

/// Time after an event in which the phone has certainly judged the probes sent before it.
pub const PHONE_JUDGES: Duration = Duration::from_millis(50).saturating_add(ANSWER_DEADLINE);

/// A measured figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is, as in `gap`.
    pub name: &'static str,
    /// How much.
    pub value: f64,
    /// Of what, as in `ms`.
    pub unit: &'static str,
}

/// The course of one scenario.
pub struct Course<P> {
    /// The pair.
    pub pair: P,
    /// Heartbeat timeout T.
    pub timeout: Duration,
    /// How long to watch, where that was given.
    pub seconds: Option<u32>,
    /// Where the random faults begin, where that was given.
    pub seed: Option<u64>,
    /// How often to repeat, where that was given.
    pub rounds: Option<u32>,
    figures: Vec<Figure>,
    roles: [Option<(String, u32)>; 2],
    /// Raised faults of each node.
    faults: [Vec<String>; 2],
    interrupted: Arc<AtomicBool>,
}

impl<P: Pair> Course<P> {
    /// One that begins now.
    pub fn new(pair: P, timeout: Duration, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            pair,
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

    /// The pair, and what was measured.
    pub fn end(self) -> (P, Vec<Figure>) {
        (self.pair, self.figures)
    }

    /// Adds a figure in milliseconds.
    pub fn measured(&mut self, name: &'static str, length: Duration) {
        self.figure(name, length.as_secs_f64() * 1000.0, "ms");
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.pair.timeline().note(format_args!("measured: {name} {value:.1} {unit}"));
        self.figures.push(Figure { name, value, unit });
    }

    /// A daemon's status, with a change of its role noted on the timeline.
    pub fn status(&mut self, node: Node) -> Option<Report> {
        let status = self.pair.status(node);
        let faults = status.iter().flat_map(|status| &status.faults);
        self.faults[node.index()] = faults.filter(|fault| fault.raised).map(|fault| fault.name.clone()).collect();
        let role = status.as_ref().map(|status| (status.role.clone(), status.term));
        let last = &mut self.roles[node.index()];
        if *last != role {
            let text = match &role {
                Some((role, term)) => format!("{node} is {role}, term {term}"),
                None => format!("{node} does not answer"),
            };
            *last = role;
            self.pair.timeline().note(text);
        }
        status
    }

    /// Both daemons' status.
    pub fn statuses(&mut self) -> [Option<Report>; 2] {
        [self.status(Node::A), self.status(Node::B)]
    }

    fn look(&mut self) {
        if P::CHEAP_STATUS {
            self.statuses();
        } else {
            self.pair.phone(Instant::now());
        }
    }

    /// Waits until `reached`, and says how long that took.
    pub fn wait_for(
        &mut self,
        what: impl Display,
        limit: Duration,
        mut reached: impl FnMut(&mut Self) -> bool,
    ) -> Step<Duration> {
        let begin = Instant::now();
        loop {
            self.look();
            if reached(self) {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > limit {
                return Err(Failure::new(format!("after {limit:?} not yet: {what}")));
            }
            self.check_interrupted()?;
            thread::sleep(P::LOOK_PERIOD);
        }
    }

    /// Lets time pass while `holds`.
    pub fn watch(&mut self, what: impl Display, length: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> Step {
        let begin = Instant::now();
        while begin.elapsed() < length {
            self.look();
            if !holds(self) {
                return Err(Failure::new(format!("{:?} later no longer: {what}", begin.elapsed())));
            }
            self.check_interrupted()?;
            thread::sleep(P::LOOK_PERIOD.min(length.saturating_sub(begin.elapsed())));
        }
        Ok(())
    }

    /// Lets time pass.
    pub fn pass(&mut self, length: Duration) -> Step {
        self.watch("", length, |_| true)
    }

    fn check_interrupted(&self) -> Step {
        if self.interrupted.load(Ordering::Relaxed) { Err(Failure::standing("interrupted")) } else { Ok(()) }
    }

    /// The role of a node, as its daemon last said.
    pub fn has_role(&self, node: Node, role: &str) -> bool {
        self.roles[node.index()].as_ref().is_some_and(|(now, _)| now == role)
    }

    /// Whether a node has this fault, as its daemon last said.
    pub fn has_fault(&self, node: Node, name: &str) -> bool {
        self.faults[node.index()].iter().any(|raised| raised == name)
    }

    /// The node that is active, as the daemons last said.
    pub fn the_active(&self) -> Step<Node> {
        let active = Node::ALL.into_iter().find(|node| self.has_role(*node, "Active"));
        active.ok_or_else(|| Failure::new("no active"))
    }

    /// Waits for a pair that is complete: one active that would switch, one standby, the phone served. Gives the active.
    pub fn settle(&mut self) -> Step<Node> {
        let limit = self.pair.settle_limit(self.timeout);
        let mut active = None;
        self.wait_for("one active ready to switch, one standby, phone served", limit, |course| {
            active = course.settled_active();
            active.is_some()
        })?;
        active.ok_or_else(|| Failure::new("no active"))
    }

    fn settled_active(&mut self) -> Option<Node> {
        let [Some(a), Some(b)] = self.statuses() else { return None };
        let active = active_of_complete_pair(&[a, b])?;
        self.pair.is_served_by(active).then_some(active)
    }

    /// The longest gap the phone noticed since `since`.
    pub fn longest_gap(&mut self, since: Instant) -> Duration {
        self.pair.phone(since).longest().map_or(Duration::ZERO, |gap| gap.length())
    }

    /// The gap of the change to `node`.
    pub fn gap_of_change(&mut self, node: Node, since: Instant) -> Step<Gap> {
        let gaps = self.pair.phone(since).gaps;
        let change = gaps.into_iter().rev().find(|gap| gap.after == node && gap.before != node);
        change.ok_or_else(|| Failure::new(format!("the phone saw no change to {node}")))
    }

    /// A check.
    pub fn expect(&mut self, holds: bool, what: impl Display) -> Step {
        if holds { Ok(()) } else { Err(Failure::new(format!("expected: {what}"))) }
    }

    /// A check of a length of time.
    pub fn expect_at_most(&mut self, what: impl Display, length: Duration, limit: Duration) -> Step {
        self.expect(length <= limit, format_args!("{what} at most {limit:?}, was {length:?}"))
    }

    /// The check of S1.
    pub fn expect_never_two(&mut self) -> Step {
        self.pair.two_holders().map_or(Ok(()), |two| Err(Failure::standing(format!("expected: {two}"))))
    }
}
