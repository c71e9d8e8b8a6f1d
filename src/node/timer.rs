//! When the node has to be woken: every moment at which something is due or an age crosses a limit.
//!
//! Deadlines are derived from the state, not stored beside it, so that none can be forgotten when the state changes.
//! The simulator finds one that a rule has and this list has not (`wakes in time`).
//!
//! Tried instead: rules that ask one clock whether a moment has come, which notes the earliest that has not. It saves 2.4 KB of 45 and
//! the list, but each step must look twice: 19.3 and not 12.9 thousand instructions per heartbeat, and 11 and not 4 wakes a second at rest.

use super::{Node, probe, view};
use crate::time::{Duration, Instant};

impl Node {
    /// When to call [`handle`](Self::handle) with [`Input::Timeout`](crate::Input::Timeout) at the latest. Always
    /// later than the `now` of the last call; of a new node, which has everything still to do, the moment it was made.
    pub fn poll_timeout(&self) -> Instant {
        self.deadline
    }

    /// The earliest deadline of all.
    pub(super) fn next_deadline(&self) -> Instant {
        let mut next = Earliest { now: self.now, at: Instant::NEVER };
        // What is done when its time comes.
        next.of(&self.heartbeat_deadlines());
        next.of(&self.address.deadlines());
        next.of(&self.probe.deadlines());
        next.of(&[self.config.gateway.map_or(Instant::NEVER, |_| self.probe.next_gateway_probe())]);
        next.of(&self.health.deadlines(&self.config.fault));
        next.of(&self.offer.deadlines(self.claim_timeout()));
        next.of(&[self.stop.deadline(), self.sync.deadline(), self.store.deadline()]);
        next.of(&self.alert_deadlines());
        // What is decided anew when an age crosses a limit.
        next.of(&self.contact_deadlines());
        next.of(&self.gateway_deadlines());
        next.of(&self.claim_deadlines(self.silence_over_at()));
        next.of(&self.claim_deadlines(self.one_way_over_at()));
        next.of(&self.fast_deadlines());
        next.of(&self.ready_deadlines());
        let lease_end = self.lease_end().unwrap_or(Instant::NEVER);
        next.of(&[lease_end, self.peer.silent_at(), self.peer.deaf_at(), self.peer_word_ends()]);
        next.at
    }

    fn ready_deadlines(&self) -> [Instant; 7] {
        [
            self.quiet.drained_at,
            self.quiet.barred_until,
            self.settled_at(),
            self.peer.introduced_at(),
            self.left_address_ends(),
            self.claim_timeout().end_or_never(self.quiet.incompatible_at),
            self.claim_timeout().end_or_never(self.quiet.stranger_active_at),
        ]
    }

    fn contact_deadlines(&self) -> [Instant; 5] {
        let tick = Duration::from_us(1);
        [
            self.echo_sent() + view::ECHO_LOST + tick,
            self.contact() + view::CONTACT_LONG_LOST + tick,
            // From here on the gateway is asked urgently.
            self.contact() + self.late_after(),
            self.echo_sent() + view::ECHO_LATE,
            // … and from here on no longer.
            self.contact() + probe::GATEWAY_SOLO_AFTER,
        ]
    }

    /// An answer that is too old for a claim only forbids it: nothing is to be done at that moment.
    fn gateway_deadlines(&self) -> [Instant; 4] {
        let tick = Duration::from_us(1);
        let stale = |at: Option<Instant>, age: Duration| age.end_or_never(at) + tick;
        let gateway = &self.probe.gateway;
        // While contact lasts, the gateway need not be prompt.
        let prompt_until = stale(gateway.answered(), view::GATEWAY_PROMPT);
        [
            prompt_until.max(self.echo_sent() + view::ECHO_LOST + tick),
            stale(gateway.seen(), probe::GATEWAY_MISSED),
            stale(gateway.seen(), view::GATEWAY_RECENT),
            stale(gateway.seen(), view::GATEWAY_ALONE),
        ]
    }

    fn claim_deadlines(&self, claim_at: Instant) -> [Instant; 3] {
        [claim_at - probe::GATEWAY_LEAD, claim_at - probe::CLAIM_LEAD, claim_at]
    }

    fn fast_deadlines(&self) -> [Instant; 5] {
        let since = self.fast_since();
        [
            view::FAST_REST.end_or_never(self.quiet.fast_suspended),
            probe::FAST_GATEWAY_LEAD.end_or_never(since),
            probe::FAST_LEAD.end_or_never(since),
            view::FAST_CLAIM.end_or_never(since),
            view::FAST_WINDOW.end_or_never(since),
        ]
    }
}

/// The earliest deadline so far that has not come yet.
struct Earliest {
    now: Instant,
    at: Instant,
}

impl Earliest {
    #[inline(never)]
    fn of(&mut self, deadlines: &[Instant]) {
        self.at = deadlines.iter().copied().filter(|at| *at > self.now).fold(self.at, Instant::min);
    }
}
