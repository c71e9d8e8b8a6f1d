//! ARP questions: does the gateway answer, and does anybody have the cluster IP or the peer's address?

use super::{Node, view};
use crate::pace::CABLE_REST;
use crate::reach::{Clearance, Reach};
use crate::role::{Consent, Role, Sight};
use crate::time::{Duration, Instant};
use crate::types::MacAddr;
use crate::wire::Readiness;
use crate::wire::arp::{Heard, Message};

/// Longest time between two gateway probes while all is well.
const GATEWAY_IDLE: Duration = Duration::from_ms(350);
/// So much earlier a probe goes out with a heartbeat, and saves a wake: with every third one on a cable at rest.
const GATEWAY_EARLY: Duration = CABLE_REST;
/// After this without an answer the gateway is asked more often, so that losses do not look like its death.
pub(super) const GATEWAY_MISSED: Duration = Duration::from_ms(450);
/// While answers are missing.
const GATEWAY_MISSING: Duration = Duration::from_ms(100);
/// While the node is active without contact, beyond the time in which every answer counts: it has no other licence …
const GATEWAY_SOLO: Duration = Duration::from_ms(200);
/// … which is from so long after it lost contact.
pub(super) const GATEWAY_SOLO_AFTER: Duration = Duration::from_ms(1550);
/// While a decision hangs on the answers; irregular by up to [`GATEWAY_JITTER_MS`] more.
const GATEWAY_URGENT: Duration = Duration::from_ms(40);
const GATEWAY_JITTER_MS: u64 = 31;
/// Spacing of the probes before a claim.
const CLAIM_SPACING: Duration = Duration::from_ms(90);
/// Who hears the other one probe, and goes second, probes no earlier than so much later. By then the other one has bound: it
/// would probe again after [`CLAIM_SPACING`], and a decision to bind is void after 250.
const GIVE_WAY: Duration = Duration::from_ms(350);
/// The probes begin this long before the silence timer ends …
pub(super) const CLAIM_LEAD: Duration = Duration::from_ms(350);
/// … and the gateway is asked urgently from this long before it.
pub(super) const GATEWAY_LEAD: Duration = Duration::from_ms(700);
/// With the cable's carrier gone, the gateway is asked urgently from this long after the last frame …
pub(super) const FAST_GATEWAY_LEAD: Duration = Duration::from_ms(90);
/// … and the fast probes begin this long after it.
pub(super) const FAST_LEAD: Duration = Duration::from_ms(110);
/// The peer counts as holding the cluster IP for this long after it was last heard with it.
const PEER_HOLDS: Duration = Duration::from_ms(500);

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) gateway: Reach,
    /// Both nodes last agreed that the gateway does not answer.
    pub(super) gateway_agreed_dead: bool,
    pub(super) cluster: Clearance,
    pub(super) peer_ip: Clearance,
    /// Any ARP packet, or a heartbeat of the peer, was received on the LAN since its carrier came up.
    pub(super) lan_frame_seen: bool,
    /// Since when the LAN has been usable without a break.
    pub(super) lan_usable_since: Instant,
    was_usable: bool,
    /// MAC address that answered for the gateway.
    gateway_mac: Option<MacAddr>,
    /// The peer was last heard with the cluster IP.
    peer_held_at: Option<Instant>,
    gateway_at: Instant,
    claim_at: Option<Instant>,
    /// State of the spacing's little generator.
    jitter: u32,
    /// Probes not yet polled.
    pub(super) send_gateway: bool,
    pub(super) send_cluster: bool,
    pub(super) send_peer: bool,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            gateway: Reach::default(),
            gateway_agreed_dead: false,
            cluster: Clearance::default(),
            peer_ip: Clearance::default(),
            lan_frame_seen: false,
            lan_usable_since: now,
            was_usable: false,
            gateway_mac: None,
            peer_held_at: None,
            gateway_at: now,
            claim_at: None,
            jitter: 1,
            send_gateway: false,
            send_cluster: false,
            send_peer: false,
        }
    }

    pub(super) fn tick(&mut self, now: Instant) {
        self.gateway.tick(now);
    }

    /// The carrier of the LAN changed: what was asked before has no answer now.
    pub(super) fn lan_changed(&mut self) {
        self.gateway.reset();
        self.lan_frame_seen = false;
        self.stalled();
    }

    /// Evidence of silence gathered during a stall proves nothing.
    pub(super) fn stalled(&mut self) {
        self.cluster = Clearance::default();
        self.peer_ip = Clearance::default();
    }

    /// After a freeze nothing that was known of the LAN holds.
    pub(super) fn slept(&mut self) {
        self.gateway.reset();
        self.gateway_agreed_dead = false;
        self.was_usable = false;
    }

    /// The peer's machine has the cluster IP.
    pub(super) fn peer_holds(&self, now: Instant) -> bool {
        now < PEER_HOLDS.end_or_past(self.peer_held_at)
    }

    pub(super) fn deadlines(&self) -> [Instant; 7] {
        let or_never = |at: Option<Instant>| at.unwrap_or(Instant::NEVER);
        [
            or_never(self.gateway.missed_at()),
            view::GATEWAY_PROVEN.end_or_never(self.gateway.unbroken_since()),
            view::GATEWAY_PROVEN.end_or_never(self.gateway.run_since()),
            or_never(self.cluster.clear_at()),
            or_never(self.peer_ip.clear_at()),
            PEER_HOLDS.end_or_never(self.peer_held_at),
            or_never(self.claim_at),
        ]
    }

    pub(super) fn next_gateway_probe(&self) -> Instant {
        self.gateway_at
    }
}

impl Node {
    pub(super) fn arp_heard(&mut self, heard: Heard) {
        if heard.mac == self.config.mac {
            return;
        }
        self.probe.lan_frame_seen = true;
        let for_us = heard.reply_to == Some(self.config.mac);
        if heard.ip == self.config.peer_ip {
            self.probe.peer_ip.answer_received();
        }
        if Some(heard.ip) == self.config.gateway && for_us {
            self.probe.gateway.answer_received(self.now);
            self.probe.gateway_mac = Some(heard.mac);
            self.probe.gateway_agreed_dead = false;
        }
        if heard.ip == self.config.cluster_ip.address {
            self.cluster_ip_heard(heard.mac);
        }
        if heard.probes_for() == Some(self.config.cluster_ip.address) {
            self.cluster_probe_heard(heard.mac);
        }
    }

    fn cluster_ip_heard(&mut self, mac: MacAddr) {
        if self.may_be_peer(mac) {
            self.probe.cluster.answer_received();
            self.probe.peer_held_at = Some(self.now);
        } else {
            self.foreign_holder_heard(mac);
        }
    }

    /// The peer is about to claim as well (RFC 5227 section 2.1.1), and is not heard otherwise: the lower MAC goes first. Nodes that
    /// hear each other agree by their heartbeats.
    fn cluster_probe_heard(&mut self, mac: MacAddr) {
        if mac < self.config.mac && self.may_be_peer(mac) && self.peer.sight(self.now) == Sight::Silent {
            self.probe.stalled();
            self.probe.claim_at = Some(self.now + GIVE_WAY);
        }
    }

    /// Whether a station on the LAN is the peer. What its MAC is, its frames say, or the operator: ARP may be a lie. Until one of
    /// them has, everybody may be the peer, but for a node that serves, or where nobody has the peer's own address.
    fn may_be_peer(&self, mac: MacAddr) -> bool {
        let known = self.peer.facts().map(|facts| facts.mac).or(self.config.peer_mac);
        known.map_or(!self.address.is_bound() && !self.probe.peer_ip.is_clear(self.now), |peer| peer == mac)
    }

    /// Both ends see, in the same exchange, that the gateway does not answer.
    pub(super) fn agree_on_gateway(&mut self, peer: Readiness) {
        // Who knows no gateway says nothing of one (S1).
        let peer_misses_it =
            peer & (Readiness::GATEWAY_CONFIGURED | Readiness::GATEWAY_SEEN) == Readiness::GATEWAY_CONFIGURED;
        self.probe.gateway_agreed_dead = self.gateway_seen() == Some(false) && peer_misses_it;
    }

    pub(super) fn run_probes(&mut self) {
        self.note_lan_usable();
        if self.role == Role::Off || !self.health.lan_carrier() {
            self.probe.gateway_at = self.now + GATEWAY_IDLE;
            self.probe.claim_at = None;
            return;
        }
        if self.config.gateway.is_some() {
            self.run_gateway_probe();
        }
        self.run_claim_probe();
    }

    fn note_lan_usable(&mut self) {
        let usable = self.lan_is_usable();
        if usable && !self.probe.was_usable {
            self.probe.lan_usable_since = self.now;
        }
        self.probe.was_usable = usable;
    }

    fn run_gateway_probe(&mut self) {
        let spacing = self.gateway_spacing();
        let due = self.probe.gateway_at.min(self.now + spacing);
        let goes_along = spacing == GATEWAY_IDLE && self.send.is_pending() && self.now + GATEWAY_EARLY >= due;
        if self.now < due && !goes_along {
            self.probe.gateway_at = due;
            return;
        }
        self.probe.gateway.probe_sent(self.now);
        self.probe.send_gateway = true;
        // Numerical Recipes' generator: only irregular, not random. Drawn once for each probe, however often the node is called
        // between two: the shortest of many would be no longer irregular.
        self.probe.jitter = self.probe.jitter.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.probe.gateway_at = self.now + self.gateway_spacing();
    }

    fn gateway_spacing(&self) -> Duration {
        let urgent = if self.serves() { self.licence_hangs_on_gateway() } else { self.decision_hangs_on_gateway() };
        if !urgent {
            let alone = self.serves() && self.is_alone();
            let missing = !self.probe.gateway.is_seen(self.now, GATEWAY_MISSED);
            return match (missing, alone) {
                (true, _) => GATEWAY_MISSING,
                (false, true) => GATEWAY_SOLO,
                (false, false) => GATEWAY_IDLE,
            };
        }
        GATEWAY_URGENT + Duration::from_ms(u64::from(self.probe.jitter >> 16) % GATEWAY_JITTER_MS)
    }

    fn serves(&self) -> bool {
        matches!(self.role, Role::Active | Role::Claiming)
    }

    fn is_alone(&self) -> bool {
        self.now.since(self.contact()) >= GATEWAY_SOLO_AFTER
    }

    fn licence_hangs_on_gateway(&self) -> bool {
        self.is_fast() && self.contact_is_late() && !self.is_alone()
    }

    fn decision_hangs_on_gateway(&self) -> bool {
        let fast = self
            .fast_since()
            .is_some_and(|since| self.now >= since + FAST_GATEWAY_LEAD && self.now < since + view::FAST_WINDOW);
        fast || self.now >= self.silence_over_at() - GATEWAY_LEAD || self.now >= self.one_way_over_at() - GATEWAY_LEAD
    }

    fn run_claim_probe(&mut self) {
        if !self.wants_claim_probes() {
            self.probe.stalled();
            return;
        }
        if self.probe.claim_at.is_some_and(|at| self.now < at) {
            return;
        }
        self.probe.claim_at = Some(self.now + CLAIM_SPACING);
        self.probe.cluster.probe_sent(self.now);
        self.probe.peer_ip.probe_sent(self.now);
        self.probe.send_cluster = true;
        self.probe.send_peer = true;
    }

    /// Whether a claim is near that needs the cluster IP to be unanswered.
    fn wants_claim_probes(&self) -> bool {
        match self.role {
            Role::Init | Role::Standby => {}
            Role::Yielding if self.address.is_unbound() => {}
            Role::Yielding | Role::Off | Role::Claiming | Role::Active => return false,
        }
        if self.consent() == Consent::Off || self.is_seeking() {
            return true;
        }
        // A node that could not claim does not probe: the peer may be giving way to it.
        if !self.may_claim_at_all() || !self.lan_is_usable() {
            return false;
        }
        let fast = self
            .fast_since()
            .is_some_and(|since| self.now >= since + FAST_LEAD && self.now < since + view::FAST_WINDOW);
        let one_way = self.peer.sight(self.now) == Sight::Deaf && self.now >= self.one_way_over_at() - CLAIM_LEAD;
        fast || one_way || self.now >= self.silence_over_at() - CLAIM_LEAD
    }

    /// A gateway that answers is asked alone, so that the rest of the LAN need not hear it several times a second. One
    /// that is missing may have come back with another MAC; and where the licence hangs on an answer, the one that is asked
    /// alone may be somebody who only says that it is the gateway.
    pub(super) fn gateway_question(&self) -> Option<Message> {
        let (sender, target) = (self.config.own_ip.address, self.config.gateway?);
        let in_doubt = self.serves() && self.licence_hangs_on_gateway();
        let seen = self.probe.gateway.is_seen(self.now, GATEWAY_MISSED);
        let known = self.probe.gateway_mac.filter(|_| seen && !in_doubt);
        Some(match known {
            Some(station) => Message::Poll { sender, target, station },
            None => Message::Request { sender, target },
        })
    }

    pub(super) fn cluster_question(&self) -> Message {
        Message::Probe { target: self.config.cluster_ip.address }
    }

    pub(super) fn peer_question(&self) -> Message {
        Message::Request { sender: self.config.own_ip.address, target: self.config.peer_ip }
    }
}
