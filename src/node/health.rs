//! Own health: carrier of the uplinks, faults reported by others, the gateway, and the handover budget.

use super::Node;
use crate::config::{FaultPolicy, MAX_HANDOVER_BUDGET};
use crate::fault::Faults;
use crate::io::Port;
use crate::time::{Duration, Instant};
use crate::wire::Readiness;
use heapless::Deque;

/// The own gateway may be silent for this long, while the peer sees it, before that is a fault of this node.
const GATEWAY_FAULT_AFTER: Duration = Duration::from_ms(2500);
/// What the peer last said of the gateway holds for this long. Shorter gaps are those of a cable that loses many frames, and would
/// begin the time above anew each time.
const PEER_WORD: Duration = Duration::from_ms(1500);

/// Faults that are not reported from outside.
const OWN_TO_FIND: Faults = Faults::LAN.union(Faults::WAN).union(Faults::GATEWAY);

/// One uplink's carrier and its debounced fault.
#[derive(Clone, Copy, Debug)]
struct Uplink {
    fault: Faults,
    carrier: bool,
    changed: Instant,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    cable: bool,
    lan: Uplink,
    /// `None` until its carrier is reported: most boards have no separate WAN port.
    wan: Option<Uplink>,
    /// The LAN interface has the static address.
    pub(super) own_address: bool,
    raised: Faults,
    /// Faults that cannot be told yet.
    unknown: Faults,
    /// Raised faults as last told to the adapter.
    pub(super) told: Faults,
    gateway_lost_from: Instant,
    spent: Deque<Instant, { MAX_HANDOVER_BUDGET as usize }>,
}

impl State {
    pub(super) fn new(handovers: u8, now: Instant) -> Self {
        let mut spent = Deque::new();
        for _ in 0..handovers.min(MAX_HANDOVER_BUDGET) {
            // How long ago they were is not known after a restart; a whole window from now errs on the side of rest.
            let _ = spent.push_back(now);
        }
        Self {
            cable: false,
            lan: Uplink { fault: Faults::LAN, carrier: false, changed: now },
            wan: None,
            own_address: true,
            raised: Faults::empty(),
            unknown: Faults::empty(),
            told: Faults::empty(),
            gateway_lost_from: now,
            spent,
        }
    }

    pub(super) fn lan_carrier(&self) -> bool {
        self.lan.carrier
    }

    pub(super) fn cable_carrier(&self) -> bool {
        self.cable
    }

    pub(super) fn raised(&self) -> Faults {
        self.raised
    }

    pub(super) fn link(&mut self, now: Instant, port: Port, up: bool) {
        match port {
            Port::Cable => self.cable = up,
            Port::Lan => self.lan.set(now, up),
            Port::Wan => self.wan.get_or_insert(Uplink { fault: Faults::WAN, carrier: up, changed: now }).set(now, up),
        }
    }

    pub(super) fn report(&mut self, faults: Faults, raised: bool) {
        self.raised.set(faults.difference(OWN_TO_FIND), raised);
    }

    pub(super) fn report_unknown(&mut self, faults: Faults, unknown: bool) {
        self.unknown.set(faults.difference(OWN_TO_FIND), unknown);
    }

    fn debounce(&mut self, now: Instant, policy: &FaultPolicy) {
        for uplink in [Some(self.lan), self.wan].into_iter().flatten() {
            if now >= uplink.settles_at(policy) {
                self.raised.set(uplink.fault, !uplink.carrier);
            }
        }
    }

    /// A handover for an own fault is made.
    pub(super) fn spend_budget(&mut self, now: Instant) {
        if self.spent.is_full() {
            self.spent.pop_front();
        }
        // There is room: a full queue has just lost its oldest entry.
        let _ = self.spent.push_back(now);
    }

    pub(super) fn budget_is_spent(&self, policy: &FaultPolicy) -> bool {
        self.spent_in_window() >= policy.handover_budget
    }

    pub(super) fn spent_in_window(&self) -> u8 {
        u8::try_from(self.spent.len()).unwrap_or(u8::MAX)
    }

    /// The oldest is the next whose window ends.
    fn forget_spent(&mut self, now: Instant, policy: &FaultPolicy) {
        while !self.spent.is_empty() && now >= self.window_ends_at(policy) {
            self.spent.pop_front();
        }
    }

    fn window_ends_at(&self, policy: &FaultPolicy) -> Instant {
        Duration::from_s(u64::from(policy.handover_window_s)).end_or_never(self.spent.front().copied())
    }

    pub(super) fn deadlines(&self, policy: &FaultPolicy) -> [Instant; 4] {
        [
            self.lan.settles_at(policy),
            self.wan.map_or(Instant::NEVER, |wan| wan.settles_at(policy)),
            self.gateway_lost_from + GATEWAY_FAULT_AFTER,
            self.window_ends_at(policy),
        ]
    }
}

impl Uplink {
    fn set(&mut self, now: Instant, up: bool) {
        if self.carrier != up {
            self.carrier = up;
            self.changed = now;
        }
    }

    fn settles_at(&self, policy: &FaultPolicy) -> Instant {
        let wait = if self.carrier { policy.link_clear_ms } else { policy.link_raise_ms };
        self.changed + Duration::from_ms(u64::from(wait))
    }
}

impl Node {
    pub(super) fn watch_health(&mut self) {
        self.health.debounce(self.now, &self.config.fault);
        self.health.forget_spent(self.now, &self.config.fault);
        let bind_failed = self.now < self.address.holdoff_until;
        self.health.raised.set(Faults::ADDRESS, bind_failed);
        self.watch_gateway();
    }

    /// The own gateway lost while the peer sees it is a fault of this node's LAN, carrier or not.
    fn watch_gateway(&mut self) {
        let peer_sees = self.now < self.peer_word_ends()
            && self.peer.facts().is_some_and(|facts| facts.readiness.contains(Readiness::GATEWAY_SEEN));
        if self.gateway_seen() != Some(false) || !peer_sees {
            self.health.raised.remove(Faults::GATEWAY);
            let seen_at = self.probe.gateway.seen().filter(|_| peer_sees);
            self.health.gateway_lost_from = seen_at.unwrap_or(self.now);
        } else if self.now >= self.health.gateway_lost_from + GATEWAY_FAULT_AFTER {
            self.health.raised.insert(Faults::GATEWAY);
        }
    }

    /// Until when what the peer last said of the gateway holds.
    pub(super) fn peer_word_ends(&self) -> Instant {
        PEER_WORD.end_or_past(self.peer.last_audible())
    }

    /// Severity of a set of faults under this node's fault switches, which the peer's settings match.
    pub(super) fn severity_of(&self, faults: Faults) -> u8 {
        faults.intersection(self.config.switching_faults() | Faults::ADDRESS).severity()
    }

    /// How badly off this node is for certain: its reason to hand over.
    pub(super) fn own_severity(&self) -> u8 {
        self.severity_of(self.health.raised())
    }

    /// How badly off it may be, for all that is known: whether the role may be handed to it. Two nodes with the same fault
    /// would otherwise hand it to and fro, each to the one that has just restarted and has not found its fault yet.
    pub(super) fn possible_severity(&self) -> u8 {
        self.severity_of(self.health.raised | self.health.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_each_spent_handovers_window_is_a_deadline() {
        let policy = FaultPolicy { handover_window_s: 60, ..FaultPolicy::default() };
        let [first, second] = [10, 20].map(|s| Instant::from_ms(s * 1000));
        let mut health = State::new(0, Instant::ZERO);
        health.spend_budget(first);
        health.spend_budget(second);
        for (left, end) in [(2, first), (1, second)].map(|(left, at)| (left, at + Duration::from_s(60))) {
            assert_eq!(health.spent_in_window(), left);
            assert!(health.deadlines(&policy).contains(&end));
            health.forget_spent(end, &policy);
        }
        assert_eq!(health.spent_in_window(), 0);
        // There is nothing left to forget at the end of all time.
        health.forget_spent(Instant::NEVER, &policy);
    }
}
