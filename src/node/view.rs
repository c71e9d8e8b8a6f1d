//! Facts and ages turned into the plain view that decides the role.

use super::{LEASE_MARGIN, Node};
use crate::role::{Consent, Role, Sight, View};
use crate::time::{Duration, Instant};
use crate::wire::{Readiness, Repr, Signal};

/// With fast failover, the newest own frame that the peer has heard may be this old; then the gateway must make up for it.
pub(super) const ECHO_LOST: Duration = Duration::from_ms(350);
/// A while before, the gateway is asked urgently. At rest a frame of the one that answers is heard of 200 after it was sent.
pub(super) const ECHO_LATE: Duration = Duration::from_ms(250);
/// An answer of the gateway this recent makes up for it …
pub(super) const GATEWAY_PROMPT: Duration = Duration::from_ms(250);
/// … and once contact has been lost for this long, the peer can only come the slow way …
pub(super) const CONTACT_LONG_LOST: Duration = Duration::from_ms(1200);
/// … so that the ordinary age is enough again.
pub(super) const GATEWAY_RECENT: Duration = Duration::from_ms(1000);
/// Without contact for T a node that serves is alone. Whoever comes to claim then waits for T first, and T is longer than this.
pub(super) const GATEWAY_ALONE: Duration = Duration::from_ms(2000);
/// A claim needs a gateway that has kept answering for this long …
pub(super) const GATEWAY_PROVEN: Duration = Duration::from_ms(250);
/// … and the last one this recently.
pub(super) const GATEWAY_FRESH: Duration = Duration::from_ms(120);
/// The fast claim comes this long after the last frame, which was not heard before it was sent: [`ECHO_LOST`], and 100 to spare …
pub(super) const FAST_CLAIM: Duration = Duration::from_ms(450);
/// … or not at all: later the old active may trust an older answer of the gateway.
pub(super) const FAST_WINDOW: Duration = Duration::from_ms(1000);
/// An active that stepped down for lost contact though the peer had not claimed was wrong: fast failover rests this long.
pub(super) const FAST_REST: Duration = Duration::from_s(60);
/// A node that has just started gives its links and the peer this long before it takes part in a ranking …
pub(super) const SETTLE: Duration = Duration::from_ms(300);
/// … and its gateway this long.
pub(super) const SETTLE_GATEWAY: Duration = Duration::from_ms(1000);

impl Node {
    pub(super) fn view(&self) -> View {
        let sight = self.peer.sight(self.now);
        let facts = self.peer.facts();
        View {
            role: self.role,
            off: self.enable.is_off(),
            lease: self.lease_is_valid(),
            peer: sight,
            peer_role: facts.map_or(Role::Init, |facts| facts.role),
            peer_lan_usable: facts.is_none_or(|facts| facts.readiness.contains(Readiness::LAN_USABLE)),
            lan_carrier: self.health.lan_carrier(),
            gateway: self.gateway_is_no_doubt(self.gateway_licenses()),
            isolated: self.is_isolated(),
            precedes: facts.is_none_or(|facts| self.precedes(facts))
                || (self.role == Role::Active && self.elsewhere.is_some()),
            outranks: facts.is_some_and(|facts| self.outranks(facts)),
            ready: self.may_claim_at_all(),
            consent: self.consent(),
            lan_ready: self.lan_is_proven(),
            clear: self.probe.cluster.is_clear(self.now),
            silence_over: self.now >= self.silence_over_at(),
            one_way_over: self.now >= self.one_way_over_at(),
            gone: self.peer_is_gone(),
        }
    }

    /// The peer's timeout, or the own one while it is unknown.
    fn peer_timeout(&self) -> Duration {
        self.peer.facts().map_or(self.config.timeout(), |facts| Duration::from_s(u64::from(facts.timeout_s)))
    }

    /// The shorter T counts for staying …
    pub(super) fn lease_timeout(&self) -> Duration {
        self.config.timeout().min(self.peer_timeout())
    }

    /// … and the longer one for claiming, so that settings which differ cost time and not safety.
    #[inline(never)]
    pub(super) fn claim_timeout(&self) -> Duration {
        self.config.timeout().max(self.peer_timeout())
    }

    /// End of the lease: the peer has counted a frame sent at `echoed`, so its silence timer cannot end before
    /// `echoed + T`.
    pub(super) fn lease_end(&self) -> Option<Instant> {
        self.peer.echoed().map(|echoed| echoed + self.lease_timeout().minus(LEASE_MARGIN))
    }

    pub(super) fn lease_is_valid(&self) -> bool {
        self.lease_end().is_some_and(|end| self.now < end)
    }

    /// Carrier, the own static address and, where a gateway is configured, an answer within the last second.
    pub(super) fn lan_is_usable(&self) -> bool {
        self.health.lan_carrier() && self.health.own_address && self.gateway_seen() != Some(false)
    }

    /// Whether the gateway answered within the last second; `None` where none is configured.
    pub(super) fn gateway_seen(&self) -> Option<bool> {
        self.config.gateway.map(|_| self.probe.gateway.is_seen(self.now, GATEWAY_RECENT))
    }

    fn gateway_is_no_doubt(&self, answers: bool) -> bool {
        self.config.gateway.is_none() || answers || self.probe.gateway_agreed_dead
    }

    /// Whether the gateway answered recently enough for a node that serves without a promise of the peer.
    fn gateway_licenses(&self) -> bool {
        let alone = self.now.since(self.contact()) > self.claim_timeout();
        self.probe.gateway.is_seen(self.now, if alone { GATEWAY_ALONE } else { GATEWAY_RECENT })
    }

    /// When this node sent the newest frame that the peer has heard: the peer's silence began no earlier.
    pub(super) fn echo_sent(&self) -> Instant {
        self.peer.echoed().map_or(self.quiet.armed, |at| at.max(self.quiet.armed))
    }

    /// When this node learned of it: the peer's silence began no later.
    pub(super) fn contact(&self) -> Instant {
        self.peer.progress().map_or(self.quiet.armed, |at| at.max(self.quiet.armed))
    }

    /// Whether a sign that the peer hears this node is overdue.
    pub(super) fn contact_is_late(&self) -> bool {
        self.now >= self.contact() + self.late_after() || self.now >= self.echo_sent() + ECHO_LATE
    }

    /// Follows the rules of fast failover: without a gateway nothing could replace the peer's word.
    pub(super) fn is_fast(&self) -> bool {
        self.config.fast_failover && self.config.gateway.is_some()
    }

    /// After a false alarm fast failover rests for a while on both nodes.
    pub(super) fn fast_is_suspended(&self) -> bool {
        self.now < FAST_REST.end_or_past(self.quiet.fast_suspended)
    }

    /// Whether the peer knows, by a frame it has counted, that this node is not suspended any more.
    fn may_claim_fast(&self) -> bool {
        let rest_over = self.quiet.fast_suspended.map(|from| from + FAST_REST);
        rest_over.is_none_or(|over| self.peer.echoed() > Some(over))
    }

    /// Whether the peer may claim the fast way, as far as this node can know. It may not when it said so itself, and
    /// not after it has counted a frame that said that fast failover is suspended.
    fn peer_may_claim_fast(&self) -> bool {
        let by_settings = self.peer.facts().is_none_or(claims_fast);
        let told = self.fast_is_suspended() && self.quiet.fast_suspended < self.peer.echoed();
        by_settings && !told
    }

    fn is_isolated(&self) -> bool {
        let lost = self.now.since(self.echo_sent()) > ECHO_LOST;
        let answers = match self.now.since(self.contact()) > CONTACT_LONG_LOST {
            true => self.gateway_licenses(),
            false => self.probe.gateway.is_fresh(self.now, GATEWAY_PROMPT),
        };
        self.is_fast() && self.peer_may_claim_fast() && lost && !self.gateway_is_no_doubt(answers)
    }

    /// Whether a takeover may rely on the own LAN.
    fn lan_is_proven(&self) -> bool {
        let proven = match self.config.gateway {
            Some(_) => {
                let gateway = &self.probe.gateway;
                self.now >= GATEWAY_PROVEN.end_or_never(gateway.run_since()) && gateway.is_seen(self.now, GATEWAY_FRESH)
            }
            None => self.role != Role::Init || self.probe.lan_frame_seen,
        };
        self.health.lan_carrier() && self.health.own_address && proven
    }

    /// Since when the LAN has been usable; not before now while it is not.
    fn lan_usable_since(&self) -> Instant {
        if self.lan_is_usable() { self.probe.lan_usable_since } else { self.now }
    }

    /// From when silence counts: the last frame, a restart of the timer, or the own LAN becoming usable.
    pub(super) fn silence_since(&self) -> Instant {
        self.peer.last_counted().unwrap_or(self.started).max(self.quiet.since).max(self.lan_usable_since())
    }

    pub(super) fn silence_over_at(&self) -> Instant {
        self.silence_since() + self.claim_timeout()
    }

    /// A peer that is heard, is not active and does not hear us gets 2T to become active, or T/2 when it cannot.
    pub(super) fn one_way_over_at(&self) -> Instant {
        let facts = self.peer.facts();
        let may_claim = facts.is_none_or(|facts| facts.readiness.contains(Readiness::LAN_USABLE));
        let wait = if may_claim { self.claim_timeout().times(2) } else { self.claim_timeout().half() };
        let since = self.peer.one_way_since().max(self.quiet.since).max(self.lan_usable_since());
        (since + wait).max(self.quiet.barred_until)
    }

    /// When the last sign of the peer was, as fast failover counts it; `None` when it does not apply.
    pub(super) fn fast_since(&self) -> Option<Instant> {
        let facts = self.peer.facts()?;
        let agreed = self.is_fast() && self.may_claim_fast() && claims_fast(facts);
        let applies = agreed && !self.health.cable_carrier();
        let armed = self.quiet.armed.max(self.quiet.since);
        let heard = self.peer.last_audible()?;
        let overtaken = self.peer.last_late() >= Some(heard);
        (applies && heard >= armed && !overtaken && self.now >= self.quiet.barred_until).then_some(heard)
    }

    fn peer_is_gone(&self) -> bool {
        self.fast_since().is_some_and(|since| {
            self.now >= since + FAST_CLAIM
                && self.now < since + FAST_WINDOW
                && self.lan_is_usable()
                && self.probe.lan_usable_since <= since
                && self.gateway_is_proven_strictly()
                && self.probe.peer_ip.is_clear(self.now)
        })
    }

    fn gateway_is_proven_strictly(&self) -> bool {
        let gateway = &self.probe.gateway;
        self.now >= GATEWAY_PROVEN.end_or_never(gateway.unbroken_since()) && gateway.is_fresh(self.now, GATEWAY_FRESH)
    }

    pub(super) fn may_claim_at_all(&self) -> bool {
        // Two nodes that meet after a split at boot must not both claim on the frame that ends it.
        let introduced = self.role != Role::Init || self.now >= self.peer.introduced_at();
        introduced
            && self.now >= self.quiet.drained_at
            && self.could_claim()
            && self.store.is_reserved(self.next_claim_term())
    }

    /// Whether a claim would be possible if it were this node's turn. What is not possible must not be accepted.
    pub(super) fn could_claim(&self) -> bool {
        let alive = self.quiet.incompatible_at.max(self.quiet.stranger_active_at);
        let incompatible = self.now < self.claim_timeout().end_or_past(alive);
        self.address.is_unbound() && !incompatible && self.is_willing()
    }

    /// Would take the active role.
    pub(super) fn is_willing(&self) -> bool {
        !self.enable.is_off()
            && !self.maintenance.on
            && !self.stop.is_asked()
            && self.now >= self.settled_at()
            && self.now >= self.address.holdoff_until
            && self.may_serve_beside_peer()
    }

    pub(super) fn settled_at(&self) -> Instant {
        let gateway_known = self.config.gateway.is_none() || self.probe.gateway.answered().is_some();
        self.started + if gateway_known { SETTLE } else { SETTLE_GATEWAY }
    }

    /// What the newest frame of the peer lets this node do. Valid only with the lease, which dates the frame.
    pub(super) fn consent(&self) -> Consent {
        let heard = self.peer.facts().filter(|_| self.peer.sight(self.now) != Sight::Silent);
        let Some(facts) = heard.filter(|facts| !self.may_have_left_address(facts)) else {
            return Consent::None;
        };
        match (facts.signal, self.signal) {
            (Signal::Released { term, .. }, Signal::Accept { term: own }) if term == own => Consent::Released,
            (Signal::Grant { term }, Signal::Intent { term: own }) if term == own => Consent::Granted,
            // A peer that was restarted with another cluster IP knows nothing of what it may have left behind.
            (Signal::Refuse { term, .. }, Signal::Released { term: own, .. })
                if term == own && self.elsewhere.is_none() =>
            {
                Consent::Refused
            }
            _ if facts.role == Role::Off => Consent::Off,
            _ => Consent::None,
        }
    }

    /// A peer of version 0.1 does not name its cluster IP. One with other settings that has just started may have another, and may
    /// have left this one bound: until its kernel has let go, what it agrees to says nothing about that.
    fn may_have_left_address(&self, facts: &Repr) -> bool {
        facts.digest != self.digest && self.now < self.left_address_ends()
    }

    pub(super) fn left_address_ends(&self) -> Instant {
        self.claim_timeout().end_or_past(self.peer.nameless_since())
    }

    /// The term the next claim would use.
    pub(super) fn next_claim_term(&self) -> u32 {
        let agreed = match (self.consent(), self.signal) {
            (Consent::Released, Signal::Accept { term }) | (Consent::Granted, Signal::Intent { term }) => Some(term),
            _ => None,
        };
        agreed.unwrap_or_else(|| self.next_free_term())
    }

    /// A term that neither node has used.
    pub(super) fn next_free_term(&self) -> u32 {
        let peer_term = self.peer.facts().map_or(0, |facts| facts.term);
        self.term.max(peer_term).max(self.store.floor()).saturating_add(1)
    }

    /// Two actives: higher term, then primary, then lower MAC.
    fn precedes(&self, peer: &Repr) -> bool {
        let own = (self.term, self.config.station_type.precedence(), core::cmp::Reverse(self.config.mac));
        let other = (peer.term, peer.station_type.precedence(), core::cmp::Reverse(peer.mac));
        own > other
    }

    /// Nobody active: who can serve, who has the newer data, then primary, then lower MAC.
    pub(super) fn outranks(&self, peer: &Repr) -> bool {
        let rank = |r: Readiness, severity: u8, term: u32| {
            (
                r.contains(Readiness::WILLING),
                r.contains(Readiness::LAN_USABLE),
                r.contains(Readiness::LAN_CARRIER),
                core::cmp::Reverse(severity),
                term,
                r.contains(Readiness::LAST_ACTIVE),
            )
        };
        let own = rank(self.readiness(), self.own_severity(), self.term);
        let other = rank(peer.readiness, self.severity_of(peer.faults), peer.term);
        let own_tie = (self.config.station_type.precedence(), core::cmp::Reverse(self.config.mac));
        let other_tie = (peer.station_type.precedence(), core::cmp::Reverse(peer.mac));
        (own, own_tie) > (other, other_tie)
    }
}

/// Whether the sender follows the rules of fast failover at the moment.
fn claims_fast(facts: &Repr) -> bool {
    let both = Readiness::FAST_FAILOVER | Readiness::GATEWAY_CONFIGURED;
    facts.readiness.contains(both) && !facts.readiness.contains(Readiness::FAST_SUSPENDED)
}
