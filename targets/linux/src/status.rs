//! The HA status, as JSON and for people. Fields are only ever added.

use crate::describe;
use crate::fxo::PortState;
use crate::journal::Journal;
use crate::notify::Tally;
use crate::service;
use serde::{Deserialize, Serialize};
use std::fmt;
use ucm_ha::fault::Faults;
use ucm_ha::types::{NetworkMethod, StationType};
use ucm_ha::{Config, Instant, Status};

/// The status of one node.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    ha_status: String,
    role: String,
    station_type: String,
    full_backup_status: String,
    mac: String,
    term: u32,
    cluster_ip: ClusterIp,
    peer: Peer,
    force_switch: ForceSwitch,
    faults: Vec<Fault>,
    /// What the FXO ports show; empty where they are not watched.
    fxo: Vec<FxoPort>,
    counters: Counters,
    notify: Vec<Receiver>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ClusterIp {
    address: String,
    bound: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Peer {
    seen: bool,
    role: Option<String>,
    mac: Option<String>,
    ip: String,
    firmware: Option<String>,
    cable: bool,
    lan: bool,
    last_heard_ms: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ForceSwitch {
    available: bool,
    reason: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Fault {
    name: String,
    raised: bool,
    switches: bool,
    /// What is wrong, where more is known than the name.
    reason: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FxoPort {
    name: String,
    state: String,
    notices: Vec<String>,
}

impl From<PortState> for FxoPort {
    fn from(port: PortState) -> Self {
        let notices = port.notices.into_iter().map(str::to_owned).collect();
        Self { name: port.name, state: port.state, notices }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Counters {
    frames_ok: u32,
    frames_malformed: u32,
    frames_unauthentic: u32,
    frames_replayed: u32,
    takeovers: u32,
    handovers: u32,
    events_dropped: u64,
}

/// What became of the notices for one `[[notify]]`.
#[derive(Debug, Serialize, Deserialize)]
struct Receiver {
    target: String,
    delivered: u64,
    failed: u64,
    dropped: u64,
}

/// What lives beside the node and has a part in the status.
pub(crate) struct Parts<'a> {
    /// The services that are watched.
    pub(crate) services: &'a [service::State],
    /// The FXO ports that are polled.
    pub(crate) fxo: Vec<PortState>,
    /// The journal, with what it and the receivers lost.
    pub(crate) journal: &'a Journal,
}

impl Report {
    /// The report on a node at `now`, and on what lives beside it.
    pub(crate) fn new(config: &Config, status: &Status, now: Instant, parts: Parts<'_>) -> Self {
        let Parts { services, fxo, journal } = parts;
        let counters = status.counters;
        Self {
            ha_status: describe::ha_status(status.ha_status).to_owned(),
            role: describe::role(status.role).to_owned(),
            station_type: station_type(config.station_type).to_owned(),
            full_backup_status: if status.syncing { "In progress" } else { "Idle" }.to_owned(),
            mac: config.mac.to_string(),
            term: status.term,
            cluster_ip: ClusterIp { address: config.cluster_ip.to_string(), bound: status.bound },
            peer: peer(config, status, now),
            force_switch: ForceSwitch {
                available: status.force_switch.is_ok(),
                reason: status.force_switch.err().map(|refusal| describe::refusal(refusal).to_owned()),
            },
            faults: faults(config, status, services),
            fxo: fxo.into_iter().map(FxoPort::from).collect(),
            counters: Counters {
                frames_ok: counters.frames_ok,
                frames_malformed: counters.frames_malformed,
                frames_unauthentic: counters.frames_unauthentic,
                frames_replayed: counters.frames_replayed,
                takeovers: counters.takeovers,
                handovers: counters.handovers,
                events_dropped: journal.dropped(),
            },
            notify: journal.tallies().map(receiver).collect(),
        }
    }
}

fn receiver(Tally { target, delivered, failed, dropped }: Tally) -> Receiver {
    Receiver { target, delivered, failed, dropped }
}

const fn station_type(station_type: StationType) -> &'static str {
    match station_type {
        StationType::Primary => "Primary",
        StationType::Secondary => "Secondary",
    }
}

fn peer(config: &Config, status: &Status, now: Instant) -> Peer {
    let peer = status.peer;
    Peer {
        seen: peer.is_some_and(|peer| peer.seen),
        role: peer.map(|peer| describe::role(peer.role).to_owned()),
        mac: peer.map(|peer| peer.mac.to_string()),
        ip: config.peer_ip.to_string(),
        firmware: peer.map(|peer| peer.firmware.to_string()),
        cable: peer.is_some_and(|peer| peer.cable),
        lan: peer.is_some_and(|peer| peer.lan),
        last_heard_ms: peer.map(|peer| now.since(peer.last_heard).as_ms()),
    }
}

/// Every fault this node can have, raised or not.
fn faults(config: &Config, status: &Status, services: &[service::State]) -> Vec<Fault> {
    let mut possible = Faults::from_bits_truncate((1 << config.model.fxo_ports()) - 1) | Faults::LAN;
    possible |= Faults::ADDRESS | status.faults.difference(Faults::SERVICE);
    possible.set(Faults::WAN, config.network_method == NetworkMethod::Router || status.faults.contains(Faults::WAN));
    possible.set(Faults::GATEWAY, config.gateway.is_some());
    let fault = |(name, fault): (&str, Faults)| Fault {
        name: name.to_owned(),
        raised: status.faults.contains(fault),
        switches: status.switching_faults.contains(fault),
        reason: None,
    };
    let service = |service: &service::State| Fault {
        name: format!("SERVICE {}", service.name),
        raised: service.fault.is_some(),
        switches: status.switching_faults.contains(Faults::SERVICE),
        reason: service.fault.clone(),
    };
    possible.iter_names().map(fault).chain(services.iter().map(service)).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = if self.cluster_ip.bound { "bound here" } else { "not bound here" };
        writeln!(f, "HA status           {}", self.ha_status)?;
        writeln!(f, "Role                {} ({}, term {})", self.role, self.station_type, self.term)?;
        writeln!(f, "MAC                 {}", self.mac)?;
        writeln!(f, "Cluster IP          {} ({bound})", self.cluster_ip.address)?;
        writeln!(f, "Full backup status  {}", self.full_backup_status)?;
        writeln!(f, "Peer                {}", self.peer)?;
        match &self.force_switch.reason {
            None => writeln!(f, "Force switch        available")?,
            Some(reason) => writeln!(f, "Force switch        not available: {reason}")?,
        }
        let raised: Vec<String> = self.faults.iter().filter(|fault| fault.raised).map(ToString::to_string).collect();
        write!(f, "Faults              {}", if raised.is_empty() { "none".to_owned() } else { raised.join(", ") })?;
        for (i, port) in self.fxo.iter().enumerate() {
            write!(f, "\n{:<20}{port}", if i == 0 { "FXO ports" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for FxoPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.state)?;
        self.notices.iter().try_for_each(|notice| write!(f, "; {notice}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None => f.write_str(&self.name),
            Some(reason) => write!(f, "{} {reason}", self.name),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(role), Some(mac), Some(last_heard_ms)) = (&self.role, &self.mac, self.last_heard_ms) else {
            return write!(f, "{}, never heard", self.ip);
        };
        let paths = match (self.cable, self.lan) {
            (true, true) => "heard over cable and LAN",
            (true, false) => "heard over the cable only",
            (false, true) => "heard over the LAN only",
            (false, false) => "not heard",
        };
        write!(f, "{}, {mac}, {role}, {paths}, last {last_heard_ms} ms ago", self.ip)
    }
}
