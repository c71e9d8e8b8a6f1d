//! A scenario: what it is called, what it needs, how it is played.

use crate::course::{Course, Step};
use crate::moves::{self, Move};

/// A scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it shows, in one line.
    pub(crate) about: &'static str,
    /// Whether the nodes must be wired through relays.
    pub(crate) relays: bool,
    /// Whether the daemons have a key.
    pub(crate) keyed: bool,
    /// The heartbeat timeouts it is played with where none is asked for; empty for the usual one.
    pub(crate) timeouts: &'static [u8],
    /// Whether both nodes may hold the cluster IP for a time (promise S2).
    pub(crate) allows_two: bool,
    /// The play.
    play: Play,
}

/// How a scenario is told.
#[derive(Clone, Copy, Debug)]
enum Play {
    /// By a function.
    Acted(fn(&mut Course) -> Step),
    /// By a table.
    Told(&'static [Move]),
}

impl Scenario {
    pub(crate) const fn new(name: &'static str, about: &'static str, play: fn(&mut Course) -> Step) -> Self {
        Self { name, about, relays: false, keyed: false, timeouts: &[], allows_two: false, play: Play::Acted(play) }
    }

    pub(crate) const fn told(name: &'static str, about: &'static str, moves: &'static [Move]) -> Self {
        Self { name, about, relays: false, keyed: false, timeouts: &[], allows_two: false, play: Play::Told(moves) }
    }

    /// Plays it.
    pub(crate) fn play(&self, course: &mut Course) -> Step {
        match self.play {
            Play::Acted(play) => play(course),
            Play::Told(moves) => moves::play(course, moves),
        }
    }

    pub(crate) const fn with_relays(mut self) -> Self {
        self.relays = true;
        self
    }

    pub(crate) const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    pub(crate) const fn at_timeouts(mut self, timeouts: &'static [u8]) -> Self {
        self.timeouts = timeouts;
        self
    }

    pub(crate) const fn allowing_two(mut self) -> Self {
        self.allows_two = true;
        self
    }
}
