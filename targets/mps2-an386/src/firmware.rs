//! The loop: tells the node what happened, and carries out what it decides, in that order.

use crate::cable::Cable;
use crate::clock::Clock;
use crate::console::{self, Console};
use crate::lan::Lan;
use crate::platform::irq::Irq;
use crate::report::{Losses, Report};
use board::record::{RecordStore, Stored};
use board::serial::MAX_RECEIVE_LEN;
use core::net::Ipv4Addr;
use cortex_m::peripheral::SCB;
use heapless::Deque;
use ucm_ha::debounce::Edge;
use ucm_ha::event::Alert;
use ucm_ha::fault::Faults;
use ucm_ha::fxo::{LineInterface, Poller};
use ucm_ha::io::{AddressEvent, Command, Port};
use ucm_ha::types::MacAddr;
use ucm_ha::wire::MAX_PARSE_LEN;
use ucm_ha::{Config, Duration, FRAME_CAPACITY, Input, Instant, Node, Output};

/// Frames taken from one port before the others, and the timers, have their turn.
const MAX_BATCH: usize = 16;
/// How often the carrier of the Ethernet port is looked at.
const LINK_INTERVAL: Duration = Duration::from_ms(10);
/// What became of outputs and has not been told: of each kind that has an outcome, one is under way at most.
const MAX_OUTCOMES: usize = 8;
/// Generation of the data while there is no synchronisation.
const NO_SYNC_GENERATION: u32 = 0;

/// The node and everything it lives on.
pub(crate) struct Firmware<S, L> {
    pub(crate) node: Node,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) lan: Lan,
    pub(crate) cable: Cable,
    pub(crate) poller: Option<Poller<L>>,
    pub(crate) console: Console,
    pub(crate) store: S,
    pub(crate) boots: u32,
    pub(crate) loop_state: LoopState,
}

/// What the loop remembers from turn to turn.
pub(crate) struct LoopState {
    outcomes: Deque<Input<'static>, MAX_OUTCOMES>,
    look_at_link: Instant,
    link: Option<bool>,
    unsent: [u32; 3],
    stopped: bool,
}

impl LoopState {
    pub(crate) const fn new() -> Self {
        Self { outcomes: Deque::new(), look_at_link: Instant::ZERO, link: None, unsent: [0; 3], stopped: false }
    }
}

/// Where frames go, in the order of [`LoopState::unsent`].
#[derive(Clone, Copy)]
enum Way {
    Cable,
    Lan,
    Arp,
}

impl<S: RecordStore, L: LineInterface> Firmware<S, L> {
    /// Runs until the operator stops the node.
    pub(crate) fn run(&mut self) {
        self.look_at_link();
        self.feed(Input::Link { port: Port::Cable, up: true });
        let unknown = self.unknown_ports();
        self.feed(Input::FaultUnknown { faults: unknown, unknown: true });
        while !self.loop_state.stopped {
            self.turn();
            self.sleep();
        }
    }

    fn turn(&mut self) {
        // Time first: after a freeze the node must know before a frame is answered in its name.
        if self.node.poll_timeout() <= self.clock.now() {
            self.feed(Input::Timeout);
        }
        self.expire_address();
        self.look_at_link();
        self.receive_cable();
        self.receive_lan();
        self.poll_fxo();
        self.obey();
        let now = self.clock.now();
        self.lan.send_waiting(now);
    }

    fn sleep(&mut self) {
        let now = self.clock.now();
        let fxo = self.poller.as_ref().map_or(Instant::NEVER, Poller::next_poll);
        let deadline = self.node.poll_timeout().min(self.loop_state.look_at_link).min(self.lan.deadline(now)).min(fxo);
        self.lan.await_frame();
        Irq::Ethernet.enable();
        let (lan, cable, console) = (&self.lan, &self.cable, &self.console);
        self.clock.sleep(deadline, || !lan.has_received() && !cable.has_received() && !console.has_received());
    }

    /// Gives a fact to the node and carries out what it decides.
    fn feed(&mut self, input: Input<'_>) {
        self.node.handle(self.clock.now(), input);
        self.carry_out_all();
        while let Some(outcome) = self.loop_state.outcomes.pop_front() {
            self.node.handle(self.clock.now(), outcome);
            self.carry_out_all();
        }
    }

    fn carry_out_all(&mut self) {
        let mut frame = [0; FRAME_CAPACITY];
        while let Some(output) = self.node.poll_output(&mut frame) {
            self.carry_out(output, &frame);
        }
    }

    fn carry_out(&mut self, output: Output, frame: &[u8; FRAME_CAPACITY]) {
        let now = self.clock.now();
        let bytes = |len| frame.get(..len).unwrap_or(frame);
        match output {
            Output::SendCable { len } => {
                let sent = self.cable.send(bytes(len));
                self.note_sent(Way::Cable, sent);
            }
            Output::SendLan { len } => {
                let sent = self.lan.send_heartbeat(now, bytes(len));
                self.note_sent(Way::Lan, sent);
            }
            Output::SendArp { len } => {
                let sent = self.lan.send_frame(bytes(len));
                self.note_sent(Way::Arp, sent);
            }
            Output::BindAddress { valid_s, before } => {
                let event = if now < before { self.lan.bind(now, valid_s) } else { AddressEvent::Failed };
                self.address_event(event, now);
            }
            Output::RenewAddress { valid_s, before } => {
                if now < before && !self.lan.renew(now, valid_s) {
                    self.lan.release();
                    self.address_event(AddressEvent::Lost, now);
                }
            }
            Output::ReleaseAddress => {
                self.lan.release();
                self.address_event(AddressEvent::Released, now);
            }
            Output::Persist(record) => {
                let saved = self.store.store(&Stored { record, boots: self.boots });
                self.outcome(Input::Persisted { saved });
            }
            // There is nothing to synchronise yet, so nothing is missing either.
            Output::StartFullSync => {
                self.outcome(Input::SyncDone { generation: NO_SYNC_GENERATION, complete: true });
            }
            Output::Reboot => self.reboot(now),
            Output::Stopped => self.loop_state.stopped = true,
            Output::RoleChanged { from, to, term, reason } => {
                let line = format_args!("role from={from:?} to={to:?} term={term} reason={reason:?}");
                self.console.log(now, line);
            }
            Output::Alert { alert, raised, mac, ip } => self.say_alert(alert, raised, (mac, ip), now),
            Output::FaultChanged { faults, raised } => {
                for (name, _) in faults.iter_names() {
                    self.console.log(now, format_args!("fault name={name} raised={raised}"));
                }
            }
            Output::SwitchDone(Ok(())) => self.console.log(now, format_args!("switch done=true")),
            Output::SwitchDone(Err(refusal)) => {
                self.console.log(now, format_args!("switch done=false reason={refusal:?}"));
            }
        }
    }

    fn address_event(&mut self, event: AddressEvent, now: Instant) {
        self.console.log(now, format_args!("address event={event:?}"));
        self.outcome(Input::Address(event));
    }

    fn outcome(&mut self, input: Input<'static>) {
        if self.loop_state.outcomes.push_back(input).is_err() {
            let now = self.clock.now();
            self.console.log(now, format_args!("error outcome lost, more than {MAX_OUTCOMES} wait"));
        }
    }

    fn say_alert(&mut self, alert: Alert, raised: bool, about: (Option<MacAddr>, Option<Ipv4Addr>), now: Instant) {
        match about {
            (Some(mac), Some(ip)) => {
                self.console.log(now, format_args!("alert name={alert:?} raised={raised} mac={mac} ip={ip}"));
            }
            (Some(mac), None) => self.console.log(now, format_args!("alert name={alert:?} raised={raised} mac={mac}")),
            (None, _) => self.console.log(now, format_args!("alert name={alert:?} raised={raised}")),
        }
    }

    /// Counts what could not be sent, and says so when that begins.
    fn note_sent(&mut self, way: Way, sent: bool) {
        let now = self.clock.now();
        let (name, at) = match way {
            Way::Cable => ("cable", 0),
            Way::Lan => ("lan", 1),
            Way::Arp => ("arp", 2),
        };
        let Some(unsent) = self.loop_state.unsent.get_mut(at) else { return };
        match (sent, *unsent) {
            (true, 0) => {}
            (true, count) => {
                self.console.log(now, format_args!("send path={name} works=true failures={count}"));
                *unsent = 0;
            }
            (false, count) => {
                if count == 0 {
                    self.console.log(now, format_args!("send path={name} works=false"));
                }
                *unsent = count.saturating_add(1);
            }
        }
    }

    fn expire_address(&mut self) {
        let now = self.clock.now();
        if self.lan.expire(now) {
            self.console.log(now, format_args!("address event=Lost reason=lifetime"));
            self.feed(Input::Address(AddressEvent::Lost));
        }
    }

    fn look_at_link(&mut self) {
        let now = self.clock.now();
        if now < self.loop_state.look_at_link {
            return;
        }
        self.loop_state.look_at_link = now + LINK_INTERVAL;
        // A chip that does not answer carries nothing.
        let up = self.lan.has_link().unwrap_or(false);
        if self.loop_state.link != Some(up) {
            self.loop_state.link = Some(up);
            self.console.log(now, format_args!("link port=lan up={up}"));
            self.feed(Input::Link { port: Port::Lan, up });
        }
    }

    fn receive_cable(&mut self) {
        let mut buffer = [0; MAX_RECEIVE_LEN];
        for _ in 0..MAX_BATCH {
            let Some(frame) = self.cable.receive(&mut buffer).and_then(|len| buffer.get(..len)) else { return };
            self.feed(Input::CableFrame(frame));
        }
    }

    fn receive_lan(&mut self) {
        let mut buffer = [0; MAX_PARSE_LEN];
        for _ in 0..MAX_BATCH {
            self.expire_address();
            let now = self.clock.now();
            if !self.lan.receive(now) {
                return;
            }
            if let Some(frame) = self.lan.take_arp() {
                self.feed(Input::ArpFrame(&frame));
            }
            if let Some((len, source)) = self.lan.take_datagram(&mut buffer) {
                self.feed(Input::LanDatagram { source, payload: buffer.get(..len).unwrap_or_default() });
            }
        }
    }

    fn poll_fxo(&mut self) {
        let now = self.clock.now();
        let unknown_before = self.unknown_ports();
        let fault = self.poller.as_mut().and_then(|poller| poller.poll(now)).and_then(|update| {
            let edge = update.fault?;
            Some(Input::Fault { faults: update.faults(), raised: edge == Edge::Raised })
        });
        if let Some(fault) = fault {
            self.feed(fault);
        }
        let known = unknown_before.difference(self.unknown_ports());
        if !known.is_empty() {
            self.feed(Input::FaultUnknown { faults: known, unknown: false });
        }
    }

    /// Ports that have not been judged since the start.
    fn unknown_ports(&self) -> Faults {
        self.poller.as_ref().map_or(Faults::empty(), Poller::unknown)
    }

    fn obey(&mut self) {
        let Some(command) = self.console.command() else { return };
        match command {
            console::Command::Status => {
                let losses = Losses {
                    cable_damaged: self.cable.damaged(),
                    cable_bytes: self.cable.lost(),
                    lan_damaged: self.lan.damaged(),
                };
                let status = self.node.status();
                let report = Report { config: &self.config, status, now: self.clock.now(), losses };
                self.console.answer(format_args!("{report}"));
            }
            console::Command::Switch => self.feed(Input::Command(Command::ForceSwitch)),
            console::Command::Stop => self.feed(Input::Command(Command::Shutdown)),
            console::Command::Unknown => {
                self.console.answer(format_args!("error unknown command; use status, switch or stop"));
            }
        }
    }

    /// The core asks for it as standby, after a handover for a fault of its own.
    fn reboot(&mut self, now: Instant) {
        self.lan.release();
        self.console.log(now, format_args!("reboot"));
        SCB::sys_reset();
    }
}
