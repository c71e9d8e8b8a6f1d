//! Brings the daemon up and takes it down.

use super::boot_id::boot_id;
use super::ports::Ports;
use super::running::{Daemon, TurnedOff};
use super::token;
use super::urgency;
use super::watchdog::{Watchdog, notify};
use crate::clock::{self, Timer};
use crate::control::Server;
use crate::events::{Journal, NODE_PATIENCE};
use crate::exit::{self, fail};
use crate::fxo::Watch;
use crate::helper::Helper;
use crate::net::address::{ClusterAddress, OwnAddress};
use crate::net::interface::Interface;
use crate::net::netlink::{Monitor, Netlink};
use crate::notify::Notifier;
use crate::service::{Tokens, Watched};
use crate::settings::{self, Network, Resolved, Sections};
use crate::state::{self, StateWriter};
use crate::takeover::Standby;
use crate::{lock, logging};
use log::LevelFilter;
use mio::unix::SourceFd;
use mio::{Interest, Poll, Waker};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, capabilities};
use sd_notify::NotifyState;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use std::collections::VecDeque;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use ucm_ha::Node;

/// How long the end of the program waits for the last record and the last events to be stored and told.
const LAST_STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// How often it is looked whether the LAN interface is there.
const LAN_POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Room for what became of outputs; more than the node asks for at once.
const OUTCOMES_CAPACITY: usize = 16;

/// Mode of `run_dir`: services of any user find the kick socket there.
pub(crate) const OF_ALL: u32 = 0o755;
/// Mode of `state_dir`.
const OF_OWNER: u32 = 0o700;

/// Why the daemon did not start.
struct Refusal {
    code: u8,
    line: String,
}

fn refused(line: impl Into<String>) -> Refusal {
    Refusal { code: exit::REFUSED, line: line.into() }
}

/// Runs the daemon in the foreground until it is told to stop. `helper` does what the daemon is not to have the rights for;
/// without one it does so itself.
pub(crate) fn run(config_file: &Path, level: LevelFilter, helper: Option<&Helper>) -> ExitCode {
    // A dump would hold the key; so does the memory that a debugger of the same user could read.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        return fail(
            exit::REFUSED,
            format_args!("core dumps, which would hold the key, cannot be turned off: {error}"),
        );
    }
    let ended = match start(config_file, level, helper) {
        Ok(Some(mut daemon)) => daemon.run().and(daemon.finish()).map_err(|error| refused(error.to_string())),
        Ok(None) => return ExitCode::from(exit::UNUSABLE),
        Err(refusal) => Err(refusal),
    };
    // The log's last lines come before the reason of the end.
    log::logger().flush();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => fail(refusal.code, refusal.line),
    }
}

/// Brings everything up. `None` when the configuration cannot be used, which is said then.
fn start(config_file: &Path, level: LevelFilter, helper: Option<&Helper>) -> Result<Option<Daemon>, Refusal> {
    let mut netlink = Netlink::open().map_err(|error| refused(format!("no netlink socket: {error}")))?;
    let Some((sections, network)) = configure(config_file, &mut netlink)? else { return Ok(None) };
    require_net_admin().map_err(refused)?;
    logging::start(level).map_err(|error| refused(format!("no log: {error}")))?;
    make_dir(&sections.paths.run_dir, "run_dir", OF_ALL).map_err(refused)?;
    // Held until the process ends, whatever becomes of the daemon's other parts.
    std::mem::forget(lock::lock(&sections.paths.run_dir).map_err(refused)?);
    let resolved = wait_for_lan(&sections, &mut netlink)?;
    for note in &resolved.notes {
        log::warn!("{note}");
    }
    if let Err(reason) = make_dir(&sections.paths.state_dir, "state_dir", OF_OWNER) {
        log::error!("{reason}");
    }
    let mut daemon = assemble(config_file, sections, &network, &resolved, netlink, helper)?;
    daemon.ports.refresh(&mut daemon.netlink).map_err(|error| refused(error.to_string()))?;
    let registry = daemon.poll.registry();
    daemon.ports.try_open(&daemon.config, registry).map_err(|error| refused(error.to_string()))?;
    urgency::enter(helper, daemon.sections.daemon.realtime_priority);
    daemon.carry_out_all();
    daemon.tell_fxo_state();
    daemon.feed_carriers();
    announce_ready();
    Ok(Some(daemon))
}

/// Reads the configuration. What is wrong with it goes to stderr; what may end by itself is waited for later.
fn configure(file: &Path, netlink: &mut Netlink) -> Result<Option<(Sections, Network)>, Refusal> {
    let mut problems = Vec::new();
    let sections = settings::read(file, &mut problems);
    let interfaces = read_interfaces(netlink)?;
    // Only the problems count here; the interfaces are compared again once the daemon holds its `run_dir`.
    drop(sections.as_ref().map(|sections| settings::resolve(sections, &interfaces, &mut problems)));
    let usable = problems.iter().all(|problem| problem.passing);
    if !usable {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
    }
    Ok(sections.filter(|_| usable).and_then(|sections| sections.network.clone().map(|network| (sections, network))))
}

fn read_interfaces(netlink: &mut Netlink) -> Result<Vec<Interface>, Refusal> {
    netlink.interfaces().map_err(|error| refused(format!("the network interfaces cannot be read: {error}")))
}

/// Waits for the LAN interface and its address, without which a node has no identity. A missing heartbeat or WAN port is
/// not waited for.
fn wait_for_lan(sections: &Sections, netlink: &mut Netlink) -> Result<Resolved, Refusal> {
    let mut said = Vec::new();
    loop {
        let mut problems = Vec::new();
        let interfaces = read_interfaces(netlink)?;
        if let Some(resolved) = settings::resolve(sections, &interfaces, &mut problems) {
            return Ok(resolved);
        }
        let line = settings::one_line(&problems);
        if problems.iter().any(|problem| !problem.passing) {
            return Err(Refusal { code: exit::UNUSABLE, line });
        }
        if problems != said {
            log::warn!("{line}; waiting for it");
            notify(&[NotifyState::Status(&format!("waiting: {line}"))]);
            said = problems;
        }
        std::thread::sleep(LAN_POLL_INTERVAL);
    }
}

/// Without it every claim would end in an address that cannot be bound.
fn require_net_admin() -> Result<(), String> {
    let held = capabilities(None).map_err(|error| format!("the capabilities cannot be read: {error}"))?;
    if held.effective.contains(CapabilitySet::NET_ADMIN) {
        return Ok(());
    }
    Err("the cluster IP cannot be bound: CAP_NET_ADMIN is missing; run as root or grant CAP_NET_RAW and CAP_NET_ADMIN"
        .to_owned())
}

/// Creates a directory of `[paths]` with this mode, where there is none; an error is one line that says what to do.
pub(crate) fn make_dir(dir: &Path, key: &str, mode: u32) -> Result<(), String> {
    DirBuilder::new().recursive(true).mode(mode).create(dir).map_err(|error| {
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
    helper: Option<&Helper>,
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
    let waker = Arc::new(Waker::new(poll.registry(), token::WAKER).map_err(no_sources)?);
    let fxo = watch_fxo(&sections, config.model.fxo_ports(), &waker).map_err(no_sources)?;
    let state = StateWriter::start(sections.paths.state_dir.clone(), Arc::clone(&waker)).map_err(no_sources)?;
    let notifier = Notifier::start(&sections.notify, helper).map_err(no_sources)?;
    let patience = |cause: &str| patience(&sections, cause);
    let journal = Journal::start(sections.paths.state_dir.clone(), notifier, Arc::clone(&waker), patience);
    let journal = journal.map_err(no_sources)?;
    let services = watch_services(&sections, &poll, &waker).map_err(no_sources)?;
    Ok(Daemon {
        node,
        config,
        frame: [0; ucm_ha::node::FRAME_CAPACITY],
        outcomes: VecDeque::with_capacity(OUTCOMES_CAPACITY),
        config_file: config_file.to_owned(),
        sections,
        enabled: config.enabled,
        turned_off: (!config.enabled).then_some(TurnedOff::ByConfiguration),
        off_since: SystemTime::now(),
        complaint: None,
        netlink,
        ports: Ports::new(network),
        address: ClusterAddress::new(config.cluster_ip),
        removal_told: false,
        own_address: OwnAddress::new(),
        fxo,
        state,
        record,
        journal,
        standby: Standby::default(),
        services,
        poll,
        timer,
        monitor,
        signals,
        control,
        told: None,
        monitor_waiting: true,
        rescan_at: clock::now(),
        watchdog: Watchdog::from_environment(),
        stop_at: None,
        stopped: false,
    })
}

/// How long what was wrong before this start, and still is, may take to be found again.
fn patience(sections: &Sections, cause: &str) -> ucm_ha::Duration {
    let of_service = |service: &settings::Service| {
        let is_meant = cause.strip_prefix("SERVICE ") == Some(service.name.as_str());
        is_meant.then(|| service.longest_ms())
    };
    let of_service = sections.services.iter().find_map(of_service).unwrap_or_default();
    let of_fxo = if cause.starts_with("FXO") { u64::from(sections.fault.fxo_raise_ms) } else { 0 };
    NODE_PATIENCE + ucm_ha::Duration::from_ms(of_service.max(of_fxo))
}

/// The FXO ports, where the model has any and the configuration says what leads to them.
fn watch_fxo(sections: &Sections, ports: u8, waker: &Arc<Waker>) -> io::Result<Option<Watch>> {
    let configured = sections.fxo.as_ref().filter(|_| ports > 0);
    configured.map(|fxo| Watch::start(fxo, ports, &sections.fault, Arc::clone(waker))).transpose()
}

fn watch_services(sections: &Sections, poll: &Poll, waker: &Arc<Waker>) -> io::Result<Watched> {
    let tokens = Tokens { kicks: token::KICKS, first_process: token::FIRST_PROCESS };
    Watched::start(&sections.services, &sections.paths.run_dir, poll.registry(), tokens, waker, clock::now())
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

fn announce_ready() {
    notify(&[NotifyState::Ready, NotifyState::Status("")]);
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
            // What is left is said by `release`, and its lifetime ends in the kernel.
            let _reported = self.address.release(&mut self.netlink);
        }
        let end = std::time::Instant::now() + LAST_STORE_TIMEOUT;
        if !self.state.finish(LAST_STORE_TIMEOUT) {
            log::error!("the last record could not be stored");
        }
        self.journal.finish(end);
        log::info!("stopped");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_wrong_with_a_service_may_take_as_long_as_its_longest_timeout_to_be_found_again() {
        let text = "[fault]\nfxo_raise_ms = 400\n\
                    [[service]]\nname = \"slow\"\npid_file = \"/run/slow.pid\"\nkick_timeout_ms = 3000\nstart_timeout_ms = 60000\n\
                    [[service]]\nname = \"probed\"\nprobe = [\"x\"]\nprobe_interval_ms = 2000\nprobe_timeout_ms = 500\n\
                    [[service]]\nname = \"named\"\n";
        let sections = settings::parse(text, &mut Vec::new()).unwrap();
        let after_usual_ms = |cause: &str| patience(&sections, cause).as_ms() - NODE_PATIENCE.as_ms();
        let causes = ["SERVICE slow", "SERVICE probed", "SERVICE named", "SERVICE gone", "FXO2", "HEARTBEAT"];
        assert_eq!(causes.map(after_usual_ms), [60_000, 7500, 0, 0, 400, 0]);
    }
}
