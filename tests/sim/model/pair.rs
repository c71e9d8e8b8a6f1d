//! The state: two real nodes, what is in flight between them, what their kernels hold, and what is wrong with the world.

use super::canon::{Canon, ORIGIN};
use super::watch::Watch;
use crate::sim::clock::Clock;
use crate::sim::ether::Packet;
use crate::sim::faults::Kind;
use crate::sim::link::Net;
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, Us};
use core::fmt::{Debug, Formatter};
use core::hash::{Hash, Hasher};
use std::collections::VecDeque;
use ucm_ha::io::{Output, Record};
use ucm_ha::role::Role;
use ucm_ha::wire::Repr;
use ucm_ha::wire::cable;
use ucm_ha::{Instant, Node};

/// Both machines' kernels take this long for an address, in µs.
pub(super) const ADDRESS_US: Us = MS;
/// A write to the disk.
pub(super) const WRITE_US: Us = 5 * MS;
/// A full synchronisation.
pub(super) const SYNC_US: Us = 300 * MS;
/// One way on any path.
pub(super) const TRIP_US: Us = 200;
/// A late frame is this late: beyond the next one, and beyond every answer that waits for it.
pub(super) const LATE_US: Us = 120 * MS;
/// From the end of a daemon's death to its start.
pub(super) const RESTART_US: Us = 10 * MS;
/// Frames that wait for a frozen daemon at most.
pub(super) const SOCKET_FRAMES: usize = 277;

/// By which way something comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    Cable,
    Lan,
    Arp,
}

/// Something in flight.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) due: Us,
    pub(super) to: usize,
    pub(super) way: Way,
    pub(super) packet: Packet,
    /// It has arrived before.
    pub(super) replay: bool,
}

/// What a machine will do or be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    Carry(Output),
    Written(Record),
    Synced,
    Start,
}

/// One appliance.
#[derive(Clone)]
pub(super) struct Machine {
    pub(super) node: Option<Node>,
    pub(super) frozen: bool,
    pub(super) boots: u8,
    pub(super) role: Role,
    /// The newest claim came from a handover.
    pub(super) by_handover: bool,
    pub(super) record: Record,
    /// Until when the kernel keeps the cluster IP; `None` when it has none.
    pub(super) held_until: Option<Us>,
    pub(super) jobs: VecDeque<(Us, Job)>,
    /// What waits for a frozen daemon.
    pub(super) inbox: Vec<Flight>,
    pub(super) clock: Clock,
    pub(super) told_carrier: [bool; 2],
}

impl Machine {
    pub(super) fn running(&self) -> bool {
        self.node.is_some() && !self.frozen
    }

    /// When the node wants to be called.
    pub(super) fn wake_at(&self) -> Us {
        self.node.as_ref().filter(|_| !self.frozen).map_or(Us::MAX, |node| self.clock.global(node.poll_timeout()))
    }
}

/// A fault that lasts.
#[derive(Clone, Debug)]
pub(super) struct Lasting {
    pub(super) kind: Kind,
    pub(super) ends: Us,
}

/// Everything.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(super) now: Us,
    pub(super) machines: [Machine; 2],
    pub(super) flights: Vec<Flight>,
    pub(super) net: Net,
    pub(super) lasting: Vec<Lasting>,
    /// What the recorder on the LAN has kept from arriving last, by receiver.
    pub(super) withheld: [Option<Packet>; 2],
    /// When it plays next, and what.
    pub(super) plays_at: Us,
    pub(super) played: u8,
    /// Faults that may still come.
    pub(super) budget: u8,
    /// When the model began to look.
    pub(super) since: Us,
    /// Until when every event is a place for a fault: something is being negotiated.
    pub(super) close_until: Us,
    pub(super) watch: Watch,
    fingerprint: u64,
}

impl Pair {
    pub(super) fn new(settings: &Settings, budget: u8) -> Self {
        let machine = |node: usize| Machine {
            node: None,
            frozen: false,
            boots: 0,
            role: Role::Init,
            by_handover: false,
            record: Record::default(),
            held_until: None,
            jobs: VecDeque::from([(settings.boot_at[node], Job::Start)]),
            inbox: Vec::new(),
            clock: Clock::new(0, ORIGIN, settings.rate_ppm[node]),
            told_carrier: [false; 2],
        };
        let watch = Watch::default();
        let machines = [machine(A), machine(B)];
        Self {
            now: 0,
            machines,
            flights: Vec::new(),
            net: Net::default(),
            lasting: Vec::new(),
            withheld: [None; 2],
            plays_at: Us::MAX,
            played: 0,
            budget,
            since: 0,
            close_until: 0,
            watch,
            fingerprint: 0,
        }
    }

    pub(super) fn local(&self, node: usize) -> Instant {
        self.machines[node].clock.local(self.now)
    }

    pub(super) fn bound(&self, node: usize) -> bool {
        self.machines[node].held_until.is_some()
    }

    pub(super) fn active(&self, node: usize) -> bool {
        self.machines[node].running() && self.machines[node].role == Role::Active
    }

    /// Computes what tells this state from others. Called when a transition is complete.
    pub(super) fn seal(&mut self) {
        let mut canon = Canon::new();
        for node in [A, B] {
            let machine = &self.machines[node];
            let local = self.local(node).as_us();
            canon.add(local, &machine.node);
            canon.add(local, &(machine.frozen, machine.boots, machine.role, machine.by_handover, machine.record));
            canon.add(0, &(machine.held_until.map(|at| at - self.now), machine.told_carrier));
            for (due, job) in &machine.jobs {
                canon.add(local, &(due - self.now.min(*due), job));
            }
            for flight in &machine.inbox {
                self.add_flight(&mut canon, flight);
            }
        }
        for flight in &self.flights {
            self.add_flight(&mut canon, flight);
        }
        for (to, packet) in self.withheld.iter().enumerate() {
            let kept = packet.map(|packet| Flight { due: self.now, to, way: Way::Lan, packet, replay: false });
            if let Some(flight) = kept {
                self.add_flight(&mut canon, &flight);
            }
        }
        canon.add(0, &(self.plays_at.saturating_sub(self.now), self.played));
        canon.add(0, &(&self.net, self.budget, self.close_until.saturating_sub(self.now)));
        for Lasting { kind, ends } in &self.lasting {
            canon.add(0, &(kind, ends - self.now));
        }
        // How long faults may still begin, and what is still to be checked.
        canon.add(0, &(if self.budget > 0 { self.now - self.since } else { 0 }, self.watch.relative(self.now)));
        self.fingerprint = canon.finish();
    }

    fn add_flight(&self, canon: &mut Canon, flight: &Flight) {
        let sender = self.local(1 - flight.to).as_us();
        let bytes = flight.packet.bytes();
        let payload = if flight.way == Way::Cable { bytes.get(cable::HEADER_LEN..).unwrap_or_default() } else { bytes };
        canon.add(0, &(flight.due.saturating_sub(self.now), flight.to, flight.way, flight.replay));
        match Repr::parse(payload, None) {
            Ok(repr) if flight.way != Way::Arp => canon.add(sender, &repr),
            Ok(_) | Err(_) => canon.add(0, &bytes),
        }
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Hash for Pair {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint);
    }
}

impl Debug for Pair {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let machine = |node: usize| {
            let machine = &self.machines[node];
            let daemon = if machine.node.is_none() {
                "dead"
            } else if machine.frozen {
                "frozen"
            } else {
                "running"
            };
            format!("{daemon} {:?} {}", machine.role, if self.bound(node) { "bound" } else { "not bound" })
        };
        let faults: Vec<String> = self.lasting.iter().map(|fault| format!("{:?}", fault.kind)).collect();
        write!(f, "{:>10} us  A {}, B {}, faults {faults:?}", self.now - self.since, machine(A), machine(B))?;
        self.watch.broken.map_or(Ok(()), |promise| write!(f, ", {promise} BROKEN"))
    }
}
