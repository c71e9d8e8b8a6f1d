//! Versions: of the interface, of the heartbeat frame, of the library. They change apart from each other.

use super::result::{Failure, UCM_HA_ERR_ABI_VERSION};
use crate::wire;
use core::ffi::{CStr, c_char};

/// Version of this interface: major × 65536 + minor. A higher minor only adds; a new major may change sizes and meanings.
pub const UCM_HA_ABI_VERSION: u32 = 0x0001_0001;
/// Version of the heartbeat frame that this library writes and reads.
pub const UCM_HA_WIRE_VERSION: u8 = 1;
const _: () = assert!(UCM_HA_WIRE_VERSION == wire::VERSION);

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("cargo sets a version without NUL"),
};

/// The interface version of the linked library. Its major must equal that of UCM_HA_ABI_VERSION, which the init functions
/// check; its minor must not be lower.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_abi_version() -> u32 {
    UCM_HA_ABI_VERSION
}

/// The version of the heartbeat frame of the linked library.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_wire_version() -> u8 {
    UCM_HA_WIRE_VERSION
}

/// The release of the linked library, e.g. "0.1.0". The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn ucm_ha_library_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Whether a program built for interface `version` can use this library.
pub(super) const fn check(version: u32) -> Result<(), Failure> {
    let same_major = major(version) == major(UCM_HA_ABI_VERSION);
    let minor_known = minor(version) <= minor(UCM_HA_ABI_VERSION);
    if same_major && minor_known { Ok(()) } else { Err(Failure::new(UCM_HA_ERR_ABI_VERSION)) }
}

const fn major(version: u32) -> u32 {
    version >> 16
}

const fn minor(version: u32) -> u32 {
    version & 0xffff
}
