//! The copy of the active's data on the standby.

use super::Node;
use super::output::Queued;
use crate::role::{Role, Sight};
use crate::time::{Duration, Instant};

/// A full synchronisation that did not complete is asked for again after this.
const RETRY: Duration = Duration::from_s(60);

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) generation: u32,
    pub(super) complete: bool,
    pub(super) running: bool,
    retry_at: Instant,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self { generation: 0, complete: false, running: false, retry_at: now }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.retry_at
    }
}

impl Node {
    pub(super) fn take_sync_outcome(&mut self, generation: u32, complete: bool) {
        self.sync.running = false;
        self.sync.complete = complete;
        self.sync.generation = generation;
        self.sync.retry_at = self.now + RETRY;
    }

    /// A standby without a complete copy asks for one, unless the peer's data cannot be used.
    pub(super) fn synchronise(&mut self) {
        let Some(facts) = self.peer.facts() else { return };
        let wanted = self.role == Role::Standby
            && facts.role == Role::Active
            && self.peer.sight(self.now) == Sight::Mutual
            && !self.sync.complete
            && !self.sync.running
            && self.now >= self.sync.retry_at;
        let usable = facts.model == self.config.model.id() && facts.firmware <= self.config.firmware;
        if wanted && usable {
            self.sync.running = true;
            self.sync.retry_at = self.now + RETRY;
            self.output.push(Queued::StartFullSync);
        }
    }
}
