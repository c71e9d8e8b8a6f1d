//! What happens next, and what it does to the two machines.

use super::pair::{
    ADDRESS_US, Flight, Job, Lasting, Machine, Pair, RESTART_US, SOCKET_FRAMES, SYNC_US, TRIP_US, WRITE_US, Way,
};
use super::scope::Scope;
use crate::sim::ether::{Arp, Packet};
use crate::sim::faults::Kind;
use crate::sim::recorder::{Tactic, Tape, lie};
use crate::sim::stations::{CLUSTER_IP, FOREIGN, GATEWAY, GATEWAY_IP, GATEWAY_MAC, NODE_IP, NODE_MAC};
use crate::sim::{A, B, MS, SEC, Us};
use ucm_ha::event::RoleReason;
use ucm_ha::io::{AddressEvent, Command, Input, Output, Port};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::role::Role;
use ucm_ha::{Instant, Node};

/// From power to the start of the daemon.
const BOOT_US: Us = SEC;
/// After a change of a role everything is looked at closely for so long.
const CLOSE_US: Us = 30 * MS;
/// The recorder on the LAN plays a frame to each node so often.
const REPLAY_EVERY_US: Us = 130 * MS;
const PORTS: [Port; 2] = [Port::Cable, Port::Lan];

/// The next event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Next {
    FaultEnds(usize),
    Expiry(usize),
    Arrival(usize),
    Job(usize),
    Timer(usize),
    Replay,
    Never,
}

impl Pair {
    /// The next event and its time.
    pub(super) fn next(&self) -> (Us, Next) {
        let faults = self.lasting.iter().enumerate().map(|(index, fault)| (fault.ends, Next::FaultEnds(index)));
        let flights = self.flights.iter().enumerate().map(|(index, flight)| (flight.due, Next::Arrival(index)));
        let machines = self.machines.iter().enumerate().flat_map(|(node, machine)| {
            let job = machine.jobs.front().filter(|_| machine.node.is_none() || !machine.frozen);
            [
                (machine.held_until.unwrap_or(Us::MAX), Next::Expiry(node)),
                (job.map_or(Us::MAX, |(due, _)| *due), Next::Job(node)),
                (machine.wake_at(), Next::Timer(node)),
            ]
        });
        let replay = core::iter::once((self.plays_at, Next::Replay));
        let (at, next) = faults.chain(flights).chain(machines).chain(replay).min().unwrap_or((Us::MAX, Next::Never));
        (at.max(self.now), next)
    }

    /// Lets the next event happen.
    pub(super) fn happen(&mut self, scope: &Scope) {
        let (at, next) = self.next();
        self.now = at;
        match next {
            Next::FaultEnds(index) => {
                let fault = self.lasting.swap_remove(index);
                self.set(scope, &fault.kind, false);
            }
            Next::Expiry(node) => {
                self.machines[node].held_until = None;
                self.feed_later(scope, node, Input::Address(AddressEvent::Lost));
            }
            Next::Arrival(index) => {
                let flight = self.flights.remove(index);
                self.arrive(scope, flight);
            }
            Next::Job(node) => {
                if let Some((_, job)) = self.machines[node].jobs.pop_front() {
                    self.work(scope, node, job);
                }
            }
            Next::Timer(node) => self.feed(scope, node, Input::Timeout),
            Next::Replay => self.replay(scope),
            Next::Never => {}
        }
        self.check(&scope.settings);
    }

    /// The recorder plays a frame of an earlier boot to each node, and lies.
    fn replay(&mut self, scope: &Scope) {
        let tactics: Vec<Tactic> = self.recorders().copied().collect();
        self.plays_at = if tactics.is_empty() { Us::MAX } else { self.now + REPLAY_EVERY_US };
        self.played = (self.played + 1) % 3;
        for to in [A, B] {
            if !self.net.lan_passes(FOREIGN, to) {
                continue;
            }
            let packet = scope.recorded[to].get(usize::from(self.played)).copied();
            if let Some(packet) = packet.filter(|_| tactics.iter().any(|tactic| tactic.plays == Tape::Old)) {
                self.flights.push(Flight { due: self.now, to, way: Way::Lan, packet, replay: true });
            }
            for tactic in &tactics {
                let lies = [
                    (tactic.is_peer, NODE_IP[1 - to]),
                    (tactic.is_gateway, GATEWAY_IP),
                    (tactic.is_cluster, CLUSTER_IP),
                ];
                for (_, ip) in lies.into_iter().filter(|(lies, _)| *lies) {
                    self.fly(to, Way::Arp, lie(to, ip), 0);
                }
            }
        }
    }

    fn recorders(&self) -> impl Iterator<Item = &Tactic> {
        self.lasting.iter().filter_map(|fault| match &fault.kind {
            Kind::Recorder(tactic) => Some(tactic),
            _ => None,
        })
    }

    /// What was kept from arriving arrives.
    fn play_withheld(&mut self) {
        for to in [A, B] {
            if let Some(packet) = self.withheld[to].take().filter(|_| self.net.lan_passes(FOREIGN, to)) {
                self.fly(to, Way::Lan, packet, TRIP_US);
            }
        }
    }

    /// Begins or ends a fault, or does what an operator does.
    fn set(&mut self, scope: &Scope, kind: &Kind, on: bool) {
        self.net.set(kind, on);
        match *kind {
            Kind::DaemonKilled { node } if on => self.end_daemon(node),
            Kind::DaemonKilled { node } => self.plan(node, RESTART_US, Job::Start),
            Kind::DaemonFrozen { node } if on => self.machines[node].frozen = self.machines[node].node.is_some(),
            Kind::DaemonFrozen { node } => self.thaw(scope, node),
            Kind::PowerLost { node } if on => {
                self.end_daemon(node);
                self.machines[node].held_until = None;
                self.net.power_off[node] += 1;
            }
            Kind::PowerLost { node } => {
                self.net.power_off[node] -= 1;
                self.plan(node, BOOT_US, Job::Start);
            }
            Kind::Recorder(_) if on => self.plays_at = self.now,
            Kind::Recorder(_) => self.play_withheld(),
            Kind::SelfFault { node, faults } => self.feed_later(scope, node, Input::Fault { faults, raised: on }),
            _ => {}
        }
        for node in [A, B] {
            self.tell_carriers(scope, node, false);
        }
        self.check(&scope.settings);
    }

    /// A fault begins, for `span`.
    pub(super) fn begin(&mut self, scope: &Scope, kind: &Kind, span: Us) {
        self.lasting.push(Lasting { kind: kind.clone(), ends: self.now + span });
        self.set(scope, kind, true);
    }

    /// The operator tells the active to switch.
    pub(super) fn force_switch(&mut self, scope: &Scope) {
        self.close_until = self.now + CLOSE_US;
        for node in [A, B] {
            if self.active(node) {
                self.feed(scope, node, Input::Command(Command::ForceSwitch));
            }
        }
    }

    fn plan(&mut self, node: usize, delay: Us, job: Job) {
        // In order, as the adapter's queue is.
        let jobs = &mut self.machines[node].jobs;
        let due = jobs.back().map_or(0, |(due, _)| *due).max(self.now + delay);
        jobs.push_back((due, job));
    }

    fn end_daemon(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.node = None;
        machine.frozen = false;
        machine.role = Role::Init;
        machine.jobs.clear();
        machine.inbox.clear();
    }

    fn start_daemon(&mut self, scope: &Scope, node: usize) {
        if self.machines[node].node.is_some() || !self.net.powered(node) || self.is_killed(node) {
            return;
        }
        let local = self.local(node);
        let machine = &mut self.machines[node];
        machine.boots += 1;
        let boot_id = 16 * (node as u32 + 1) + u32::from(machine.boots);
        let decider = Node::new(scope.settings.config(node), machine.record, boot_id, local);
        machine.node = Some(decider.expect("the model's settings are valid"));
        machine.role = Role::Init;
        self.drain(scope, node);
        self.tell_carriers(scope, node, true);
    }

    fn is_killed(&self, node: usize) -> bool {
        self.lasting.iter().any(|fault| fault.kind == Kind::DaemonKilled { node })
    }

    /// The daemon goes on: it looks at its timers first, and then at its sockets.
    fn thaw(&mut self, scope: &Scope, node: usize) {
        let again = self.lasting.iter().any(|fault| fault.kind == Kind::DaemonFrozen { node });
        if !self.machines[node].frozen || again {
            return;
        }
        self.machines[node].frozen = false;
        if scope.sockets_first {
            self.read_sockets(scope, node);
            self.feed(scope, node, Input::Timeout);
        } else {
            self.feed(scope, node, Input::Timeout);
            self.read_sockets(scope, node);
        }
        if self.machines[node].held_until.is_none() {
            self.feed(scope, node, Input::Address(AddressEvent::Lost));
        }
        self.tell_carriers(scope, node, true);
    }

    fn read_sockets(&mut self, scope: &Scope, node: usize) {
        for flight in core::mem::take(&mut self.machines[node].inbox) {
            self.hand_in(scope, &flight);
        }
    }

    fn tell_carriers(&mut self, scope: &Scope, node: usize, all: bool) {
        for (number, port) in PORTS.into_iter().enumerate() {
            let up = self.net.carrier(node, port);
            let known = core::mem::replace(&mut self.machines[node].told_carrier[number], up);
            if all || known != up {
                self.feed_later(scope, node, Input::Link { port, up });
            }
        }
    }

    /// Hands in what a frozen daemon asks for again when it goes on.
    fn feed_later(&mut self, scope: &Scope, node: usize, input: Input<'_>) {
        if self.machines[node].running() {
            self.feed(scope, node, input);
        }
    }

    pub(super) fn feed(&mut self, scope: &Scope, node: usize, input: Input<'_>) {
        let local = self.local(node);
        if let Some(decider) = self.machines[node].node.as_mut() {
            decider.handle(local, input);
            self.drain(scope, node);
        }
    }

    fn drain(&mut self, scope: &Scope, node: usize) {
        let mut frame = [0; FRAME_CAPACITY];
        while let Some(output) = self.machines[node].node.as_mut().and_then(|decider| decider.poll_output(&mut frame)) {
            match output {
                Output::SendCable { len } => self.send(node, Way::Cable, &frame[..len]),
                Output::SendLan { len } => self.send(node, Way::Lan, &frame[..len]),
                Output::SendArp { len } => self.send_arp(node, &Packet::new(&frame[..len])),
                Output::BindAddress { .. } | Output::ReleaseAddress => self.plan(node, ADDRESS_US, Job::Carry(output)),
                Output::RenewAddress { valid_s, .. } => self.renew(scope, node, valid_s),
                Output::Persist(record) => self.plan(node, WRITE_US, Job::Written(record)),
                Output::StartFullSync => self.plan(node, SYNC_US, Job::Synced),
                Output::RoleChanged { to, reason, .. } => self.role_changed(node, to, reason),
                // The machine goes on without the reboot that a fault of its own asks for.
                Output::Reboot
                | Output::Alert { .. }
                | Output::FaultChanged { .. }
                | Output::SwitchDone(_)
                | Output::Stopped => {}
            }
        }
    }

    fn role_changed(&mut self, node: usize, to: Role, reason: RoleReason) {
        let handover = matches!(reason, RoleReason::ForcedSwitch | RoleReason::SelfFault | RoleReason::Shutdown);
        self.machines[node].role = to;
        self.close_until = self.now + CLOSE_US;
        if to == Role::Claiming {
            self.machines[node].by_handover = handover;
        } else if to == Role::Active && self.since > 0 {
            self.watch.handed_over |= handover;
            self.watch.came_back |= reason == RoleReason::PeerRefused;
            self.watch.taken_over |= matches!(reason, RoleReason::PeerSilent | RoleReason::PeerGone);
        }
    }

    fn renew(&mut self, scope: &Scope, node: usize, valid_s: u32) {
        match self.machines[node].held_until {
            Some(_) => self.hold(node, valid_s),
            None => self.feed(scope, node, Input::Address(AddressEvent::Lost)),
        }
    }

    fn hold(&mut self, node: usize, valid_s: u32) {
        self.binds(node);
        self.machines[node].held_until = Some(self.now + Us::from(valid_s) * SEC + 100 * MS);
    }

    fn work(&mut self, scope: &Scope, node: usize, job: Job) {
        match job {
            Job::Carry(Output::BindAddress { valid_s, before }) => {
                let in_time: bool = self.local(node) < Instant::max(before, Instant::ZERO);
                if in_time {
                    self.hold(node, valid_s);
                }
                let event = if in_time { AddressEvent::Held } else { AddressEvent::Failed };
                self.feed(scope, node, Input::Address(event));
            }
            Job::Carry(_) => {
                self.machines[node].held_until = None;
                self.feed(scope, node, Input::Address(AddressEvent::Released));
            }
            Job::Written(record) => {
                self.machines[node].record = record;
                self.feed(scope, node, Input::Persisted { saved: true });
            }
            Job::Synced => self.feed(scope, node, Input::SyncDone { generation: 1, complete: true }),
            Job::Start => self.start_daemon(scope, node),
        }
    }

    fn send(&mut self, from: usize, way: Way, bytes: &[u8]) {
        let passes = match way {
            Way::Cable => self.net.cable_passes(from),
            Way::Lan | Way::Arp => self.net.udp_passes(from),
        };
        if way == Way::Lan && self.net.lan_passes(from, FOREIGN) && self.recorders().any(|tactic| tactic.withholds) {
            self.withheld[1 - from] = Some(Packet::new(bytes));
        } else if passes {
            self.fly(1 - from, way, Packet::new(bytes), TRIP_US);
        }
    }

    fn fly(&mut self, to: usize, way: Way, packet: Packet, delay: Us) {
        self.flights.push(Flight { due: self.now + delay, to, way, packet, replay: false });
    }

    /// An ARP frame of a node: the gateway answers, and the other node's kernel when it gets there.
    fn send_arp(&mut self, from: usize, packet: &Packet) {
        let Some(arp) = Arp::parse(packet.bytes()) else { return };
        let gateway = self.net.lan_passes(from, GATEWAY) && self.net.lan_passes(GATEWAY, from);
        if arp.request && arp.target_ip == GATEWAY_IP && gateway {
            self.fly(from, Way::Arp, arp.answer(GATEWAY_MAC).emit(), 2 * TRIP_US);
        }
        if self.net.lan_passes(from, 1 - from) {
            self.fly(1 - from, Way::Arp, packet.padded(), TRIP_US);
        }
    }

    fn arrive(&mut self, scope: &Scope, flight: Flight) {
        let node = flight.to;
        if flight.way == Way::Arp {
            self.answer_arp(node, &flight.packet);
        }
        let Machine { node: decider, frozen, inbox, .. } = &mut self.machines[node];
        if decider.is_none() {
            return;
        }
        if *frozen {
            if inbox.iter().filter(|other| other.way == flight.way).count() < SOCKET_FRAMES {
                inbox.push(flight);
            }
            return;
        }
        self.hand_in(scope, &flight);
    }

    fn answer_arp(&mut self, node: usize, packet: &Packet) {
        let Some(arp) = Arp::parse(packet.bytes()) else { return };
        let mine = arp.target_ip == NODE_IP[node] || (arp.target_ip == CLUSTER_IP && self.bound(node));
        let asked = arp.request && arp.sender_ip != arp.target_ip && mine && self.net.powered(node);
        if asked && arp.sender_mac == NODE_MAC[1 - node] && self.net.lan_passes(node, 1 - node) {
            self.fly(1 - node, Way::Arp, arp.answer(NODE_MAC[node]).emit(), TRIP_US);
        }
    }

    fn hand_in(&mut self, scope: &Scope, flight: &Flight) {
        let node = flight.to;
        let bytes = flight.packet.bytes();
        let input = match flight.way {
            Way::Cable => Input::CableFrame(bytes),
            Way::Lan => Input::LanDatagram { source: NODE_IP[1 - node], payload: bytes },
            Way::Arp => Input::ArpFrame(bytes),
        };
        let without = flight.replay.then(|| self.role_without(node)).flatten();
        self.feed(scope, node, input);
        // S6: a frame that is heard twice does what no frame would do.
        if without.is_some_and(|role| role != self.machines[node].role) {
            self.breaks("S6");
        }
    }

    /// The role the node would have now if nothing had come.
    fn role_without(&self, node: usize) -> Option<Role> {
        let mut alone = self.machines[node].node.clone()?;
        alone.handle(self.local(node), Input::Timeout);
        Some(alone.role())
    }
}
