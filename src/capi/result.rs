//! Result codes. Numbers are never reused; new ones are appended.

use super::texts::{Texts, texts};
use crate::config::ConfigError;
use core::ffi::c_char;
use core::num::NonZeroI32;

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

/// mac is not set (zero), or a group address.
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
/// cable_mac is not set (zero), or a group address.
pub const UCM_HA_ERR_CONFIG_CABLE_MAC_NOT_UNICAST: i32 = -117;
/// own_ip is not set (0.0.0.0).
pub const UCM_HA_ERR_CONFIG_OWN_IP_UNSET: i32 = -118;
/// cluster_ip is not set (0.0.0.0).
pub const UCM_HA_ERR_CONFIG_CLUSTER_IP_UNSET: i32 = -119;
/// peer_ip is not set (0.0.0.0).
pub const UCM_HA_ERR_CONFIG_PEER_IP_UNSET: i32 = -120;

/// A result code other than [`UCM_HA_OK`]. An outcome without a value is thereby no larger than a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure(NonZeroI32);

impl Failure {
    /// The failure of a code of this file; [`UCM_HA_OK`] is none.
    #[inline(always)]
    pub(super) const fn new(code: i32) -> Self {
        match NonZeroI32::new(code) {
            Some(code) => Self(code),
            None => Self(NonZeroI32::MIN),
        }
    }
}

/// The code of an outcome.
pub(super) const fn code(outcome: Result<(), Failure>) -> i32 {
    match outcome {
        Ok(()) => UCM_HA_OK,
        Err(Failure(code)) => code.get(),
    }
}

/// A configuration error, its code, and the field of ucm_ha_config it is about.
type ConfigText = (ConfigError, i32, &'static str);

/// The first code of a configuration error.
const FIRST_CONFIG_CODE: i32 = UCM_HA_ERR_CONFIG_MAC_NOT_UNICAST;

/// "FIELD REASON" of each, with the NUL that C wants. Evaluated by the compiler only.
const fn joined<const LEN: usize>(errors: &[ConfigText]) -> [u8; LEN] {
    let mut text = [0; LEN];
    let (mut error, mut at) = (0, 0);
    while error < errors.len() {
        let (kind, code, field) = errors[error];
        assert!(code == FIRST_CONFIG_CODE - error as i32, "the codes follow each other");
        let parts = [field.as_bytes(), b" ", kind.reason().as_bytes(), b"\0"];
        let mut part = 0;
        while part < parts.len() {
            let mut byte = 0;
            while byte < parts[part].len() {
                text[at] = parts[part][byte];
                (byte, at) = (byte + 1, at + 1);
            }
            part += 1;
        }
        error += 1;
    }
    text
}

/// Length of all the texts together. Evaluated by the compiler only.
const fn joined_len(errors: &[ConfigText]) -> usize {
    let (mut error, mut len) = (0, 0);
    while error < errors.len() {
        len += errors[error].2.len() + errors[error].0.reason().len() + 2;
        error += 1;
    }
    len
}

macro_rules! config_errors {
    ($($error:ident => $code:ident, $field:literal;)*) => {
        impl From<ConfigError> for Failure {
            fn from(error: ConfigError) -> Self {
                match error { $(ConfigError::$error => const { Self::new($code) },)* }
            }
        }

        const CONFIG_TEXTS: &[ConfigText] = &[$((ConfigError::$error, $code, $field),)*];
    };
}

config_errors! {
    MacNotUnicast => UCM_HA_ERR_CONFIG_MAC_NOT_UNICAST, "mac";
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
    CableMacNotUnicast => UCM_HA_ERR_CONFIG_CABLE_MAC_NOT_UNICAST, "cable_mac";
    OwnIpUnset => UCM_HA_ERR_CONFIG_OWN_IP_UNSET, "own_ip";
    ClusterIpUnset => UCM_HA_ERR_CONFIG_CLUSTER_IP_UNSET, "cluster_ip";
    PeerIpUnset => UCM_HA_ERR_CONFIG_PEER_IP_UNSET, "peer_ip";
}

/// What a result code means and what to do, in one line of English. For any other number: "unknown result code". The
/// string is static. May be called from any context.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_result_text(result: i32) -> *const c_char {
    let own = texts! {
        UCM_HA_OK => "done",
        UCM_HA_ERR_NULL => "a pointer is NULL; pass storage for the value",
        UCM_HA_ERR_MISALIGNED => "a pointer is not aligned; declare the storage with its type from ucm_ha.h",
        UCM_HA_ERR_NOT_INITIALISED => "the storage is not initialised, or was copied; call the init function on it",
        UCM_HA_ERR_BUSY => "another call on this storage is under way; make one call at a time",
        UCM_HA_ERR_ABI_VERSION => "the library has another interface version; rebuild with its ucm_ha.h",
        UCM_HA_ERR_UNKNOWN_VALUE => "a value is none of those in ucm_ha.h",
        UCM_HA_ERR_TOO_LONG => "the input is longer than UCM_HA_MAX_INPUT_LEN",
        UCM_HA_ERR_TOO_SHORT => "the buffer is too small; see the constant in ucm_ha.h",
        UCM_HA_ERR_NO_SUCH_PORT => "there is no such port",
        UCM_HA_ERR_PORT_COUNT => "there must be 1 to 8 ports, counted from the first",
        UCM_HA_ERR_INTERVAL_ZERO => "an interval must be at least 1 ms",
        UCM_HA_ERR_NO_SUCH_SERVICE => "there is no service of this number; register it",
        UCM_HA_ERR_TABLE_FULL => "as many services as there is room for are registered; unregister one",
    };
    const CONFIG: &[u8] = &joined::<{ joined_len(CONFIG_TEXTS) }>(CONFIG_TEXTS);
    let config = const { Texts::new(CONFIG) };
    let (texts, first) = if result > FIRST_CONFIG_CODE { (own, UCM_HA_OK) } else { (config, FIRST_CONFIG_CODE) };
    // A number above the first one wraps to one that has no text.
    texts.get(first.wrapping_sub(result).cast_unsigned(), c"unknown result code")
}
