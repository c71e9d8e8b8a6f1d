//! The loop: waits, reads what came, lets the node decide, keeps house.

use super::channel::Way;
use super::part::Part;
use super::running::Daemon;
use super::watchdog::{Watchdog, notify};
use super::{address, control, fxo, journal, services, standby, state, token};
use crate::clock;
use crate::settings;
use mio::Events;
use mio::event::Event;
use sd_notify::NotifyState;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, ErrorKind};
use ucm_ha::io::Command;
use ucm_ha::{Duration, Input, Instant};

/// What lives beside the node, those in a hurry first.
const PARTS: [Part; 7] =
    [services::PART, fxo::PART, state::PART, journal::PART, standby::PART, address::PART, control::PART];
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
        let deadline = self.next_deadline();
        // What waits already needs no timer.
        let timeout = (deadline == Instant::ZERO).then_some(std::time::Duration::ZERO);
        if timeout.is_none() {
            self.timer.arm(deadline)?;
        }
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        for event in &*events {
            self.note(event);
        }
        self.read_sockets();
        for part in &PARTS {
            (part.tend)(self, clock::now());
        }
        if self.node.poll_timeout() <= clock::now() {
            self.feed(Input::Timeout);
        }
        self.keep_house();
        // Last: what this turn has changed is told in it.
        self.tell_followers(clock::now());
        Ok(())
    }

    /// When to turn again although nothing happens; `ZERO` while something waits to be read.
    fn next_deadline(&self) -> Instant {
        if self.monitor_waiting || self.ports.are_waiting() {
            return Instant::ZERO;
        }
        let watchdog = self.watchdog.as_ref().map_or(Instant::NEVER, Watchdog::deadline);
        let own =
            self.node.poll_timeout().min(self.rescan_at).min(watchdog).min(self.stop_at.unwrap_or(Instant::NEVER));
        PARTS.iter().map(|part| (part.deadline)(self)).fold(own, Instant::min)
    }

    fn note(&mut self, event: &Event) {
        match event.token() {
            token::CABLE => self.ports.channel(Way::Cable).wake(),
            token::LAN => self.ports.channel(Way::Lan).wake(),
            token::ARP => self.ports.channel(Way::Arp).wake(),
            token::MONITOR => self.monitor_waiting = true,
            token::TIMER => self.timer.fired(),
            token::SIGNALS => self.take_signals(),
            other => PARTS.iter().for_each(|part| (part.wake)(self, other)),
        }
    }

    fn read_sockets(&mut self) {
        if self.monitor_waiting {
            self.read_monitor();
        }
        Way::ALL.into_iter().for_each(|way| self.read_channel(way));
    }

    /// Feeds the frames that came on a way, a batch at a time.
    fn read_channel(&mut self, way: Way) {
        let mut buffer = [0; RECEIVE_LEN];
        for _ in 0..MAX_BATCH {
            if !self.ports.channel(way).is_waiting() {
                return;
            }
            if let Some((len, source)) = self.ports.channel(way).receive(&mut buffer) {
                self.feed(way.input(buffer.get(..len).unwrap_or(&buffer), source));
            }
        }
    }

    fn read_monitor(&mut self) {
        let hints = match self.monitor.hints() {
            Ok(hints) => hints,
            Err(error) => {
                log::warn!("interface events cannot be read: {error}");
                self.monitor_waiting = false;
                return;
            }
        };
        self.monitor_waiting = hints.more;
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
        // Each arrival is told once; what that missed is found by looking.
        Way::ALL.into_iter().for_each(|way| self.ports.channel(way).wake());
        self.services.wake();
        self.control.wake();
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

    fn keep_house(&mut self) {
        let now = clock::now();
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
