//! A bench for the board: emulated boards, a LAN in a network namespace, cables, and a watcher of the cluster IP.
//!
//! Everything panics on failure, as tests do.

pub mod board;
pub mod cable;
pub mod daemon;
pub mod linux;
pub mod machine;
pub mod site;
pub mod storm;
pub mod watcher;

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take that is not timed by the test itself.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Heartbeat timeout of all nodes on the bench.
pub const TIMEOUT: Duration = Duration::from_secs(3);
/// The cluster IP.
pub const CLUSTER_IP: std::net::Ipv4Addr = std::net::Ipv4Addr::new(192, 168, 129, 64);

/// Waits until `condition` holds; how long that took.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}
