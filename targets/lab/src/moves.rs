//! A scenario told as a table: what is done, one after the other, and what must come of it.

use crate::lab_course::{Course, Step};
use crate::operations::Lab;
use crate::pair::{Ability, Pair};
use crate::plan::Node;
use crate::scenario;
use crate::stimulus::{Stimulus, Who};
use crate::storm;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// A log line must be there by then.
const SAID_WITHIN: Duration = Duration::from_secs(5);
/// A storm is one with so many frames a second at each port, at least.
const STORM_RATE: f64 = storm::RATE as f64 * 0.8;

/// A scenario of the lab.
pub(crate) type Scenario = scenario::Scenario<Lab, Move>;

/// Nodes that are wired through relays.
pub(crate) const BAD_WIRES: &[Ability] = &[Ability::BadWires];
/// Nodes with a key.
pub(crate) const KEYED: &[Ability] = &[Ability::Key];

/// A scenario that a table tells.
pub(crate) const fn told(name: &'static str, about: &'static str, moves: &'static [Move]) -> Scenario {
    Scenario::told(name, about, play, moves)
}

/// One move of a scenario. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Something is done.
    Do(Stimulus<Who>),
    /// So much time passes.
    Pass(u64),
    /// Both keep the roles of the beginning for so long, and the cluster IP was not gone for an instant. Since the pair was last complete
    /// or the role last taken, as told, nobody else has bound it either.
    Keep(u64),
    /// This node becomes active and serves the phone within this time from what was done last.
    Takes(Who, u64),
    /// The phone is served by this node within this time.
    Serves(Who, u64),
    /// This node has a fault within this time.
    HasFault(Who, &'static str, u64),
    /// This node has the cluster IP bound within this time.
    Binds(Who, u64),
    /// This node has its static address.
    HasOwnAddress(Who),
    /// This node's log says so.
    Says(Who, &'static str),
    /// This node's log says so, once at most.
    SaysOnce(Who, &'static str),
    /// The operator switches away from this node.
    Switch(Who),
    /// The storm ends. It was one, and the nodes have refused its frames.
    StormEnds,
    /// The pair is complete again, and this node is active.
    Settles(Who),
    /// The pair is complete again, whoever is active.
    SettlesAnyhow,
}

/// Plays a scenario from the boot of both nodes on.
fn play(course: &mut Course, moves: &[Move]) -> Step {
    let active = course.boot()?;
    let mut player = Player { course, active, since: Instant::now(), settled: Instant::now() };
    moves.iter().try_for_each(|what| player.play(*what))
}

struct Player<'a> {
    course: &'a mut Course,
    /// Who was active at the beginning.
    active: Node,
    /// When something was last done.
    since: Instant,
    /// When the role was last taken or the pair complete, as told.
    settled: Instant,
}

impl Player<'_> {
    fn play(&mut self, what: Move) -> Step {
        use Move::{Settles, SettlesAnyhow, Takes};
        self.make(what)?;
        if matches!(what, Takes(..) | Settles(_) | SettlesAnyhow) {
            self.settled = Instant::now();
        }
        Ok(())
    }

    fn make(&mut self, what: Move) -> Step {
        let (active, since, course) = (self.active, self.since, &mut *self.course);
        match what {
            Move::Do(stimulus) => {
                self.since = Instant::now();
                Ok(course.pair.apply(stimulus.on(active))?)
            }
            Move::Pass(ms) => course.pass(Duration::from_millis(ms)),
            Move::Keep(ms) => self.keep(active, "the same roles", ms, |course| {
                course.has_role(active, "Active") && course.has_role(active.peer(), "Standby")
            }),
            Move::Takes(who, ms) => {
                course.takes_over(who.node(active), since, Duration::from_millis(ms))?;
                let gap = course.gap_of_change(who.node(active), since)?.length();
                course.pair.timeline.note(format_args!("the phone was not served for {gap:?}"));
                Ok(())
            }
            Move::Serves(who, ms) => {
                let node = who.node(active);
                let what = format_args!("{node} serves the phone");
                let served = |course: &mut Course| course.pair.phone_view(since).served_by == Some(node);
                course.wait_for(what, Duration::from_millis(ms), served).map(drop)
            }
            Move::HasFault(who, name, ms) => {
                let node = who.node(active);
                let what = format_args!("{node} has the fault {name}");
                course.wait_for(what, Duration::from_millis(ms), |course| course.has_fault(node, name)).map(drop)
            }
            Move::Binds(who, ms) => self.binds(who, ms),
            Move::HasOwnAddress(who) => {
                let node = who.node(active);
                let there = course.pair.has_own_address(node)?;
                course.expect(there, format_args!("{node} has its static address"))
            }
            Move::Says(who, text) => {
                let node = who.node(active);
                let what = format_args!("{node} says: {text}");
                course.wait_for(what, SAID_WITHIN, |course| course.pair.logged(node, text)).map(drop)
            }
            Move::SaysOnce(who, text) => {
                let node = who.node(active);
                let times = course.pair.times_logged(node, text);
                course.expect(times == 1, format_args!("{node} says once, not {times} times: {text}"))
            }
            Move::Switch(who) => {
                self.since = Instant::now();
                course.pair.force_switch(who.node(active)).map_err(crate::lab_course::Failure::new)
            }
            Move::StormEnds => self.end_storm(),
            Move::Settles(who) => {
                let now = course.settle()?;
                course.expect(now == who.node(active), format_args!("{} is active, not {now}", who.node(active)))
            }
            Move::SettlesAnyhow => course.settle().map(drop),
        }
    }

    fn keep(&mut self, node: Node, what: impl Display, ms: u64, holds: impl FnMut(&mut Course) -> bool) -> Step {
        let begin = Instant::now();
        self.course.watch(what, Duration::from_millis(ms), holds)?;
        self.course.expect_unchanged(begin)?;
        self.course.expect_not_bound(node.peer(), self.settled)
    }

    fn binds(&mut self, who: Who, ms: u64) -> Step {
        let node = who.node(self.active);
        let what = format_args!("{node} has the cluster IP");
        self.course
            .wait_for(what, Duration::from_millis(ms), |course| course.pair.sightings().now()[node.index()])
            .map(drop)
    }

    fn end_storm(&mut self) -> Step {
        let rate = self.course.pair.end_storm();
        self.course.figure("storm", rate, "frames a second");
        let enough = rate >= STORM_RATE;
        self.course.expect(enough, format_args!("{STORM_RATE} frames a second at each port, were {rate:.0}"))?;
        for who in Who::BOTH {
            let node = who.node(self.active);
            let refused = self.course.pair.status(node).map_or(0, |status| status.counters.frames_refused());
            self.course.figure("refused", refused as f64, "frames");
            self.course.expect(refused > 0, format_args!("{node} has refused frames"))?;
        }
        Ok(())
    }
}
