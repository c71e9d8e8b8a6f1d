//! Short names of values, for logs and status pages.

use super::values::*;
use core::ffi::{CStr, c_char};

const UNKNOWN: &CStr = c"unknown";

/// The name of a UCM_HA_ROLE_* value, e.g. "standby"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_role_name(role: u8) -> *const c_char {
    let name = match role {
        UCM_HA_ROLE_OFF => c"off",
        UCM_HA_ROLE_INIT => c"init",
        UCM_HA_ROLE_STANDBY => c"standby",
        UCM_HA_ROLE_CLAIMING => c"claiming",
        UCM_HA_ROLE_ACTIVE => c"active",
        UCM_HA_ROLE_YIELDING => c"yielding",
        _ => UNKNOWN,
    };
    name.as_ptr()
}

/// The name of a UCM_HA_REASON_* value, e.g. "peer_silent"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_reason_name(reason: u8) -> *const c_char {
    let name = match reason {
        UCM_HA_REASON_STARTED => c"started",
        UCM_HA_REASON_PEER_ACTIVE => c"peer_active",
        UCM_HA_REASON_PEER_SILENT => c"peer_silent",
        UCM_HA_REASON_PEER_GONE => c"peer_gone",
        UCM_HA_REASON_PEER_DEAF => c"peer_deaf",
        UCM_HA_REASON_GRANTED => c"granted",
        UCM_HA_REASON_PEER_OFF => c"peer_off",
        UCM_HA_REASON_SELF_FAULT => c"self_fault",
        UCM_HA_REASON_FORCED_SWITCH => c"forced_switch",
        UCM_HA_REASON_SHUTDOWN => c"shutdown",
        UCM_HA_REASON_PEER_REFUSED => c"peer_refused",
        UCM_HA_REASON_LEASE_EXPIRED => c"lease_expired",
        UCM_HA_REASON_PEER_PRECEDES => c"peer_precedes",
        UCM_HA_REASON_WOKE_FROM_FREEZE => c"woke_from_freeze",
        UCM_HA_REASON_ADDRESS_FAILED => c"address_failed",
        UCM_HA_REASON_DISABLED => c"disabled",
        UCM_HA_REASON_DISABLED_BY_PEER => c"disabled_by_peer",
        UCM_HA_REASON_PEER_GAVE_WAY => c"peer_gave_way",
        _ => UNKNOWN,
    };
    name.as_ptr()
}

/// The name of a UCM_HA_REFUSAL_* value, e.g. "not_active"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_refusal_name(refusal: u8) -> *const c_char {
    let name = match refusal {
        UCM_HA_REFUSAL_NONE => c"none",
        UCM_HA_REFUSAL_NOT_ACTIVE => c"not_active",
        UCM_HA_REFUSAL_PEER_NOT_SEEN => c"peer_not_seen",
        UCM_HA_REFUSAL_PEER_NOT_STANDBY => c"peer_not_standby",
        UCM_HA_REFUSAL_PEER_UNHEALTHY => c"peer_unhealthy",
        UCM_HA_REFUSAL_PEER_SYNCING => c"peer_syncing",
        UCM_HA_REFUSAL_IN_PROGRESS => c"in_progress",
        UCM_HA_REFUSAL_PEER_UNANSWERED => c"peer_unanswered",
        UCM_HA_REFUSAL_PEER_REFUSED => c"peer_refused",
        _ => UNKNOWN,
    };
    name.as_ptr()
}

/// The name of a UCM_HA_ALERT_* value, e.g. "heartbeat_lost"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_alert_name(alert: u8) -> *const c_char {
    let name = match alert {
        UCM_HA_ALERT_HEARTBEAT_LOST => c"heartbeat_lost",
        UCM_HA_ALERT_CABLE_LOST => c"cable_lost",
        UCM_HA_ALERT_LAN_PATH_LOST => c"lan_path_lost",
        UCM_HA_ALERT_PEER_INCOMPATIBLE => c"peer_incompatible",
        UCM_HA_ALERT_SAME_STATION_TYPE => c"same_station_type",
        UCM_HA_ALERT_SETTINGS_DIFFER => c"settings_differ",
        UCM_HA_ALERT_MODEL_DIFFERS => c"model_differs",
        UCM_HA_ALERT_FIRMWARE_DIFFERS => c"firmware_differs",
        UCM_HA_ALERT_PEER_MAC_MISMATCH => c"peer_mac_mismatch",
        UCM_HA_ALERT_FOREIGN_HOLDER => c"foreign_holder",
        UCM_HA_ALERT_PEER_HOLDS_ADDRESS => c"peer_holds_address",
        UCM_HA_ALERT_GATEWAY_LOST => c"gateway_lost",
        UCM_HA_ALERT_HANDOVER_FAILED => c"handover_failed",
        UCM_HA_ALERT_BUDGET_USED => c"budget_used",
        UCM_HA_ALERT_ADDRESS_FAILED => c"address_failed",
        UCM_HA_ALERT_NOT_PERSISTED => c"not_persisted",
        UCM_HA_ALERT_DISABLED_BY_PEER => c"disabled_by_peer",
        _ => UNKNOWN,
    };
    name.as_ptr()
}
