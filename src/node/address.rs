//! The cluster IP: bound with a lifetime, renewed, announced and defended (RFC 5227).

use super::Node;
use crate::event::RoleReason;
use crate::io::AddressEvent;
use crate::role::{Role, Sight};
use crate::time::{Duration, Instant};
use crate::types::MacAddr;
use crate::wire::arp::Message;
use crate::wire::{Path, Readiness};

/// The bound address is renewed this often, well within its lifetime.
const RENEW_EVERY: Duration = Duration::from_ms(250);
/// When the address is announced, beside at once: in ms after it was bound …
const ANNOUNCE_AT_MS: [u64; 6] = [50, 150, 1000, 2000, 5000, 10_000];
/// … and how often after that.
const ANNOUNCE_EVERY: Duration = Duration::from_s(60);
/// At most one defence against a foreign holder in this time (RFC 5227 section 2.4 (c), for a server).
const DEFEND_EVERY: Duration = Duration::from_s(1);
/// What a defence did not reach is told again as often as this long after a takeover, and from there on.
const DEFENDED_AS: Duration = Duration::from_s(2);
/// A foreign holder is reported for this long after it was last heard.
const FOREIGN_REPORT: Duration = Duration::from_s(10);

/// What the adapter has done, or is doing, with the cluster IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    Unbound,
    Requested,
    Bound,
    Releasing,
}

/// An effect on the address that the adapter still has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Release,
    Bind,
    Renew,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    binding: Binding,
    /// Not yet polled.
    pub(super) request: Option<Request>,
    renew_at: Instant,
    announced_from: Instant,
    announce_at: Instant,
    defend_from: Instant,
    /// A foreign holder was heard too soon after the last defence: the next announcement is one.
    defence_due: bool,
    /// The LAN works and no other active is heard.
    trouble_over: bool,
    /// After a failed bind: no claim before.
    pub(super) holdoff_until: Instant,
    /// The foreign station that was last heard with the cluster IP.
    pub(super) foreign: Option<(MacAddr, Instant)>,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            binding: Binding::Unbound,
            request: None,
            renew_at: Instant::NEVER,
            announced_from: now,
            announce_at: Instant::NEVER,
            defend_from: now,
            defence_due: false,
            trouble_over: false,
            holdoff_until: now,
            foreign: None,
        }
    }

    pub(super) fn is_unbound(&self) -> bool {
        self.binding == Binding::Unbound
    }

    pub(super) fn is_bound(&self) -> bool {
        self.binding == Binding::Bound
    }

    pub(super) fn foreign_holder(&self, now: Instant) -> Option<MacAddr> {
        self.foreign.filter(|(_, at)| now < *at + FOREIGN_REPORT).map(|(mac, _)| mac)
    }

    pub(super) fn deadlines(&self) -> [Instant; 4] {
        let forget = FOREIGN_REPORT.end_or_never(self.foreign.map(|(_, at)| at));
        [self.renew_at, self.announce_at, self.holdoff_until, forget]
    }
}

impl Node {
    /// Lifetime of the bound address: so much shorter than T that the kernel drops it before the standby claims, also
    /// when it is late by a second, as Linux is when another address with a lifetime stands beside this one (S4).
    pub(super) fn address_lifetime_s(&self) -> u32 {
        u32::from(self.config.heartbeat_timeout_s).saturating_sub(2)
    }

    pub(super) fn bind_address(&mut self) {
        self.address.binding = Binding::Requested;
        self.address.request = Some(Request::Bind);
        self.address.renew_at = Instant::NEVER;
    }

    fn unbind(&mut self, binding: Binding) {
        self.address.binding = binding;
        self.address.renew_at = Instant::NEVER;
        self.address.announce_at = Instant::NEVER;
        // Asked for earlier in the same step, it would be sent after the release.
        self.send.announce = false;
        self.send.announce_reply = false;
    }

    pub(super) fn release_address(&mut self) {
        self.unbind(Binding::Releasing);
        self.address.request = Some(Request::Release);
    }

    pub(super) fn take_address_event(&mut self, event: AddressEvent) {
        match (event, self.address.binding) {
            (AddressEvent::Held, Binding::Requested) => self.address_held(),
            (AddressEvent::Released, Binding::Releasing) => {
                self.address.binding = Binding::Unbound;
                if self.role == Role::Yielding {
                    self.released_for_peer();
                }
            }
            (AddressEvent::Failed, Binding::Requested) => self.address_failed(),
            (AddressEvent::Lost, Binding::Bound) => self.address_lost(),
            // An answer to a request that was overtaken by a newer one, whose own answer is still to come.
            (AddressEvent::Held | AddressEvent::Failed | AddressEvent::Released | AddressEvent::Lost, _) => {}
        }
    }

    fn address_held(&mut self) {
        self.address.binding = Binding::Bound;
        self.address.renew_at = self.now + RENEW_EVERY;
        match self.role {
            Role::Claiming => self.complete_claim(),
            // Bound again after it was lost. Whether it still may be is decided right after this.
            Role::Active => self.announce(),
            Role::Off | Role::Init | Role::Standby | Role::Yielding => self.release_address(),
        }
    }

    fn address_failed(&mut self) {
        self.unbind(Binding::Unbound);
        self.address.holdoff_until = self.now + self.config.timeout();
        if self.role == Role::Claiming {
            self.refuse_term(self.term);
        }
        self.step_down(RoleReason::AddressFailed);
    }

    fn address_lost(&mut self) {
        self.unbind(Binding::Unbound);
        if self.role == Role::Active {
            // Whether this node may still serve is decided right after this; the address is released again if not.
            self.bind_address();
        }
    }

    /// Tells the LAN who owns the cluster IP, now and in a schedule that gets rarer.
    pub(super) fn announce(&mut self) {
        self.address.announced_from = self.now;
        self.address.announce_at = self.now;
    }

    pub(super) fn run_address_timers(&mut self) {
        self.announce_after_trouble();
        if !self.address.is_bound() {
            return;
        }
        if self.now >= self.address.renew_at {
            self.address.request = Some(Request::Renew);
            self.address.renew_at = self.now + RENEW_EVERY;
        }
        if self.now >= self.address.announce_at {
            self.send.announce = true;
            if core::mem::take(&mut self.address.defence_due) {
                self.defend();
            }
            self.schedule_announcement();
        }
    }

    /// The next of the schedule. What a late call has missed is made up for by the one announcement.
    fn schedule_announcement(&mut self) {
        let mut schedule = ANNOUNCE_AT_MS.into_iter().map(|ms| self.address.announced_from + Duration::from_ms(ms));
        let next = schedule.find(|at| *at > self.now);
        self.address.announce_at = next.unwrap_or(self.now + ANNOUNCE_EVERY);
    }

    /// What the LAN learned while this node could not be heard may be wrong: the active announces itself again when its
    /// LAN comes back, and when another active has stepped down (S5).
    pub(super) fn announce_after_trouble(&mut self) {
        let heard = self.peer.facts().is_none_or(|facts| facts.readiness.contains(Readiness::HEARS_LAN));
        let lan_good = self.lan_is_usable() && self.now < self.path_lost_at(Path::Lan) && heard;
        let alone = self.peer.sight(self.now) == Sight::Silent
            || self.peer.facts().is_none_or(|facts| facts.role != Role::Active);
        let over = lan_good && alone;
        if over && !self.address.trouble_over && self.address.is_bound() {
            self.announce();
        }
        self.address.trouble_over = over;
    }

    /// Another station than the peer was heard with the cluster IP.
    pub(super) fn foreign_holder_heard(&mut self, mac: MacAddr) {
        self.address.foreign = Some((mac, self.now));
        if !self.address.is_bound() {
            return;
        }
        if self.now < self.address.defend_from {
            // Too soon to defend again, but whoever believed this one must be told.
            self.address.announce_at = self.address.announce_at.min(self.address.defend_from);
            self.address.defence_due = true;
            return;
        }
        self.defend();
        self.schedule_announcement();
    }

    fn defend(&mut self) {
        self.send.announce = true;
        self.address.defend_from = self.now + DEFEND_EVERY;
        self.address.announced_from = self.address.announced_from.max(self.now - DEFENDED_AS);
    }

    /// The announcement that comes next out of [`poll_output`](Node::poll_output).
    pub(super) fn announcement(&self, reply_form: bool) -> Message {
        let address = self.config.cluster_ip.address;
        if reply_form { Message::AnnounceReply { address } } else { Message::AnnounceRequest { address } }
    }
}

#[cfg(test)]
mod tests;
