//! A third station on the heartbeat segment: a node of another pair, alive, whose own peer is not there.
//!
//! It is a whole node: it boots, serves its own cluster IP on a LAN of its own, hears what the pair says on the cable, and
//! answers where its rules say so.

use super::clock::Clock;
use super::ether::{Arp, Packet, Slot};
use super::world::{Event, World, name};
use super::{A, B, SEC};
use core::net::Ipv4Addr;
use std::collections::VecDeque;
use ucm_ha::io::{AddressEvent, Input, Output, Port, Record};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::role::Role;
use ucm_ha::types::{Cidr, Key, MacAddr, StationType};
use ucm_ha::{Config, Node};

/// Its identity.
pub(crate) const THIRD_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0xee, 1]);
const CABLE_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0xee, 2]);
/// Its static address.
pub(crate) const THIRD_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 11);
const PEER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 12);
const CLUSTER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);
const GATEWAY_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0xee, 3]);

/// What another pair's settings are, beside its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    /// As shipped: no key.
    Plain,
    /// A key of its own.
    Keyed,
}

/// The third station, while it is there.
pub(crate) struct Third {
    node: Box<Node>,
    clock: Clock,
}

/// The configuration of the node of another pair.
pub(crate) fn config(neighbour: Neighbour, timeout_s: u8) -> Config {
    let cidr = |address| Cidr { address, prefix_len: 24 };
    let mut config = Config::new(StationType::Primary, THIRD_MAC, CABLE_MAC, cidr(THIRD_IP), cidr(CLUSTER_IP), PEER_IP);
    config.heartbeat_timeout_s = timeout_s;
    config.gateway = Some(GATEWAY_IP);
    config.key = (neighbour == Neighbour::Keyed).then_some(Key([0x77; 32]));
    config
}

impl World {
    /// The third station is plugged in and boots, or goes.
    pub(crate) fn set_third(&mut self, neighbour: Neighbour, on: bool) {
        self.third = None;
        self.third_life += 1;
        if !on {
            return;
        }
        let clock = Clock::new(0, self.dice.between(SEC, 1_000_000 * SEC), 0);
        let config = config(neighbour, self.settings.timeout_s[A]);
        // Its address has changed hands more often than the pair's, whose rules must not care.
        let record = Record { term: 900, term_ceiling: 1000, ..Record::default() };
        let node = Node::new(config, record, self.dice.id(), clock.local(self.now));
        self.third = Some(Third { node: Box::new(node.expect("its settings are valid")), clock });
        self.feed_third(Input::OwnAddress { present: true });
        for port in [Port::Cable, Port::Lan] {
            self.feed_third(Input::Link { port, up: true });
        }
    }

    /// Whether the third station is active in its own pair.
    pub(crate) fn third_is_active(&self) -> bool {
        self.third.as_ref().is_some_and(|third| third.node.role() == Role::Active)
    }

    /// A node of the pair has sent on the cable: the segment carries that to the third station as well.
    pub(crate) fn third_overhears(&mut self, from: usize, packet: &Packet) {
        if self.third.is_some() && self.net.carrier(from, Port::Cable) {
            for delay in self.net.cable_delays(&mut self.dice).into_iter().flatten() {
                let slot = self.pool.put(*packet);
                self.after(delay, Event::ThirdHears { life: self.third_life, slot });
            }
        }
    }

    pub(crate) fn third_hears(&mut self, life: u32, slot: Slot) {
        let packet = self.pool.take(slot);
        if life == self.third_life {
            self.feed_third(Input::CableFrame(packet.bytes()));
        }
    }

    pub(crate) fn third_wakes(&mut self, life: u32) {
        let due = |third: &Third| third.node.poll_timeout() <= third.clock.local(self.now);
        // What was put off meanwhile has an event of its own.
        if life == self.third_life && self.third.as_ref().is_some_and(due) {
            self.feed_third(Input::Timeout);
        }
    }

    /// Hands in a fact and everything that follows at once: its machine takes no time for what it does.
    fn feed_third(&mut self, input: Input<'_>) {
        let Some(mut third) = self.third.take() else { return };
        let now = third.clock.local(self.now);
        let mut frame = [0; FRAME_CAPACITY];
        let mut arp_answers = VecDeque::new();
        let mut outcomes = VecDeque::new();
        third.node.handle(now, input);
        loop {
            while let Some(output) = third.node.poll_output(&mut frame) {
                match output {
                    Output::SendCable { len } => self.third_sends(&Packet::new(&frame[..len])),
                    Output::SendArp { len } => arp_answers.extend(gateway_answer(&frame[..len])),
                    Output::BindAddress { .. } => outcomes.push_back(Input::Address(AddressEvent::Held)),
                    Output::ReleaseAddress => outcomes.push_back(Input::Address(AddressEvent::Released)),
                    Output::Persist(_) => outcomes.push_back(Input::Persisted { saved: true }),
                    Output::StartFullSync => outcomes.push_back(Input::SyncDone { generation: 1, complete: true }),
                    // Its peer is not there, and nobody looks at what it tells.
                    Output::SendLan { .. }
                    | Output::RenewAddress { .. }
                    | Output::RoleChanged { .. }
                    | Output::Alert { .. }
                    | Output::FaultChanged { .. }
                    | Output::SwitchDone(_)
                    | Output::Reboot
                    | Output::Stopped => {}
                }
            }
            if let Some(outcome) = outcomes.pop_front() {
                third.node.handle(now, outcome);
            } else if let Some(answer) = arp_answers.pop_front() {
                third.node.handle(now, Input::ArpFrame(Packet::bytes(&answer)));
            } else {
                break;
            }
        }
        let wake_at = third.clock.global(third.node.poll_timeout());
        self.third = Some(third);
        self.at(wake_at, Event::ThirdWakes { life: self.third_life });
    }

    fn third_sends(&mut self, packet: &Packet) {
        for to in [A, B] {
            if !self.net.carrier(to, Port::Cable) {
                continue;
            }
            self.trace.detail(self.now, || format!("another pair's node sends on cable to {}", name(to)));
            for delay in self.net.cable_delays(&mut self.dice).into_iter().flatten() {
                let slot = self.pool.put(*packet);
                self.after(delay, Event::CableArrives { to, slot, forged: true });
            }
        }
    }
}

/// What the gateway of its LAN answers.
fn gateway_answer(frame: &[u8]) -> Option<Packet> {
    let arp = Arp::parse(frame)?;
    (arp.request && arp.target_ip == GATEWAY_IP).then(|| arp.answer(GATEWAY_MAC).emit())
}
