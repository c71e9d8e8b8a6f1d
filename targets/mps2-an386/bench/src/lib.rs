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

use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take that is not timed by the test itself.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Heartbeat timeout of all nodes on the bench.
pub const TIMEOUT: Duration = Duration::from_secs(3);
/// The cluster IP.
pub const CLUSTER_IP: std::net::Ipv4Addr = std::net::Ipv4Addr::new(192, 168, 129, 64);

/// Plays `story`, which says how long something took, and compares that with `bounds`: on a machine that did not stand still
/// meanwhile. Whatever else is wrong with a story it says by a panic, on any machine.
#[track_caller]
pub fn in_time(what: &str, bounds: &Range<Duration>, story: impl FnMut() -> Duration) {
    let wrong = |took: &Duration| (!bounds.contains(took)).then(|| format!("{took:?} is not in {bounds:?}"));
    let took = fair::fairly(what, story, wrong);
    println!("{what}: {} ms", took.as_millis());
    assert!(bounds.contains(&took), "{what}: {took:?} is not in {bounds:?}");
}

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
