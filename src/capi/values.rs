//! Named values: roles, reasons, alerts and so on. Numbers are never reused; new ones are appended.

use super::numbered::{Numbered, UNKNOWN, named, numbered};
use super::result::Failure;
use super::texts::{Names, names};
use crate::event::{Alert, RoleReason, SwitchRefusal};
use crate::fault::Faults;
use crate::io::{AddressEvent, Command, Port};
use crate::role::Role;
use crate::status::HaStatus;
use crate::types::{Model, NetworkMethod, StationType};

/// High availability is off: holds and claims nothing.
pub const UCM_HA_ROLE_OFF: u8 = 0;
/// Started; listens before it takes a side.
pub const UCM_HA_ROLE_INIT: u8 = 1;
/// Ready to take over.
pub const UCM_HA_ROLE_STANDBY: u8 = 2;
/// Its turn; the cluster IP is being bound.
pub const UCM_HA_ROLE_CLAIMING: u8 = 3;
/// Owns the cluster IP.
pub const UCM_HA_ROLE_ACTIVE: u8 = 4;
/// Has agreed to hand over: releases, or has released, the cluster IP.
pub const UCM_HA_ROLE_YIELDING: u8 = 5;

/// High availability is off.
pub const UCM_HA_STATUS_OFF: u8 = 0;
/// This node is up, the peer is not.
pub const UCM_HA_STATUS_SINGLE: u8 = 1;
/// Both nodes are up.
pub const UCM_HA_STATUS_DUAL: u8 = 2;

/// The node started, or was enabled.
pub const UCM_HA_REASON_STARTED: u8 = 1;
/// The peer is active.
pub const UCM_HA_REASON_PEER_ACTIVE: u8 = 2;
/// The peer was silent for the heartbeat timeout.
pub const UCM_HA_REASON_PEER_SILENT: u8 = 3;
/// The peer's machine is gone: cable without carrier and no answer on the LAN.
pub const UCM_HA_REASON_PEER_GONE: u8 = 4;
/// The peer cannot hear this node and is not active.
pub const UCM_HA_REASON_PEER_DEAF: u8 = 5;
/// Nobody was active and the peer granted the claim.
pub const UCM_HA_REASON_GRANTED: u8 = 6;
/// The peer is switched off for high availability.
pub const UCM_HA_REASON_PEER_OFF: u8 = 7;
/// Handover because of a fault of the old active.
pub const UCM_HA_REASON_SELF_FAULT: u8 = 8;
/// Handover by the operator's command.
pub const UCM_HA_REASON_FORCED_SWITCH: u8 = 9;
/// Handover because the old active's program was asked to stop.
pub const UCM_HA_REASON_SHUTDOWN: u8 = 10;
/// The peer could not take the role, so the old active took it back.
pub const UCM_HA_REASON_PEER_REFUSED: u8 = 11;
/// The lease ran out and the node may not serve alone.
pub const UCM_HA_REASON_LEASE_EXPIRED: u8 = 12;
/// Two actives met and this node is the one to step down.
pub const UCM_HA_REASON_PEER_PRECEDES: u8 = 13;
/// The node woke from a freeze and could not know what happened meanwhile.
pub const UCM_HA_REASON_WOKE_FROM_FREEZE: u8 = 14;
/// The cluster IP could not be bound.
pub const UCM_HA_REASON_ADDRESS_FAILED: u8 = 15;
/// High availability was turned off on this node.
pub const UCM_HA_REASON_DISABLED: u8 = 16;
/// High availability was turned off by the peer.
pub const UCM_HA_REASON_DISABLED_BY_PEER: u8 = 17;
/// The old active, which this node had lost sight of, is heard again and has given way. This node is and stays active: it says
/// so anew to whoever follows the roles.
pub const UCM_HA_REASON_PEER_GAVE_WAY: u8 = 18;
/// The operator put this node into maintenance though nobody could take the role.
pub const UCM_HA_REASON_MAINTENANCE: u8 = 19;

/// Not refused.
pub const UCM_HA_REFUSAL_NONE: u8 = 0;
/// This node is not active; the command belongs on the active.
pub const UCM_HA_REFUSAL_NOT_ACTIVE: u8 = 1;
/// The peer is not heard.
pub const UCM_HA_REFUSAL_PEER_NOT_SEEN: u8 = 2;
/// The peer is not standby.
pub const UCM_HA_REFUSAL_PEER_NOT_STANDBY: u8 = 3;
/// The peer has a fault, no usable LAN, or is about to stop.
pub const UCM_HA_REFUSAL_PEER_UNHEALTHY: u8 = 4;
/// The peer is in the middle of a full synchronisation.
pub const UCM_HA_REFUSAL_PEER_SYNCING: u8 = 5;
/// A handover is already under way.
pub const UCM_HA_REFUSAL_IN_PROGRESS: u8 = 6;
/// The peer did not answer.
pub const UCM_HA_REFUSAL_PEER_UNANSWERED: u8 = 7;
/// The peer said no.
pub const UCM_HA_REFUSAL_PEER_REFUSED: u8 = 8;
/// The peer has another cluster IP.
pub const UCM_HA_REFUSAL_CLUSTER_IP_DIFFERS: u8 = 9;
/// The peer is in maintenance.
pub const UCM_HA_REFUSAL_PEER_IN_MAINTENANCE: u8 = 10;

/// The peer is not heard on any path.
pub const UCM_HA_ALERT_HEARTBEAT_LOST: u8 = 1;
/// The peer is not heard over the cable, while it is heard over the LAN.
pub const UCM_HA_ALERT_CABLE_LOST: u8 = 2;
/// The peer is not heard over the LAN, while it is heard over the cable.
pub const UCM_HA_ALERT_LAN_PATH_LOST: u8 = 3;
/// Something on the cable speaks, but cannot be understood: wrong key, unknown version, or not the configured peer.
pub const UCM_HA_ALERT_PEER_INCOMPATIBLE: u8 = 4;
/// Both nodes have the same station type.
pub const UCM_HA_ALERT_SAME_STATION_TYPE: u8 = 5;
/// Settings that must match differ.
pub const UCM_HA_ALERT_SETTINGS_DIFFER: u8 = 6;
/// The models differ; data synchronisation is suspended.
pub const UCM_HA_ALERT_MODEL_DIFFERS: u8 = 7;
/// The firmware versions differ; data goes from the old to the new only.
pub const UCM_HA_ALERT_FIRMWARE_DIFFERS: u8 = 8;
/// The MAC or LAN address of the station on the cable is not the configured peer's.
pub const UCM_HA_ALERT_PEER_MAC_MISMATCH: u8 = 9;
/// A foreign station answers for the cluster IP.
pub const UCM_HA_ALERT_FOREIGN_HOLDER: u8 = 10;
/// The silent peer's machine still answers for the cluster IP, so that this node cannot claim it.
pub const UCM_HA_ALERT_PEER_HOLDS_ADDRESS: u8 = 11;
/// The gateway does not answer.
pub const UCM_HA_ALERT_GATEWAY_LOST: u8 = 12;
/// A handover was wanted but the peer refused it, did not answer, or was no healthier.
pub const UCM_HA_ALERT_HANDOVER_FAILED: u8 = 13;
/// No more handovers in this window for faults with which the node still serves; it keeps its role.
pub const UCM_HA_ALERT_BUDGET_USED: u8 = 14;
/// The cluster IP could not be bound.
pub const UCM_HA_ALERT_ADDRESS_FAILED: u8 = 15;
/// The term could not be stored; a restart may forget it.
pub const UCM_HA_ALERT_NOT_PERSISTED: u8 = 16;
/// High availability was turned off by the peer; `Enable` on both nodes turns it on.
pub const UCM_HA_ALERT_DISABLED_BY_PEER: u8 = 17;
/// The peer has another cluster IP in its settings, which is ip. Neither node hands the role to the other.
pub const UCM_HA_ALERT_CLUSTER_IP_DIFFERS: u8 = 18;
/// A node of another pair is heard on the cable: mac, and ip, its own address. It has no influence.
pub const UCM_HA_ALERT_FOREIGN_PAIR: u8 = 19;
/// Nobody serves: the peer is silent, and this node is in maintenance.
pub const UCM_HA_ALERT_MAINTENANCE: u8 = 20;

/// The heartbeat port (the direct cable).
pub const UCM_HA_PORT_CABLE: u8 = 1;
/// The LAN uplink, which carries the cluster IP.
pub const UCM_HA_PORT_LAN: u8 = 2;
/// The WAN uplink (router method).
pub const UCM_HA_PORT_WAN: u8 = 3;

/// UCM_HA_OUTPUT_BIND_ADDRESS is done: the address is bound.
pub const UCM_HA_ADDRESS_HELD: u8 = 1;
/// UCM_HA_OUTPUT_RELEASE_ADDRESS is done: the address is not bound (also when it was not bound before).
pub const UCM_HA_ADDRESS_RELEASED: u8 = 2;
/// UCM_HA_OUTPUT_BIND_ADDRESS failed; the address is not bound.
pub const UCM_HA_ADDRESS_FAILED: u8 = 3;
/// The address went away without UCM_HA_OUTPUT_RELEASE_ADDRESS: its lifetime ran out, or somebody removed it.
pub const UCM_HA_ADDRESS_LOST: u8 = 4;

/// Hand the active role to the peer. Answered by UCM_HA_OUTPUT_SWITCH_DONE.
pub const UCM_HA_COMMAND_FORCE_SWITCH: u8 = 1;
/// Turn high availability off on this node (saved).
pub const UCM_HA_COMMAND_DISABLE: u8 = 2;
/// Turn it on again, also after the peer turned it off for the pair.
pub const UCM_HA_COMMAND_ENABLE: u8 = 3;
/// The program is about to end: hand over if the peer is ready, release the address, then UCM_HA_OUTPUT_STOPPED.
pub const UCM_HA_COMMAND_SHUTDOWN: u8 = 4;
/// Keep this node out of the active role from now on (saved). An active hands over first, and it is refused where the peer could
/// not take the role, or is in maintenance itself. Answered by UCM_HA_OUTPUT_SWITCH_DONE.
pub const UCM_HA_COMMAND_ENTER_MAINTENANCE: u8 = 5;
/// The same whether or not somebody else can serve: an active releases the cluster IP. Refused in the middle of a handover.
pub const UCM_HA_COMMAND_FORCE_MAINTENANCE: u8 = 6;
/// Let this node take the role again (saved).
pub const UCM_HA_COMMAND_LEAVE_MAINTENANCE: u8 = 7;

/// Wins ties.
pub const UCM_HA_STATION_PRIMARY: u8 = 1;
/// Loses ties.
pub const UCM_HA_STATION_SECONDARY: u8 = 2;

/// One LAN port to the uplink switch.
pub const UCM_HA_METHOD_SWITCH: u8 = 1;
/// WAN and LAN ports.
pub const UCM_HA_METHOD_ROUTER: u8 = 2;

/// UCM6301.
pub const UCM_HA_MODEL_UCM6301: u16 = 1;
/// UCM6302.
pub const UCM_HA_MODEL_UCM6302: u16 = 2;
/// UCM6304.
pub const UCM_HA_MODEL_UCM6304: u16 = 3;
/// UCM6308.
pub const UCM_HA_MODEL_UCM6308: u16 = 4;
/// UCM6300A.
pub const UCM_HA_MODEL_UCM6300A: u16 = 5;
/// UCM6302A.
pub const UCM_HA_MODEL_UCM6302A: u16 = 6;
/// UCM6304A.
pub const UCM_HA_MODEL_UCM6304A: u16 = 7;
/// UCM6308A.
pub const UCM_HA_MODEL_UCM6308A: u16 = 8;

/// FXO port 1: chip or line-side link dead.
pub const UCM_HA_FAULT_FXO1: u32 = 1 << 0;
/// FXO port 2.
pub const UCM_HA_FAULT_FXO2: u32 = 1 << 1;
/// FXO port 3.
pub const UCM_HA_FAULT_FXO3: u32 = 1 << 2;
/// FXO port 4.
pub const UCM_HA_FAULT_FXO4: u32 = 1 << 3;
/// FXO port 5.
pub const UCM_HA_FAULT_FXO5: u32 = 1 << 4;
/// FXO port 6.
pub const UCM_HA_FAULT_FXO6: u32 = 1 << 5;
/// FXO port 7.
pub const UCM_HA_FAULT_FXO7: u32 = 1 << 6;
/// FXO port 8.
pub const UCM_HA_FAULT_FXO8: u32 = 1 << 7;
/// The LAN uplink has no carrier.
pub const UCM_HA_FAULT_LAN: u32 = 1 << 8;
/// The WAN uplink has no carrier.
pub const UCM_HA_FAULT_WAN: u32 = 1 << 9;
/// The gateway does not answer this node while the peer sees it.
pub const UCM_HA_FAULT_GATEWAY: u32 = 1 << 10;
/// A core service crashed or is deadlocked.
pub const UCM_HA_FAULT_SERVICE: u32 = 1 << 11;
/// The cluster IP could not be bound when it was this node's turn.
pub const UCM_HA_FAULT_ADDRESS: u32 = 1 << 12;

named! { Role: "UCM_HA_ROLE_";
    Off = UCM_HA_ROLE_OFF,
    Init = UCM_HA_ROLE_INIT,
    Standby = UCM_HA_ROLE_STANDBY,
    Claiming = UCM_HA_ROLE_CLAIMING,
    Active = UCM_HA_ROLE_ACTIVE,
    Yielding = UCM_HA_ROLE_YIELDING,
}

numbered! { HaStatus as u8:
    Off = UCM_HA_STATUS_OFF,
    Single = UCM_HA_STATUS_SINGLE,
    Dual = UCM_HA_STATUS_DUAL,
}

named! { RoleReason: "UCM_HA_REASON_";
    Started = UCM_HA_REASON_STARTED,
    PeerActive = UCM_HA_REASON_PEER_ACTIVE,
    PeerSilent = UCM_HA_REASON_PEER_SILENT,
    PeerGone = UCM_HA_REASON_PEER_GONE,
    PeerDeaf = UCM_HA_REASON_PEER_DEAF,
    Granted = UCM_HA_REASON_GRANTED,
    PeerOff = UCM_HA_REASON_PEER_OFF,
    SelfFault = UCM_HA_REASON_SELF_FAULT,
    ForcedSwitch = UCM_HA_REASON_FORCED_SWITCH,
    Shutdown = UCM_HA_REASON_SHUTDOWN,
    PeerRefused = UCM_HA_REASON_PEER_REFUSED,
    LeaseExpired = UCM_HA_REASON_LEASE_EXPIRED,
    PeerPrecedes = UCM_HA_REASON_PEER_PRECEDES,
    WokeFromFreeze = UCM_HA_REASON_WOKE_FROM_FREEZE,
    AddressFailed = UCM_HA_REASON_ADDRESS_FAILED,
    Disabled = UCM_HA_REASON_DISABLED,
    DisabledByPeer = UCM_HA_REASON_DISABLED_BY_PEER,
    PeerGaveWay = UCM_HA_REASON_PEER_GAVE_WAY,
    Maintenance = UCM_HA_REASON_MAINTENANCE,
}

named! { SwitchRefusal: "UCM_HA_REFUSAL_";
    [UCM_HA_REFUSAL_NONE]
    NotActive = UCM_HA_REFUSAL_NOT_ACTIVE,
    PeerNotSeen = UCM_HA_REFUSAL_PEER_NOT_SEEN,
    PeerNotStandby = UCM_HA_REFUSAL_PEER_NOT_STANDBY,
    PeerUnhealthy = UCM_HA_REFUSAL_PEER_UNHEALTHY,
    PeerSyncing = UCM_HA_REFUSAL_PEER_SYNCING,
    InProgress = UCM_HA_REFUSAL_IN_PROGRESS,
    PeerUnanswered = UCM_HA_REFUSAL_PEER_UNANSWERED,
    PeerRefused = UCM_HA_REFUSAL_PEER_REFUSED,
    ClusterIpDiffers = UCM_HA_REFUSAL_CLUSTER_IP_DIFFERS,
    PeerInMaintenance = UCM_HA_REFUSAL_PEER_IN_MAINTENANCE,
}

named! { Alert: "UCM_HA_ALERT_";
    HeartbeatLost = UCM_HA_ALERT_HEARTBEAT_LOST,
    CableLost = UCM_HA_ALERT_CABLE_LOST,
    LanPathLost = UCM_HA_ALERT_LAN_PATH_LOST,
    PeerIncompatible = UCM_HA_ALERT_PEER_INCOMPATIBLE,
    SameStationType = UCM_HA_ALERT_SAME_STATION_TYPE,
    SettingsDiffer = UCM_HA_ALERT_SETTINGS_DIFFER,
    ModelDiffers = UCM_HA_ALERT_MODEL_DIFFERS,
    FirmwareDiffers = UCM_HA_ALERT_FIRMWARE_DIFFERS,
    PeerMacMismatch = UCM_HA_ALERT_PEER_MAC_MISMATCH,
    ForeignHolder = UCM_HA_ALERT_FOREIGN_HOLDER,
    PeerHoldsAddress = UCM_HA_ALERT_PEER_HOLDS_ADDRESS,
    GatewayLost = UCM_HA_ALERT_GATEWAY_LOST,
    HandoverFailed = UCM_HA_ALERT_HANDOVER_FAILED,
    BudgetUsed = UCM_HA_ALERT_BUDGET_USED,
    AddressFailed = UCM_HA_ALERT_ADDRESS_FAILED,
    NotPersisted = UCM_HA_ALERT_NOT_PERSISTED,
    DisabledByPeer = UCM_HA_ALERT_DISABLED_BY_PEER,
    ClusterIpDiffers = UCM_HA_ALERT_CLUSTER_IP_DIFFERS,
    ForeignPair = UCM_HA_ALERT_FOREIGN_PAIR,
    Maintenance = UCM_HA_ALERT_MAINTENANCE,
}

numbered! { Port as u8:
    Cable = UCM_HA_PORT_CABLE,
    Lan = UCM_HA_PORT_LAN,
    Wan = UCM_HA_PORT_WAN,
}

numbered! { AddressEvent as u8:
    Held = UCM_HA_ADDRESS_HELD,
    Released = UCM_HA_ADDRESS_RELEASED,
    Failed = UCM_HA_ADDRESS_FAILED,
    Lost = UCM_HA_ADDRESS_LOST,
}

numbered! { Command as u8:
    ForceSwitch = UCM_HA_COMMAND_FORCE_SWITCH,
    Disable = UCM_HA_COMMAND_DISABLE,
    Enable = UCM_HA_COMMAND_ENABLE,
    Shutdown = UCM_HA_COMMAND_SHUTDOWN,
    EnterMaintenance = UCM_HA_COMMAND_ENTER_MAINTENANCE,
    ForceMaintenance = UCM_HA_COMMAND_FORCE_MAINTENANCE,
    LeaveMaintenance = UCM_HA_COMMAND_LEAVE_MAINTENANCE,
}

numbered! { StationType as u8:
    Primary = UCM_HA_STATION_PRIMARY,
    Secondary = UCM_HA_STATION_SECONDARY,
}

numbered! { NetworkMethod as u8:
    Switch = UCM_HA_METHOD_SWITCH,
    Router = UCM_HA_METHOD_ROUTER,
}

numbered! { Model as u16:
    Ucm6301 = UCM_HA_MODEL_UCM6301,
    Ucm6302 = UCM_HA_MODEL_UCM6302,
    Ucm6304 = UCM_HA_MODEL_UCM6304,
    Ucm6308 = UCM_HA_MODEL_UCM6308,
    Ucm6300A = UCM_HA_MODEL_UCM6300A,
    Ucm6302A = UCM_HA_MODEL_UCM6302A,
    Ucm6304A = UCM_HA_MODEL_UCM6304A,
    Ucm6308A = UCM_HA_MODEL_UCM6308A,
}

/// Faults by their bits in C, which are those of the heartbeat: none is another one there, and none is left out.
macro_rules! faults {
    ($($fault:ident = $constant:ident,)*) => {
        /// The names of the faults, by the place of their bits.
        pub(super) const FAULT_NAMES: Names = {
            $(assert!(Faults::$fault.bits() == $constant);)*
            assert!(Faults::all().bits() == $($constant)|*);
            names! { "UCM_HA_FAULT_" bits: $($constant,)* }
        };
    };
}

faults! {
    FXO1 = UCM_HA_FAULT_FXO1,
    FXO2 = UCM_HA_FAULT_FXO2,
    FXO3 = UCM_HA_FAULT_FXO3,
    FXO4 = UCM_HA_FAULT_FXO4,
    FXO5 = UCM_HA_FAULT_FXO5,
    FXO6 = UCM_HA_FAULT_FXO6,
    FXO7 = UCM_HA_FAULT_FXO7,
    FXO8 = UCM_HA_FAULT_FXO8,
    LAN = UCM_HA_FAULT_LAN,
    WAN = UCM_HA_FAULT_WAN,
    GATEWAY = UCM_HA_FAULT_GATEWAY,
    SERVICE = UCM_HA_FAULT_SERVICE,
    ADDRESS = UCM_HA_FAULT_ADDRESS,
}

/// The number of an outcome of a force switch.
pub(super) fn refusal(value: Result<(), SwitchRefusal>) -> u8 {
    value.map_or_else(Numbered::number, |()| UCM_HA_REFUSAL_NONE)
}

/// The faults of a set of bits.
pub(super) fn faults(bits: u32) -> Result<Faults, Failure> {
    Faults::from_bits(bits).ok_or(UNKNOWN)
}

/// The truth value of a number.
pub(super) const fn truth(number: u8) -> Result<bool, Failure> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(UNKNOWN),
    }
}
