//! What tells two starts of a node apart.

use rustix::rand::{GetRandomFlags, getrandom};

/// Random, and never 0.
pub(super) fn boot_id() -> u32 {
    let mut bytes = [0; 4];
    loop {
        // Only a machine that has just booted makes this wait; an interrupted call is repeated.
        if getrandom(&mut bytes, GetRandomFlags::empty()).is_ok() && bytes != [0; 4] {
            return u32::from_ne_bytes(bytes);
        }
    }
}
