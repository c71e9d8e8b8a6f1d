//! Words for what the core reports.

use std::net::Ipv4Addr;
use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;
use ucm_ha::service::ServiceFault;
use ucm_ha::status::HaStatus;
use ucm_ha::{Config, Status};

/// What a core that is newer than these words says. The tests see to it that none of this core's is left out.
const UNKNOWN: &str = "reports what this version of the daemon does not know";

/// A role's name, as in the JSON status.
pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Off => "Off",
        Role::Init => "Init",
        Role::Standby => "Standby",
        Role::Claiming => "Claiming",
        Role::Active => "Active",
        Role::Yielding => "Yielding",
    }
}

/// The HA status' name, as in the JSON status.
pub(crate) const fn ha_status(status: HaStatus) -> &'static str {
    match status {
        HaStatus::Off => "Off",
        HaStatus::Single => "Single",
        HaStatus::Dual => "Dual",
    }
}

/// Why a role changed; `timeout_s` is the heartbeat timeout.
pub(crate) fn role_reason(reason: RoleReason, timeout_s: u8) -> String {
    let text = match reason {
        RoleReason::PeerSilent => return format!("peer silent for {timeout_s} s"),
        RoleReason::Started => "started",
        RoleReason::PeerActive => "peer is active",
        RoleReason::PeerGone => "peer's machine is gone",
        RoleReason::PeerDeaf => "peer does not hear this node",
        RoleReason::Granted => "peer granted the claim",
        RoleReason::PeerOff => "peer is switched off",
        RoleReason::SelfFault => "fault of the old active",
        RoleReason::ForcedSwitch => "forced switch",
        RoleReason::Shutdown => "old active was stopped",
        RoleReason::PeerRefused => "peer could not take the role",
        RoleReason::LeaseExpired => "lease ran out",
        RoleReason::PeerPrecedes => "two actives met and the peer precedes",
        RoleReason::PeerGaveWay => "the old active is heard again and gave way",
        RoleReason::WokeFromFreeze => "woke from a freeze",
        RoleReason::AddressFailed => "cluster IP could not be bound",
        RoleReason::Disabled => "high availability was turned off",
        RoleReason::Maintenance => "put into maintenance",
        RoleReason::DisabledByPeer => "high availability was turned off by the peer",
        _ => UNKNOWN,
    };
    text.to_owned()
}

/// What a refusal is told with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// This node's role.
    pub(crate) role: Role,
    /// The peer's, where it was heard.
    pub(crate) peer_role: Option<Role>,
    /// Those of the peer's faults for which it is not handed the role.
    pub(crate) peer_faults: Faults,
}

impl Situation {
    pub(crate) fn of(status: &Status) -> Self {
        let count = status.switching_faults | Faults::NO_SERVICE;
        Self {
            role: status.role,
            peer_role: status.peer.map(|peer| peer.role),
            peer_faults: status.peer.map_or(Faults::empty(), |peer| peer.faults.intersection(count)),
        }
    }
}

/// Why a force switch is refused, and what to do: one reason, as far as this node is told.
pub(crate) fn refusal(refusal: SwitchRefusal, situation: Situation) -> String {
    let Situation { role: own, peer_role, peer_faults } = situation;
    let text = match refusal {
        SwitchRefusal::NotActive if own == Role::Off => {
            "high availability is off on this node; `ucm-ha status` says what turns it on"
        }
        SwitchRefusal::NotActive => "this node is not active; run it on the active node",
        SwitchRefusal::PeerNotSeen => "the peer is not heard; check the cable, the LAN and the other node",
        SwitchRefusal::PeerNotStandby => match peer_role {
            Some(Role::Off) => "high availability is off on the peer; its status says what turns it on",
            Some(Role::Init) => "the peer has not found its role yet; try again when it is standby",
            Some(peer_role) => return format!("the peer is {} and not standby; see its status", role(peer_role)),
            None => "the peer is not standby; see its status",
        },
        SwitchRefusal::PeerUnhealthy if peer_faults.is_empty() => {
            "the peer is not ready: it has just started, is stopping, or its gateway does not answer; see its status"
        }
        SwitchRefusal::PeerUnhealthy => {
            return format!("the peer has the fault {}; see its status", fault_names(peer_faults).join(", "));
        }
        SwitchRefusal::PeerSyncing => "the peer is in the middle of a full synchronisation; try again when it is done",
        SwitchRefusal::InProgress => "a handover is already under way; see the status",
        SwitchRefusal::PeerUnanswered => "the peer did not answer; this node stays active",
        SwitchRefusal::PeerRefused => "the peer refused; this node stays active, see the peer's log",
        SwitchRefusal::ClusterIpDiffers => {
            "the peer has another cluster_ip; see the events, and set the same on both nodes"
        }
        SwitchRefusal::PeerInMaintenance => {
            "the peer is in maintenance; `ucm-ha maintenance off` there lets it take the role"
        }
        _ => UNKNOWN,
    };
    text.to_owned()
}

/// The names of faults, as in the status.
pub(crate) fn fault_names(faults: Faults) -> Vec<&'static str> {
    faults.iter_names().map(|(name, _)| name).collect()
}

/// What an event says is wrong: `MAC : … -- CAUSE TIME TEXT`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    /// What is concerned, as in `HEARTBEAT`.
    pub(crate) cause: &'a str,
    /// What it does or is.
    pub(crate) text: &'a str,
}

/// The guide's text for whatever does not work.
pub(crate) const LOOSE_CONNECTION: &str = "loose connection";

/// Everything an alert is called: cause and text of its event, and what the daemon's log says. Alerts with the same cause
/// and text are one condition to the operator.
const fn alert_words(alert: Alert) -> (&'static str, &'static str, &'static str) {
    match alert {
        Alert::HeartbeatLost => ("HEARTBEAT", LOOSE_CONNECTION, "the peer is not heard on any path"),
        Alert::CableLost => ("HEARTBEAT", LOOSE_CONNECTION, "the peer is not heard over the cable"),
        Alert::LanPathLost => ("LAN HEARTBEAT", LOOSE_CONNECTION, "the peer is not heard over the LAN"),
        Alert::PeerIncompatible => (
            "PEER",
            "cannot be understood",
            "what is heard on the cable cannot be understood; compare key, version, peer_mac and peer_ip",
        ),
        Alert::SameStationType => (
            "STATION TYPE",
            "is the same on both nodes",
            "both nodes have the same station type; one must be primary, one secondary",
        ),
        Alert::SettingsDiffer => {
            ("SETTINGS", "differ from the peer's", "settings that must match differ from the peer's")
        }
        Alert::ModelDiffers => {
            ("MODEL", "differs from the peer's", "the peer is another model; data synchronisation is suspended")
        }
        Alert::FirmwareDiffers => ("FIRMWARE", "differs from the peer's", "the peer has another firmware version"),
        Alert::PeerMacMismatch => {
            ("PEER MAC", "is not the configured one", "the station on the cable is not the one of peer_mac or peer_ip")
        }
        Alert::ForeignHolder => {
            ("CLUSTER IP", "is used by this station", "a foreign station answers for the cluster IP")
        }
        Alert::PeerHoldsAddress => (
            "CLUSTER IP",
            "is kept by the silent peer",
            "the silent peer still answers for the cluster IP; it cannot be taken over",
        ),
        Alert::GatewayLost => ("GATEWAY", LOOSE_CONNECTION, "the gateway does not answer"),
        Alert::HandoverFailed => {
            ("HANDOVER", "was not taken by the peer", "a handover was wanted but the peer did not take the role")
        }
        Alert::BudgetUsed => {
            ("HANDOVER BUDGET", "is used up", "no more handovers for own faults in this window; the role is kept")
        }
        Alert::AddressFailed => ("CLUSTER IP", "cannot be bound", "the cluster IP could not be bound"),
        Alert::NotPersisted => ("STATE", "cannot be stored", "the term could not be stored; a restart may forget it"),
        Alert::ClusterIpDiffers => (
            "CLUSTER IP",
            "differs from the peer's",
            "the peer has another cluster_ip, and neither node hands the role to the other; set the same on both",
        ),
        Alert::ForeignPair => (
            "FOREIGN PAIR",
            "is heard on the heartbeat port",
            "a node of another pair is heard on the heartbeat port; it has no influence, and its cable does not belong here",
        ),
        Alert::Maintenance => (
            "MAINTENANCE",
            "keeps this node from serving",
            "nobody serves: the peer is silent, and this node is in maintenance; `ucm-ha maintenance off` ends that",
        ),
        Alert::DisabledByPeer => (
            "HA",
            "was turned off by the peer",
            "high availability was turned off by the peer; enable it on both nodes",
        ),
        _ => ("NODE", UNKNOWN, UNKNOWN),
    }
}

/// What the event of an alert says.
pub(crate) const fn alert(alert: Alert) -> Words<'static> {
    let (cause, text, _) = alert_words(alert);
    Words { cause, text }
}

/// What an alert means.
pub(crate) const fn meaning(alert: Alert) -> &'static str {
    let (_, _, meaning) = alert_words(alert);
    meaning
}

/// What is told beside the words of an alert that is about the address `ip`.
pub(crate) fn detail(alert: Alert, ip: Ipv4Addr, config: &Config) -> Option<String> {
    match alert {
        Alert::ClusterIpDiffers => {
            Some(format!("cluster_ip is {} here and {ip} at the peer", config.cluster_ip.address))
        }
        Alert::ForeignPair => Some(format!("its address is {ip}")),
        _ => None,
    }
}

/// What the event of a single fault says, whose name is `name`. `None` for [`Faults::SERVICE`]: each service has an event
/// of its own.
pub(crate) fn fault(name: &str, fault: Faults) -> Option<Words<'_>> {
    match fault {
        Faults::SERVICE => None,
        // The same condition as the alert.
        Faults::ADDRESS => Some(alert(Alert::AddressFailed)),
        _ => Some(Words { cause: name, text: LOOSE_CONNECTION }),
    }
}

/// What is wrong with a service of the PBX.
pub(crate) const fn service_fault(fault: ServiceFault) -> &'static str {
    match fault {
        ServiceFault::Crash => "crashed",
        ServiceFault::Exit => "ended",
        ServiceFault::NotRunning => "does not run",
        ServiceFault::Deadlock => "is deadlocked: it gave no sign of life in time",
        ServiceFault::Probe => "fails its probes",
        ServiceFault::Reported => "was reported to be at fault",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_words_for_everything_that_the_core_tells() {
        for reason in RoleReason::ALL {
            assert_ne!(role_reason(reason, 7), UNKNOWN, "{reason:?}");
        }
        let situation = Situation { role: Role::Active, peer_role: None, peer_faults: Faults::empty() };
        for refused in SwitchRefusal::ALL {
            assert_ne!(refusal(refused, situation), UNKNOWN, "{refused:?}");
        }
        for told in Alert::ALL {
            assert_ne!(alert(told).text, UNKNOWN, "{told:?}");
            assert!(!alert(told).text.contains(": "), "{told:?}: a detail begins so");
            assert_ne!(meaning(told), UNKNOWN, "{told:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_one_reason_that_is_known() {
        let of = |role, peer_role, peer_faults| Situation { role, peer_role: Some(peer_role), peer_faults };
        let none = Faults::empty();
        let off = refusal(SwitchRefusal::NotActive, of(Role::Off, Role::Off, none));
        assert_eq!(off, "high availability is off on this node; `ucm-ha status` says what turns it on");
        let standby = refusal(SwitchRefusal::NotActive, of(Role::Standby, Role::Active, none));
        assert_eq!(standby, "this node is not active; run it on the active node");
        let not_standby = |role| refusal(SwitchRefusal::PeerNotStandby, of(Role::Active, role, none));
        assert!(not_standby(Role::Off).starts_with("high availability is off on the peer;"));
        assert!(not_standby(Role::Init).starts_with("the peer has not found its role yet;"));
        assert_eq!(not_standby(Role::Active), "the peer is Active and not standby; see its status");
        let unhealthy = |faults| refusal(SwitchRefusal::PeerUnhealthy, of(Role::Active, Role::Standby, faults));
        assert_eq!(unhealthy(Faults::FXO1 | Faults::LAN), "the peer has the fault FXO1, LAN; see its status");
        assert!(unhealthy(none).starts_with("the peer is not ready: "));
    }
}
