//! Short names of values, for logs and status pages.

use super::numbered::Named;
use crate::event::{Alert, RoleReason, SwitchRefusal};
use crate::role::Role;
use core::ffi::c_char;

/// The name of a UCM_HA_ROLE_* value, e.g. "standby"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_role_name(role: u8) -> *const c_char {
    Role::NAMES.get(role)
}

/// The name of a UCM_HA_REASON_* value, e.g. "peer_silent"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_reason_name(reason: u8) -> *const c_char {
    RoleReason::NAMES.get(reason)
}

/// The name of a UCM_HA_REFUSAL_* value, e.g. "not_active"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_refusal_name(refusal: u8) -> *const c_char {
    SwitchRefusal::NAMES.get(refusal)
}

/// The name of a UCM_HA_ALERT_* value, e.g. "heartbeat_lost"; "unknown" for any other number. The string lives for ever. May
/// be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_alert_name(alert: u8) -> *const c_char {
    Alert::NAMES.get(alert)
}
