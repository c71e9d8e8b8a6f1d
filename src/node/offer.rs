//! Offers of the role, and the handover that follows: the active's side.
//!
//! A node's signal stands in every frame until it no longer holds, so that a lost frame costs one interval. An answer
//! is only believed in a frame that echoes what was sent after the question.

use super::Node;
use super::output::Queued;
use crate::event::{RoleReason, SwitchRefusal};
use crate::fault::Faults;
use crate::role::{Role, Sight};
use crate::time::{Duration, Instant};
use crate::wire::{Conditions, HandoverReason, Readiness, Repr, Signal};

/// Time the standby has to answer one offer.
const OFFER_RETRY: Duration = Duration::from_ms(100);
/// Offers before the standby counts as not answering. Meanwhile the active goes on serving, so a slow cable or disk gets its time …
const OFFER_TRIES: u8 = 10;
/// … but not where nobody can be served: then the standby is to find out by its silence timer.
const OFFER_TRIES_IN_THE_DARK: u8 = 3;

/// With the budget used up, a node whose successor could not serve offers the role no sooner than this again.
const CAME_BACK_WAIT: Duration = Duration::from_s(30);

/// An offer of the role, from the first frame until the peer is active or the role is back.
#[derive(Clone, Copy, Debug)]
struct Offer {
    term: u32,
    reason: HandoverReason,
    started: Instant,
    tries: u8,
    retry_at: Instant,
    /// When the cluster IP was released, in `Yielding`.
    released_at: Option<Instant>,
    /// The machine is to be rebooted when the peer has the role.
    reboots: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pending: Option<Offer>,
    /// No new offer for an own fault before: the last one came to nothing, and the peer does not say why.
    holdoff_until: Instant,
    /// The last offer for an own fault came to nothing.
    failed: bool,
    /// Ask for the reboot that follows a handover for an own fault.
    reboot: bool,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self { pending: None, holdoff_until: now, failed: false, reboot: false }
    }

    /// Why a node that follows an active one does so.
    pub(super) fn reason_when_followed(&self) -> RoleReason {
        self.pending.map_or(RoleReason::PeerActive, |offer| role_reason(offer.reason))
    }

    pub(super) fn deadlines(&self, term_wait: Duration) -> [Instant; 3] {
        let retry = self.pending.filter(|offer| offer.released_at.is_none()).map(|offer| offer.retry_at);
        let withdraw = self.pending.and_then(|offer| offer.released_at).map(|at| at + term_wait);
        [retry.unwrap_or(Instant::NEVER), withdraw.unwrap_or(Instant::NEVER), self.holdoff_until]
    }
}

/// Why the role moves, as it is told.
pub(super) const fn role_reason(reason: HandoverReason) -> RoleReason {
    match reason {
        HandoverReason::SelfFault => RoleReason::SelfFault,
        HandoverReason::Forced => RoleReason::ForcedSwitch,
        HandoverReason::Shutdown => RoleReason::Shutdown,
    }
}

impl Node {
    pub(super) fn negotiate_active(&mut self) {
        let Some(offer) = self.offer.pending else {
            return self.offer_if_wanted();
        };
        match self.answer_to(offer) {
            Some(Signal::Accept { term }) if term == offer.term => self.yield_role(),
            Some(Signal::Refuse { term, .. }) if term == offer.term => self.offer_failed(SwitchRefusal::PeerRefused),
            _ if self.now >= offer.retry_at => self.retry_offer(offer),
            _ => {}
        }
    }

    /// The peer's signal, if it was sent after the offer reached it.
    fn answer_to(&self, offer: Offer) -> Option<Signal> {
        let facts = self.peer.facts()?;
        let after_offer = Instant::from_us(facts.echo_sequence) >= offer.started && facts.echo_boot_id == self.boot_id;
        after_offer.then_some(facts.signal)
    }

    fn offer_if_wanted(&mut self) {
        if self.stop.is_asked() {
            if self.peer_can_take(HandoverReason::Shutdown).is_ok() {
                self.offer(HandoverReason::Shutdown);
            } else {
                self.step_down(RoleReason::Shutdown);
            }
        } else if self.own_severity() > 0 && self.now >= self.offer.holdoff_until {
            let possible = self.peer_can_take(HandoverReason::SelfFault).is_ok();
            if possible && !self.is_held_by_budget() {
                self.offer(HandoverReason::SelfFault);
            }
        } else if self.own_severity() == 0 {
            self.offer.failed = false;
        }
    }

    pub(super) fn offer(&mut self, reason: HandoverReason) {
        let term = self.next_free_term();
        let retry_at = self.now + OFFER_RETRY;
        let offer = Offer { term, reason, started: self.now, tries: 1, retry_at, released_at: None, reboots: false };
        self.offer.pending = Some(offer);
        self.signal = Signal::Handover { term, reason };
        self.send_now();
    }

    fn retry_offer(&mut self, offer: Offer) {
        let tries = if self.health.lan_carrier() { OFFER_TRIES } else { OFFER_TRIES_IN_THE_DARK };
        if offer.tries < tries {
            let retry_at = self.now + OFFER_RETRY;
            self.offer.pending = Some(Offer { tries: offer.tries + 1, retry_at, ..offer });
            return self.send_now();
        }
        self.offer_failed(SwitchRefusal::PeerUnanswered);
        // Nobody can use an active without LAN; a standby that did not hear the offer claims after its silence timer.
        if offer.reason == HandoverReason::SelfFault && !self.health.lan_carrier() {
            self.step_down(RoleReason::SelfFault);
        }
    }

    fn offer_failed(&mut self, refusal: SwitchRefusal) {
        let Some(offer) = self.offer.pending.take() else { return };
        self.maintenance.handover_failed();
        // What was refused once stays refused: the next offer needs a term of its own.
        self.store.give_away(offer.term);
        self.signal = Signal::None;
        if offer.reason == HandoverReason::SelfFault {
            self.offer.failed = true;
            // The peer's own frames mostly say why: then the next offer waits for that to end, and for nothing else (L2). Where they
            // do not, it is not asked again and again.
            let unexplained = self.peer_can_take(offer.reason).is_ok();
            self.offer.holdoff_until = if unexplained { self.now + self.config.timeout() } else { self.now };
        }
        match offer.reason {
            HandoverReason::Forced => self.output.push(Queued::SwitchDone(Err(refusal))),
            HandoverReason::Shutdown if self.role == Role::Active => self.step_down(RoleReason::Shutdown),
            HandoverReason::SelfFault | HandoverReason::Shutdown => {}
        }
    }

    fn yield_role(&mut self) {
        let (now, budget_left) = (self.now, !self.health.budget_is_spent(&self.config.fault));
        let Some(offer) = self.offer.pending.as_mut() else { return };
        if offer.reason == HandoverReason::SelfFault {
            offer.reboots = budget_left;
            self.health.spend_budget(now);
        }
        let offer = *offer;
        self.store.give_away(offer.term);
        self.release_address();
        self.quiet.since = self.now;
        self.quiet.barred_until = self.now + self.claim_timeout();
        self.change_role(Role::Yielding, role_reason(offer.reason));
    }

    /// The adapter has confirmed that the cluster IP is gone.
    pub(super) fn released_for_peer(&mut self) {
        let now = self.now;
        if let Some(offer) = self.offer.pending.as_mut() {
            offer.released_at.get_or_insert(now);
        }
    }

    pub(super) fn negotiate_yielding(&mut self) {
        let Some(Offer { term, reason, released_at: Some(released_at), .. }) = self.offer.pending else { return };
        self.signal = Signal::Released { term, reason };
        // The peer is there but takes no role: leave it to the ranking.
        if self.now >= released_at + self.claim_timeout() && self.peer.sight(self.now) == Sight::Mutual {
            self.handover_came_back();
            self.signal = Signal::None;
            self.change_role(Role::Standby, RoleReason::PeerRefused);
        }
    }

    /// The old active has to take the role back, or give it up to the ranking.
    pub(super) fn handover_came_back(&mut self) {
        self.offer_failed(SwitchRefusal::PeerRefused);
        // To and fro every T helps nobody.
        if self.health.budget_is_spent(&self.config.fault) {
            self.offer.holdoff_until = self.now + CAME_BACK_WAIT;
        }
    }

    /// The peer is active: the handover is complete.
    pub(super) fn finish_handover(&mut self) {
        self.signal = Signal::None;
        let Some(offer) = self.offer.pending.take() else { return };
        let maintenance_begins = self.maintenance.handover_complete();
        self.offer.failed = false;
        match offer.reason {
            HandoverReason::Forced if maintenance_begins => {}
            HandoverReason::Forced => self.output.push(Queued::SwitchDone(Ok(()))),
            HandoverReason::SelfFault => self.offer.reboot |= offer.reboots,
            HandoverReason::Shutdown => {}
        }
    }

    /// The role was lost while an offer was under way.
    pub(super) fn abandon_handover(&mut self) {
        self.maintenance.handover_failed();
        if let Some(Offer { reason: HandoverReason::Forced, .. }) = self.offer.pending.take() {
            self.output.push(Queued::SwitchDone(Err(SwitchRefusal::NotActive)));
        }
    }

    pub(super) fn force_switch(&mut self) {
        match self.switch_refusal() {
            Ok(()) => self.offer(HandoverReason::Forced),
            Err(refusal) => self.output.push(Queued::SwitchDone(Err(refusal))),
        }
    }

    /// Why a force switch would be refused now.
    pub(super) fn switch_refusal(&self) -> Result<(), SwitchRefusal> {
        match self.role {
            Role::Yielding => Err(SwitchRefusal::InProgress),
            Role::Active if self.offer.pending.is_some() => Err(SwitchRefusal::InProgress),
            Role::Active => self.peer_can_take(HandoverReason::Forced),
            Role::Off | Role::Init | Role::Standby | Role::Claiming => Err(SwitchRefusal::NotActive),
        }
    }

    /// Whether the peer, by its own words, could take the role. The peer has the last word.
    pub(super) fn peer_can_take(&self, reason: HandoverReason) -> Result<(), SwitchRefusal> {
        let heard = self.peer.facts().filter(|_| self.peer.sight(self.now) == Sight::Mutual);
        let facts = heard.ok_or(SwitchRefusal::PeerNotSeen)?;
        let has = |bits| facts.readiness.contains(bits);
        let severity = self.severity_of(facts.faults).max(u8::from(!has(Readiness::HEALTHY)));
        let limit = match reason {
            HandoverReason::SelfFault => self.own_severity(),
            HandoverReason::Forced => 1,
            HandoverReason::Shutdown => Faults::all().severity(),
        };
        let blind = reason != HandoverReason::Shutdown && self.gateway_is_only_here(facts);
        if self.elsewhere.is_some() {
            Err(SwitchRefusal::ClusterIpDiffers)
        } else if facts.conditions.contains(Conditions::MAINTENANCE) {
            Err(SwitchRefusal::PeerInMaintenance)
        } else if facts.role != Role::Standby {
            Err(SwitchRefusal::PeerNotStandby)
        } else if reason == HandoverReason::Forced && has(Readiness::SYNCING) {
            Err(SwitchRefusal::PeerSyncing)
        } else if severity >= limit || !has(Readiness::WILLING | Readiness::LAN_CARRIER) || blind {
            Err(SwitchRefusal::PeerUnhealthy)
        } else {
            Ok(())
        }
    }

    /// The gateway answers here and not at the peer. That becomes a fault of the peer's only after a while, and before it does
    /// the peer must not be handed phones that it cannot reach.
    fn gateway_is_only_here(&self, peer: &Repr) -> bool {
        let peer_knows_one = peer.readiness.contains(Readiness::GATEWAY_CONFIGURED);
        let peer_sees_it = peer.readiness.contains(Readiness::GATEWAY_SEEN);
        self.gateway_seen() == Some(true) && peer_knows_one && !peer_sees_it
    }

    /// The budget bounds handovers for faults with which this node still serves, and reboots. A node that serves nobody is never
    /// held by it: no limit on switches is worth an outage.
    pub(super) fn is_held_by_budget(&self) -> bool {
        self.own_severity() < Faults::NO_SERVICE.severity() && self.health.budget_is_spent(&self.config.fault)
    }

    /// This node should hand over for a fault of its own, and the peer does not take it.
    pub(super) fn is_stuck_with_fault(&self) -> bool {
        let offering = self.offer.pending.is_some();
        let hopeless = self.offer.failed || self.peer_can_take(HandoverReason::SelfFault).is_err();
        self.role == Role::Active && self.own_severity() > 0 && !offering && hopeless
    }

    /// Asks for the reboot once the budget that it cost is stored: it must not be forgotten by the reboot itself.
    pub(super) fn request_reboot(&mut self) {
        if self.offer.reboot && self.store.is_settled() {
            self.offer.reboot = false;
            self.output.push(Queued::Reboot);
        }
    }
}
