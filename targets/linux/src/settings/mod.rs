//! The configuration file: what it says, and everything that is wrong with it.
//!
//! [`parse`] needs the file's text only; [`resolve`] compares it with the interfaces of this machine.

mod diff;
mod fxo;
mod key_file;
mod reader;
mod resolve;
mod sections;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use diff::changed_keys;
pub(crate) use fxo::{Fxo, GpioLine};
pub(crate) use reader::{Problem, one_line, repeated};
pub(crate) use resolve::{Resolved, resolve};
pub(crate) use values::check_service_name;

use crate::notify::Template;
use reader::Reader;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use ucm_ha::config::FaultPolicy;
use ucm_ha::fault::Faults;
use ucm_ha::types::{Firmware, MacAddr, Model, NetworkMethod, StationType};

/// Where the configuration stands unless `--config` names another file.
pub(crate) const DEFAULT_CONFIG_FILE: &str = "/etc/ucm-ha/config.toml";

/// Most entries of `[[service]]` and of `[[notify]]`.
pub(crate) const MAX_ENTRIES: usize = 32;

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
}

/// Section `[network]`.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) method: NetworkMethod,
    pub(crate) lan_interface: String,
    pub(crate) wan_interface: Option<String>,
    pub(crate) heartbeat_interface: String,
    pub(crate) gateway: Option<Ipv4Addr>,
}

/// Section `[device]`.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) model: Model,
    pub(crate) firmware: Firmware,
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
    pub(crate) fault: Fault,
    pub(crate) notify: Vec<Notify>,
    /// Section `[fxo]`, where there is one.
    pub(crate) fxo: Option<Fxo>,
    pub(crate) services: Vec<Service>,
    table: Table,
}

/// Reads `file` and parses it.
pub(crate) fn read(file: &Path, problems: &mut Vec<Problem>) -> Option<Sections> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(&text, problems),
        Err(error) => {
            problems.push(Problem {
                key: file.display().to_string(),
                value: None,
                reason: format!("cannot be read: {error}; name the configuration with --config FILE"),
                passing: false,
            });
            None
        }
    }
}

/// Parses the text of a configuration file. `None` when it is not TOML at all.
pub(crate) fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Sections> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            problems.push(syntax_problem(text, &error));
            return None;
        }
    };
    let empty = Table::new();
    let device = sections::device(section("device", &table, &empty, problems));
    let ha = sections::ha(section("ha", &table, &empty, problems));
    let pair = sections::PairAddresses {
        cluster: ha.as_ref().map(|ha| ha.cluster_ip.0),
        peer: ha.as_ref().map(|ha| ha.peer_ip),
    };
    let network = sections::network(section("network", &table, &empty, problems), &pair);
    let paths = sections::paths(section("paths", &table, &empty, problems));
    let fault = sections::fault(section("fault", &table, &empty, problems));
    let model = device.as_ref().map(|device| device.model);
    let fxo_settings = table.contains_key("fxo").then(|| fxo::read(section("fxo", &table, &empty, problems), model));
    let services = services(&table, problems);
    let notify = entries("notify", &table, problems);
    let notify = notify.into_iter().filter_map(|(path, entry)| {
        let reader = Reader::new(path.clone(), entry, problems);
        sections::notify(reader, path)
    });
    let notify = notify.collect();
    refuse_unknown_sections(&table, problems);
    let fxo = fxo_settings.flatten();
    Some(Sections { ha, network, device, paths, fault, notify, fxo, services, table })
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    Problem {
        key: line.map_or_else(|| "configuration".to_owned(), |line| format!("line {line}")),
        value: None,
        reason: format!("is not TOML: {}", reader::escaped(&error.message().replace('\n', ", "))),
        passing: false,
    }
}

/// A reader of section `name`; of an empty one when it is missing or not a section.
fn section<'a>(name: &'static str, table: &'a Table, empty: &'a Table, problems: &'a mut Vec<Problem>) -> Reader<'a> {
    let section = match table.get(name) {
        None => empty,
        Some(Value::Table(section)) => section,
        Some(other) => {
            problems.push(Problem {
                key: name.to_owned(),
                value: Some(reader::shown(other)),
                reason: format!("must be a section; write [{name}] and its settings below"),
                passing: false,
            });
            empty
        }
    };
    Reader::new(name, section, problems)
}

/// The entries of `[[name]]` with their paths.
fn entries<'a>(name: &str, table: &'a Table, problems: &mut Vec<Problem>) -> Vec<(String, &'a Table)> {
    let mut refuse = |value: &Value, reason: String| {
        problems.push(Problem { key: name.to_owned(), value: Some(reader::shown(value)), reason, passing: false });
    };
    let Some(value) = table.get(name) else { return Vec::new() };
    let listed = value.as_array().map(|list| list.iter().map(Value::as_table).collect::<Option<Vec<_>>>());
    let Some(Some(listed)) = listed else {
        refuse(value, format!("must be a list of sections; write [[{name}]] for each"));
        return Vec::new();
    };
    if listed.len() > MAX_ENTRIES {
        refuse(value, format!("has {} entries; at most {MAX_ENTRIES} are allowed", listed.len()));
    }
    listed.into_iter().take(MAX_ENTRIES).enumerate().map(|(i, entry)| (format!("{name}[{i}]"), entry)).collect()
}

fn services(table: &Table, problems: &mut Vec<Problem>) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for (path, entry) in entries("service", table, problems) {
        let Some(service) = sections::service(Reader::new(path.clone(), entry, problems)) else { continue };
        if services.iter().any(|other| other.name == service.name) {
            problems.push(Problem {
                key: format!("{path}.name"),
                value: Some(format!("{:?}", service.name)),
                reason: "is used by another [[service]]; give each its own name".to_owned(),
                passing: false,
            });
        }
        services.push(service);
    }
    services
}

fn refuse_unknown_sections(table: &Table, problems: &mut Vec<Problem>) {
    let mut sections = Reader::new("", table, problems);
    for known in ["ha", "network", "device", "paths", "fault", "fxo", "service", "notify"] {
        // Presence is all that matters here; the sections were read before.
        let _present: Option<()> = sections.optional(known, |_| Ok(()));
    }
    sections.finish();
}

impl Sections {
    /// What stands in the file for a dotted key, to be shown with a problem.
    fn value(&self, key: &str) -> Option<String> {
        let (section, key) = key.split_once('.')?;
        let section = match section.strip_suffix(']').and_then(|section| section.split_once('[')) {
            Some((list, index)) => self.table.get(list)?.get(index.parse::<usize>().ok()?)?,
            None => self.table.get(section)?,
        };
        section.get(key).map(reader::shown)
    }
}
