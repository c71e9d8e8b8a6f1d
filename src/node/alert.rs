//! Lasting conditions the operator is told of, each once when it begins and once when it ends.

use super::Node;
use super::identity::Stranger;
use crate::event::Alert;
use crate::io::Output;
use crate::pace::LAN_REST;
use crate::role::Role;
use crate::time::{Duration, Instant};
use crate::types::MacAddr;
use crate::wire::{Path, Repr};
use core::net::Ipv4Addr;

/// A path on which nothing was heard for this long carries nothing, whatever the heartbeat timeout.
const PATH_LOST: Duration = Duration::from_ms(1000);
/// A silence of this length is an alert, so that a cable pulled for a second is one. At least two intervals and a quarter,
/// which a single lost frame cannot make …
const HEARTBEAT_RAISE: Duration = Duration::from_ms(900);
/// … and the alert ends when the peer was heard again over this time, or that of a silence and an interval.
const HEARTBEAT_CLEAR: Duration = Duration::from_ms(1000);
/// The gateway has to answer for this long before it counts as back.
const GATEWAY_BACK: Duration = Duration::from_ms(1000);
/// The wrong station is reported for this long after it was last heard.
const MISMATCH_REPORT: Duration = Duration::from_s(10);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    raised: u32,
    told: u32,
    any_path: Silence,
    cable: Silence,
    lan: Silence,
    /// A frame whose MAC or address is not the configured peer's, or whose MAC is the own one.
    pub(super) wrong_station: Stranger,
    /// A node of another pair.
    pub(super) foreign: Stranger,
    /// Something that cannot be understood was last heard on the cable.
    pub(super) incompatible_at: Option<Instant>,
}

/// Silence of the peer with hysteresis.
#[derive(Clone, Copy, Debug, Default)]
struct Silence {
    /// Raised, and not cleared yet.
    lost: bool,
    /// The first frame after the silence, while it is lost.
    back: Option<Instant>,
}

impl Silence {
    /// `heard` is the last frame. Only frames clear: a silence that has just begun would seem to be none.
    fn watch(&mut self, silent: bool, heard: Option<Instant>, clear_after: Duration) {
        if silent {
            *self = Self { lost: true, back: None };
        } else if let (true, Some(heard)) = (self.lost, heard)
            && heard >= *self.back.get_or_insert(heard) + clear_after
        {
            *self = Self::default();
        }
    }
}

const fn bit_of(alert: Alert) -> u32 {
    1 << alert as u32
}

impl State {
    fn is_raised(&self, alert: Alert) -> bool {
        self.raised & bit_of(alert) != 0
    }
}

impl Node {
    pub(super) fn watch_alerts(&mut self) {
        let clear_after = self.heartbeat_clear();
        let any_path = self.is_silent_since(self.heartbeat_silent_at());
        self.alert.any_path.watch(any_path, self.peer.last_counted(), clear_after);
        let [cable, lan] = Path::ALL.map(|path| self.is_silent_since(self.silent_on_at(path)));
        self.alert.cable.watch(cable, self.peer.last_heard_on(Path::Cable), clear_after);
        self.alert.lan.watch(lan, self.peer.last_heard_on(Path::Lan), clear_after);
        let holding = Alert::ALL.into_iter().filter(|alert| self.alert_holds(*alert));
        self.alert.raised = holding.fold(0, |raised, alert| raised | bit_of(alert));
    }

    fn alert_holds(&self, alert: Alert) -> bool {
        let facts = self.peer.facts();
        let differs = |by: fn(&Self, &Repr) -> bool| facts.is_some_and(|facts| by(self, facts));
        match alert {
            Alert::HeartbeatLost => self.role != Role::Off && self.alert.any_path.lost,
            Alert::CableLost => self.one_path_lost(alert, self.alert.cable, Path::Cable),
            Alert::LanPathLost => self.one_path_lost(alert, self.alert.lan, Path::Lan),
            Alert::PeerIncompatible => self.now < self.claim_timeout().end_or_past(self.alert.incompatible_at),
            Alert::SameStationType => differs(|node, facts| facts.station_type == node.config.station_type),
            Alert::SettingsDiffer => differs(|node, facts| facts.digest != node.digest),
            Alert::ModelDiffers => differs(|node, facts| facts.model != node.config.model.id()),
            Alert::FirmwareDiffers => differs(|node, facts| facts.firmware != node.config.firmware),
            Alert::PeerMacMismatch => self.now < MISMATCH_REPORT.end_or_past(self.alert.wrong_station.at),
            Alert::ForeignPair => self.now < MISMATCH_REPORT.end_or_past(self.alert.foreign.at),
            Alert::ClusterIpDiffers => self.elsewhere.is_some(),
            Alert::ForeignHolder => self.address.foreign_holder(self.now).is_some(),
            Alert::PeerHoldsAddress => self.peer_holds_address(),
            Alert::GatewayLost => self.gateway_is_lost(),
            Alert::HandoverFailed => self.is_stuck_with_fault(),
            Alert::BudgetUsed => self.role == Role::Active && self.own_severity() > 0 && self.is_held_by_budget(),
            Alert::AddressFailed => self.now < self.address.holdoff_until,
            Alert::NotPersisted => self.store.failed(),
            Alert::DisabledByPeer => self.enable.by_peer,
            Alert::Maintenance => self.maintenance_costs_service(),
        }
    }

    fn is_settled(&self) -> bool {
        self.now >= self.settled_at()
    }

    /// Raised by the first second without an answer, cleared by a second with answers.
    fn gateway_is_lost(&self) -> bool {
        let back_at = GATEWAY_BACK.end_or_never(self.probe.gateway.run_since());
        let unsure = self.alert.is_raised(Alert::GatewayLost) && self.now < back_at;
        let lost = self.gateway_seen() == Some(false) || (unsure && self.config.gateway.is_some());
        self.role != Role::Off && self.is_settled() && lost
    }

    fn peer_holds_address(&self) -> bool {
        let claimable = matches!(self.role, Role::Init | Role::Standby) && self.now >= self.silence_over_at();
        claimable && self.probe.peer_holds(self.now)
    }

    fn heartbeat_raise(&self) -> Duration {
        let interval = self.peer.interval();
        HEARTBEAT_RAISE.max(interval.times(2) + interval.half().half())
    }

    /// Longer than it takes to find out that only one path is back.
    fn heartbeat_clear(&self) -> Duration {
        HEARTBEAT_CLEAR.max(self.heartbeat_raise() + self.peer.interval())
    }

    /// A peer that was never heard gets the whole timeout.
    fn heartbeat_silent_at(&self) -> Instant {
        match self.peer.last_counted() {
            Some(at) => at + self.heartbeat_raise(),
            None => self.started + self.config.timeout(),
        }
    }

    /// Woken late, the node may have frames waiting that end the silence.
    fn is_silent_since(&self, at: Instant) -> bool {
        self.now >= at && self.now >= self.quiet.drained_at
    }

    /// From when silence on a path counts: a peer that has just come back gets its time on the second path.
    fn silence_from(&self, path: Path) -> Instant {
        self.peer.last_heard_on(path).unwrap_or(self.started).max(self.peer.audible_since())
    }

    fn silent_on_at(&self, path: Path) -> Instant {
        self.silence_from(path) + self.heartbeat_raise()
    }

    pub(super) fn path_lost_at(&self, path: Path) -> Instant {
        self.silence_from(path) + PATH_LOST.max(self.peer.interval().times(3))
    }

    /// The other path must have been heard for longer: when the peer dies both end together, but for the time between
    /// two frames and the slack of an answer.
    fn one_path_lost(&self, alert: Alert, silence: Silence, path: Path) -> bool {
        let interval = self.peer.interval();
        let spacing = match path {
            Path::Cable => interval,
            Path::Lan => interval.max(LAN_REST),
        };
        let outlived = self.peer.last_counted() > Some(self.silence_from(path) + spacing + spacing.half().half());
        let silent = self.is_silent_since(self.silent_on_at(path)) && self.now < self.heartbeat_silent_at();
        self.role != Role::Off && ((silent && outlived) || (silence.lost && self.alert.is_raised(alert)))
    }

    pub(super) fn alert_deadlines(&self) -> [Instant; 9] {
        [
            GATEWAY_BACK.end_or_never(self.probe.gateway.run_since()),
            self.heartbeat_silent_at(),
            self.silent_on_at(Path::Cable),
            self.silent_on_at(Path::Lan),
            self.path_lost_at(Path::Cable),
            self.path_lost_at(Path::Lan),
            MISMATCH_REPORT.end_or_never(self.alert.wrong_station.at),
            MISMATCH_REPORT.end_or_never(self.alert.foreign.at),
            self.claim_timeout().end_or_never(self.alert.incompatible_at),
        ]
    }

    pub(super) fn poll_alert(&mut self) -> Option<Output> {
        let changed = self.alert.raised ^ self.alert.told;
        let alert = Alert::ALL.into_iter().find(|alert| changed & bit_of(*alert) != 0)?;
        let bit = bit_of(alert);
        self.alert.told ^= bit;
        Some(Output::Alert {
            alert,
            raised: self.alert.raised & bit != 0,
            mac: self.alert_mac(alert),
            ip: self.alert_ip(alert),
        })
    }

    fn alert_ip(&self, alert: Alert) -> Option<Ipv4Addr> {
        if alert == Alert::ForeignPair { self.alert.foreign.ip } else { self.elsewhere }
            .filter(|_| matches!(alert, Alert::ForeignPair | Alert::ClusterIpDiffers))
    }

    fn alert_mac(&self, alert: Alert) -> Option<MacAddr> {
        match alert {
            Alert::ForeignHolder => self.address.foreign.map(|(mac, _)| mac),
            Alert::PeerMacMismatch => Some(self.alert.wrong_station.mac),
            Alert::ForeignPair => Some(self.alert.foreign.mac),
            Alert::HeartbeatLost
            | Alert::CableLost
            | Alert::LanPathLost
            | Alert::PeerIncompatible
            | Alert::SameStationType
            | Alert::SettingsDiffer
            | Alert::ModelDiffers
            | Alert::FirmwareDiffers
            | Alert::PeerHoldsAddress
            | Alert::ClusterIpDiffers
            | Alert::DisabledByPeer => self.peer.facts().map(|facts| facts.mac).or(self.config.peer_mac),
            Alert::GatewayLost
            | Alert::HandoverFailed
            | Alert::BudgetUsed
            | Alert::AddressFailed
            | Alert::NotPersisted
            | Alert::Maintenance => Some(self.config.mac),
        }
    }
}
