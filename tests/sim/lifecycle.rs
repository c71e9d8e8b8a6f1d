//! Daemons that start, freeze and die; machines that lose power and boot.

use super::clock::Clock;
use super::machine::{Daemon, Waiting};
use super::stations::{CLUSTER_IP, OTHER_CLUSTER_IP};
use super::world::{Event, World, name};
use super::{MS, SEC, Us};
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;

/// From the order to restart to the start of the daemon.
pub(crate) const RESTART_US: Us = 10 * MS;

impl World {
    /// Starts a daemon, if its machine has power and nothing forbids it.
    pub(crate) fn start_daemon(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.daemon != Daemon::Dead || machine.killed > 0 || !self.net.powered(node) {
            return;
        }
        let boot_id = self.dice.id();
        let local = machine.clock.local(self.now);
        let decider = (self.factory)(machine.config, machine.record, boot_id, local);
        let role = decider.role();
        machine.life += 1;
        machine.daemon = Daemon::Running;
        machine.decider = Some(decider);
        let faults = machine.faults;
        self.heard[node] = self.now;
        self.heard_since = [self.now; 2];
        self.trace.story(self.now, || format!("{} daemon starts, boot id {boot_id:08x}", name(node)));
        self.role_known(node, role);
        self.first_outputs(node);
        self.tell_links(node);
        let told_at_once = faults.difference(Faults::FXO);
        if !told_at_once.is_empty() {
            self.take(node, Waiting::Fault(told_at_once, true));
        }
        self.take(node, Waiting::FxoUnknown(true));
        let life = self.machines[node].life;
        self.after(self.settings.fxo_known_us, Event::FxoKnown { node, life });
        self.topology_changed();
    }

    /// Ends a daemon; the kernel keeps its address.
    pub(crate) fn end_daemon(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.daemon = Daemon::Dead;
        machine.decider = None;
        machine.wake_at = Us::MAX;
        let outbox = core::mem::take(&mut machine.outbox);
        let inbox = core::mem::take(&mut machine.inbox);
        for slot in outbox.into_iter().filter_map(|pending| pending.slot) {
            self.pool.take(slot);
        }
        for waiting in inbox {
            self.discard(waiting);
        }
        self.role_known(node, Role::Init);
        self.topology_changed();
    }

    /// Drops an input that nobody takes.
    pub(crate) fn discard(&mut self, waiting: Waiting) {
        if let Waiting::Cable(slot) | Waiting::Udp(_, slot) | Waiting::Arp(slot) = waiting {
            self.pool.take(slot);
        }
    }

    /// Kills the daemon, or lets it start again.
    pub(crate) fn set_killed(&mut self, node: usize, on: bool) {
        if on {
            self.machines[node].killed += 1;
            self.end_daemon(node);
        } else {
            self.machines[node].killed -= 1;
            self.after(RESTART_US, Event::DaemonStarts { node });
        }
    }

    /// Freezes the daemon, or lets it go on. A daemon that starts meanwhile is not frozen.
    pub(crate) fn set_frozen(&mut self, node: usize, on: bool) {
        let machine = &mut self.machines[node];
        if on {
            machine.frozen += 1;
            if machine.running() {
                machine.daemon = Daemon::Frozen;
            }
        } else {
            machine.frozen -= 1;
            if machine.frozen == 0 && machine.daemon == Daemon::Frozen {
                self.thaw(node);
            }
        }
        self.topology_changed();
    }

    /// The daemon goes on. What its event loop looks at first is not defined, so every order is tried.
    fn thaw(&mut self, node: usize) {
        self.machines[node].daemon = Daemon::Running;
        let mut inbox = core::mem::take(&mut self.machines[node].inbox);
        match self.dice.below(3) {
            0 => self.feed(node, ucm_ha::Input::Timeout),
            1 => inbox.sort_by_key(|waiting| !matches!(waiting, Waiting::Address(_))),
            _ => inbox.sort_by_key(|waiting| match waiting {
                Waiting::Arp(_) => 0,
                Waiting::Udp(..) => 1,
                Waiting::Cable(_) => 2,
                Waiting::Address(_)
                | Waiting::Fault(..)
                | Waiting::FxoUnknown(_)
                | Waiting::Command(_)
                | Waiting::Persisted(_)
                | Waiting::SyncDone(_) => 3,
            }),
        }
        self.tell_links(node);
        for waiting in inbox {
            if matches!(waiting, Waiting::Cable(_) | Waiting::Udp(..)) {
                self.heard[node] = self.now;
            }
            // A fed input can end the daemon.
            self.give(node, waiting);
        }
    }

    /// Keeps an input for a frozen daemon, as its sockets do: what finds them full is lost.
    pub(crate) fn hold(&mut self, node: usize, waiting: Waiting) {
        let full = self.settings.socket_frames;
        let inbox = &mut self.machines[node].inbox;
        let same = |other: &&Waiting| core::mem::discriminant(*other) == core::mem::discriminant(&waiting);
        let socket = matches!(waiting, Waiting::Cable(_) | Waiting::Udp(..) | Waiting::Arp(_));
        if socket && inbox.iter().filter(same).count() >= full {
            self.discard(waiting);
        } else {
            inbox.push(waiting);
        }
    }

    /// Takes a machine's power away, or gives it back: it boots.
    pub(crate) fn set_power_off(&mut self, node: usize, on: bool) {
        if on {
            self.net.power_off[node] += 1;
            self.end_daemon(node);
            for ip in [CLUSTER_IP, OTHER_CLUSTER_IP] {
                self.address_goes(node, ip, "no power");
            }
        } else {
            self.net.power_off[node] -= 1;
            if self.net.powered(node) {
                let offset = self.dice.between(SEC, 5 * SEC);
                self.machines[node].clock = Clock::new(self.now, offset, self.settings.rate_ppm[node]);
                self.trace.story(self.now, || format!("{} boots", name(node)));
                self.after(self.settings.daemon_start_us, Event::DaemonStarts { node });
            }
        }
        self.tell_carriers();
        self.topology_changed();
    }

    /// Reboots a machine, where that is configured.
    pub(crate) fn reboot(&mut self, node: usize) {
        self.log.reboots.push((self.now, node));
        let Some(span) = self.settings.reboot_us else {
            self.trace.story(self.now, || format!("{} would reboot, but no command is configured", name(node)));
            return;
        };
        self.trace.story(self.now, || format!("{} reboots", name(node)));
        self.set_power_off(node, true);
        self.after(span, Event::RebootEnds { node });
    }
}
