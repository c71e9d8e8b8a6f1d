//! What the firmware does that does not touch the board: settings, the stored record, the framing of the serial cable,
//! the lifetime of the cluster IP.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod lifetime;
pub mod record;
pub mod serial;
pub mod settings;
