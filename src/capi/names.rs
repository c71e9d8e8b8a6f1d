//! Short names of values, for logs and status pages.

use super::texts::texts;
use super::values::*;
use core::ffi::{CStr, c_char};

const UNKNOWN: &CStr = c"unknown";
/// The number that stands for none of the reasons or alerts.
const NO_NAME: u8 = 0;

/// The name of a UCM_HA_ROLE_* value, e.g. "standby"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_role_name(role: u8) -> *const c_char {
    let names = texts! {
        UCM_HA_ROLE_OFF => "off",
        UCM_HA_ROLE_INIT => "init",
        UCM_HA_ROLE_STANDBY => "standby",
        UCM_HA_ROLE_CLAIMING => "claiming",
        UCM_HA_ROLE_ACTIVE => "active",
        UCM_HA_ROLE_YIELDING => "yielding",
    };
    names.get(role.into(), UNKNOWN)
}

/// The name of a UCM_HA_REASON_* value, e.g. "peer_silent"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_reason_name(reason: u8) -> *const c_char {
    let names = texts! {
        NO_NAME => "unknown",
        UCM_HA_REASON_STARTED => "started",
        UCM_HA_REASON_PEER_ACTIVE => "peer_active",
        UCM_HA_REASON_PEER_SILENT => "peer_silent",
        UCM_HA_REASON_PEER_GONE => "peer_gone",
        UCM_HA_REASON_PEER_DEAF => "peer_deaf",
        UCM_HA_REASON_GRANTED => "granted",
        UCM_HA_REASON_PEER_OFF => "peer_off",
        UCM_HA_REASON_SELF_FAULT => "self_fault",
        UCM_HA_REASON_FORCED_SWITCH => "forced_switch",
        UCM_HA_REASON_SHUTDOWN => "shutdown",
        UCM_HA_REASON_PEER_REFUSED => "peer_refused",
        UCM_HA_REASON_LEASE_EXPIRED => "lease_expired",
        UCM_HA_REASON_PEER_PRECEDES => "peer_precedes",
        UCM_HA_REASON_WOKE_FROM_FREEZE => "woke_from_freeze",
        UCM_HA_REASON_ADDRESS_FAILED => "address_failed",
        UCM_HA_REASON_DISABLED => "disabled",
        UCM_HA_REASON_DISABLED_BY_PEER => "disabled_by_peer",
        UCM_HA_REASON_PEER_GAVE_WAY => "peer_gave_way",
    };
    names.get(reason.into(), UNKNOWN)
}

/// The name of a UCM_HA_REFUSAL_* value, e.g. "not_active"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_refusal_name(refusal: u8) -> *const c_char {
    let names = texts! {
        UCM_HA_REFUSAL_NONE => "none",
        UCM_HA_REFUSAL_NOT_ACTIVE => "not_active",
        UCM_HA_REFUSAL_PEER_NOT_SEEN => "peer_not_seen",
        UCM_HA_REFUSAL_PEER_NOT_STANDBY => "peer_not_standby",
        UCM_HA_REFUSAL_PEER_UNHEALTHY => "peer_unhealthy",
        UCM_HA_REFUSAL_PEER_SYNCING => "peer_syncing",
        UCM_HA_REFUSAL_IN_PROGRESS => "in_progress",
        UCM_HA_REFUSAL_PEER_UNANSWERED => "peer_unanswered",
        UCM_HA_REFUSAL_PEER_REFUSED => "peer_refused",
    };
    names.get(refusal.into(), UNKNOWN)
}

/// The name of a UCM_HA_ALERT_* value, e.g. "heartbeat_lost"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_alert_name(alert: u8) -> *const c_char {
    let names = texts! {
        NO_NAME => "unknown",
        UCM_HA_ALERT_HEARTBEAT_LOST => "heartbeat_lost",
        UCM_HA_ALERT_CABLE_LOST => "cable_lost",
        UCM_HA_ALERT_LAN_PATH_LOST => "lan_path_lost",
        UCM_HA_ALERT_PEER_INCOMPATIBLE => "peer_incompatible",
        UCM_HA_ALERT_SAME_STATION_TYPE => "same_station_type",
        UCM_HA_ALERT_SETTINGS_DIFFER => "settings_differ",
        UCM_HA_ALERT_MODEL_DIFFERS => "model_differs",
        UCM_HA_ALERT_FIRMWARE_DIFFERS => "firmware_differs",
        UCM_HA_ALERT_PEER_MAC_MISMATCH => "peer_mac_mismatch",
        UCM_HA_ALERT_FOREIGN_HOLDER => "foreign_holder",
        UCM_HA_ALERT_PEER_HOLDS_ADDRESS => "peer_holds_address",
        UCM_HA_ALERT_GATEWAY_LOST => "gateway_lost",
        UCM_HA_ALERT_HANDOVER_FAILED => "handover_failed",
        UCM_HA_ALERT_BUDGET_USED => "budget_used",
        UCM_HA_ALERT_ADDRESS_FAILED => "address_failed",
        UCM_HA_ALERT_NOT_PERSISTED => "not_persisted",
        UCM_HA_ALERT_DISABLED_BY_PEER => "disabled_by_peer",
    };
    names.get(alert.into(), UNKNOWN)
}
