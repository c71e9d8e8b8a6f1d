//! Watches on both nodes, by their kernels' tables, whether the cluster IP is bound.

use crate::error::Context;
use crate::network::Network;
use crate::plan::{CLUSTER_IP, Node};
use crate::worker::{Stop, Worker};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use ucm_ha_linux::shared::Netlink;

/// Time between two looks.
pub const USUAL_PERIOD: Duration = Duration::from_millis(10);
/// Looks at every interface of a node: a LAN port may be deleted and come back as another one.
const ANY_INTERFACE: u32 = 0;
/// Time between two looks where a scenario asks about the order of release and bind.
pub const FAST_PERIOD: Duration = Duration::from_micros(200);

/// A change of where the cluster IP is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// When it was first seen.
    pub at: Instant,
    /// On which node.
    pub node: Node,
    /// Bound or gone.
    pub bound: bool,
}

/// What the observer has seen.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    /// Changes, the oldest first.
    pub bindings: Vec<Binding>,
    /// Time during which both nodes had it, as far as the looks tell.
    pub both_bound: Duration,
    /// Time during which nobody had it.
    pub none_bound: Duration,
    /// Whether the nodes have it now.
    pub now: [bool; 2],
    looks: u64,
}

impl Sightings {
    /// When `node` was first seen to bind the address after `since`.
    pub fn bound_after(&self, node: Node, since: Instant) -> Option<Instant> {
        let mut after = self.bindings.iter().filter(|binding| binding.at > since);
        after.find(|binding| binding.node == node && binding.bound).map(|binding| binding.at)
    }

    fn note(&mut self, at: Instant, look: Look, since_last: Duration) {
        for node in Node::ALL {
            let bound = look.bound[node.index()];
            if self.looks == 0 || self.now[node.index()] != bound {
                self.bindings.push(Binding { at, node, bound });
            }
        }
        if look.both {
            self.both_bound += since_last;
        } else if look.bound == [false; 2] {
            self.none_bound += since_last;
        }
        self.now = look.bound;
        self.looks += 1;
    }
}

/// One look at both nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    bound: [bool; 2],
    /// One node had the address before and after the other one was seen with it: both had it at one time.
    both: bool,
}

/// The observer. It looks until it is dropped.
pub struct Observer {
    shared: Arc<Mutex<Shared>>,
    _worker: Worker,
}

struct Shared {
    sightings: Sightings,
    period: Duration,
}

struct Window {
    netlink: Netlink,
}

impl Window {
    fn open(network: &mut Network, node: Node) -> io::Result<Self> {
        let netns = &network.node(node).netns;
        Ok(Self { netlink: netns.run(|| Netlink::open().context("cannot watch the addresses"))? })
    }

    fn is_bound(&mut self) -> io::Result<bool> {
        self.netlink.has_address(ANY_INTERFACE, CLUSTER_IP.address)
    }
}

impl Observer {
    /// Starts to watch.
    pub fn start(network: &mut Network) -> io::Result<Self> {
        let mut windows = [Window::open(network, Node::A)?, Window::open(network, Node::B)?];
        let shared = Arc::new(Mutex::new(Shared { sightings: Sightings::default(), period: USUAL_PERIOD }));
        let its_shared = Arc::clone(&shared);
        let worker = Worker::start("observer", move |stop| watch(&mut windows, &its_shared, &stop))?;
        Ok(Self { shared, _worker: worker })
    }

    /// How often to look from now on.
    pub fn set_period(&self, period: Duration) {
        lock(&self.shared).period = period;
    }

    /// What was seen so far.
    pub fn sightings(&self) -> Sightings {
        lock(&self.shared).sightings.clone()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(windows: &mut [Window; 2], shared: &Mutex<Shared>, stop: &Stop) -> io::Result<()> {
    let mut last = Instant::now();
    while !stop.is_set() {
        let look = look(windows)?;
        let now = Instant::now();
        let period = {
            let mut shared = lock(shared);
            shared.sightings.note(now, look, now - last);
            shared.period
        };
        last = now;
        thread::sleep(period);
    }
    Ok(())
}

fn look([a, b]: &mut [Window; 2]) -> io::Result<Look> {
    let bound = [a.is_bound()?, b.is_bound()?];
    let both = bound == [true; 2] && a.is_bound()?;
    Ok(Look { bound, both })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn time_counts_as_both_bound_only_where_one_had_it_around_the_other() {
        let begin = Instant::now();
        let mut sightings = Sightings::default();
        sightings.note(begin, Look { bound: [true, false], both: false }, MS);
        sightings.note(begin + MS, Look { bound: [true, true], both: false }, MS);
        assert_eq!(sightings.both_bound, Duration::ZERO, "A released while B was looked at");
        sightings.note(begin + MS * 2, Look { bound: [true, true], both: true }, MS);
        sightings.note(begin + MS * 3, Look { bound: [false, true], both: false }, MS);
        assert_eq!(sightings.both_bound, MS);
        assert_eq!(sightings.bindings.last(), Some(&Binding { at: begin + MS * 3, node: Node::A, bound: false }));
        assert_eq!(sightings.bound_after(Node::B, begin), Some(begin + MS));
        assert_eq!(sightings.none_bound, Duration::ZERO);
    }
}
