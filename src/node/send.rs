//! Heartbeats going out: at the interval on both paths, at once on a request, at once when something changed, and more
//! rarely while all is well.

use super::Node;
use crate::fault::Faults;
use crate::pace::{CABLE_REST, LAN_REST};
use crate::role::Role;
use crate::time::{Duration, Instant};
use crate::wire::{Conditions, Extension, Kind, Path, Readiness, Repr, Signal, VERSION, cable};

/// Two answers on one path are at least this far apart.
const ANSWER_SPACING: Duration = Duration::from_ms(5);

/// The cable rests after so many exchanges in a row that were as they should be: not where frames are lost or late.
const CALM_EXCHANGES: u8 = 8;

/// A change of these decides whether the peer may hand over, so it is told at once.
const FITNESS: Readiness = Readiness::HEALTHY.union(Readiness::WILLING).union(Readiness::SYNCING);

/// When to send on one path.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    next: Instant,
    last: Instant,
    /// The last frame wants an answer.
    asked: bool,
    /// Not yet polled.
    pending: Option<Kind>,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    sequence: u64,
    /// What the peer was last told of this node's fitness for the role.
    told: Readiness,
    /// Exchanges on the cable in a row that were as they should be: each request answered before the next was due, or each
    /// request heard about as long after the last frame as the peer leaves between two.
    calm: u8,
    cable: Schedule,
    lan: Schedule,
    /// Announce the cluster IP: request form, then reply form.
    pub(super) announce: bool,
    pub(super) announce_reply: bool,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        let schedule = Schedule { next: now, last: now, asked: false, pending: None };
        Self {
            sequence: 0,
            told: Readiness::empty(),
            calm: 0,
            cable: schedule,
            lan: schedule,
            announce: false,
            announce_reply: false,
        }
    }

    /// Sequence of the newest frame sent; it is also its send time in µs.
    pub(super) fn newest_sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether a heartbeat leaves in this step.
    pub(super) fn is_pending(&self) -> bool {
        self.cable.pending.is_some() || self.lan.pending.is_some()
    }

    pub(super) fn take_pending(&mut self, path: Path) -> Option<Kind> {
        self.schedule(path).pending.take()
    }

    fn schedule(&mut self, path: Path) -> &mut Schedule {
        match path {
            Path::Cable => &mut self.cable,
            Path::Lan => &mut self.lan,
        }
    }
}

impl Node {
    /// Something changed that the peer should know at once.
    pub(super) fn send_now(&mut self) {
        let kind = self.periodic_kind();
        for path in Path::ALL {
            self.queue_heartbeat(path, kind, self.spacing(path));
        }
    }

    /// A request arrived on `path`.
    pub(super) fn answer(&mut self, path: Path) {
        let kind = if self.lease_is_valid() { Kind::Response } else { Kind::Request };
        let schedule = self.send.schedule(path);
        let (last, allowed) = (schedule.last, schedule.last + ANSWER_SPACING);
        if self.now < allowed {
            schedule.next = schedule.next.min(allowed);
            return;
        }
        if path == Path::Cable {
            let gap = self.now.since(last);
            self.note_exchange(gap >= self.config.interval().half() && gap <= self.rest_is_late_after());
        }
        // The answer stands in for the next periodic frame: the peer asks at its own interval anyway.
        self.queue_heartbeat(path, kind, self.spacing(path) + self.answer_slack());
    }

    fn answer_slack(&self) -> Duration {
        Duration::from_us(self.config.interval().as_us() / 8)
    }

    /// Time between two periodic frames on a path.
    fn spacing(&self, path: Path) -> Duration {
        let interval = self.config.interval();
        match path {
            Path::Cable if self.cable_may_rest() => self.config.rest_interval(),
            Path::Lan if self.is_calm() && self.cable_works() => interval.max(LAN_REST),
            Path::Cable | Path::Lan => interval,
        }
    }

    /// Whether both nodes hear each other over the cable.
    fn cable_works(&self) -> bool {
        let peer_hears = self.peer.facts().is_some_and(|facts| facts.readiness.contains(Readiness::HEARS_CABLE));
        peer_hears && self.now < self.cable_fresh_until()
    }

    /// Whether nothing is being agreed on, and what was asked has been answered.
    fn cable_may_rest(&self) -> bool {
        let quiet = self.signal == Signal::None && self.peer.facts().is_some_and(|facts| facts.signal == Signal::None);
        quiet && self.is_calm() && self.cable_answered() && self.cable_works()
    }

    fn is_calm(&self) -> bool {
        self.send.calm >= CALM_EXCHANGES
    }

    /// Whether no request on the cable waits for its answer.
    fn cable_answered(&self) -> bool {
        !self.send.cable.asked || self.peer.echoed() >= Some(self.send.cable.last)
    }

    fn cable_fresh_until(&self) -> Instant {
        self.peer.last_heard_on(Path::Cable).map_or(self.started, |at| at + self.missed_after())
    }

    /// After this long without a frame one is missing.
    fn missed_after(&self) -> Duration {
        let interval = self.peer.interval();
        interval + interval.half()
    }

    /// After this long without a sign that the peer hears, the next one is late.
    pub(super) fn late_after(&self) -> Duration {
        if self.is_calm() { self.rest_is_late_after() } else { self.config.interval().times(2) }
    }

    fn rest_is_late_after(&self) -> Duration {
        self.config.rest_interval() + self.answer_slack().times(2)
    }

    pub(super) fn heartbeat_deadlines(&self) -> [Instant; 3] {
        [self.due(Path::Cable), self.due(Path::Lan), self.cable_fresh_until()]
    }

    /// When the next frame of `path` is due. A rest that is over is cut short.
    fn due(&self, path: Path) -> Instant {
        let schedule = match path {
            Path::Cable => &self.send.cable,
            Path::Lan => &self.send.lan,
        };
        schedule.next.min(schedule.last + self.spacing(path) + self.answer_slack())
    }

    pub(super) fn run_heartbeats(&mut self) {
        let fitness = self.readiness().intersection(FITNESS);
        if fitness != self.send.told {
            self.send.told = fitness;
            self.send_now();
        }
        let kind = self.periodic_kind();
        for path in Path::ALL {
            let spacing = self.spacing(path);
            if self.now + self.goes_along(path, kind, spacing) >= self.due(path) {
                if path == Path::Cable && self.send.cable.asked {
                    self.note_exchange(self.cable_answered());
                }
                self.queue_heartbeat(path, kind, spacing);
            }
        }
    }

    fn note_exchange(&mut self, good: bool) {
        self.send.calm = if good { self.send.calm.saturating_add(1).min(CALM_EXCHANGES) } else { 0 };
    }

    /// How much earlier than due a resting LAN is used together with the cable, to save a wake: with every second frame
    /// of a cable at rest. Only by the one who asks: the other answers when it is asked.
    fn goes_along(&self, path: Path, kind: Kind, spacing: Duration) -> Duration {
        let with_cable = path == Path::Lan && self.send.cable.pending.is_some();
        let rests = spacing > self.config.interval();
        if with_cable && kind == Kind::Request && rests { CABLE_REST } else { Duration::ZERO }
    }

    fn queue_heartbeat(&mut self, path: Path, kind: Kind, interval: Duration) {
        let now = self.now;
        let schedule = self.send.schedule(path);
        schedule.last = now;
        schedule.next = now + interval;
        // A request still waiting to be polled is not weakened to a response.
        if schedule.pending != Some(Kind::Request) {
            schedule.pending = Some(kind);
        }
        schedule.asked = schedule.pending == Some(Kind::Request);
    }

    /// An active in good contact states; everybody else asks.
    fn periodic_kind(&self) -> Kind {
        if self.role == Role::Active && self.lease_is_valid() { Kind::Response } else { Kind::Request }
    }

    /// Writes a heartbeat for `path` to `frame`, with the headers of the cable where it goes there.
    pub(super) fn write_heartbeat(&mut self, path: Path, kind: Kind, frame: &mut [u8]) -> Option<usize> {
        // The sequence is the send time, moved on where frames share one: the echo then dates itself.
        self.send.sequence = self.now.as_us().max(self.send.sequence.saturating_add(1));
        let repr = self.heartbeat(path, kind);
        match path {
            Path::Lan => repr.emit(self.auth.as_ref(), frame),
            Path::Cable => {
                let len = repr.emit(self.auth.as_ref(), frame.get_mut(cable::HEADER_LEN..)?)?;
                cable::emit(frame, len, self.config.cable_mac, self.config.mac, self.config.heartbeat_port)
            }
        }
    }

    fn heartbeat(&self, path: Path, kind: Kind) -> Repr {
        let echo = self.peer.echo(path);
        let mut readiness = self.readiness();
        readiness.set(Readiness::ECHO_COUNTED, echo.counted);
        Repr {
            version_max: VERSION,
            kind,
            path,
            role: self.role,
            station_type: self.config.station_type,
            mac: self.config.mac,
            model: self.config.model.id(),
            boot_id: self.boot_id,
            sequence: self.send.sequence,
            echo_boot_id: echo.boot_id,
            echo_sequence: echo.sequence,
            term: self.term,
            readiness,
            signal: self.signal,
            faults: self.health.raised(),
            firmware: self.config.firmware,
            digest: self.digest,
            sync_generation: self.sync.generation,
            timeout_s: self.config.heartbeat_timeout_s,
            conditions: self.conditions(),
            extension: Some(Extension {
                own_ip: self.config.own_ip.address,
                cluster_ip: self.config.cluster_ip.address,
                data_epoch: 0,
            }),
        }
    }

    fn conditions(&self) -> Conditions {
        let mut bits = Conditions::empty();
        bits.set(Conditions::MAINTENANCE, self.maintenance.on);
        bits
    }

    /// Readiness bits, without the one that belongs to the echo.
    pub(super) fn readiness(&self) -> Readiness {
        let mut bits = Readiness::empty();
        bits.set(Readiness::HEALTHY, self.possible_severity() == 0);
        bits.set(Readiness::IN_SYNC, self.sync.complete);
        bits.set(Readiness::WILLING, self.is_willing());
        bits.set(Readiness::GATEWAY_SEEN, self.gateway_seen() == Some(true));
        bits.set(Readiness::LAN_USABLE, self.lan_is_usable() && !self.health.raised().contains(Faults::GATEWAY));
        bits.set(Readiness::CABLE_CARRIER, self.health.cable_carrier());
        bits.set(Readiness::LAN_CARRIER, self.health.lan_carrier());
        bits.set(Readiness::LAST_ACTIVE, self.last_active);
        bits.set(Readiness::GATEWAY_CONFIGURED, self.config.gateway.is_some());
        bits.set(Readiness::FAST_FAILOVER, self.config.fast_failover);
        bits.set(Readiness::FAST_SUSPENDED, self.fast_is_suspended());
        bits.set(Readiness::HEARS_LAN, self.now < self.path_lost_at(Path::Lan));
        bits.set(Readiness::HEARS_CABLE, self.now < self.cable_fresh_until());
        bits.set(Readiness::SYNCING, self.sync.running);
        bits.set(Readiness::ENABLED, !self.enable.disabled);
        bits
    }
}
