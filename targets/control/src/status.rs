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
    /// Its own static address.
    #[serde(default)]
    pub own_ip: String,
    /// The cluster IP.
    pub cluster_ip: ClusterIp,
    /// The gateway; none where none is configured.
    #[serde(default)]
    pub gateway: Option<Gateway>,
    /// Why high availability is off; none where it is on.
    #[serde(default)]
    pub off: Option<Off>,
    /// Whether its operator keeps it out of the active role.
    #[serde(default)]
    pub maintenance: bool,
    /// What it knows of its peer.
    pub peer: Peer,
    /// Whether it would hand over now.
    pub force_switch: ForceSwitch,
    /// How often it may still hand over for faults of its own.
    #[serde(default)]
    pub budget: Budget,
    /// Every fault that it can have, raised or not.
    pub faults: Vec<Fault>,
    /// The alerts that stand, the oldest first.
    #[serde(default)]
    pub alerts: Vec<StandingAlert>,
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

/// The gateway of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its address.
    pub ip: String,
    /// Whether it answered within the last second.
    pub seen: bool,
    /// How long its last answer took, in ms, where that is known.
    pub rtt_ms: Option<u64>,
}

/// Why high availability is off on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// Who turned it off: `configuration` (it was off when the daemon started), `operator` (by a reload) or `peer`.
    pub by: String,
    /// Since when, as in `2021-08-27 14:48:33`, local time; not from before the daemon's start.
    pub since: String,
    /// What turns it on.
    pub remedy: String,
}

/// Handovers for faults of a node's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Those that are left in this window.
    pub left: u8,
    /// Those that a window has.
    pub of: u8,
}

/// An alert that stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingAlert {
    /// Its cause, as events have it: `HEARTBEAT`.
    pub cause: String,
    /// What is wrong, as events have it: `loose connection`.
    pub text: String,
    /// MAC of the station that it is about, where that is known.
    pub mac: Option<String>,
    /// Since when, as in `2021-08-27 14:48:33`, local time.
    pub since: String,
}

/// Whether a node could take over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ability {
    /// Whether nothing is known that speaks against it.
    pub possible: bool,
    /// What does.
    pub reason: Option<String>,
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
    /// Its faults when it was heard last.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Whether it could serve, as far as this node is told.
    #[serde(default)]
    pub can_take_over: Ability,
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
        if let Some(Off { by, since, remedy }) = &self.off {
            writeln!(f, "Off                 by the {by} since {since}; {remedy}")?;
        }
        if self.maintenance {
            writeln!(f, "Maintenance         on; `ucm-ha maintenance off` lets this node take the role again")?;
        }
        writeln!(f, "Role                {} ({}, term {})", self.role, self.station_type, self.term)?;
        writeln!(f, "MAC                 {}", self.mac)?;
        writeln!(f, "Own address         {}", self.own_ip)?;
        writeln!(f, "Cluster IP          {} ({bound})", self.cluster_ip.address)?;
        match &self.gateway {
            None => writeln!(f, "Gateway             none is configured")?,
            Some(Gateway { ip, seen: true, .. }) => writeln!(f, "Gateway             {ip} (answers)")?,
            Some(Gateway { ip, seen: false, .. }) => writeln!(f, "Gateway             {ip} (does not answer)")?,
        }
        writeln!(f, "Full backup status  {}", self.full_backup_status)?;
        writeln!(f, "Peer                {}", self.peer)?;
        if !self.peer.faults.is_empty() {
            writeln!(f, "Peer's faults       {}", self.peer.faults.join(", "))?;
        }
        writeln!(f, "Peer can take over  {}", self.peer.can_take_over)?;
        match &self.force_switch.reason {
            None => writeln!(f, "Force switch        available")?,
            Some(reason) => writeln!(f, "Force switch        not available: {reason}")?,
        }
        writeln!(f, "Handover budget     {} of {} left", self.budget.left, self.budget.of)?;
        let raised: Vec<String> = self.faults.iter().filter(|fault| fault.raised).map(ToString::to_string).collect();
        write!(f, "Faults              {}", if raised.is_empty() { "none".to_owned() } else { raised.join(", ") })?;
        write_list(f, "Alerts", &self.alerts)?;
        for part in &self.parts {
            let presence = if part.present { "there" } else { "absent" };
            write!(f, "\n{:<20}{presence} since {}", format!("Part {}", part.name), part.since)?;
        }
        if self.fxo.is_empty() { Ok(()) } else { write_list(f, "FXO ports", &self.fxo) }
    }
}

/// Each entry on a line of its own, behind the name of the list.
fn write_list(f: &mut fmt::Formatter<'_>, name: &str, entries: &[impl fmt::Display]) -> fmt::Result {
    if entries.is_empty() {
        return write!(f, "\n{name:<20}none");
    }
    let mut names = std::iter::once(name).chain(std::iter::repeat(""));
    entries.iter().try_for_each(|entry| write!(f, "\n{:<20}{entry}", names.next().unwrap_or_default()))
}

impl fmt::Display for StandingAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, text, mac, since } = self;
        let mac = mac.as_deref().unwrap_or("unknown");
        write!(f, "{cause} {text}, since {since} (MAC {mac})")
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None if self.possible => f.write_str("yes"),
            None => f.write_str("no"),
            Some(reason) => write!(f, "no: {reason}"),
        }
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
        // What a silent peer was is no news: after a takeover it may have been the active.
        let was = if self.seen { "" } else { "was " };
        write!(f, "{}, {mac}, {was}{role}, {paths}, last {last_heard_ms} ms ago", self.ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(report: &Report) -> Vec<String> {
        report.to_string().lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_shown(report: &Report, line: &str) {
        assert!(shown(report).iter().any(|shown| shown == line), "{line:?} is not in\n{report}");
    }

    #[test]
    fn a_peer_that_is_silent_after_a_takeover_is_told_by_what_it_was() {
        let mut peer = Peer { ip: "192.168.129.43".to_owned(), ..Peer::default() };
        assert_eq!(peer.to_string(), "192.168.129.43, never heard");
        peer.role = Some("Active".to_owned());
        peer.mac = Some("C0:74:AD:53:73:6C".to_owned());
        peer.last_heard_ms = Some(7010);
        assert_eq!(peer.to_string(), "192.168.129.43, C0:74:AD:53:73:6C, was Active, not heard, last 7010 ms ago");
        (peer.seen, peer.lan) = (true, true);
        assert_eq!(
            peer.to_string(),
            "192.168.129.43, C0:74:AD:53:73:6C, Active, heard over the LAN only, last 7010 ms ago"
        );
    }

    #[test]
    fn what_is_wrong_is_shown_with_the_time_since_when_it_is() {
        let mut report = Report::default();
        assert_shown(&report, "Alerts              none");
        assert_shown(&report, "Gateway             none is configured");
        let alert = |cause: &str, text: &str, mac: Option<&str>| StandingAlert {
            cause: cause.to_owned(),
            text: text.to_owned(),
            mac: mac.map(str::to_owned),
            since: "2021-08-27 14:48:33".to_owned(),
        };
        report.alerts = vec![
            alert("SETTINGS", "differ from the peer's", Some("C0:74:AD:53:73:6C")),
            alert("HEARTBEAT", "loose connection", None),
        ];
        report.gateway = Some(Gateway { ip: "192.168.129.1".to_owned(), seen: false, rtt_ms: None });
        report.budget = Budget { left: 1, of: 2 };
        report.peer.faults = vec!["FXO1".to_owned(), "SERVICE".to_owned()];
        report.peer.can_take_over = Ability { possible: false, reason: Some("it has the fault LAN".to_owned()) };
        for line in [
            "Alerts              SETTINGS differ from the peer's, since 2021-08-27 14:48:33 (MAC C0:74:AD:53:73:6C)",
            "                    HEARTBEAT loose connection, since 2021-08-27 14:48:33 (MAC unknown)",
            "Gateway             192.168.129.1 (does not answer)",
            "Handover budget     1 of 2 left",
            "Peer's faults       FXO1, SERVICE",
            "Peer can take over  no: it has the fault LAN",
        ] {
            assert_shown(&report, line);
        }
    }

    #[test]
    fn a_node_that_is_off_says_who_turned_it_off_and_what_turns_it_on() {
        let off = Off {
            by: "peer".to_owned(),
            since: "2021-08-27 14:48:33".to_owned(),
            remedy: "enable it there".to_owned(),
        };
        let report = Report { off: Some(off), ..Report::default() };
        assert_shown(&report, "Off                 by the peer since 2021-08-27 14:48:33; enable it there");
    }

    #[test]
    fn a_node_in_maintenance_says_so_and_what_ends_it() {
        let report = Report { maintenance: true, ..Report::default() };
        assert_shown(&report, "Maintenance         on; `ucm-ha maintenance off` lets this node take the role again");
    }

    #[test]
    fn the_status_of_an_older_daemon_is_understood() {
        let mut old = serde_json::to_value(Report::default()).expect("it has a text");
        let object = old.as_object_mut().expect("an object");
        for added in ["own_ip", "gateway", "off", "maintenance", "budget", "alerts", "parts"] {
            object.remove(added).expect(added);
        }
        let peer = object.get_mut("peer").and_then(|peer| peer.as_object_mut()).expect("a peer");
        for added in ["faults", "can_take_over"] {
            peer.remove(added).expect(added);
        }
        assert_eq!(serde_json::from_value::<Report>(old).expect("a status"), Report::default());
    }
}
