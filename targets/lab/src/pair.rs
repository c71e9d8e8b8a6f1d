//! What a scenario knows of the pair that it is played on, whether that is the lab, emulated machines or a bench.

use crate::phone::PhoneView;
use crate::plan::Node;
use crate::stimulus::Stimulus;
use crate::timeline::Timeline;
use std::io;
use std::time::{Duration, Instant};
use ucm_ha_control::Report;

/// What not every pair has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// A stimulus can be given.
    Give(Stimulus),
    /// Each node has a kernel and a watchdog of its own, which a scenario may break.
    OwnKernel,
    /// Each port is wired so that it can be impaired.
    BadWires,
    /// The nodes have a key.
    Key,
}

/// A pair on which scenarios are played, and those who watch it.
pub trait Pair {
    /// Time between two looks at what is waited for.
    const LOOK_PERIOD: Duration;
    /// Whether asking for the status costs so little that every look does it.
    const CHEAP_STATUS: bool;

    /// Whether it has an ability.
    ///
    /// # Errors
    ///
    /// It has not, and why.
    fn has(&self, ability: Ability) -> Result<(), String>;

    /// Does something to it.
    ///
    /// # Errors
    ///
    /// It could not be done.
    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()>;

    /// What the daemon of a node says of itself; `None` where it does not answer.
    fn status(&mut self, node: Node) -> Option<Report>;

    /// What the phone saw since `since`.
    fn phone(&mut self, since: Instant) -> PhoneView;

    /// Whether a node serves the phone now, as everybody sees it who watches.
    fn is_served_by(&mut self, node: Node) -> bool;

    /// What was seen of two nodes that held the cluster IP at one time.
    fn two_holders(&self) -> Option<String>;

    /// How long a pair that was started may take until it is complete, with heartbeat timeout T.
    fn settle_limit(&self, timeout: Duration) -> Duration;

    /// What happened.
    fn timeline(&mut self) -> &mut Timeline;
}
