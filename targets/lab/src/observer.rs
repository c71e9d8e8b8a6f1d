//! Watches which node has the cluster IP, by the events of both nodes' kernels.

use crate::address_events::{AddressEvents, Change, Copied};
use crate::network::Network;
use crate::plan::Node;
use crate::worker::{STOP_CHECK, Stop, Worker, run_before_daemons, wait_readable};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A change of where the cluster IP is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// When its event was read, a little after it happened.
    pub at: Instant,
    /// On which node.
    pub node: Node,
    /// Bound or gone.
    pub bound: bool,
}

/// What the observer has seen.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    /// Changes in the order in which the kernels made them.
    pub bindings: Vec<Binding>,
    /// What each node has of the address.
    copies: [BTreeSet<Copied>; 2],
    /// Why nothing has been seen since.
    blind: Option<String>,
}

impl Sightings {
    /// Whether the nodes have it now.
    pub fn now(&self) -> [bool; 2] {
        Node::ALL.map(|node| self.is_bound(node))
    }

    /// When `node` bound the address for the first time after `since`.
    pub fn bound_after(&self, node: Node, since: Instant) -> Option<Instant> {
        let mut after = self.after(since);
        after.find(|binding| binding.node == node && binding.bound).map(|binding| binding.at)
    }

    /// The changes after `since`.
    pub fn after(&self, since: Instant) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.at > since)
    }

    /// For how long both nodes have had it in all; `None` where they never had, by the order of the events.
    pub fn both_bound(&self) -> Option<Duration> {
        let mut bound = [false; 2];
        let (mut both_since, mut total) = (None, None);
        for binding in &self.bindings {
            bound[binding.node.index()] = binding.bound;
            if bound == [true; 2] {
                both_since = Some(binding.at);
            } else if let Some(since) = both_since.take() {
                *total.get_or_insert(Duration::ZERO) += binding.at - since;
            }
        }
        both_since.map_or(total, |since| Some(total.unwrap_or_default() + since.elapsed()))
    }

    /// What there is to say against "never both nodes".
    pub fn two_holders(&self) -> Option<String> {
        let two = self.both_bound().map(|both| format!("never both nodes with the cluster IP, was {both:?}"));
        two.or_else(|| self.blind.as_ref().map(|why| format!("both nodes' kernels watched to the end, but {why}")))
    }

    fn is_bound(&self, node: Node) -> bool {
        !self.copies[node.index()].is_empty()
    }

    /// A copy that is there already is set again whenever its lifetime is.
    fn note(&mut self, at: Instant, Change { node, copy, held }: Change) {
        let before = self.is_bound(node);
        let copies = &mut self.copies[node.index()];
        if held {
            copies.insert(copy);
        } else {
            copies.remove(&copy);
        }
        let bound = self.is_bound(node);
        if bound != before {
            self.bindings.push(Binding { at, node, bound });
        }
    }
}

/// The observer. It watches until it is dropped.
pub struct Observer {
    sightings: Arc<Mutex<Sightings>>,
    _worker: Worker,
}

impl Observer {
    /// Starts to watch, before any node has the address.
    pub fn start(network: &mut Network) -> io::Result<Self> {
        let mut events = AddressEvents::subscribe(network)?;
        let sightings = Arc::new(Mutex::new(Sightings::default()));
        let its_sightings = Arc::clone(&sightings);
        let worker = Worker::start("observer", move |stop| {
            run_before_daemons("the times of changes may be late");
            let watched = watch(&mut events, &its_sightings, &stop);
            watched.inspect_err(|error| lock(&its_sightings).blind = Some(error.to_string()))
        })?;
        Ok(Self { sightings, _worker: worker })
    }

    /// What was seen so far.
    pub fn sightings(&self) -> Sightings {
        lock(&self.sightings).clone()
    }
}

fn lock(sightings: &Mutex<Sightings>) -> MutexGuard<'_, Sightings> {
    sightings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(events: &mut AddressEvents, sightings: &Mutex<Sightings>, stop: &Stop) -> io::Result<()> {
    while !stop.is_set() {
        wait_readable([events.as_fd()], STOP_CHECK)?;
        while let Some(change) = events.next_change()? {
            lock(sightings).note(Instant::now(), change);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// What is seen of these events, a millisecond apart: of which node, of which interface, there or gone.
    fn seen(events: &[(Node, u32, bool)]) -> Sightings {
        let (begin, mut sightings) = (Instant::now(), Sightings::default());
        for (number, &(node, interface, held)) in (1..).zip(events) {
            let change = Change { node, copy: Copied { interface, prefix_len: 24 }, held };
            sightings.note(begin + MS * number, change);
        }
        sightings
    }

    #[test]
    fn an_overlap_of_an_instant_is_one_and_a_handover_is_none() {
        let handed_over = seen(&[(Node::A, 2, true), (Node::A, 2, false), (Node::B, 2, true)]);
        assert_eq!(handed_over.both_bound(), None);
        assert_eq!(handed_over.two_holders(), None);
        assert_eq!(handed_over.now(), [false, true]);
        let overlapping = seen(&[(Node::A, 2, true), (Node::B, 2, true), (Node::A, 2, false)]);
        assert_eq!(overlapping.both_bound(), Some(MS));
        assert!(overlapping.two_holders().is_some());
    }

    #[test]
    fn an_address_is_gone_with_its_last_copy() {
        let mut sightings = seen(&[
            (Node::A, 2, true),
            (Node::A, 3, true),
            (Node::A, 2, false),
            (Node::A, 3, true),
            (Node::B, 2, true),
        ]);
        assert_eq!(sightings.bindings.len(), 2, "set again, and once more elsewhere, is no change");
        assert!(sightings.both_bound().is_some(), "and it goes on");
        sightings.blind = Some("its end came early".to_owned());
        assert!(sightings.two_holders().is_some_and(|two| two.contains("never both")));
    }

    #[test]
    fn who_saw_only_a_part_proves_nothing() {
        let sightings = Sightings { blind: Some("the kernel had to drop events".to_owned()), ..seen(&[]) };
        assert!(sightings.two_holders().is_some());
    }
}
