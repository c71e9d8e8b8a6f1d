//! High availability for a pair of IP-PBX appliances.
//!
//! Two nodes are joined by a heartbeat cable and a LAN. One of them is active and owns the cluster IP that the phones
//! use; the other stands by and takes over when it fails. This library decides; it does no I/O, reads no clock and
//! allocates nothing. Every effect is an [`Output`] that an adapter carries out, every fact an [`Input`] that it reports.
//!
//! ```text
//! loop {
//!     node.handle(now, input);
//!     while let Some(output) = node.poll_output(&mut frame) { /* carry it out, in this order */ }
//!     sleep until node.poll_timeout() or the next input
//! }
//! ```
//!
//! The promises S1–S6 and L1–L7 that the comments cite are listed in `docs/safety.md`.
#![no_std]
#![deny(unsafe_code)]
// A new role, signal or reason must be thought about wherever one is matched.
#![warn(clippy::wildcard_enum_match_arm)]

#[cfg(test)]
extern crate std;

#[cfg(feature = "capi")]
pub mod capi;
#[forbid(unsafe_code)]
pub mod config;
#[forbid(unsafe_code)]
pub mod crc;
#[forbid(unsafe_code)]
pub mod debounce;
#[forbid(unsafe_code)]
pub mod event;
#[forbid(unsafe_code)]
pub mod fault;
#[forbid(unsafe_code)]
pub mod fxo;
#[forbid(unsafe_code)]
pub mod io;
#[forbid(unsafe_code)]
pub mod mailbox;
#[forbid(unsafe_code)]
pub mod node;
#[forbid(unsafe_code)]
pub mod pace;
#[forbid(unsafe_code)]
mod peer;
#[forbid(unsafe_code)]
mod reach;
#[forbid(unsafe_code)]
pub mod role;
#[forbid(unsafe_code)]
pub mod service;
#[forbid(unsafe_code)]
pub mod status;
#[forbid(unsafe_code)]
pub mod time;
#[forbid(unsafe_code)]
pub mod types;
#[forbid(unsafe_code)]
pub mod wire;

pub use config::{Config, ConfigError};
pub use io::{Input, Output};
pub use node::{FRAME_CAPACITY, Node};
pub use status::Status;
pub use time::{Duration, Instant};
