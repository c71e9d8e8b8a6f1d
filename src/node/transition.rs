//! What a decision does.

use super::output::Queued;
use super::{Claim, MAX_DECISIONS, Node};
use crate::event::RoleReason;
use crate::role::{Consent, Decision, Role, Sight, decide};
use crate::wire::{Repr, Signal};

impl Node {
    /// Answers the peer and decides the role until nothing changes any more.
    pub(super) fn settle(&mut self) {
        for _ in 0..MAX_DECISIONS {
            self.negotiate();
            let decision = decide(&self.view());
            if decision == Decision::Remain || (decision == Decision::Seek && self.is_seeking()) {
                break;
            }
            self.carry_out(decision);
        }
        self.notice_rival();
        self.learn_term();
        self.synchronise();
        self.request_reboot();
        self.finish_stopping();
    }

    /// Brings the own signal in line with what the peer says.
    fn negotiate(&mut self) {
        let before = self.signal;
        match self.role {
            Role::Active => self.negotiate_active(),
            Role::Yielding => self.negotiate_yielding(),
            Role::Init | Role::Standby | Role::Claiming => self.signal = self.answer_peer(),
            Role::Off => self.signal = Signal::None,
        }
        if self.signal != before {
            self.send_now();
        }
    }

    fn carry_out(&mut self, decision: Decision) {
        match decision {
            Decision::Remain => {}
            Decision::Start => {
                self.started = self.now;
                self.quiet.since = self.now;
                self.change_role(Role::Init, RoleReason::Started);
            }
            Decision::TurnOff => {
                let reason = if self.enable.disabled { RoleReason::Disabled } else { RoleReason::DisabledByPeer };
                self.leave_active(Role::Off, reason);
            }
            Decision::Follow => self.follow(),
            Decision::Claim(reason) => self.claim(reason),
            Decision::Seek => self.seek(),
            Decision::Abort(reason) => self.leave_active(Role::Standby, reason),
            Decision::StepDown(reason) => self.step_down(reason),
        }
    }

    fn follow(&mut self) {
        let reason = self.offer.reason_when_followed();
        self.finish_handover();
        self.change_role(Role::Standby, reason);
    }

    fn claim(&mut self, reason: RoleReason) {
        let by_handover = self.consent() == Consent::Released;
        let reason = if by_handover { self.reason_of_release() } else { reason };
        self.term = self.next_claim_term();
        if self.role == Role::Yielding {
            self.handover_came_back();
        }
        self.claim = Some(Claim { reason, by_handover });
        self.change_role(Role::Claiming, reason);
        self.bind_address();
    }

    /// The cluster IP is bound: the claim is complete, if it still holds.
    pub(super) fn complete_claim(&mut self) {
        if let Decision::Abort(reason) = decide(&self.view()) {
            return self.leave_active(Role::Standby, reason);
        }
        let claim = self.claim.unwrap_or(Claim { reason: RoleReason::PeerSilent, by_handover: false });
        let counter = if claim.by_handover { &mut self.counters.handovers } else { &mut self.counters.takeovers };
        *counter = counter.saturating_add(1);
        let unseen = |facts: &&Repr| facts.role == Role::Active && !claim.by_handover;
        self.rival = self.peer.facts().filter(unseen).map(|facts| facts.boot_id);
        self.last_active = true;
        self.signal = Signal::None;
        self.sync.running = false;
        self.sync.complete = true;
        self.change_role(Role::Active, claim.reason);
        self.announce();
    }

    /// Active or Claiming → Standby; the cluster IP goes first.
    pub(super) fn step_down(&mut self, reason: RoleReason) {
        if reason == RoleReason::LeaseExpired && self.lease_is_valid() {
            self.quiet.fast_suspended = Some(self.now);
        }
        if reason == RoleReason::PeerPrecedes {
            // Data changed on both sides: the copy of the one that steps down is the stale one.
            self.sync.complete = false;
            self.last_active = false;
        }
        self.leave_active(Role::Standby, reason);
    }

    fn leave_active(&mut self, to: Role, reason: RoleReason) {
        if !self.address.is_unbound() {
            self.release_address();
        }
        self.abandon_handover();
        self.signal = Signal::None;
        self.quiet.since = self.now;
        self.change_role(to, reason);
    }

    pub(super) fn change_role(&mut self, to: Role, reason: RoleReason) {
        let from = core::mem::replace(&mut self.role, to);
        if from == to {
            return;
        }
        self.output.push(Queued::RoleChanged { from, to, term: self.term, reason });
        self.send_now();
    }

    /// The peer may have been active at the same time. Once it is heard and is not, those who follow the roles are told
    /// again who is active: the last they were told may be of the other one.
    fn notice_rival(&mut self) {
        if self.role != Role::Active {
            self.rival = None;
            return;
        }
        let heard = self.peer.facts().filter(|_| self.peer.sight(self.now) != Sight::Silent);
        if heard.is_some_and(|facts| Some(facts.boot_id) == self.rival && facts.role != Role::Active) {
            self.rival = None;
            let (from, to, term) = (Role::Active, Role::Active, self.term);
            self.output.push(Queued::RoleChanged { from, to, term, reason: RoleReason::PeerGaveWay });
        }
    }

    /// A node that is not active takes the term of the peer's newest claim.
    fn learn_term(&mut self) {
        let Some(facts) = self.peer.facts().copied() else { return };
        let follower = !matches!(self.role, Role::Active | Role::Claiming | Role::Yielding);
        if follower && facts.role == Role::Active && facts.term >= self.term {
            self.term = facts.term;
            self.last_active = false;
        }
        self.learn_disabled(facts.role, facts.readiness, facts.term);
    }
}

impl crate::types::StationType {
    /// Primary before secondary.
    pub(super) const fn precedence(self) -> u8 {
        match self {
            Self::Primary => 1,
            Self::Secondary => 0,
        }
    }
}
