//! What the lab uses of the daemon: interfaces as the daemon sees them, and what it has written.

pub use crate::net::interface::{Interface, InterfaceAddress};
pub use crate::net::netlink::Netlink;
pub use crate::sys::{packet_address, schedule_fifo};

use crate::{journal, state};
use std::io;
use std::path::Path;
use ucm_ha::io::Record;

/// The record in `state_dir` from which a daemon would start.
///
/// # Errors
///
/// There is a file that no daemon has written so.
pub fn stored_record(state_dir: &Path) -> Result<Record, String> {
    state::check(state_dir)
}

/// How many records of the logs in `state_dir` are damaged.
///
/// # Errors
///
/// A log cannot be read.
pub fn damaged_records(state_dir: &Path) -> io::Result<usize> {
    journal::damaged(state_dir)
}
