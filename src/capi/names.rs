//! Short names of values, for logs and status pages.

use super::fxo::{FAULT_NAMES as FXO_FAULT_NAMES, STATE_NAMES, UCM_HA_FXO_FAULT_BUS};
use super::numbered::Named;
use super::output::OUTPUT_NAMES;
use super::values::FAULT_NAMES;
use crate::event::{Alert, RoleReason, SwitchRefusal};
use crate::role::Role;
use core::ffi::c_char;

/// The name of a UCM_HA_ROLE_* value, e.g. "standby"; "unknown" for any other number. The string is static. May be
/// called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_role_name(role: u8) -> *const c_char {
    Role::NAMES.get(role)
}

/// The name of a UCM_HA_REASON_* value, e.g. "peer_silent"; "unknown" for any other number. The string is static. May be
/// called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_reason_name(reason: u8) -> *const c_char {
    RoleReason::NAMES.get(reason)
}

/// The name of a UCM_HA_REFUSAL_* value, e.g. "not_active"; "unknown" for any other number. The string is static. May be
/// called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_refusal_name(refusal: u8) -> *const c_char {
    SwitchRefusal::NAMES.get(refusal)
}

/// The name of a UCM_HA_ALERT_* value, e.g. "heartbeat_lost"; "unknown" for any other number. The string is static. May be
/// called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_alert_name(alert: u8) -> *const c_char {
    Alert::NAMES.get(alert)
}

/// The name of a UCM_HA_OUTPUT_* value, e.g. "bind_address"; "unknown" for any other number. The string is static. May be
/// called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_output_name(kind: u8) -> *const c_char {
    OUTPUT_NAMES.get(kind)
}

/// The name of one UCM_HA_FAULT_* bit, e.g. "service"; "unknown" for no bit, several, or any other. The string is static.
/// May be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_fault_name(fault: u32) -> *const c_char {
    let place = if fault.is_power_of_two() { fault.trailing_zeros() } else { u32::BITS };
    FAULT_NAMES.get(place as u8)
}

/// The name of what an FXO port showed, UCM_HA_FXO_* but for the notices, e.g. "ringing" or "fault_no_answer"; "unknown" for
/// any other number. The string is static. May be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_fxo_state_name(seen: u8) -> *const c_char {
    if seen < UCM_HA_FXO_FAULT_BUS { STATE_NAMES.get(seen) } else { FXO_FAULT_NAMES.get(seen) }
}
