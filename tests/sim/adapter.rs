//! The simulated Linux adapter: carries out outputs in order, reports what became of them, feeds inputs.

use super::MS;
use super::ether::Packet;
use super::machine::{Daemon, Machine, Pending, Waiting};
use super::trace;
use super::world::{Event, PORTS, RoleChange, World, name};
use core::net::Ipv4Addr;
use ucm_ha::fault::Faults;
use ucm_ha::io::{AddressEvent, Command, Input, Output, Port};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::role::Role;
use ucm_ha::types::NetworkMethod;

/// Most outputs one input may cause.
pub(crate) const MAX_OUTPUTS: u32 = 64;
/// Most timer calls per virtual second.
const MAX_WAKEUPS: u32 = 400;

impl World {
    /// The next thing a machine does of its own: drop an address, finish an output, or call the node's timer.
    pub(crate) fn machine_acts(&mut self, node: usize) {
        let now = self.now;
        let machine = &mut self.machines[node];
        if let Some((_, ip)) = machine.kernel.expires().filter(|(gone, _)| *gone <= now) {
            let own = machine.config.cluster_ip.address == ip;
            self.address_goes(node, ip, "its lifetime ran out");
            if own {
                self.give(node, Waiting::Address(AddressEvent::Lost));
            }
        } else if machine.outbox.front().is_some_and(|pending| pending.due <= now) {
            if let Some(pending) = machine.outbox.pop_front() {
                self.carry_out(node, pending);
            }
        } else {
            self.timer_fires(node);
        }
    }

    fn timer_fires(&mut self, node: usize) {
        let now = self.now;
        let machine = &mut self.machines[node];
        let second = now / super::SEC;
        machine.wakeups = if machine.wakeups.0 == second { (second, machine.wakeups.1 + 1) } else { (second, 1) };
        let wakeups = machine.wakeups.1;
        if wakeups > MAX_WAKEUPS {
            self.breaks("timers", || format!("{} asks for more than {MAX_WAKEUPS} calls a second", name(node)));
        }
        self.feed(node, Input::Timeout);
        let machine = &self.machines[node];
        let local = machine.clock.local(now);
        if let Some(deadline) = machine.decider.as_ref().map(|decider| decider.poll_timeout())
            && deadline <= local
        {
            self.breaks("timers", || format!("{} wants {deadline:?} after a timeout at {local:?}", name(node)));
        }
    }

    /// Hands an input to the node and queues what it asks for.
    pub(crate) fn feed(&mut self, node: usize, input: Input<'_>) {
        let machine = &mut self.machines[node];
        let local = machine.clock.local(self.now);
        if let Some(decider) = machine.decider.as_mut() {
            decider.handle(local, input);
            self.drain(node);
        }
    }

    fn drain(&mut self, node: usize) {
        let mut frame = [0; FRAME_CAPACITY];
        let mut outputs = 0;
        while let Some(output) = self.machines[node].decider.as_mut().and_then(|d| d.poll_output(&mut frame)) {
            outputs += 1;
            if outputs > MAX_OUTPUTS {
                self.breaks("outputs", || format!("{} has more than {MAX_OUTPUTS} outputs", name(node)));
                break;
            }
            self.accept(node, output, &frame);
        }
        let late = self.dice.below(self.settings.timer_late_us);
        let machine = &mut self.machines[node];
        if let Some(decider) = machine.decider.as_ref() {
            machine.wake_at = machine.clock.global(decider.poll_timeout()).saturating_add(late);
            // Asking for the status is slow; the role is kept up with the outputs and compared when it changes.
            if outputs > 0 && machine.role != decider.role() {
                let shown = decider.role();
                let known = machine.role;
                self.breaks("outputs", || format!("{} told of role {known:?}, status says {shown:?}", name(node)));
            }
        }
        self.check_wakes(node);
    }

    /// Takes an output from the node: notes it, or queues it behind the earlier ones.
    fn accept(&mut self, node: usize, output: Output, frame: &[u8; FRAME_CAPACITY]) {
        let now = self.now;
        let (latency, len) = match output {
            Output::ReleaseAddress | Output::BindAddress { .. } => (self.dice.below(2 * MS), None),
            Output::RenewAddress { .. } => (self.dice.below(MS), None),
            Output::SendCable { len } | Output::SendLan { len } | Output::SendArp { len } => {
                (self.dice.below(MS / 5), Some(len))
            }
            Output::Persist(_) | Output::StartFullSync | Output::Reboot | Output::Stopped => (0, None),
            Output::RoleChanged { .. } | Output::Alert { .. } | Output::FaultChanged { .. } | Output::SwitchDone(_) => {
                self.told(node, output);
                return;
            }
        };
        let slot = len.map(|len| self.pool.put(Packet::new(&frame[..len])));
        let machine = &mut self.machines[node];
        let after = machine.outbox.back().map_or(now, |last| last.due.max(now));
        machine.outbox.push_back(Pending { due: after + latency, output, slot });
    }

    /// Outputs that only tell.
    fn told(&mut self, node: usize, output: Output) {
        let now = self.now;
        if let Output::RoleChanged { from, to, term, reason } = output {
            let silence_us = now - self.heard[node];
            let change = RoleChange { at: now, node, from, to, reason, silence_us };
            self.check_misset(change);
            if from == to {
                self.log.retold.push(change)
            } else {
                self.log.roles.push(change)
            }
            self.trace.mix(now ^ (to as u64) << 56);
            if self.machines[node].role != from {
                let known = self.machines[node].role;
                self.breaks("outputs", || format!("{} leaves {from:?} but was {known:?}", name(node)));
            }
            self.machines[node].role = to;
            self.machines[node].term = term;
            self.watch.role_changed(to);
        } else if let Output::Alert { alert, raised, mac, ip } = output {
            self.log.alerts.push((now, node, alert, raised));
            if let (true, Some(mac), Some(ip)) = (raised, mac, ip) {
                self.log.named.push((node, alert, mac, ip));
            }
        } else if let Output::FaultChanged { faults, raised } = output {
            self.log.faults.push((now, node, faults, raised));
        } else if let Output::SwitchDone(result) = output {
            self.log.switches.push((now, node, result));
        }
        let silent = now - self.heard[node];
        self.trace.story(now, || format!("{} {output:?} (heard {} us ago)", name(node), silent));
    }

    fn carry_out(&mut self, node: usize, pending: Pending) {
        let now = self.now;
        let local = self.machines[node].clock.local(now);
        let ip = self.machines[node].config.cluster_ip.address;
        match pending.output {
            Output::ReleaseAddress => {
                self.address_goes(node, ip, "released");
                self.feed(node, Input::Address(AddressEvent::Released));
            }
            Output::BindAddress { valid_s, before } => {
                let done = local < before && self.machines[node].bind_fails == 0;
                if done {
                    self.address_stays(node, valid_s);
                } else {
                    self.trace.story(now, || format!("{} cannot bind", name(node)));
                }
                self.feed(node, Input::Address(if done { AddressEvent::Held } else { AddressEvent::Failed }));
            }
            Output::RenewAddress { valid_s, before } => {
                if !self.machines[node].kernel.holds(ip) {
                    self.feed(node, Input::Address(AddressEvent::Lost));
                } else if local < before {
                    self.address_stays(node, valid_s);
                }
            }
            Output::SendCable { .. } | Output::SendLan { .. } | Output::SendArp { .. } => self.transmit(node, pending),
            Output::Persist(record) => {
                let machine = &mut self.machines[node];
                machine.write += 1;
                let (write, life) = (machine.write, machine.life);
                if machine.persist_fails == 0 {
                    // The disk may have it before the write is confirmed; a cut in between leaves either record.
                    machine.record = if self.dice.percent(50) { record } else { machine.record };
                    machine.writing = record;
                }
                let delay = self.dice.between(MS, 50 * MS);
                self.after(delay, Event::WriteEnds { node, write, life });
            }
            Output::StartFullSync => {
                self.log.syncs.push((now, node));
                let life = self.machines[node].life;
                let delay = self.dice.between(self.settings.sync_us / 2, self.settings.sync_us);
                self.after(delay, Event::SyncEnds { node, life });
            }
            Output::Reboot => self.reboot(node),
            Output::Stopped => {
                self.log.stopped.push((now, node));
                self.trace.story(now, || format!("{} stopped", name(node)));
                self.end_daemon(node);
            }
            Output::RoleChanged { .. } | Output::Alert { .. } | Output::FaultChanged { .. } | Output::SwitchDone(_) => {
                unreachable!("told at once")
            }
        }
    }

    fn address_stays(&mut self, node: usize, valid_s: u32) {
        let late = self.dice.below(self.settings.expiry_late_us);
        let Machine { kernel, config, .. } = &mut self.machines[node];
        let ip = config.cluster_ip.address;
        if !kernel.holds(ip) {
            self.log.addresses.push((self.now, node, true));
            self.trace.mix(self.now);
            self.trace.story(self.now, || format!("{} kernel: {ip} bound for {valid_s} s", name(node)));
            self.watch.dirty = true;
        }
        kernel.bind(ip, self.now, valid_s, late);
    }

    /// Removes an address from the kernel, if it is there.
    pub(crate) fn address_goes(&mut self, node: usize, ip: Ipv4Addr, why: &str) {
        if self.machines[node].kernel.release(ip) {
            self.log.addresses.push((self.now, node, false));
            self.trace.mix(self.now + 1);
            self.trace.story(self.now, || format!("{} kernel: {ip} gone: {why}", name(node)));
            self.watch.dirty = true;
        }
    }

    /// An adapter learns of carrier.
    pub(crate) fn link_seen(&mut self, node: usize, port: u8, life: u32) {
        let machine = &self.machines[node];
        if machine.life == life && machine.running() {
            self.tell_link(node, PORTS[usize::from(port)]);
        }
    }

    /// An adapter learns whether the static address is there.
    pub(crate) fn own_address_seen(&mut self, node: usize, life: u32) {
        let machine = &self.machines[node];
        if machine.life == life && machine.running() {
            self.tell_own_address(node);
        }
    }

    fn tell_own_address(&mut self, node: usize) {
        let present = self.net.own_address(node);
        self.trace
            .story(self.now, || format!("{} static address {}", name(node), if present { "there" } else { "lost" }));
        self.feed(node, Input::OwnAddress { present });
    }

    fn tell_link(&mut self, node: usize, port: Port) {
        let watched = port != Port::Wan || self.machines[node].config.network_method == NetworkMethod::Router;
        if watched {
            let up = self.net.carrier(node, port);
            self.trace
                .story(self.now, || format!("{} {port:?} carrier {}", name(node), if up { "up" } else { "down" }));
            self.feed(node, Input::Link { port, up });
        }
    }

    /// A write ends; only the newest one is reported.
    pub(crate) fn write_ends(&mut self, node: usize, write: u32, life: u32) {
        let machine = &mut self.machines[node];
        if machine.life == life && machine.daemon != Daemon::Dead && machine.write == write {
            let saved = machine.persist_fails == 0;
            if saved {
                machine.record = machine.writing;
            }
            self.give(node, Waiting::Persisted(saved));
        }
    }

    /// A synchronisation ends.
    pub(crate) fn sync_ends(&mut self, node: usize, life: u32) {
        if self.machines[node].life == life {
            self.give(node, Waiting::SyncDone(true));
        }
    }

    /// The FXO ports were looked at for as long as a fault takes to be raised.
    pub(crate) fn fxo_known(&mut self, node: usize, life: u32) {
        if self.machines[node].life == life {
            let faults = self.machines[node].faults.intersection(Faults::FXO);
            self.give(node, Waiting::Fault(faults, true));
            self.give(node, Waiting::FxoUnknown(false));
        }
    }

    /// The operator acts.
    pub(crate) fn command(&mut self, node: usize, command: Command) {
        self.trace.story(self.now, || format!("--- command to {}: {command:?}", name(node)));
        self.watch.disturbed(0);
        self.give(node, Waiting::Command(command));
    }

    /// Raises or clears a fault the node is told of.
    pub(crate) fn set_self_fault(&mut self, node: usize, faults: Faults, on: bool) {
        self.machines[node].faults.set(faults, on);
        self.give(node, Waiting::Fault(faults, on));
    }

    /// Gives an input to the daemon: now, at thaw, or never.
    pub(crate) fn give(&mut self, node: usize, waiting: Waiting) {
        match self.machines[node].daemon {
            Daemon::Running => self.take(node, waiting),
            Daemon::Frozen => self.hold(node, waiting),
            Daemon::Dead => self.discard(waiting),
        }
    }

    /// Hands over an input that is due.
    pub(crate) fn take(&mut self, node: usize, waiting: Waiting) {
        match waiting {
            Waiting::Cable(slot) => {
                let packet = self.pool.take(slot);
                self.feed(node, Input::CableFrame(packet.bytes()));
            }
            Waiting::Udp(source, slot) => {
                let packet = self.pool.take(slot);
                self.feed(node, Input::LanDatagram { source, payload: packet.bytes() });
            }
            Waiting::Arp(slot) => {
                let packet = self.pool.take(slot);
                self.feed(node, Input::ArpFrame(packet.bytes()));
            }
            Waiting::Address(event) => self.feed(node, Input::Address(event)),
            Waiting::Fault(faults, raised) => self.feed(node, Input::Fault { faults, raised }),
            Waiting::FxoUnknown(unknown) => self.feed(node, Input::FaultUnknown { faults: Faults::FXO, unknown }),
            Waiting::Command(command) => self.feed(node, Input::Command(command)),
            Waiting::Persisted(saved) => self.feed(node, Input::Persisted { saved }),
            Waiting::SyncDone(complete) => self.feed(node, Input::SyncDone { generation: 1, complete }),
        }
    }

    /// Tells a daemon all carriers.
    pub(crate) fn tell_links(&mut self, node: usize) {
        self.tell_own_address(node);
        for port in PORTS {
            self.tell_link(node, port);
        }
    }

    /// After a start or a thaw: the first look at everything.
    pub(crate) fn first_outputs(&mut self, node: usize) {
        self.drain(node);
    }

    /// Notes a daemon's new role where no output told of it: at its start and its end.
    pub(crate) fn role_known(&mut self, node: usize, role: Role) {
        self.machines[node].role = role;
        self.watch.dirty = true;
    }

    /// A broken promise; the first one counts.
    pub(crate) fn breaks(&mut self, promise: &'static str, what: impl FnOnce() -> String) {
        if self.watch.broken.is_none() {
            let text = format!("{promise} broken at {}: {}", trace::moment(self.now), what());
            self.trace.story(self.now, || format!("*** {text}"));
            self.watch.broken = Some((promise, text));
        }
    }
}
