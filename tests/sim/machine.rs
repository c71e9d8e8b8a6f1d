//! One appliance: power, kernel, and the daemon with the node in it.

use super::Us;
use super::clock::Clock;
use super::ether::Slot;
use super::kernel::Kernel;
use core::net::Ipv4Addr;
use std::collections::VecDeque;
use ucm_ha::config::Config;
use ucm_ha::fault::Faults;
use ucm_ha::io::{AddressEvent, Command, Input, Output, Record};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::role::Role;
use ucm_ha::{Instant, Node};

/// Who decides. The real one is [`Node`]; the world's own tests put simple ones in its place.
pub(crate) trait Decider {
    /// See [`Node::handle`].
    fn handle(&mut self, now: Instant, input: Input<'_>);
    /// See [`Node::poll_output`].
    fn poll_output(&mut self, frame: &mut [u8; FRAME_CAPACITY]) -> Option<Output>;
    /// See [`Node::poll_timeout`].
    fn poll_timeout(&self) -> Instant;
    /// The role by its status.
    fn role(&self) -> Role;
    /// One that goes on like this one.
    fn twin(&self) -> Box<dyn Decider>;
    /// Everything that may decide what it will do.
    fn knows(&self) -> String;
}

impl Decider for Node {
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        Node::handle(self, now, input);
    }

    fn poll_output(&mut self, frame: &mut [u8; FRAME_CAPACITY]) -> Option<Output> {
        Node::poll_output(self, frame)
    }

    fn poll_timeout(&self) -> Instant {
        Node::poll_timeout(self)
    }

    fn role(&self) -> Role {
        self.status().role
    }

    fn twin(&self) -> Box<dyn Decider> {
        Box::new(self.clone())
    }

    fn knows(&self) -> String {
        format!("{self:?}")
    }
}

/// Makes the decider of a starting daemon.
pub(crate) type Factory = fn(Config, Record, u32, Instant) -> Box<dyn Decider>;

/// The real thing.
pub(crate) fn real_node(config: Config, record: Record, boot_id: u32, now: Instant) -> Box<dyn Decider> {
    Box::new(Node::new(config, record, boot_id, now).expect("the simulator's settings are valid"))
}

/// State of the daemon's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// Not there.
    Dead,
    /// At work.
    Running,
    /// There, but not scheduled. Its timers, sockets and half-done outputs wait.
    Frozen,
}

/// An output on its way to be carried out.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    /// When it is done.
    pub(crate) due: Us,
    /// What.
    pub(crate) output: Output,
    /// Its frame, where it has one.
    pub(crate) slot: Option<Slot>,
}

/// An input that waits for the daemon.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiting {
    /// A frame in the heartbeat port's socket.
    Cable(Slot),
    /// A datagram in the heartbeat socket.
    Udp(Ipv4Addr, Slot),
    /// A frame in the ARP socket.
    Arp(Slot),
    /// An address notification.
    Address(AddressEvent),
    /// A fault report.
    Fault(Faults, bool),
    /// Whether the FXO ports cannot be judged yet.
    FxoUnknown(bool),
    /// A command.
    Command(Command),
    /// A write that ended.
    Persisted(bool),
    /// A synchronisation that ended.
    SyncDone(bool),
}

/// One appliance.
pub(crate) struct Machine {
    /// Its configuration.
    pub(crate) config: Config,
    /// Its clock.
    pub(crate) clock: Clock,
    /// Its kernel.
    pub(crate) kernel: Kernel,
    /// State of the daemon.
    pub(crate) daemon: Daemon,
    /// The node, while there is a daemon.
    pub(crate) decider: Option<Box<dyn Decider>>,
    /// Number of daemons started so far: what belongs to an earlier one is void.
    pub(crate) life: u32,
    /// Role, kept up with [`Output::RoleChanged`]; `Init` while there is no daemon.
    pub(crate) role: Role,
    /// Term after the newest role change.
    pub(crate) term: u32,
    /// What the disk holds.
    pub(crate) record: Record,
    /// What is being written.
    pub(crate) writing: Record,
    /// Outputs in order.
    pub(crate) outbox: VecDeque<Pending>,
    /// Inputs that came while the daemon was frozen.
    pub(crate) inbox: Vec<Waiting>,
    /// When the node wants to be called.
    pub(crate) wake_at: Us,
    /// Number of the newest write asked for.
    pub(crate) write: u32,
    /// Reasons why the daemon may not run.
    pub(crate) killed: u8,
    /// Reasons why it is frozen.
    pub(crate) frozen: u8,
    /// Reasons why addresses cannot be added.
    pub(crate) bind_fails: u8,
    /// Reasons why nothing can be stored.
    pub(crate) persist_fails: u8,
    /// Reasons why a setting is wrong, by its number.
    pub(crate) wrong: [u8; 2],
    /// Hardware faults that last, told again to a new daemon.
    pub(crate) faults: Faults,
    /// Heartbeats sent so far on the cable and on the LAN.
    pub(crate) heartbeats: [u32; 2],
    /// Timer calls in the current second, and that second.
    pub(crate) wakeups: (Us, u32),
}

impl Machine {
    /// A machine whose daemon has not started yet.
    pub(crate) fn new(config: Config, clock: Clock) -> Self {
        Self {
            config,
            clock,
            kernel: Kernel::default(),
            daemon: Daemon::Dead,
            decider: None,
            life: 0,
            role: Role::Init,
            term: 0,
            record: Record::default(),
            writing: Record::default(),
            outbox: VecDeque::new(),
            inbox: Vec::new(),
            wake_at: Us::MAX,
            write: 0,
            killed: 0,
            frozen: 0,
            bind_fails: 0,
            persist_fails: 0,
            wrong: [0; 2],
            faults: Faults::empty(),
            heartbeats: [0; 2],
            wakeups: (0, 0),
        }
    }

    /// Whether the daemon can take an input now.
    pub(crate) fn running(&self) -> bool {
        self.daemon == Daemon::Running
    }

    /// When this machine acts next of its own.
    pub(crate) fn next(&self, now: Us) -> Us {
        let expiry = self.kernel.expires().map_or(Us::MAX, |(gone_at, _)| gone_at);
        if !self.running() {
            return expiry;
        }
        let outbox = self.outbox.front().map_or(Us::MAX, |pending| pending.due);
        expiry.min(outbox).min(self.wake_at).max(now)
    }

    /// A short line for reports.
    pub(crate) fn summary(&self) -> String {
        let bound = if self.kernel.bound() { "bound" } else { "not bound" };
        format!("{:?} {:?} term {} {bound}", self.daemon, self.role, self.term)
    }
}
