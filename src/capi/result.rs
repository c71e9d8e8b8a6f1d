//! Result codes. Numbers are never reused; new ones are appended.

use crate::config::ConfigError;
use core::ffi::{CStr, c_char};

/// Done.
pub const UCM_HA_OK: i32 = 0;
/// A pointer that must not be NULL is NULL.
pub const UCM_HA_ERR_NULL: i32 = -1;
/// A pointer is not aligned for its type.
pub const UCM_HA_ERR_MISALIGNED: i32 = -2;
/// The storage holds nothing that was initialised, or it was copied from where it was initialised.
pub const UCM_HA_ERR_NOT_INITIALISED: i32 = -3;
/// A call on this storage is under way: from a callback, an interrupt or another thread.
pub const UCM_HA_ERR_BUSY: i32 = -4;
/// The program was built for another interface version than this library's.
pub const UCM_HA_ERR_ABI_VERSION: i32 = -5;
/// An argument or field is none of its named values, or a truth value is neither 0 nor 1.
pub const UCM_HA_ERR_UNKNOWN_VALUE: i32 = -6;
/// A length is more than UCM_HA_MAX_INPUT_LEN.
pub const UCM_HA_ERR_TOO_LONG: i32 = -7;
/// A buffer is smaller than it must be.
pub const UCM_HA_ERR_TOO_SHORT: i32 = -8;
/// There is no such port.
pub const UCM_HA_ERR_NO_SUCH_PORT: i32 = -9;
/// The number of ports is 0, or more than UCM_HA_MAX_FXO_PORTS counted from the first.
pub const UCM_HA_ERR_PORT_COUNT: i32 = -10;
/// An interval is 0.
pub const UCM_HA_ERR_INTERVAL_ZERO: i32 = -11;
/// There is no service of this number.
pub const UCM_HA_ERR_NO_SUCH_SERVICE: i32 = -12;
/// UCM_HA_MAX_SERVICES services are registered already.
pub const UCM_HA_ERR_TABLE_FULL: i32 = -13;

/// mac or cable_mac is zero or a group address.
pub const UCM_HA_ERR_CONFIG_MAC_NOT_UNICAST: i32 = -100;
/// peer_mac equals mac.
pub const UCM_HA_ERR_CONFIG_PEER_MAC_IS_OWN: i32 = -101;
/// heartbeat_port is 0.
pub const UCM_HA_ERR_CONFIG_PORT_ZERO: i32 = -102;
/// heartbeat_timeout_s is outside 3 to 10.
pub const UCM_HA_ERR_CONFIG_TIMEOUT_OUT_OF_RANGE: i32 = -103;
/// A prefix length is 0 or more than 32.
pub const UCM_HA_ERR_CONFIG_PREFIX_OUT_OF_RANGE: i32 = -104;
/// own_ip is not an address that a host on its LAN can have.
pub const UCM_HA_ERR_CONFIG_OWN_IP_UNUSABLE: i32 = -105;
/// cluster_ip equals own_ip.
pub const UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_OWN: i32 = -106;
/// cluster_ip equals peer_ip.
pub const UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_PEER: i32 = -107;
/// cluster_ip is outside the LAN, or its network or broadcast address.
pub const UCM_HA_ERR_CONFIG_CLUSTER_IP_OUTSIDE_LAN: i32 = -108;
/// peer_ip equals own_ip.
pub const UCM_HA_ERR_CONFIG_PEER_IP_IS_OWN: i32 = -109;
/// peer_ip is outside the LAN, or its network or broadcast address.
pub const UCM_HA_ERR_CONFIG_PEER_IP_OUTSIDE_LAN: i32 = -110;
/// gateway equals own_ip, peer_ip or cluster_ip.
pub const UCM_HA_ERR_CONFIG_GATEWAY_IS_NODE: i32 = -111;
/// gateway is outside the LAN, or its network or broadcast address.
pub const UCM_HA_ERR_CONFIG_GATEWAY_OUTSIDE_LAN: i32 = -112;
/// firmware is older than 1.0.9.0.
pub const UCM_HA_ERR_CONFIG_FIRMWARE_TOO_OLD: i32 = -113;
/// switching_faults names an FXO port that the model does not have.
pub const UCM_HA_ERR_CONFIG_NO_SUCH_FXO_PORT: i32 = -114;
/// handover_window_s is 0.
pub const UCM_HA_ERR_CONFIG_WINDOW_ZERO: i32 = -115;
/// handover_budget is more than 8.
pub const UCM_HA_ERR_CONFIG_BUDGET_TOO_HIGH: i32 = -116;

/// A result code other than [`UCM_HA_OK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure(pub(super) i32);

/// The code of an outcome.
pub(super) const fn code(outcome: Result<(), Failure>) -> i32 {
    match outcome {
        Ok(()) => UCM_HA_OK,
        Err(Failure(code)) => code,
    }
}

/// "FIELD REASON" of a configuration error, with the NUL that C wants. Evaluated by the compiler only.
const fn joined<const LEN: usize>(field: &str, error: ConfigError) -> [u8; LEN] {
    let parts = [field.as_bytes(), b" ", error.reason().as_bytes()];
    let mut text = [0; LEN];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut byte = 0;
        while byte < parts[part].len() {
            text[at] = parts[part][byte];
            (byte, at) = (byte + 1, at + 1);
        }
        part += 1;
    }
    text
}

macro_rules! config_errors {
    ($($error:ident => $code:ident, $field:literal;)*) => {
        impl From<ConfigError> for Failure {
            fn from(error: ConfigError) -> Self {
                Self(match error { $(ConfigError::$error => $code,)* })
            }
        }

        const fn config_text(code: i32) -> Option<&'static CStr> {
            match code {
                $($code => {
                    const LEN: usize = $field.len() + ConfigError::$error.reason().len() + 2;
                    const TEXT: &[u8; LEN] = &joined($field, ConfigError::$error);
                    const { Some(as_c_string(TEXT)) }
                })*
                _ => None,
            }
        }
    };
}

config_errors! {
    MacNotUnicast => UCM_HA_ERR_CONFIG_MAC_NOT_UNICAST, "mac or cable_mac";
    PeerMacIsOwn => UCM_HA_ERR_CONFIG_PEER_MAC_IS_OWN, "peer_mac";
    PortZero => UCM_HA_ERR_CONFIG_PORT_ZERO, "heartbeat_port";
    TimeoutOutOfRange => UCM_HA_ERR_CONFIG_TIMEOUT_OUT_OF_RANGE, "heartbeat_timeout_s";
    PrefixOutOfRange => UCM_HA_ERR_CONFIG_PREFIX_OUT_OF_RANGE, "own_ip or cluster_ip";
    OwnIpUnusable => UCM_HA_ERR_CONFIG_OWN_IP_UNUSABLE, "own_ip";
    ClusterIpIsOwn => UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_OWN, "cluster_ip";
    ClusterIpIsPeer => UCM_HA_ERR_CONFIG_CLUSTER_IP_IS_PEER, "cluster_ip";
    ClusterIpOutsideLan => UCM_HA_ERR_CONFIG_CLUSTER_IP_OUTSIDE_LAN, "cluster_ip";
    PeerIpIsOwn => UCM_HA_ERR_CONFIG_PEER_IP_IS_OWN, "peer_ip";
    PeerIpOutsideLan => UCM_HA_ERR_CONFIG_PEER_IP_OUTSIDE_LAN, "peer_ip";
    GatewayIsNode => UCM_HA_ERR_CONFIG_GATEWAY_IS_NODE, "gateway";
    GatewayOutsideLan => UCM_HA_ERR_CONFIG_GATEWAY_OUTSIDE_LAN, "gateway";
    FirmwareTooOld => UCM_HA_ERR_CONFIG_FIRMWARE_TOO_OLD, "firmware";
    NoSuchFxoPort => UCM_HA_ERR_CONFIG_NO_SUCH_FXO_PORT, "switching_faults";
    WindowZero => UCM_HA_ERR_CONFIG_WINDOW_ZERO, "handover_window_s";
    BudgetTooHigh => UCM_HA_ERR_CONFIG_BUDGET_TOO_HIGH, "handover_budget";
}

/// Evaluated by the compiler only.
const fn as_c_string(text: &'static [u8]) -> &'static CStr {
    match CStr::from_bytes_with_nul(text) {
        Ok(text) => text,
        Err(_) => panic!("a text of the library's own has one NUL, at its end"),
    }
}

/// What a result code means and what to do, in one line of English. For any other number: "unknown result code". The
/// string lives for ever. May be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_result_text(result: i32) -> *const c_char {
    let text = match result {
        UCM_HA_OK => c"done",
        UCM_HA_ERR_NULL => c"a pointer is NULL; pass storage for the value",
        UCM_HA_ERR_MISALIGNED => c"a pointer is not aligned; declare the storage with its type from ucm_ha.h",
        UCM_HA_ERR_NOT_INITIALISED => c"the storage is not initialised, or was copied; call the init function on it",
        UCM_HA_ERR_BUSY => c"another call on this storage is under way; make one call at a time",
        UCM_HA_ERR_ABI_VERSION => c"the library has another interface version; rebuild with its ucm_ha.h",
        UCM_HA_ERR_UNKNOWN_VALUE => c"a value is none of those in ucm_ha.h",
        UCM_HA_ERR_TOO_LONG => c"the input is longer than UCM_HA_MAX_INPUT_LEN",
        UCM_HA_ERR_TOO_SHORT => c"the buffer is too small; see the constant in ucm_ha.h",
        UCM_HA_ERR_NO_SUCH_PORT => c"there is no such port",
        UCM_HA_ERR_PORT_COUNT => c"there must be 1 to 8 ports, counted from the first",
        UCM_HA_ERR_INTERVAL_ZERO => c"an interval must be at least 1 ms",
        UCM_HA_ERR_NO_SUCH_SERVICE => c"there is no service of this number; register it",
        UCM_HA_ERR_TABLE_FULL => c"as many services as there is room for are registered; unregister one",
        other => config_text(other).unwrap_or(c"unknown result code"),
    };
    text.as_ptr()
}
