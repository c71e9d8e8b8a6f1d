//! The node: facts in, effects out.
//!
//! | file | concept |
//! |---|---|
//! | `mod` | state, `handle`, the order of one step |
//! | `view` | facts turned into the plain view that [`role::decide`](crate::role::decide) looks at |
//! | `transition` | what a decision does |
//! | `offer` | offers of the role and the handover that follows: the active's side |
//! | `answer` | answers to offers, intents and grants: the other side |
//! | `enable` | high availability on or off, here or for the pair |
//! | `maintenance` | kept out of the active role by the operator |
//! | `stop` | the end of the program |
//! | `sync` | the copy of the active's data |
//! | `receive` | frames and ARP packets coming in |
//! | `identity` | whose frames they are |
//! | `send` | heartbeats going out |
//! | `probe` | gateway, cluster IP and peer asked by ARP |
//! | `address` | cluster IP bound, renewed, announced, defended |
//! | `health` | link debounce, own faults, handover budget |
//! | `store` | terms reserved and persisted |
//! | `timer` | when to wake |
//! | `output` | the ordered stream of effects |
//! | `alert`, `report` | what the operator is told |
//! | `debug` | what is shown of a node to tools |

mod address;
mod alert;
mod answer;
mod debug;
mod enable;
mod health;
mod identity;
mod maintenance;
mod offer;
mod output;
mod probe;
mod receive;
mod report;
mod send;
mod stop;
mod store;
mod sync;
mod timer;
mod transition;
mod view;

use crate::config::{Config, ConfigError};
use crate::event::RoleReason;
use crate::io::{Command, Input, Port, Record};
use crate::peer::Peer;
use crate::role::Role;
use crate::status::Counters;
use crate::time::{Duration, Instant};
use crate::wire::Signal;
use crate::wire::auth::Authenticator;
use core::net::Ipv4Addr;

pub use output::FRAME_CAPACITY;

/// The lease ends this long before the peer may claim: covers clocks that differ by 2 × 1000 ppm over 10 s (20 ms) and
/// the time that releasing the address takes.
pub const LEASE_MARGIN: Duration = Duration::from_ms(100);
/// Woken this much later than asked, the node may have frames waiting that it has not seen: no claim for [`DRAIN`].
const LATE: Duration = Duration::from_ms(20);
/// Time the adapter has to hand in what waits in its sockets after a late wake.
const DRAIN: Duration = Duration::from_ms(50);
/// Woken this much later, what was silent or unanswered meanwhile proves nothing: fast failover starts over.
const STALL: Duration = Duration::from_ms(100);
/// Woken this much later, the node was frozen: a solo licence is void, the silence timer starts over.
const FREEZE: Duration = Duration::from_ms(1000);
/// Decisions in one step before the rest waits for the next; no sequence of decisions is longer.
const MAX_DECISIONS: usize = 6;

/// One node of the pair. See the [crate documentation](crate) for how to drive it.
///
/// In memory in this order: what nearly every rule looks at first, what is large and rarely looked at last. A microcontroller
/// reaches a moment in the first 1,020 bytes with one instruction.
#[derive(Clone)]
#[repr(C)]
pub struct Node {
    now: Instant,
    /// When to be woken, as of `now`.
    deadline: Instant,
    started: Instant,
    quiet: Quiet,
    role: Role,
    last_active: bool,
    enable: enable::State,
    maintenance: maintenance::State,
    term: u32,
    boot_id: u32,
    digest: u32,
    signal: Signal,
    /// Another cluster IP that the peer's settings name: each node would serve an address of its own, so neither hands the role
    /// to the other.
    elsewhere: Option<Ipv4Addr>,
    /// Boot id of a peer that may be active at the same time as this node.
    rival: Option<u32>,
    claim: Option<Claim>,
    stop: stop::State,
    sync: sync::State,
    address: address::State,
    offer: offer::State,
    answer: answer::State,
    send: send::State,
    alert: alert::State,
    store: store::State,
    peer: Peer,
    config: Config,
    health: health::State,
    probe: probe::State,
    counters: Counters,
    auth: Option<Authenticator>,
    output: output::State,
}

/// Moments from which silence and evidence count.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    /// The silence timer restarted, for a reason other than a frame.
    since: Instant,
    /// Fast failover was armed: before this moment nothing is held against anybody.
    armed: Instant,
    /// No claim before: frames may wait in the adapter's sockets.
    drained_at: Instant,
    /// No claim without the peer's consent before: the peer was promised so.
    barred_until: Instant,
    /// Since when fast failover has been suspended.
    fast_suspended: Option<Instant>,
    /// Something that may be the peer and cannot be understood was last heard on the cable.
    incompatible_at: Option<Instant>,
    /// An active that has not yet shown that it hears this node was last heard on the cable.
    stranger_active_at: Option<Instant>,
}

/// A claim under way, or the one that made this node active.
#[derive(Clone, Copy, Debug)]
struct Claim {
    reason: RoleReason,
    by_handover: bool,
}

impl Node {
    /// A node in its first state, `Init` or `Off`.
    ///
    /// `boot_id` must be random and non-zero at every start; zero is replaced by one. `record` is what the last
    /// [`Output::Persist`](crate::Output::Persist) stored, or the default when there is none.
    ///
    /// # Errors
    /// The first rule that `config` violates; nothing is created.
    pub fn new(config: Config, record: Record, boot_id: u32, now: Instant) -> Result<Self, ConfigError> {
        config.validate()?;
        let mut node = Self::at_rest(&config, record, boot_id, now);
        node.start();
        Ok(node)
    }

    /// A node that has not yet [started](Self::start), on a config that was validated. Apart from it, and nothing but a
    /// literal, so that the C ABI can make the node where it stays: it is as large as a small stack.
    pub(crate) fn at_rest(config: &Config, record: Record, boot_id: u32, now: Instant) -> Self {
        let enable = enable::State::new(config.enabled, record.disabled_by_peer);
        Self {
            auth: None,
            boot_id: boot_id.max(1),
            digest: config.digest(),
            started: now,
            now,
            deadline: now,
            role: if enable.is_off() { Role::Off } else { Role::Init },
            term: record.term,
            last_active: record.last_active,
            enable,
            maintenance: maintenance::State::new(record.maintenance),
            stop: stop::State::default(),
            peer: Peer::new(config.rest_interval()),
            quiet: Quiet {
                since: now,
                armed: now,
                drained_at: now,
                barred_until: now,
                fast_suspended: None,
                incompatible_at: None,
                stranger_active_at: None,
            },
            claim: None,
            elsewhere: None,
            rival: None,
            signal: Signal::None,
            offer: offer::State::new(now),
            answer: answer::State::default(),
            address: address::State::new(now),
            probe: probe::State::new(now),
            health: health::State::new(record.handovers, now),
            store: store::State::new(record),
            send: send::State::new(now),
            alert: alert::State::default(),
            sync: sync::State::new(now),
            output: output::State::default(),
            counters: Counters::default(),
            config: *config,
        }
    }

    /// The first step of a new node.
    pub(crate) fn start(&mut self) {
        // Here and not before: what the key needs of the stack is not added to what the literal needs.
        self.auth = self.config.key.as_ref().map(Authenticator::new);
        // A cluster IP left over from before must be gone before anything else happens.
        self.release_address();
        self.store_if_changed();
    }

    /// Takes a fact. Afterwards drain [`poll_output`](Self::poll_output), then ask
    /// [`poll_timeout`](Self::poll_timeout). A `now` before the last one counts as the last one.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        let now = now.max(self.now);
        let late = now.since(self.deadline);
        self.now = now;
        self.notice_lateness(late);
        self.take(input);
        self.watch_health();
        self.probe.tick(now);
        self.settle();
        self.run_address_timers();
        self.run_heartbeats();
        self.run_probes();
        self.store_if_changed();
        self.answer_maintenance();
        self.watch_alerts();
        self.deadline = self.next_deadline();
    }

    /// Own role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Settings the node runs on.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn take(&mut self, input: Input<'_>) {
        match input {
            Input::Timeout => {}
            Input::CableFrame(frame) => self.receive_cable(frame),
            Input::LanDatagram { source, payload } => self.receive_lan(source, payload),
            Input::ArpFrame(frame) => self.receive_arp(frame),
            Input::Link { port, up } => self.take_link(port, up),
            Input::Address(event) => self.take_address_event(event),
            Input::OwnAddress { present } => self.health.own_address = present,
            Input::Persisted { saved } => self.store.persisted(self.now, saved),
            Input::Fault { faults, raised } => self.health.report(faults, raised),
            Input::FaultUnknown { faults, unknown } => self.health.report_unknown(faults, unknown),
            Input::SyncDone { generation, complete } => self.take_sync_outcome(generation, complete),
            Input::Command(command) => self.take_command(command),
        }
    }

    fn take_link(&mut self, port: Port, up: bool) {
        if port == Port::Lan && up != self.health.lan_carrier() {
            self.probe.lan_changed();
        }
        self.health.link(self.now, port, up);
    }

    fn take_command(&mut self, command: Command) {
        match command {
            Command::ForceSwitch => self.force_switch(),
            Command::Disable => self.enable.turn_off(),
            Command::Enable => self.enable.turn_on(),
            Command::EnterMaintenance => self.enter_maintenance(false),
            Command::ForceMaintenance => self.enter_maintenance(true),
            Command::LeaveMaintenance => self.leave_maintenance(),
            Command::Shutdown => self.stop.ask(self.now),
        }
    }

    /// The wake from a stall or freeze, seen on the monotonic clock. Runs before the input is looked at.
    fn notice_lateness(&mut self, late: Duration) {
        if late >= LATE {
            self.quiet.drained_at = self.now + DRAIN;
        }
        if late >= STALL {
            self.quiet.armed = self.now;
            self.probe.stalled();
        }
        if late >= FREEZE {
            self.probe.slept();
            match self.role {
                Role::Active | Role::Claiming if !self.lease_is_valid() => self.step_down(RoleReason::WokeFromFreeze),
                Role::Active | Role::Claiming | Role::Off => {}
                Role::Init | Role::Standby | Role::Yielding => self.quiet.since = self.now,
            }
        }
    }
}
