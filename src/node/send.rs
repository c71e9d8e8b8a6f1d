//! Heartbeats going out: at the interval on both paths, at once on a request, at once when something changed.

use super::Node;
use crate::cable;
use crate::fault::Faults;
use crate::role::Role;
use crate::time::{Duration, Instant};
use crate::wire::{Kind, Path, Readiness, Repr, VERSION};

/// Two answers on one path are at least this far apart.
const ANSWER_SPACING: Duration = Duration::from_ms(5);

/// A change of these decides whether the peer may hand over, so it is told at once.
const FITNESS: Readiness = Readiness::HEALTHY.union(Readiness::WILLING).union(Readiness::SYNCING);

/// When to send on one path.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    next: Instant,
    last: Instant,
    /// Not yet polled.
    pending: Option<Kind>,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    sequence: u64,
    /// What the peer was last told of this node's fitness for the role.
    told: Readiness,
    cable: Schedule,
    lan: Schedule,
    /// Announce the cluster IP: request form, then reply form.
    pub(super) announce: bool,
    pub(super) announce_reply: bool,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        let schedule = Schedule { next: now, last: now, pending: None };
        Self {
            sequence: 0,
            told: Readiness::empty(),
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

    pub(super) fn deadlines(&self) -> [Instant; 2] {
        [self.cable.next, self.lan.next]
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
            self.queue_heartbeat(path, kind, self.config.interval());
        }
    }

    /// A request arrived on `path`.
    pub(super) fn answer(&mut self, path: Path) {
        let kind = if self.lease_is_valid() { Kind::Response } else { Kind::Request };
        let schedule = self.send.schedule(path);
        let allowed = schedule.last + ANSWER_SPACING;
        if self.now < allowed {
            schedule.next = schedule.next.min(allowed);
            return;
        }
        // The answer stands in for the next periodic frame: the peer asks at its own interval anyway.
        let interval = self.config.interval();
        let slack = Duration::from_us(interval.as_us() / 8);
        self.queue_heartbeat(path, kind, interval + slack);
    }

    pub(super) fn run_heartbeats(&mut self) {
        let fitness = self.readiness().intersection(FITNESS);
        if fitness != self.send.told {
            self.send.told = fitness;
            self.send_now();
        }
        let kind = self.periodic_kind();
        for path in Path::ALL {
            if self.now >= self.send.schedule(path).next {
                self.queue_heartbeat(path, kind, self.config.interval());
            }
        }
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
        let echo = self.peer.echo();
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
        }
    }

    /// Readiness bits, without the one that belongs to the echo.
    pub(super) fn readiness(&self) -> Readiness {
        let mut bits = Readiness::empty();
        bits.set(Readiness::HEALTHY, self.own_severity() == 0);
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
        bits.set(Readiness::SYNCING, self.sync.running);
        bits.set(Readiness::ENABLED, !self.disabled);
        bits
    }
}
