//! Brings the daemon up and takes it down.

use super::address::ClusterAddress;
use super::effects::SendHealth;
use super::ports::Ports;
use super::{Daemon, token, turn};
use crate::cli::{exit, fail};
use crate::clock::{self, Timer};
use crate::control::Server;
use crate::netlink::{Monitor, Netlink};
use crate::settings::{self, Network, Resolved, Sections};
use crate::state::{self, StateWriter};
use crate::{lock, logging, realtime};
use log::LevelFilter;
use mio::unix::SourceFd;
use mio::{Interest, Poll, Waker};
use rustix::rand::{GetRandomFlags, getrandom};
use sd_notify::NotifyState;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use ucm_ha::Node;

/// How long the end of the program waits for the last record to be stored.
const LAST_STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// Room for what became of outputs; more than the node asks for at once.
const OUTCOMES_CAPACITY: usize = 16;

/// Why the daemon did not start.
struct Refusal {
    code: u8,
    line: String,
}

fn refused(line: impl Into<String>) -> Refusal {
    Refusal { code: exit::REFUSED, line: line.into() }
}

/// Runs the daemon in the foreground until it is told to stop.
pub(crate) fn run(config_file: &Path, level: LevelFilter) -> ExitCode {
    let outcome = start(config_file, level);
    let code = match outcome {
        Ok(Some(mut daemon)) => match daemon.run().and(daemon.finish()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(exit::REFUSED, error),
        },
        Ok(None) => ExitCode::from(exit::UNUSABLE),
        Err(refusal) => fail(refusal.code, refusal.line),
    };
    log::logger().flush();
    code
}

/// Brings everything up. `None` when the configuration cannot be used, which is said then.
fn start(config_file: &Path, level: LevelFilter) -> Result<Option<Daemon>, Refusal> {
    let mut netlink = Netlink::open().map_err(|error| refused(format!("no netlink socket: {error}")))?;
    let Some((sections, network, resolved)) = configure(config_file, &mut netlink)? else { return Ok(None) };
    logging::start(level).map_err(|error| refused(format!("no log: {error}")))?;
    for note in &resolved.notes {
        log::warn!("{note}");
    }
    make_dir(&sections.paths.run_dir, "run_dir").map_err(refused)?;
    // Held until the process ends, whatever becomes of the daemon's other parts.
    std::mem::forget(lock::lock(&sections.paths.run_dir).map_err(refused)?);
    if let Err(reason) = make_dir(&sections.paths.state_dir, "state_dir") {
        log::error!("{reason}");
    }
    let mut daemon = assemble(config_file, sections, &network, &resolved, netlink)?;
    daemon.ports.refresh(&mut daemon.netlink).map_err(|error| refused(error.to_string()))?;
    let registry = daemon.poll.registry();
    daemon.ports.try_open(&daemon.config, registry).map_err(|error| refused(error.to_string()))?;
    realtime::enter();
    daemon.carry_out_all();
    daemon.feed_carriers();
    announce_ready();
    Ok(Some(daemon))
}

/// Reads the configuration; what is wrong with it goes to stderr.
fn configure(file: &Path, netlink: &mut Netlink) -> Result<Option<(Sections, Network, Resolved)>, Refusal> {
    let mut problems = Vec::new();
    let sections = settings::read(file, &mut problems);
    let interfaces =
        netlink.interfaces().map_err(|error| refused(format!("the network interfaces cannot be read: {error}")))?;
    let usable = sections.and_then(|sections| {
        let resolved = settings::resolve(&sections, &interfaces, &mut problems)?;
        let network = sections.network.clone()?;
        Some((sections, network, resolved))
    });
    for problem in &problems {
        eprintln!("{problem}");
    }
    Ok(usable)
}

fn make_dir(dir: &Path, key: &str) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|error| {
        let dir = dir.display();
        format!("{dir} cannot be created: {error}; create it or change paths.{key}")
    })
}

fn assemble(
    config_file: &Path,
    sections: Sections,
    network: &Network,
    resolved: &Resolved,
    netlink: Netlink,
) -> Result<Daemon, Refusal> {
    let config = resolved.config;
    let record = state::load(&sections.paths.state_dir);
    let node = Node::new(config, record, boot_id(), clock::now())
        .map_err(|error| Refusal { code: exit::UNUSABLE, line: error.to_string() })?;
    let no_sources = |error: io::Error| refused(format!("the daemon cannot be started: {error}"));
    let poll = Poll::new().map_err(no_sources)?;
    let control = Server::open(&sections.paths.run_dir, poll.registry(), token::CONTROL)
        .map_err(|error| refused(format!("no control socket in {}: {error}", sections.paths.run_dir.display())))?;
    let (timer, monitor, signals) = watch(&poll).map_err(no_sources)?;
    let waker = Arc::new(Waker::new(poll.registry(), token::STATE).map_err(no_sources)?);
    let state = StateWriter::start(sections.paths.state_dir.clone(), waker).map_err(no_sources)?;
    Ok(Daemon {
        node,
        config,
        frame: [0; ucm_ha::node::FRAME_CAPACITY],
        outcomes: VecDeque::with_capacity(OUTCOMES_CAPACITY),
        config_file: config_file.to_owned(),
        sections,
        enabled: config.enabled,
        netlink,
        ports: Ports::new(network),
        address: ClusterAddress::new(config.cluster_ip),
        cable_health: SendHealth::new("the heartbeat over the cable"),
        lan_health: SendHealth::new("the heartbeat over the LAN"),
        arp_health: SendHealth::new("ARP on the LAN"),
        state,
        record,
        poll,
        timer,
        monitor,
        signals,
        control,
        waiting: turn::Waiting::ALL,
        rescan_at: clock::now(),
        watchdog: turn::Watchdog::from_environment(),
        stop_at: None,
        stopped: false,
    })
}

/// The sources that are there from start to end.
fn watch(poll: &Poll) -> io::Result<(Timer, Monitor, Signals)> {
    let registry = poll.registry();
    let timer = Timer::new()?;
    registry.register(&mut SourceFd(&timer.as_raw_fd()), token::TIMER, Interest::READABLE)?;
    let monitor = Monitor::open()?;
    registry.register(&mut SourceFd(&monitor.as_raw_fd()), token::MONITOR, Interest::READABLE)?;
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    registry.register(&mut signals, token::SIGNALS, Interest::READABLE)?;
    Ok((timer, monitor, signals))
}

/// Random, and never 0.
pub(super) fn boot_id() -> u32 {
    let mut bytes = [0; 4];
    loop {
        // Only a machine that has just booted makes this wait; an interrupted call is repeated.
        if getrandom(&mut bytes, GetRandomFlags::empty()).is_ok() && bytes != [0; 4] {
            return u32::from_ne_bytes(bytes);
        }
    }
}

fn announce_ready() {
    turn::notify(&[NotifyState::Ready]);
    let mut stdout = io::stdout();
    if let Err(error) = writeln!(stdout, "ready").and_then(|()| stdout.flush()) {
        log::debug!("nobody reads stdout: {error}");
    }
    log::info!("ready");
}

impl Daemon {
    /// Leaves nothing behind: neither the address nor an older record.
    fn finish(&mut self) -> io::Result<()> {
        if self.address.may_be_bound() {
            let lan_index = self.ports.lan_index();
            // What is left is said by `release`, and its lifetime ends in the kernel.
            let _reported = self.address.release(&mut self.netlink, lan_index);
        }
        if !self.state.finish(LAST_STORE_TIMEOUT) {
            log::error!("the last record could not be stored");
        }
        log::info!("stopped");
        Ok(())
    }
}
