//! The HA status of a node, as JSON and for people. Fields are only ever added.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The status of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `Off`, `Single` or `Dual`.
    pub ha_status: String,
    /// `Off`, `Init`, `Standby`, `Claiming`, `Active` or `Yielding`.
    pub role: String,
    /// `Primary` or `Secondary`.
    pub station_type: String,
    /// `In progress` or `Idle`.
    pub full_backup_status: String,
    /// The node's MAC address.
    pub mac: String,
    /// Term of the newest claim that it knows.
    pub term: u32,
    /// The cluster IP.
    pub cluster_ip: ClusterIp,
    /// What it knows of its peer.
    pub peer: Peer,
    /// Whether it would hand over now.
    pub force_switch: ForceSwitch,
    /// Every fault that it can have, raised or not.
    pub faults: Vec<Fault>,
    /// What the FXO ports show; empty where they are not watched.
    pub fxo: Vec<FxoPort>,
    /// What it has counted since its start.
    pub counters: Counters,
    /// What became of the notices.
    pub notify: Vec<Notices>,
    /// The parts of the family that were there since the daemon started.
    #[serde(default)]
    pub parts: Vec<PartStatus>,
}

/// The cluster IP of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterIp {
    /// With its prefix, as in `192.168.129.64/24`.
    pub address: String,
    /// Whether the node has it.
    pub bound: bool,
}

/// What a node knows of its peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Whether it is heard at all.
    pub seen: bool,
    /// Its role when it was heard last.
    pub role: Option<String>,
    /// Its MAC address.
    pub mac: Option<String>,
    /// Its static address.
    pub ip: String,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Whether it is heard over the cable.
    pub cable: bool,
    /// Whether it is heard over the LAN.
    pub lan: bool,
    /// Time since it was heard last, in ms.
    pub last_heard_ms: Option<u64>,
}

/// Whether a force switch is possible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForceSwitch {
    /// Whether it is.
    pub available: bool,
    /// Why not, and what to do.
    pub reason: Option<String>,
}

/// A fault of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name, as in `LAN` or `SERVICE asterisk`.
    pub name: String,
    /// Whether the node has it.
    pub raised: bool,
    /// Whether it makes the node hand over.
    pub switches: bool,
    /// What is wrong, where more is known than the name.
    pub reason: Option<String>,
}

/// An FXO port of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FxoPort {
    /// Its name, as in `FXO1`.
    pub name: String,
    /// What it shows.
    pub state: String,
    /// Conditions that are worth an alert.
    pub notices: Vec<String>,
}

/// What a node has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Heartbeats of the peer.
    pub frames_ok: u32,
    /// Frames without the form of a heartbeat.
    pub frames_malformed: u32,
    /// Frames that are not the peer's.
    pub frames_unauthentic: u32,
    /// Frames that are older than others.
    pub frames_replayed: u32,
    /// Frames of nodes of another pair.
    #[serde(default)]
    pub frames_foreign: u32,
    /// Times it became active without a handover.
    pub takeovers: u32,
    /// Times it became active by a handover.
    pub handovers: u32,
    /// Events that were lost.
    pub events_dropped: u64,
}

impl Counters {
    /// Frames that were refused, for whatever reason.
    #[must_use]
    pub fn frames_refused(&self) -> u64 {
        let refused = [self.frames_malformed, self.frames_unauthentic, self.frames_replayed, self.frames_foreign];
        refused.into_iter().map(u64::from).sum()
    }
}

/// What became of the notices for one `[[notify]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices {
    /// The program or the URL.
    pub target: String,
    /// Told, and it said that all is well.
    pub delivered: u64,
    /// Told, or tried to.
    pub failed: u64,
    /// Not tried: too many waited.
    pub dropped: u64,
}

/// A part of the family, such as `sync`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStatus {
    /// Its name.
    pub name: String,
    /// Whether it holds a conversation with the daemon and was heard within the last 2 s.
    pub present: bool,
    /// Since when, as in `2021-08-27 14:48:33`, local time.
    pub since: String,
    /// What it says of itself; none while it is absent.
    pub state: Option<serde_json::Value>,
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
        for part in &self.parts {
            let presence = if part.present { "there" } else { "absent" };
            write!(f, "\n{:<20}{presence} since {}", format!("Part {}", part.name), part.since)?;
        }
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
