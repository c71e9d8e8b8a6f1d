//! The loop: waits, reads what came, lets the node decide, keeps house.

use super::{Daemon, token};
use crate::clock;
use crate::control::{Awaited, Call};
use crate::fxo::Watch;
use crate::settings;
use crate::status::{self, Parts};
use mio::event::Event;
use mio::{Events, Token};
use sd_notify::NotifyState;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, ErrorKind};
use ucm_ha::io::Command;
use ucm_ha::{Duration, Input, Instant};
use ucm_ha_control::{Log, Reply, Request};

/// Events taken from the kernel at once.
const MAX_EVENTS: usize = 32;
/// Frames read from one socket before the others, and the timers, have their turn.
const MAX_BATCH: usize = 64;
/// Longest frame that is read whole.
const RECEIVE_LEN: usize = 2048;
/// How often interfaces and address are read although no event came: events can be lost.
const RESCAN_INTERVAL: Duration = Duration::from_s(2);
/// How long the node may take to hand over before the daemon ends anyway.
const STOP_TIMEOUT: Duration = Duration::from_s(3);

/// Sockets that may have more to read. Epoll reports each arrival once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    cable: bool,
    arp: bool,
    lan: bool,
    monitor: bool,
    control: bool,
    pub(super) kicks: bool,
}

impl Waiting {
    /// Everything, as at start and when sockets were opened.
    pub(super) const ALL: Self = Self { cable: true, arp: true, lan: true, monitor: true, control: true, kicks: true };

    const fn any(self) -> bool {
        self.cable || self.arp || self.lan || self.monitor || self.control || self.kicks
    }
}

/// The service manager's watchdog.
pub(super) struct Watchdog {
    interval: Duration,
    next: Instant,
}

impl Watchdog {
    /// The watchdog, where the service manager wants one.
    pub(super) fn from_environment() -> Option<Self> {
        let timeout = sd_notify::watchdog_enabled()?;
        let timeout_us = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        Some(Self { interval: Duration::from_us(timeout_us).half(), next: Instant::ZERO })
    }

    fn feed(&mut self, now: Instant) {
        if self.next <= now {
            self.next = now + self.interval;
            notify(&[NotifyState::Watchdog]);
        }
    }
}

/// Tells the service manager, where there is one.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("the service manager cannot be told: {error}");
    }
}

impl Daemon {
    /// Runs until the node has stopped.
    pub(super) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(MAX_EVENTS);
        while !self.stopped {
            self.turn(&mut events)?;
        }
        Ok(())
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        self.timer.arm(self.next_deadline())?;
        let timeout = self.waiting.any().then_some(std::time::Duration::ZERO);
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        for event in &*events {
            self.note(event);
        }
        self.read_sockets();
        self.tend_services();
        if self.node.poll_timeout() <= clock::now() {
            self.feed(Input::Timeout);
        }
        self.keep_house();
        Ok(())
    }

    fn next_deadline(&self) -> Instant {
        let watchdog = self.watchdog.as_ref().map_or(Instant::NEVER, |watchdog| watchdog.next);
        let stop = self.stop_at.unwrap_or(Instant::NEVER);
        let fxo = self.fxo.as_ref().map_or(Instant::NEVER, Watch::deadline);
        let parts = fxo.min(self.services.next_deadline()).min(self.control.deadline()).min(self.state.deadline());
        self.node.poll_timeout().min(parts).min(self.rescan_at).min(watchdog).min(stop)
    }

    fn note(&mut self, event: &Event) {
        match event.token() {
            token::CABLE => self.waiting.cable = true,
            token::ARP => self.waiting.arp = true,
            token::LAN => self.waiting.lan = true,
            token::MONITOR => self.waiting.monitor = true,
            token::TIMER => self.timer.fired(),
            token::SIGNALS => self.take_signals(),
            token::WAKER => {
                self.report_stored();
                self.report_cleared();
                self.take_fxo_news();
                self.services.take_probes(clock::now());
            }
            token::KICKS => self.waiting.kicks = true,
            token::CONTROL => self.waiting.control = true,
            process if self.services.take_process_event(process, clock::now()) => self.tell_services(),
            client => self.serve(client),
        }
    }

    fn read_sockets(&mut self) {
        if self.waiting.monitor {
            self.read_monitor();
        }
        if self.waiting.cable {
            self.waiting.cable = self.read_cable();
        }
        if self.waiting.lan {
            self.waiting.lan = self.read_lan();
        }
        if self.waiting.arp {
            self.waiting.arp = self.read_arp();
        }
        if self.waiting.control {
            self.waiting.control = self.control.accept(self.poll.registry(), clock::now());
        }
    }

    /// Feeds the frames of the heartbeat port; `true` when there may be more.
    fn read_cable(&mut self) -> bool {
        let mut buffer = [0; RECEIVE_LEN];
        for _ in 0..MAX_BATCH {
            let Some(socket) = &self.ports.cable else { return false };
            match socket.receive(&mut buffer) {
                Ok(len) => self.feed(Input::CableFrame(buffer.get(..len).unwrap_or(&buffer))),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => log::debug!("cable: {error}"),
            }
        }
        true
    }

    /// Feeds the datagrams of the LAN path; `true` when there may be more.
    fn read_lan(&mut self) -> bool {
        let mut buffer = [0; RECEIVE_LEN];
        for _ in 0..MAX_BATCH {
            let Some(socket) = &self.ports.lan else { return false };
            match socket.receive(&mut buffer) {
                Ok((len, source)) => {
                    self.feed(Input::LanDatagram { source, payload: buffer.get(..len).unwrap_or(&buffer) });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => log::debug!("LAN path: {error}"),
            }
        }
        true
    }

    /// Feeds the ARP frames of the LAN; `true` when there may be more.
    fn read_arp(&mut self) -> bool {
        let mut buffer = [0; RECEIVE_LEN];
        for _ in 0..MAX_BATCH {
            let Some(socket) = &self.ports.arp else { return false };
            match socket.receive(&mut buffer) {
                Ok(len) => self.feed(Input::ArpFrame(buffer.get(..len).unwrap_or(&buffer))),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => log::debug!("ARP: {error}"),
            }
        }
        true
    }

    fn read_monitor(&mut self) {
        let hints = match self.monitor.hints() {
            Ok(hints) => hints,
            Err(error) => {
                log::warn!("interface events cannot be read: {error}");
                self.waiting.monitor = false;
                return;
            }
        };
        self.waiting.monitor = hints.more;
        if hints.links {
            self.rescan_links();
        }
        if hints.removed || (hints.added && !self.own_address.is_present()) {
            self.check_addresses();
        }
    }

    /// Reads the interfaces again and reports their carriers.
    fn rescan_links(&mut self) {
        if let Err(error) = self.ports.refresh(&mut self.netlink) {
            log::warn!("the interfaces cannot be read: {error}");
            return;
        }
        if self.ports.identity_changed(&self.config) {
            self.take_new_identity();
        }
        self.ports.open_sockets(&self.config, self.poll.registry());
        self.waiting = Waiting { monitor: self.waiting.monitor, ..Waiting::ALL };
        self.feed_carriers();
    }

    /// The LAN interface was replaced by one with another MAC address, which is this node's identity: starts anew with it.
    fn take_new_identity(&mut self) {
        let mut problems = Vec::new();
        let resolved = match self.netlink.interfaces() {
            Ok(interfaces) => settings::resolve(&self.sections, &interfaces, &mut problems),
            Err(error) => return log::warn!("the interfaces cannot be read: {error}"),
        };
        let Some(mut config) = resolved.map(|resolved| resolved.config) else {
            let complaint = settings::one_line(&problems);
            if self.complaint.as_ref() != Some(&complaint) {
                log::warn!("the replaced LAN interface cannot be used yet: {complaint}");
                self.complaint = Some(complaint);
            }
            return;
        };
        self.complaint = None;
        config.enabled = self.enabled;
        let mac = config.mac;
        match self.renew_node(config) {
            Ok(()) => log::warn!("the LAN interface was replaced: this node is now {mac}, starting anew"),
            Err(error) => log::error!("the replaced LAN interface cannot be used: {error}"),
        }
    }

    fn check_addresses(&mut self) {
        if let Some(event) = self.address.check(&mut self.netlink, self.ports.lan_index()) {
            self.feed(Input::Address(event));
        }
        self.check_own_address();
    }

    /// Tells the node, and the operator, when the static address has gone or come back.
    fn check_own_address(&mut self) {
        let own_ip = self.config.own_ip.address;
        if !self.own_address.check(&mut self.netlink, self.ports.lan_index(), own_ip) {
            return;
        }
        self.feed_own_address();
        let missing = !self.own_address.is_present();
        self.tell_condition("STATIC ADDRESS", "is missing from the LAN interface", missing);
    }

    fn report_stored(&mut self) {
        if let Some(saved) = self.state.outcome() {
            self.feed(Input::Persisted { saved });
        }
    }

    fn report_cleared(&mut self) {
        while let Some((log, cleared)) = self.journal.cleared() {
            let reply = match cleared {
                Ok(()) => Reply::Done,
                Err(error) => Reply::Refused { reason: format!("the log cannot be cleared: {error}") },
            };
            self.control.reply_waiting(Awaited::Clear(log), &reply);
        }
    }

    fn clear_log(&mut self, client: usize, log: Log) {
        match self.journal.clear(log) {
            Ok(()) => self.control.wait_for(client, Awaited::Clear(log), clock::now()),
            Err(reason) => self.control.reply(client, &Reply::Refused { reason: reason.to_owned() }),
        }
    }

    fn take_signals(&mut self) {
        let pending: Vec<i32> = self.signals.pending().collect();
        for signal in pending {
            match signal {
                SIGHUP => self.reload(),
                SIGTERM | SIGINT if self.stop_at.is_none() => {
                    log::info!("stopping");
                    notify(&[NotifyState::Stopping]);
                    self.stop_at = Some(clock::now() + STOP_TIMEOUT);
                    self.feed(Input::Command(Command::Shutdown));
                }
                _ => {}
            }
        }
    }

    fn serve(&mut self, client: Token) {
        let Some(Call { client, request }) = self.control.read(client) else { return };
        match request {
            Request::Status => {
                let now = clock::now();
                let parts = Parts { services: &self.services.states(), fxo: self.fxo_ports(), journal: &self.journal };
                let status = Box::new(status::report(&self.config, &self.node.status(), now, parts));
                self.control.reply(client, &Reply::Status { status });
            }
            Request::Switch => {
                self.control.wait_for(client, Awaited::Switch, clock::now());
                self.feed(Input::Command(Command::ForceSwitch));
            }
            Request::ClearLog { log } => self.clear_log(client, log),
            Request::Kick { .. } | Request::Fault { .. } | Request::Crash { .. } => {
                self.serve_service(client, &request);
            }
        }
    }

    fn keep_house(&mut self) {
        let now = clock::now();
        self.control.expire(now);
        if self.state.deadline() <= now {
            self.report_stored();
        }
        if self.fxo.as_ref().is_some_and(|fxo| fxo.deadline() <= now) {
            self.take_fxo_news();
        }
        if self.rescan_at <= now {
            self.rescan_at = now + RESCAN_INTERVAL;
            self.rescan_links();
            self.check_addresses();
        }
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.feed(now);
        }
        if self.stop_at.is_some_and(|stop_at| stop_at <= now) && !self.stopped {
            log::warn!("the node is not done after {} ms; ending anyway", STOP_TIMEOUT.as_ms());
            self.stopped = true;
        }
    }
}
