//! When the node has to be woken: every moment at which something is due or an age crosses a limit.
//!
//! Deadlines are derived from the state, not stored beside it, so that none can be forgotten when the state changes.

use super::{Node, probe, view};
use crate::time::{Duration, Instant};

/// Why the node wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Heartbeat,
    Address,
    Probe,
    Health,
    Handover,
    Lease,
    Contact,
    Gateway,
    Sight,
    Silence,
    OneWay,
    Fast,
    Ready,
    Alert,
    Store,
}

impl Timer {
    const ALL: [Self; 15] = [
        Self::Heartbeat,
        Self::Address,
        Self::Probe,
        Self::Health,
        Self::Handover,
        Self::Lease,
        Self::Contact,
        Self::Gateway,
        Self::Sight,
        Self::Silence,
        Self::OneWay,
        Self::Fast,
        Self::Ready,
        Self::Alert,
        Self::Store,
    ];
}

impl Node {
    /// When to call [`handle`](Self::handle) with [`Input::Timeout`](crate::Input::Timeout) at the latest. Always
    /// later than the `now` of the last call.
    pub fn poll_timeout(&self) -> Instant {
        self.deadline
    }

    /// The earliest deadline of all.
    pub(super) fn next_deadline(&self) -> Instant {
        Timer::ALL.iter().map(|timer| self.deadline_of(*timer)).fold(Instant::NEVER, Instant::min)
    }

    fn deadline_of(&self, timer: Timer) -> Instant {
        match timer {
            Timer::Heartbeat => self.next_of(&self.heartbeat_deadlines()),
            Timer::Address => self.next_of(&self.address.deadlines()),
            Timer::Probe => self.next_of(&self.probe_deadlines()),
            Timer::Health => self.next_of(&self.health.deadlines(&self.config.fault)),
            Timer::Handover => {
                let [retry, withdraw, holdoff] = self.handover.deadlines(self.claim_timeout());
                self.next_of(&[retry, withdraw, holdoff, self.stop_deadline(), self.sync.retry_at])
            }
            Timer::Lease => self.next_of(&[self.lease_end().unwrap_or(Instant::NEVER)]),
            Timer::Contact => self.next_of(&self.contact_deadlines()),
            Timer::Gateway => self.next_of(&self.gateway_deadlines()),
            Timer::Sight => self.next_of(&[self.peer.silent_at(), self.peer.deaf_at()]),
            Timer::Silence => self.next_of(&self.claim_deadlines(self.silence_over_at())),
            Timer::OneWay => self.next_of(&self.claim_deadlines(self.one_way_over_at())),
            Timer::Fast => self.next_of(&self.fast_deadlines()),
            Timer::Ready => self.next_of(&[
                self.quiet.drained_at,
                self.quiet.barred_until,
                self.settled_at(),
                self.peer.introduced_at(),
                self.quiet.incompatible_at.map_or(Instant::NEVER, |at| at + self.claim_timeout()),
                self.quiet.stranger_active_at.map_or(Instant::NEVER, |at| at + self.claim_timeout()),
            ]),
            Timer::Alert => self.next_of(&self.alert_deadlines()),
            Timer::Store => self.next_of(&[self.store.deadline()]),
        }
    }

    /// The earliest of `deadlines` that has not come yet.
    fn next_of(&self, deadlines: &[Instant]) -> Instant {
        deadlines.iter().copied().filter(|at| *at > self.now).fold(Instant::NEVER, Instant::min)
    }

    fn probe_deadlines(&self) -> [Instant; 8] {
        let [missed, unbroken, run, cluster, peer, foreign, claim] = self.probe.deadlines(self.claim_timeout());
        let gateway = self.config.gateway.map_or(Instant::NEVER, |_| self.probe.next_gateway_probe());
        [missed, unbroken, run, cluster, peer, foreign, claim, gateway]
    }

    fn contact_deadlines(&self) -> [Instant; 3] {
        let tick = Duration::from_us(1);
        let lost = |after: Duration| self.contact() + after + tick;
        [
            lost(view::CONTACT_LOST),
            lost(view::CONTACT_LONG_LOST),
            // From here on the gateway is asked urgently.
            self.contact() + self.late_after(),
        ]
    }

    /// An answer that is too old for a claim only forbids it: nothing is to be done at that moment.
    fn gateway_deadlines(&self) -> [Instant; 2] {
        let tick = Duration::from_us(1);
        let stale = |at: Option<Instant>, age: Duration| at.map_or(Instant::NEVER, |at| at + age + tick);
        let gateway = &self.probe.gateway;
        // While contact lasts, the gateway need not be prompt.
        let prompt_until = stale(gateway.answered(), view::GATEWAY_PROMPT);
        [prompt_until.max(self.contact() + view::CONTACT_LOST + tick), stale(gateway.seen(), view::GATEWAY_RECENT)]
    }

    fn claim_deadlines(&self, claim_at: Instant) -> [Instant; 3] {
        [claim_at - probe::GATEWAY_LEAD, claim_at - probe::CLAIM_LEAD, claim_at]
    }

    fn fast_deadlines(&self) -> [Instant; 4] {
        let Some(since) = self.fast_since() else { return [Instant::NEVER; 4] };
        [probe::FAST_GATEWAY_LEAD, probe::FAST_LEAD, view::FAST_CLAIM, view::FAST_WINDOW].map(|wait| since + wait)
    }
}
