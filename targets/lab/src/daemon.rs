//! A real daemon in a node's namespace: its configuration, its process, and what it says of itself.

use crate::error::Context;
use crate::netns::Netns;
use crate::paths::{DAEMON, config_file, directory, fxo_dir, log_file, pid_file, run_dir, state_dir};
use crate::plan::{CABLE, CLUSTER_IP, GATEWAY, HEARTBEAT_PORT, LAN, Node, WAN};
use crate::service;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use ucm_ha::types::{KEY_LEN, Key, StationType};
use ucm_ha_control::status::Peer;
use ucm_ha_control::{Reply, Report, Request, ask};

/// The key of a pair that has one.
pub(crate) const KEY: Key = Key([0xa5; KEY_LEN]);

/// The line of a pair that has none.
const WITHOUT_KEY: &str = "allow_unauthenticated = true\n";

/// What a lab's daemons are told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Heartbeat timeout in seconds.
    pub timeout_s: u8,
    /// Whether fast failover is on.
    pub fast_failover: bool,
    /// Whether the gateway is configured.
    pub gateway: bool,
}

/// The active of a pair that is complete, given what both nodes say: one active that would switch, one standby, each heard by
/// the other on both paths.
pub fn active_of_complete_pair(statuses: &[Report; 2]) -> Option<Node> {
    active_of_pair(statuses, |peer| peer.cable && peer.lan)
}

/// The same of a pair that is complete but for the LAN between the nodes.
pub(crate) fn active_of_pair_on_cable(statuses: &[Report; 2]) -> Option<Node> {
    active_of_pair(statuses, |peer| peer.cable)
}

fn active_of_pair(statuses: &[Report; 2], hears: impl Fn(&Peer) -> bool) -> Option<Node> {
    let [a, b] = statuses;
    let active = match (a.role.as_str(), b.role.as_str()) {
        ("Active", "Standby") => Node::A,
        ("Standby", "Active") => Node::B,
        _ => return None,
    };
    let complete = statuses.iter().all(|status| hears(&status.peer)) && statuses[active.index()].force_switch.available;
    complete.then_some(active)
}

/// Memory and processor time of a daemon.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory in KiB.
    pub rss_kib: u64,
    /// Processor time since its start.
    pub cpu: Duration,
}

/// The daemon of one node. Dropping this kills it.
pub struct Daemon {
    node: Node,
    program: PathBuf,
    process: Option<Child>,
    frozen: bool,
}

impl Daemon {
    /// The daemon of `node`, configured but not started. `program` is what will run.
    pub fn configure(node: Node, settings: &Settings, program: &Path) -> io::Result<Self> {
        let directory = directory(node);
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).context("cannot forget the last run");
            }
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&directory).context(format_args!("cannot make {}", directory.display()))?;
        fs::write(config_file(node), config(node, settings)).context("cannot write the configuration")?;
        fs::create_dir(fxo_dir(node)).context("cannot make the directory of the FXO ports")?;
        Ok(Self { node, program: program.to_owned(), process: None, frozen: false })
    }

    /// Starts it in `netns`.
    pub fn start(&mut self, netns: &Netns) -> io::Result<()> {
        if self.is_running() {
            return Ok(());
        }
        let log =
            OpenOptions::new().create(true).append(true).open(log_file(self.node)).context("cannot open its log")?;
        let mut command = Command::new(&self.program);
        command.arg0(DAEMON).args(["run", "--log-level", "debug", "--config"]).arg(config_file(self.node));
        // A group of its own: Ctrl-C on the terminal is meant for the lab.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0).env_remove("NOTIFY_SOCKET");
        let child = netns.run(|| command.spawn()).context(format_args!("cannot start the daemon of {}", self.node))?;
        self.process = Some(child);
        self.frozen = false;
        Ok(())
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) -> io::Result<()> {
        self.frozen = false;
        match self.process.take() {
            Some(mut child) => {
                child.kill().context("cannot kill the daemon")?;
                child.wait().map(drop)
            }
            None => Ok(()),
        }
    }

    /// Stops it in its tracks, or lets it go on.
    pub fn set_frozen(&mut self, frozen: bool) -> io::Result<()> {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        let pid = self.pid().ok_or_else(|| io::Error::other(format!("the daemon of {} does not run", self.node)))?;
        kill_process(pid, signal).context("cannot freeze or thaw the daemon")?;
        self.frozen = frozen;
        Ok(())
    }

    /// Whether it is frozen.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Whether its process exists.
    pub fn is_running(&mut self) -> bool {
        let ended = match &mut self.process {
            None => return false,
            // A process whose state cannot be read is not there.
            Some(child) => !matches!(child.try_wait(), Ok(None)),
        };
        if ended {
            self.process = None;
        }
        !ended
    }

    /// How much it uses.
    pub fn usage(&self) -> io::Result<Usage> {
        let pid = self.pid().ok_or_else(|| io::Error::other("the daemon does not run"))?.as_raw_nonzero();
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).context("cannot measure the daemon");
        let rss_kib = read("status")?
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok())
            .ok_or_else(|| io::Error::other("the kernel does not tell the daemon's memory"))?;
        // Nanoseconds on the processor, of each thread; /proc/PID/stat counts whole ticks only.
        let mut cpu_ns = 0;
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
            let ns: u64 = schedstat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default();
            cpu_ns += ns;
        }
        Ok(Usage { rss_kib, cpu: Duration::from_nanos(cpu_ns) })
    }

    /// Tells it to read its configuration again.
    pub fn reload(&self) -> io::Result<()> {
        let pid = self.pid().ok_or_else(|| io::Error::other(format!("the daemon of {} does not run", self.node)))?;
        kill_process(pid, Signal::HUP).context("cannot reload the daemon")
    }

    fn pid(&self) -> Option<Pid> {
        self.process.as_ref().map(Pid::from_child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("lab: {error}");
        }
    }
}

/// What the daemon of `node` says of itself.
pub fn status(node: Node) -> Result<Report, String> {
    match ask(&run_dir(node), Request::Status)? {
        Reply::Status { status } => Ok(*status),
        Reply::Done | Reply::Part { .. } | Reply::Refused { .. } | Reply::Error { .. } => {
            Err(format!("the daemon of {node} does not give its status"))
        }
    }
}

/// Asks the daemon of `node` for a force switch, and waits for the outcome.
pub fn force_switch(node: Node) -> Result<(), String> {
    match ask(&run_dir(node), Request::Switch)? {
        Reply::Done => Ok(()),
        Reply::Refused { reason } | Reply::Error { reason } => Err(reason),
        Reply::Status { .. } | Reply::Part { .. } => {
            Err(format!("the daemon of {node} says something else when asked to switch"))
        }
    }
}

/// The end of the daemon's log.
pub fn log_tail(node: Node, lines: usize) -> Vec<String> {
    let log = fs::read_to_string(log_file(node)).unwrap_or_default();
    let all: Vec<&str> = log.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Whether the daemon's log has this text.
pub fn logged(node: Node, text: &str) -> bool {
    times_logged(node, text) > 0
}

/// How often the daemon's log has this text.
pub(crate) fn times_logged(node: Node, text: &str) -> usize {
    fs::read_to_string(log_file(node)).map_or(0, |log| log.matches(text).count())
}

/// What a simulated FXO port shows; ports count from 1.
pub fn set_fxo(node: Node, port: u8, state: &str) -> io::Result<()> {
    fs::write(fxo_dir(node).join(format!("FXO{port}")), state).context("cannot change an FXO port")
}

/// What it shows now. A port without a file is well.
pub fn fxo(node: Node, port: u8) -> String {
    fs::read_to_string(fxo_dir(node).join(format!("FXO{port}"))).unwrap_or_else(|_| "ok".to_owned())
}

/// Lets a daemon that is not started yet watch the services of its node.
pub(crate) fn add_services(node: Node, software_fault_switch: bool) -> io::Result<()> {
    let file = config_file(node);
    let config = fs::read_to_string(&file).context("cannot read the configuration")?;
    let switch = format!("enable = true\nsoftware_fault_switch = {software_fault_switch}\n");
    let services = format!(
        "[[service]]\n\
         name = \"{}\"\n\
         pid_file = \"{}\"\n\
         [[service]]\n\
         name = \"{}\"\n\
         kick_timeout_ms = {}\n\
         start_timeout_ms = 60000\n",
        service::PROCESS,
        pid_file(node).display(),
        service::KICKING,
        service::KICK_TIMEOUT.as_millis()
    );
    fs::write(file, config.replacen("enable = true\n", &switch, 1) + &services)
        .context("cannot write the configuration")
}

/// Gives the daemons of the pair a key before they are started.
pub(crate) fn add_key(node: Node) -> io::Result<()> {
    let key = directory(node).join("key");
    let digits: String = KEY.0.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&key, digits).context("cannot write the key")?;
    fs::set_permissions(&key, Permissions::from_mode(0o600)).context("cannot protect the key")?;
    let file = config_file(node);
    let config = fs::read_to_string(&file).context("cannot read the configuration")?;
    let keyed = format!("key_file = \"{}\"\n", key.display());
    fs::write(file, config.replacen(WITHOUT_KEY, &keyed, 1)).context("cannot write the configuration")
}

fn config(node: Node, settings: &Settings) -> String {
    let station_type = match node.station_type() {
        StationType::Primary => "primary",
        StationType::Secondary => "secondary",
    };
    let gateway = if settings.gateway { format!("gateway = \"{}\"\n", GATEWAY.address) } else { String::new() };
    let Settings { timeout_s, fast_failover, .. } = settings;
    format!(
        "[ha]\n\
         enable = true\n\
         station_type = \"{station_type}\"\n\
         cluster_ip = \"{CLUSTER_IP}\"\n\
         peer_ip = \"{}\"\n\
         heartbeat_port = {HEARTBEAT_PORT}\n\
         heartbeat_timeout = {timeout_s}\n\
         fast_failover = {fast_failover}\n\
         hardware_fault_switch = [\"FXO1\", \"FXO2\"]\n\
         {WITHOUT_KEY}\
         [network]\n\
         method = \"router\"\n\
         wan_interface = \"{WAN}\"\n\
         lan_interface = \"{LAN}\"\n\
         heartbeat_interface = \"{CABLE}\"\n\
         {gateway}\
         [device]\n\
         model = \"UCM6304A\"\n\
         firmware = \"1.0.10.2\"\n\
         [fxo]\n\
         driver = \"sim\"\n\
         sim = \"{}\"\n\
         [paths]\n\
         state_dir = \"{}\"\n\
         run_dir = \"{}\"\n",
        node.peer().address().address,
        fxo_dir(node).display(),
        state_dir(node).display(),
        run_dir(node).display()
    )
}
