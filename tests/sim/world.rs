//! The event loop: virtual time, the queue, and who acts next.

use super::attacker::Attacker;
use super::clock::Clock;
use super::dice::Dice;
use super::ether::{Pool, Slot};
use super::faults::Fault;
use super::invariants::Watch;
use super::link::Net;
use super::machine::{Factory, Machine, real_node};
use super::recorder::Recorder;
use super::settings::Settings;
use super::stations::Phone;
use super::third::Third;
use super::trace::Trace;
use super::wakes::Wakes;
use super::{A, B, MS, SEC, Us};
use core::cmp::Reverse;
use core::net::Ipv4Addr;
use std::collections::BinaryHeap;
use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::fault::Faults;
use ucm_ha::io::{Command, Port};
use ucm_ha::role::Role;
use ucm_ha::types::MacAddr;

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A frame reaches a node's heartbeat port; `forged` when the attacker sent it.
    CableArrives { to: usize, slot: Slot, forged: bool },
    /// A frame reaches the node of another pair.
    ThirdHears { life: u32, slot: Slot },
    /// That node wants to be called.
    ThirdWakes { life: u32 },
    /// A datagram reaches a node's LAN port.
    UdpArrives { to: usize, source: Ipv4Addr, slot: Slot, forged: bool },
    /// An ARP frame reaches a station.
    ArpArrives { to: usize, slot: Slot },
    /// A node's adapter learns of a port's carrier.
    LinkSeen { node: usize, port: u8, life: u32 },
    /// A node's adapter learns whether its static address is there.
    OwnAddressSeen { node: usize, life: u32 },
    /// A write ends.
    WriteEnds { node: usize, write: u32, life: u32 },
    /// A full synchronisation ends.
    SyncEnds { node: usize, life: u32 },
    /// A node's adapter has looked at its FXO ports for long enough.
    FxoKnown { node: usize, life: u32 },
    /// A fault begins or ends.
    Fault { index: usize, on: bool },
    /// A daemon starts, if it may.
    DaemonStarts { node: usize },
    /// A reboot is over.
    RebootEnds { node: usize },
    /// The operator asks whichever node is active to switch.
    SwitchActive,
    /// The attacker sends something.
    AttackerActs,
    /// The recorder on the LAN plays a frame to each node.
    RecorderPlays,
    /// It says whose addresses it has.
    RecorderLies,
    /// The pair has been undisturbed for the given time since `calm`.
    Deadline { calm: u32, serving: bool },
    /// Nothing may have changed for long.
    AvailableAgain { changes: u32 },
}

/// Ports by their number in [`Event::LinkSeen`].
pub(crate) const PORTS: [Port; 3] = [Port::Cable, Port::Lan, Port::Wan];

/// A role change as the adapter was told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoleChange {
    pub(crate) at: Us,
    pub(crate) node: usize,
    pub(crate) from: Role,
    pub(crate) to: Role,
    pub(crate) reason: RoleReason,
    /// How long the node had heard nothing authentic.
    pub(crate) silence_us: Us,
}

/// What the nodes told their operators in a run.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) roles: Vec<RoleChange>,
    /// Roles that were told again and did not change.
    pub(crate) retold: Vec<RoleChange>,
    pub(crate) alerts: Vec<(Us, usize, Alert, bool)>,
    /// The station and the address of each alert that was raised, where it has both.
    pub(crate) named: Vec<(usize, Alert, MacAddr, Ipv4Addr)>,
    pub(crate) switches: Vec<(Us, usize, Result<(), SwitchRefusal>)>,
    pub(crate) stopped: Vec<(Us, usize)>,
    /// Faults of a node, one at a time, raised or cleared.
    pub(crate) faults: Vec<(Us, usize, Faults, bool)>,
    pub(crate) reboots: Vec<(Us, usize)>,
    pub(crate) syncs: Vec<(Us, usize)>,
    /// The kernel's address, from and to.
    pub(crate) addresses: Vec<(Us, usize, bool)>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) now: Us,
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) machines: [Machine; 2],
    pub(crate) net: Net,
    pub(crate) phone: Phone,
    /// Whether the stranger holds the cluster IP.
    pub(crate) foreign: bool,
    pub(crate) attacker: Attacker,
    pub(crate) recorder: Recorder,
    /// A node of another pair on the heartbeat segment.
    pub(crate) third: Option<Third>,
    /// Number of third stations so far: what belongs to an earlier one is void.
    pub(crate) third_life: u32,
    /// Since when each node has heard the other without a long gap.
    pub(crate) heard_since: [Us; 2],
    pub(crate) watch: Watch,
    pub(crate) trace: Trace,
    pub(crate) log: Log,
    /// When each node was last handed an authentic frame.
    pub(crate) heard: [Us; 2],
    /// Carrier as the adapters were, or will be, told.
    pub(crate) told_carrier: [[bool; 3]; 2],
    /// Static addresses, the same.
    pub(crate) told_own_address: [bool; 2],
    pub(crate) dice: Dice,
    pub(crate) wakes: Wakes,
    pub(crate) pool: Pool,
    pub(crate) factory: Factory,
    queue: BinaryHeap<Reverse<(Us, u64, Event)>>,
    queued: u64,
}

impl World {
    /// A world with real nodes in which the faults will happen.
    pub(crate) fn new(seed: u64, settings: Settings, faults: Vec<Fault>, trace: Trace) -> Self {
        Self::with(seed, settings, faults, trace, real_node)
    }

    /// The same with other deciders.
    pub(crate) fn with(seed: u64, settings: Settings, faults: Vec<Fault>, trace: Trace, factory: Factory) -> Self {
        let mut dice = Dice::new(seed, 1);
        let mut machine = |node: usize| {
            let offset = dice.between(SEC, 1_000_000 * SEC);
            Machine::new(settings.config(node), Clock::new(0, offset, settings.rate_ppm[node]))
        };
        let machines = [machine(A), machine(B)];
        let mut world = Self {
            now: 0,
            seed,
            machines,
            net: Net::default(),
            phone: Phone::default(),
            foreign: false,
            attacker: Attacker::new(&faults),
            recorder: Recorder::new(&faults),
            third: None,
            third_life: 0,
            heard_since: [0; 2],
            watch: Watch::new(&settings),
            trace,
            log: Log::default(),
            heard: [0; 2],
            told_carrier: [[true; 3]; 2],
            told_own_address: [true; 2],
            dice,
            wakes: Wakes::new(seed),
            pool: Pool::default(),
            factory,
            queue: BinaryHeap::new(),
            queued: 0,
            settings,
            faults: Vec::new(),
        };
        for node in [A, B] {
            world.at(world.settings.boot_at[node], Event::DaemonStarts { node });
        }
        for fault in faults {
            world.plan(fault);
        }
        if let Some(neighbour) = world.settings.neighbour {
            world.set_third(neighbour, true);
        }
        world
    }

    /// Adds a fault that lies in the future.
    pub(crate) fn plan(&mut self, fault: Fault) {
        let index = self.faults.len();
        self.at(fault.from, Event::Fault { index, on: true });
        if fault.to != Us::MAX {
            self.at(fault.to, Event::Fault { index, on: false });
        }
        self.faults.push(fault);
    }

    /// Queues an event; what is queued first for one moment happens first.
    pub(crate) fn at(&mut self, when: Us, event: Event) {
        self.queued += 1;
        self.queue.push(Reverse((when.max(self.now), self.queued, event)));
    }

    /// Queues an event `delay` from now.
    pub(crate) fn after(&mut self, delay: Us, event: Event) {
        self.at(self.now + delay, event);
    }

    /// Runs until the given time, or until a promise is broken.
    pub(crate) fn run_until(&mut self, end: Us) {
        while self.watch.broken.is_none() && self.step(end) {}
        self.now = self.now.max(if self.watch.broken.is_none() { end } else { 0 });
    }

    /// Runs for the given time.
    pub(crate) fn run_for(&mut self, span: Us) {
        self.run_until(self.now + span);
    }

    /// Runs until `done` or the given time; true when `done`.
    pub(crate) fn run_until_that(&mut self, end: Us, done: impl Fn(&Self) -> bool) -> bool {
        while self.watch.broken.is_none() && !done(self) {
            if !self.step(end) {
                break;
            }
        }
        done(self)
    }

    /// Does the next thing, if it comes before `end`.
    fn step(&mut self, end: Us) -> bool {
        let queued = self.queue.peek().map_or(Us::MAX, |Reverse((when, _, _))| *when);
        let machine = [self.machines[A].next(self.now), self.machines[B].next(self.now)];
        let node = if machine[A] <= machine[B] { A } else { B };
        let next = queued.min(machine[node]);
        if next > end {
            return false;
        }
        self.now = next;
        if queued <= machine[node] {
            if let Some(Reverse((_, _, event))) = self.queue.pop() {
                self.happen(event);
            }
        } else {
            self.machine_acts(node);
        }
        self.check();
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::CableArrives { to, slot, forged } => self.cable_arrives(to, slot, forged),
            Event::ThirdHears { life, slot } => self.third_hears(life, slot),
            Event::ThirdWakes { life } => self.third_wakes(life),
            Event::UdpArrives { to, source, slot, forged } => self.udp_arrives(to, source, slot, forged),
            Event::ArpArrives { to, slot } => self.arp_arrives(to, slot),
            Event::LinkSeen { node, port, life } => self.link_seen(node, port, life),
            Event::OwnAddressSeen { node, life } => self.own_address_seen(node, life),
            Event::WriteEnds { node, write, life } => self.write_ends(node, write, life),
            Event::SyncEnds { node, life } => self.sync_ends(node, life),
            Event::FxoKnown { node, life } => self.fxo_known(node, life),
            Event::Fault { index, on } => self.fault_changes(index, on),
            Event::DaemonStarts { node } => self.start_daemon(node),
            Event::RebootEnds { node } => self.set_power_off(node, false),
            Event::SwitchActive => {
                for node in [A, B] {
                    if self.machines[node].role == Role::Active {
                        self.command(node, Command::ForceSwitch);
                    }
                }
            }
            Event::AttackerActs => self.attacker_acts(),
            Event::RecorderPlays => self.recorder_plays(),
            Event::RecorderLies => self.recorder_lies(),
            Event::Deadline { calm, serving } => self.deadline(calm, serving),
            Event::AvailableAgain { changes } => self.available_again(changes),
        }
    }

    fn fault_changes(&mut self, index: usize, on: bool) {
        let fault = self.faults[index].clone();
        self.trace.mix(index as u64 * 2 + u64::from(on));
        self.trace.story(self.now, || format!("--- {} {:?}", if on { "fault:" } else { "healed:" }, fault.kind));
        self.watch.disturbed(if on { 1 } else { -1 });
        self.set_fault(&fault.kind, on);
    }

    /// Tells the adapters of carriers that changed, a little later.
    pub(crate) fn tell_carriers(&mut self) {
        for node in [A, B] {
            for (number, port) in PORTS.into_iter().enumerate() {
                let up = self.net.carrier(node, port);
                if up != self.told_carrier[node][number] {
                    self.told_carrier[node][number] = up;
                    let delay = self.dice.below(10 * MS);
                    let life = self.machines[node].life;
                    self.after(delay, Event::LinkSeen { node, port: number as u8, life });
                }
            }
            let present = self.net.own_address(node);
            if core::mem::replace(&mut self.told_own_address[node], present) != present {
                let delay = self.dice.below(10 * MS);
                self.after(delay, Event::OwnAddressSeen { node, life: self.machines[node].life });
            }
        }
    }

    /// The report of a failed run: what broke, the pair, the faults, the trace and how to see it again.
    pub(crate) fn report(&self, what: &str) -> String {
        let faults: Vec<String> = self.faults.iter().map(|fault| format!("  {fault}")).collect();
        format!(
            "{what}\nseed {}, time {}\nA: {}\nB: {}\nfaults:\n{}\nsettings: {:?}\n{}\n",
            self.seed,
            super::trace::moment(self.now),
            self.machines[A].summary(),
            self.machines[B].summary(),
            faults.join("\n"),
            self.settings,
            self.trace.text(),
        )
    }
}

/// Name of a node in traces.
pub(crate) fn name(node: usize) -> &'static str {
    if node == A { "A" } else { "B" }
}
