//! A scenario: what it is called, what it needs, how it is played.

use crate::course::{Course, Step};
use crate::pair::{Ability, Pair};
use crate::plan::Node;

/// A scenario.
pub struct Scenario<P: 'static, Told: 'static = ()> {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    /// What it needs of a pair.
    pub needs: &'static [Ability],
    /// Whether the pair is another one afterwards.
    pub changes_pair: bool,
    /// The heartbeat timeouts it is played with where none is asked for; empty for the usual one.
    pub timeouts: &'static [u8],
    /// Whether both nodes may hold the cluster IP for a time (promise S2).
    pub allows_two: bool,
    play: Play<P, Told>,
}

/// How a scenario is told.
enum Play<P: 'static, Told: 'static> {
    /// By a function.
    Acted(fn(&mut Course<P>) -> Step),
    /// By a function that begins with a settled pair; the node is its active.
    Settled(fn(&mut Course<P>, Node) -> Step),
    /// By a table, and one who plays it.
    Told(fn(&mut Course<P>, &[Told]) -> Step, &'static [Told]),
}

impl<P, Told> Scenario<P, Told> {
    const fn of(name: &'static str, about: &'static str, play: Play<P, Told>) -> Self {
        Self { name, about, needs: &[], changes_pair: false, timeouts: &[], allows_two: false, play }
    }

    /// One that a function plays.
    pub const fn acted(name: &'static str, about: &'static str, play: fn(&mut Course<P>) -> Step) -> Self {
        Self::of(name, about, Play::Acted(play))
    }

    /// One that a function plays on a settled pair, whose active it is given.
    pub const fn settled(name: &'static str, about: &'static str, play: fn(&mut Course<P>, Node) -> Step) -> Self {
        Self::of(name, about, Play::Settled(play))
    }

    /// One that `player` plays from a table.
    pub const fn told(
        name: &'static str,
        about: &'static str,
        player: fn(&mut Course<P>, &[Told]) -> Step,
        table: &'static [Told],
    ) -> Self {
        Self::of(name, about, Play::Told(player, table))
    }

    /// It needs these.
    #[must_use]
    pub const fn needing(mut self, needs: &'static [Ability]) -> Self {
        self.needs = needs;
        self
    }

    /// It leaves another pair behind.
    #[must_use]
    pub const fn changing_pair(mut self) -> Self {
        self.changes_pair = true;
        self
    }

    /// It is played with each of these heartbeat timeouts.
    #[must_use]
    pub const fn at_timeouts(mut self, timeouts: &'static [u8]) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Both nodes may hold the cluster IP for a time.
    #[must_use]
    pub const fn allowing_two(mut self) -> Self {
        self.allows_two = true;
        self
    }
}

impl<P: Pair, Told> Scenario<P, Told> {
    /// Plays it.
    ///
    /// # Errors
    ///
    /// What did not come as it must.
    pub fn play(&self, course: &mut Course<P>) -> Step {
        match self.play {
            Play::Acted(play) => play(course),
            Play::Settled(play) => {
                let active = course.settle()?;
                play(course, active)
            }
            Play::Told(player, table) => player(course, table),
        }
    }
}
