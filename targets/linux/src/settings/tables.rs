//! The sections of the configuration file, as they are understood.

use super::fxo::Fxo;
use super::reader::shown;
use super::template::Template;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use toml::Table;
use ucm_ha::config::FaultPolicy;
use ucm_ha::fault::Faults;
use ucm_ha::service::PROBE_FAILURES;
use ucm_ha::types::{Firmware, MacAddr, Model, NetworkMethod, StationType};

/// Section `[ha]`.
#[derive(Clone, Debug)]
pub(crate) struct Ha {
    pub(crate) enable: bool,
    pub(crate) station_type: StationType,
    /// With its prefix length, where one is given.
    pub(crate) cluster_ip: (Ipv4Addr, Option<u8>),
    pub(crate) peer_ip: Ipv4Addr,
    pub(crate) peer_mac: Option<MacAddr>,
    pub(crate) heartbeat_port: u16,
    pub(crate) heartbeat_timeout_s: u8,
    pub(crate) software_fault_switch: bool,
    pub(crate) hardware_fault_switch: Faults,
    pub(crate) fast_failover: bool,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) allow_unauthenticated: bool,
}

/// Section `[network]`.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) method: NetworkMethod,
    pub(crate) lan_interface: String,
    pub(crate) wan_interface: Option<String>,
    pub(crate) heartbeat_interface: String,
    pub(crate) gateway: Option<Ipv4Addr>,
    /// This node's own address, where the LAN interface has several that could be.
    pub(crate) own_ip: Option<Ipv4Addr>,
}

/// Section `[device]`.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) model: Model,
    pub(crate) firmware: Firmware,
}

/// Section `[daemon]`.
#[derive(Clone, Debug)]
pub(crate) struct DaemonSettings {
    /// Of its main thread.
    pub(crate) realtime_priority: u8,
}

/// Section `[paths]`.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) state_dir: PathBuf,
    pub(crate) run_dir: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self { state_dir: PathBuf::from("/var/lib/ucm-ha"), run_dir: PathBuf::from("/run/ucm-ha") }
    }
}

/// Section `[fault]`.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) policy: FaultPolicy,
    pub(crate) fxo_raise_ms: u32,
    pub(crate) fxo_clear_ms: u32,
    pub(crate) reboot_command: String,
}

/// One `[[notify]]`: who is told of events.
#[derive(Clone, Debug)]
pub(crate) struct Notify {
    /// Where it stands, e.g. `notify[0]`.
    pub(crate) key: String,
    pub(crate) timeout_ms: u32,
    pub(crate) target: NotifyTarget,
}

/// Whom a `[[notify]]` names.
#[derive(Clone, Debug)]
pub(crate) enum NotifyTarget {
    /// A program with its arguments, and the user it runs as.
    Command { words: Vec<String>, user: Option<String> },
    /// A web server, and what it is sent.
    Http { url: String, template: Template },
}

/// One `[[service]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) pid_source: Option<PidSource>,
    pub(crate) kick_timeout_ms: Option<u32>,
    pub(crate) start_timeout_ms: Option<u32>,
    pub(crate) probe: Option<Probe>,
}

impl Service {
    /// The longest time that may pass from a start until what is wrong with it is known, in ms.
    pub(crate) fn longest_ms(&self) -> u64 {
        let waits = [self.kick_timeout_ms, self.start_timeout_ms].into_iter().flatten().map(u64::from);
        let probes = self
            .probe
            .as_ref()
            .map(|probe| u64::from(PROBE_FAILURES) * (u64::from(probe.interval_ms) + u64::from(probe.timeout_ms)));
        waits.chain(probes).max().unwrap_or_default()
    }
}

/// What tells the process of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PidSource {
    /// A file that holds its number.
    PidFile(PathBuf),
    /// The cgroup of a systemd unit, below the root of all.
    Unit(PathBuf),
}

/// A command that tells whether a service is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) interval_ms: u32,
    pub(crate) timeout_ms: u32,
}

/// The sections of a file as far as they could be understood, and the file itself.
#[derive(Debug)]
pub(crate) struct Sections {
    pub(crate) ha: Option<Ha>,
    pub(crate) network: Option<Network>,
    pub(crate) device: Option<Device>,
    pub(crate) paths: Paths,
    pub(crate) daemon: DaemonSettings,
    pub(crate) fault: Fault,
    pub(crate) notify: Vec<Notify>,
    /// Section `[fxo]`, where there is one.
    pub(crate) fxo: Option<Fxo>,
    pub(crate) services: Vec<Service>,
    pub(super) table: Table,
}

impl Sections {
    /// What stands in the file for a dotted key, to be shown with a problem.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        let (section, key) = key.split_once('.')?;
        let section = match section.strip_suffix(']').and_then(|section| section.split_once('[')) {
            Some((list, index)) => self.table.get(list)?.get(index.parse::<usize>().ok()?)?,
            None => self.table.get(section)?,
        };
        section.get(key).map(shown)
    }
}
