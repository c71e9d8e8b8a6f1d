//! The end of the program: hand over if the peer is ready, let go of the address, then stop.

use super::Node;
use super::output::Queued;
use crate::event::RoleReason;
use crate::role::Role;
use crate::time::{Duration, Instant};

/// A program that is asked to stop waits this long for a handover.
const STOP_WITHIN: Duration = Duration::from_ms(2000);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// When the program was asked to stop.
    since: Option<Instant>,
    /// The program was told that it may end.
    done: bool,
}

impl State {
    pub(super) fn is_asked(&self) -> bool {
        self.since.is_some()
    }

    pub(super) fn ask(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    pub(super) fn deadline(&self) -> Instant {
        match self.since {
            Some(since) if !self.done => since + STOP_WITHIN,
            _ => Instant::NEVER,
        }
    }
}

impl Node {
    /// Ends a shutdown: at once when there is no role to hand over, else when the peer has it or time is up.
    pub(super) fn finish_stopping(&mut self) {
        let Some(since) = self.stop.since else { return };
        let busy = matches!(self.role, Role::Active | Role::Claiming | Role::Yielding) || !self.address.is_unbound();
        if self.stop.done || (busy && self.now < since + STOP_WITHIN) {
            return;
        }
        if matches!(self.role, Role::Active | Role::Claiming) {
            self.step_down(RoleReason::Shutdown);
        }
        self.stop.done = true;
        self.output.push(Queued::Stopped);
    }
}
