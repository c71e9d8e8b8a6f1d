//! How often a node sends, and how long it waits: the heartbeat timeout T and what follows from it.

use crate::time::Duration;

/// Default heartbeat timeout T, in seconds.
pub const DEFAULT_HEARTBEAT_TIMEOUT_S: u8 = 7;
/// Shortest heartbeat timeout T, in seconds.
pub const MIN_HEARTBEAT_TIMEOUT_S: u8 = 3;
/// Longest heartbeat timeout T, in seconds.
pub const MAX_HEARTBEAT_TIMEOUT_S: u8 = 10;

/// The interval at which a node sends on each path: T/20, or 50 ms with fast failover.
pub const fn heartbeat_interval(timeout_s: u8, fast_failover: bool) -> Duration {
    if fast_failover { Duration::from_ms(50) } else { Duration::from_ms(timeout_s as u64 * 50) }
}

/// While both nodes hear each other over the cable, frames there are this far apart.
pub const CABLE_REST: Duration = Duration::from_ms(100);
/// While the cable works both ways, frames on the LAN are this far apart at most: it only has to be known to work.
pub(crate) const LAN_REST: Duration = Duration::from_ms(250);

/// Whether a heartbeat timeout is within its range.
pub const fn heartbeat_timeout_is_valid(timeout_s: u8) -> bool {
    MIN_HEARTBEAT_TIMEOUT_S <= timeout_s && timeout_s <= MAX_HEARTBEAT_TIMEOUT_S
}
