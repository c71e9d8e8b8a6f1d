//! What a node tells the operator: why its role changed, why it refused, what is not as it should be.
//!
//! A later version may know more of each, so that a `match` elsewhere needs an arm for what it does not know: show it as it
//! prints itself. Nothing has to be done about any of them. `ALL` lists what this version knows.

/// Why the role changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RoleReason {
    /// The node started, or was enabled.
    Started,
    /// The peer is active.
    PeerActive,
    /// The peer was silent for the heartbeat timeout.
    PeerSilent,
    /// The peer's machine is gone: cable without carrier and no answer on the LAN.
    PeerGone,
    /// The peer cannot hear this node and is not active.
    PeerDeaf,
    /// Nobody was active and the peer granted the claim.
    Granted,
    /// The peer is switched off for high availability.
    PeerOff,
    /// Handover because of a fault of the old active.
    SelfFault,
    /// Handover by the operator's command.
    ForcedSwitch,
    /// Handover because the old active's program was asked to stop.
    Shutdown,
    /// The peer could not take the role, so the old active took it back.
    PeerRefused,
    /// The lease ran out and the node may not serve alone.
    LeaseExpired,
    /// Two actives met and this node is the one to step down.
    PeerPrecedes,
    /// The old active, which this node had lost sight of, is heard again and has given way. This node is and stays active:
    /// it says so anew to whoever follows the roles.
    PeerGaveWay,
    /// The node woke from a freeze and could not know what happened meanwhile.
    WokeFromFreeze,
    /// The cluster IP could not be bound.
    AddressFailed,
    /// High availability was turned off on this node.
    Disabled,
    /// High availability was turned off by the peer.
    DisabledByPeer,
    /// The operator put this node into maintenance though nobody could take the role.
    Maintenance,
}

impl RoleReason {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::Started,
        Self::PeerActive,
        Self::PeerSilent,
        Self::PeerGone,
        Self::PeerDeaf,
        Self::Granted,
        Self::PeerOff,
        Self::SelfFault,
        Self::ForcedSwitch,
        Self::Shutdown,
        Self::PeerRefused,
        Self::LeaseExpired,
        Self::PeerPrecedes,
        Self::PeerGaveWay,
        Self::WokeFromFreeze,
        Self::AddressFailed,
        Self::Disabled,
        Self::DisabledByPeer,
        Self::Maintenance,
    ];
}

/// Why a force switch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SwitchRefusal {
    /// This node is not active; the command belongs on the active.
    NotActive,
    /// The peer is not heard.
    PeerNotSeen,
    /// The peer is not standby.
    PeerNotStandby,
    /// The peer has a fault, no usable LAN, or is about to stop.
    PeerUnhealthy,
    /// The peer is in the middle of a full synchronisation.
    PeerSyncing,
    /// A handover is already under way.
    InProgress,
    /// The peer did not answer.
    PeerUnanswered,
    /// The peer said no.
    PeerRefused,
    /// The peer has another cluster IP in its settings.
    ClusterIpDiffers,
    /// The peer is in maintenance.
    PeerInMaintenance,
}

impl SwitchRefusal {
    /// Every refusal.
    pub const ALL: [Self; 10] = [
        Self::NotActive,
        Self::PeerNotSeen,
        Self::PeerNotStandby,
        Self::PeerUnhealthy,
        Self::PeerSyncing,
        Self::InProgress,
        Self::PeerUnanswered,
        Self::PeerRefused,
        Self::ClusterIpDiffers,
        Self::PeerInMaintenance,
    ];
}

/// A lasting condition the operator should know of. Raised once and cleared once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Alert {
    /// The peer is not heard on any path. This and the two below are raised long before the heartbeat timeout and cleared
    /// once the peer has been heard again for a while; `docs/operations.md` has the times.
    HeartbeatLost,
    /// The peer is not heard over the cable, while it is heard over the LAN.
    CableLost,
    /// The peer is not heard over the LAN, while it is heard over the cable.
    LanPathLost,
    /// Something on the cable speaks, but cannot be understood: wrong key, unknown version, or not the configured peer.
    PeerIncompatible,
    /// Both nodes have the same station type.
    SameStationType,
    /// Settings that must match differ.
    SettingsDiffer,
    /// The models differ; data synchronisation is suspended.
    ModelDiffers,
    /// The firmware versions differ; data goes from the old to the new only.
    FirmwareDiffers,
    /// The MAC or LAN address of the station on the cable is not the configured peer's.
    PeerMacMismatch,
    /// A foreign station answers for the cluster IP.
    ForeignHolder,
    /// The silent peer's machine still answers for the cluster IP, so that this node cannot claim it.
    PeerHoldsAddress,
    /// The gateway does not answer.
    GatewayLost,
    /// A handover was wanted but the peer refused it, did not answer, or was no healthier.
    HandoverFailed,
    /// No more handovers in this window for faults with which the node still serves; it keeps its role.
    BudgetUsed,
    /// The cluster IP could not be bound.
    AddressFailed,
    /// The term could not be stored; a restart may forget it.
    NotPersisted,
    /// High availability was turned off by the peer; `Enable` on both nodes turns it on.
    DisabledByPeer,
    /// The peer has another cluster IP in its settings, told with it. Neither node hands the role to the other.
    ClusterIpDiffers,
    /// A node of another pair is heard on the cable, told with its MAC address and its own address. It has no influence.
    ForeignPair,
    /// Nobody serves: the peer is silent, and this node is in maintenance.
    Maintenance,
}

impl Alert {
    /// Every alert, in the order of their bits.
    pub const ALL: [Self; 20] = [
        Self::HeartbeatLost,
        Self::CableLost,
        Self::LanPathLost,
        Self::PeerIncompatible,
        Self::SameStationType,
        Self::SettingsDiffer,
        Self::ModelDiffers,
        Self::FirmwareDiffers,
        Self::PeerMacMismatch,
        Self::ForeignHolder,
        Self::PeerHoldsAddress,
        Self::GatewayLost,
        Self::HandoverFailed,
        Self::BudgetUsed,
        Self::AddressFailed,
        Self::NotPersisted,
        Self::DisabledByPeer,
        Self::ClusterIpDiffers,
        Self::ForeignPair,
        Self::Maintenance,
    ];
}
