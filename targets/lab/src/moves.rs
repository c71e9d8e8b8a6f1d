//! A scenario told as a table: what is done, one after the other, and what must come of it.

use crate::capture::Content;
use crate::daemon::active_of_pair_on_cable;
use crate::lab_course::{Course, Failure, Step};
use crate::operations::Lab;
use crate::pair::{Ability, Pair};
use crate::plan::{CLUSTER_IP, Node, Port};
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
/// Both of these.
pub(crate) const KEYED_ON_BAD_WIRES: &[Ability] = &[Ability::Key, Ability::BadWires];

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
    /// This node is active for so long, whatever the other one is; of the cluster IP the same holds.
    Stays(Who, u64),
    /// This node becomes active and serves the phone within this time from what was done last.
    Takes(Who, u64),
    /// The phone is served by this node within this time.
    Serves(Who, u64),
    /// This node has a fault within this time.
    HasFault(Who, &'static str, u64),
    /// This node has the cluster IP bound within this time.
    Binds(Who, u64),
    /// This node announces the cluster IP within this time.
    Announces(Who, u64),
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
    /// This node has refused at least so many frames since it was started.
    Refused(Who, u64),
    /// Both daemons are killed and started. Who is active then, is so from here on.
    Restart,
    /// The pair is complete within this time but for the LAN between the nodes, and this node is active.
    Pairs(Who, u64),
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
        use Move::{Pairs, Restart, Settles, SettlesAnyhow, Takes};
        self.make(what)?;
        if matches!(what, Takes(..) | Restart | Pairs(..) | Settles(_) | SettlesAnyhow) {
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
            Move::Stays(who, ms) => {
                let node = who.node(active);
                self.keep(node, format_args!("{node} is active"), ms, |course| course.has_role(node, "Active"))
            }
            Move::Takes(who, ms) => {
                course.takes_over(who.node(active), since, Duration::from_millis(ms))?;
                let gap = course.gap_of_change(who.node(active), since)?.length();
                course.pair.timeline.note(format_args!("the phone was not served for {gap:?}"));
                Ok(())
            }
            Move::Serves(who, ms) => {
                let node = who.node(active);
                let served = |course: &mut Course| course.pair.phone_view(since).served_by == Some(node);
                self.wait(format_args!("{node} serves the phone"), ms, served)
            }
            Move::HasFault(who, name, ms) => {
                let node = who.node(active);
                self.wait(format_args!("{node} has the fault {name}"), ms, |course| course.has_fault(node, name))
            }
            Move::Binds(who, ms) => {
                let node = who.node(active);
                let bound = |course: &mut Course| course.pair.sightings().now()[node.index()];
                self.wait(format_args!("{node} has the cluster IP"), ms, bound)
            }
            Move::Announces(who, ms) => self.announces(who.node(active), ms),
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
                course.pair.force_switch(who.node(active)).map_err(Failure::new)
            }
            Move::StormEnds => self.end_storm(),
            Move::Refused(who, least) => self.has_refused(who.node(active), least),
            Move::Restart => {
                Node::ALL.into_iter().try_for_each(|node| course.pair.kill(node))?;
                self.active = course.boot()?;
                Ok(())
            }
            Move::Pairs(who, ms) => self.pairs(who.node(active), ms),
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

    fn wait(&mut self, what: impl Display, ms: u64, reached: impl FnMut(&mut Course) -> bool) -> Step {
        self.course.wait_for(what, Duration::from_millis(ms), reached).map(drop)
    }

    fn announces(&mut self, node: Node, ms: u64) -> Step {
        let (begin, capture) = (Instant::now(), self.course.pair.capture(Port::lan(node))?);
        let announced = Content::Announcement(CLUSTER_IP.address);
        self.wait(format_args!("{node} announces the cluster IP"), ms, |_| {
            capture.since(begin).iter().any(|record| record.sent && record.content == announced)
        })
    }

    fn pairs(&mut self, node: Node, ms: u64) -> Step {
        self.wait(format_args!("{node} active, with a standby that it hears"), ms, |course| {
            let [Some(a), Some(b)] = course.statuses() else { return false };
            active_of_pair_on_cable(&[a, b]) == Some(node)
        })
    }

    fn has_refused(&mut self, node: Node, least: u64) -> Step {
        let refused = self.course.pair.status(node).map_or(0, |status| status.counters.frames_refused());
        self.course.figure("refused", refused as f64, "frames");
        self.course.expect(refused >= least, format_args!("{node} has refused {least} frames or more"))
    }

    fn end_storm(&mut self) -> Step {
        let rate = self.course.pair.end_storm();
        self.course.figure("storm", rate, "frames a second");
        let enough = rate >= STORM_RATE;
        self.course.expect(enough, format_args!("{STORM_RATE} frames a second at each port, were {rate:.0}"))?;
        Who::BOTH.into_iter().try_for_each(|who| self.has_refused(who.node(self.active), 1))
    }
}
