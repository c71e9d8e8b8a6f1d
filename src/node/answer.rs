//! Answers to offers, intents and grants: the side that is not active.

use super::Node;
use super::offer::role_reason;
use crate::event::RoleReason;
use crate::role::{Role, Sight};
use crate::wire::{HandoverReason, RefuseReason, Repr, Signal};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// A term this node was handed and gave back, and why.
    refused: Option<(u32, RefuseReason)>,
}

impl Node {
    /// The signal that answers the peer's.
    pub(super) fn answer_peer(&mut self) -> Signal {
        let Some(facts) = self.peer.facts().copied().filter(|_| self.peer.sight(self.now) != Sight::Silent) else {
            return Signal::None;
        };
        if facts.role == Role::Active {
            // What was promised has happened; from here on the ordinary rules bind both.
            self.quiet.barred_until = self.quiet.barred_until.min(self.now);
            if !matches!(facts.signal, Signal::Handover { .. }) {
                // What it offers next is another offer, also where the terms are used up.
                self.answer.refused = None;
            }
        }
        match facts.signal {
            Signal::Handover { term, reason } if facts.role == Role::Active => self.answer_offer(&facts, term, reason),
            Signal::Released { term, reason } if facts.role == Role::Yielding => {
                self.answer_offer(&facts, term, reason)
            }
            Signal::Intent { term } if !self.outranks(&facts) && self.role != Role::Claiming => {
                // From the frame that asks, as its sender's lease: not from the last look at it.
                self.quiet.barred_until = self.claim_timeout().end_or_past(self.peer.last_audible());
                self.store.give_away(term);
                Signal::Grant { term }
            }
            Signal::None
            | Signal::Handover { .. }
            | Signal::Accept { .. }
            | Signal::Refuse { .. }
            | Signal::Released { .. }
            | Signal::Intent { .. }
            | Signal::Grant { .. } => self.keep_seeking(&facts),
        }
    }

    fn answer_offer(&mut self, facts: &Repr, term: u32, reason: HandoverReason) -> Signal {
        if let Some((_, refusal)) = self.answer.refused.filter(|(refused, _)| *refused == term) {
            return Signal::Refuse { term, reason: refusal };
        }
        if let Some(refusal) = self.offer_refusal(facts, reason) {
            // The peer may have let go and be about to take back what is refused now: it is not accepted again (S1).
            if facts.role == Role::Yielding || self.signal == (Signal::Accept { term }) {
                self.answer.refused = Some((term, refusal));
            }
            return Signal::Refuse { term, reason: refusal };
        }
        // Where something is still missing there is no answer yet: the offer is repeated, and meanwhile nobody has let go.
        self.store.reserve(term);
        let ready = self.store.is_reserved(term) && (self.could_claim() || self.role == Role::Claiming);
        if ready { Signal::Accept { term } } else { Signal::None }
    }

    fn offer_refusal(&self, facts: &Repr, reason: HandoverReason) -> Option<RefuseReason> {
        let severity = self.possible_severity();
        let unhealthy = match reason {
            HandoverReason::SelfFault => severity >= self.severity_of(facts.faults),
            HandoverReason::Forced => severity > 0,
            HandoverReason::Shutdown => false,
        };
        if !self.is_willing() {
            Some(RefuseReason::NotStandby)
        } else if unhealthy || !self.health.lan_carrier() {
            Some(RefuseReason::Unhealthy)
        } else if reason == HandoverReason::Forced && self.sync.running {
            Some(RefuseReason::Syncing)
        } else {
            None
        }
    }

    fn keep_seeking(&self, facts: &Repr) -> Signal {
        let still = matches!(facts.role, Role::Init | Role::Standby) && self.outranks(facts);
        if self.is_seeking() && still && self.role != Role::Claiming { self.signal } else { Signal::None }
    }

    /// Nobody is active and this node ranks higher: ask for a grant.
    pub(super) fn seek(&mut self) {
        if !self.is_seeking() {
            self.signal = Signal::Intent { term: self.next_free_term() };
            self.send_now();
        }
    }

    pub(super) fn is_seeking(&self) -> bool {
        matches!(self.signal, Signal::Intent { .. })
    }

    /// Why the peer released the cluster IP for this node.
    pub(super) fn reason_of_release(&self) -> RoleReason {
        match self.peer.facts().map(|facts| facts.signal) {
            Some(Signal::Released { reason, .. }) => role_reason(reason),
            _ => RoleReason::Granted,
        }
    }

    /// The cluster IP that was handed over could not be bound.
    pub(super) fn refuse_term(&mut self, term: u32) {
        self.answer.refused = Some((term, RefuseReason::AddressFailed));
    }
}
