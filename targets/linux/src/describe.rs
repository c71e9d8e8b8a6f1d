//! Words for what the core reports.

use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::role::Role;
use ucm_ha::status::HaStatus;

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
        RoleReason::WokeFromFreeze => "woke from a freeze",
        RoleReason::AddressFailed => "cluster IP could not be bound",
        RoleReason::Disabled => "high availability was turned off",
        RoleReason::DisabledByPeer => "high availability was turned off by the peer",
    };
    text.to_owned()
}

/// Why a force switch is refused, and what to do.
pub(crate) const fn refusal(refusal: SwitchRefusal) -> &'static str {
    match refusal {
        SwitchRefusal::NotActive => "this node is not active; run it on the active node",
        SwitchRefusal::PeerNotSeen => "the peer is not heard; check the cable, the LAN and the other node",
        SwitchRefusal::PeerNotStandby => "the peer is not standby; see its status",
        SwitchRefusal::PeerUnhealthy => "the peer has a fault, no usable LAN, or is stopping; see its status",
        SwitchRefusal::PeerSyncing => "the peer is in the middle of a full synchronisation; try again when it is done",
        SwitchRefusal::InProgress => "a handover is already under way; see the status",
        SwitchRefusal::PeerUnanswered => "the peer did not answer; this node stays active",
        SwitchRefusal::PeerRefused => "the peer refused; this node stays active, see the peer's log",
    }
}

/// What an alert means.
pub(crate) const fn alert(alert: Alert) -> &'static str {
    match alert {
        Alert::HeartbeatLost => "the peer is not heard on any path",
        Alert::CableLost => "the peer is not heard over the cable",
        Alert::LanPathLost => "the peer is not heard over the LAN",
        Alert::PeerIncompatible => "what is heard on the cable cannot be understood; compare key, version and peer_mac",
        Alert::SameStationType => "both nodes have the same station type; one must be primary, one secondary",
        Alert::SettingsDiffer => "settings that must match differ from the peer's",
        Alert::ModelDiffers => "the peer is another model; data synchronisation is suspended",
        Alert::FirmwareDiffers => "the peer has another firmware version",
        Alert::PeerMacMismatch => "the peer's MAC address is not the configured peer_mac",
        Alert::ForeignHolder => "a foreign station answers for the cluster IP",
        Alert::PeerHoldsAddress => "the silent peer still answers for the cluster IP; it cannot be taken over",
        Alert::GatewayLost => "the gateway does not answer",
        Alert::HandoverFailed => "a handover was wanted but the peer did not take the role",
        Alert::BudgetUsed => "no more handovers for own faults in this window; the role is kept",
        Alert::AddressFailed => "the cluster IP could not be bound",
        Alert::NotPersisted => "the term could not be stored; a restart may forget it",
        Alert::DisabledByPeer => "high availability was turned off by the peer; enable it on both nodes",
    }
}
