//! Maintenance: the operator keeps this node out of the active role, and what it does not claim nobody takes from it.

use super::Node;
use super::output::Queued;
use crate::event::{RoleReason, SwitchRefusal};
use crate::role::{Role, Sight};
use crate::wire::{Conditions, HandoverReason};

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// This node claims nothing, and takes no handover.
    pub(super) on: bool,
    /// It begins when the handover under way is complete.
    wanted: bool,
    /// It has begun, and the operator is told once that is stored.
    unanswered: bool,
}

impl State {
    pub(super) fn new(on: bool) -> Self {
        Self { on, wanted: false, unanswered: false }
    }

    /// The handover came to nothing.
    pub(super) fn handover_failed(&mut self) {
        self.wanted = false;
    }

    /// The handover is complete. Whether maintenance begins with that.
    pub(super) fn handover_complete(&mut self) -> bool {
        let begins = core::mem::take(&mut self.wanted);
        if begins {
            self.begin();
        }
        begins
    }

    fn begin(&mut self) {
        self.on = true;
        self.unanswered = true;
    }
}

impl Node {
    pub(super) fn enter_maintenance(&mut self, force: bool) {
        match self.maintenance_refusal() {
            Some(refusal) if !force || refusal == SwitchRefusal::InProgress => {
                self.output.push(Queued::SwitchDone(Err(refusal)));
            }
            None if self.role == Role::Active => {
                self.maintenance.wanted = true;
                self.offer(HandoverReason::Forced);
            }
            _ => {
                self.maintenance.begin();
                if self.role == Role::Active {
                    self.step_down(RoleReason::Maintenance);
                }
                self.send_now();
            }
        }
    }

    pub(super) fn leave_maintenance(&mut self) {
        self.maintenance = State::new(false);
        self.send_now();
    }

    /// Says that it has begun once it would outlive a restart, as far as it can.
    pub(super) fn answer_maintenance(&mut self) {
        if self.maintenance.unanswered && self.store.is_settled() {
            self.maintenance.unanswered = false;
            self.output.push(Queued::SwitchDone(Ok(())));
        }
    }

    fn maintenance_refusal(&self) -> Option<SwitchRefusal> {
        match self.role {
            // Once more is no mistake.
            _ if self.maintenance.on => None,
            Role::Claiming => Some(SwitchRefusal::InProgress),
            Role::Active | Role::Yielding => self.switch_refusal().err(),
            Role::Off | Role::Init | Role::Standby => {
                self.peer_is_in_maintenance().then_some(SwitchRefusal::PeerInMaintenance)
            }
        }
    }

    fn peer_is_in_maintenance(&self) -> bool {
        let heard = self.peer.facts().filter(|_| self.peer.sight(self.now) != Sight::Silent);
        heard.is_some_and(|facts| facts.conditions.contains(Conditions::MAINTENANCE))
    }

    /// The role is free for want of a peer, and only the operator's word keeps this node from it.
    pub(super) fn maintenance_costs_service(&self) -> bool {
        let idle = matches!(self.role, Role::Init | Role::Standby);
        self.maintenance.on && idle && self.now >= self.silence_over_at()
    }
}
