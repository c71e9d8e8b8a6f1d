//! A host on the LAN without the key. It records heartbeats, withholds them, replays them at any time and rate, and lies by ARP
//! (promise S6). It does not get at the cable.

use super::ether::{Arp, Packet};
use super::faults::{Fault, Kind};
use super::machine::real_node;
use super::settings::Settings;
use super::stations::{CLUSTER_IP, FOREIGN, FOREIGN_MAC, GATEWAY_IP, NODE_IP, NODE_MAC};
use super::world::{Event, World};
use super::{A, B, MS, SEC, Us};
use core::net::Ipv4Addr;
use ucm_ha::io::{Command, Input, Output, Port, Record};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::role::Role;
use ucm_ha::wire::Repr;
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::{Duration, Instant};

/// Frames in a row at the full rate; then it pauses, so that no more than [`MEAN_RATE`] are played and a run stays short.
const BURST: u64 = 40;
/// In the mean no more frames a second than this.
const MEAN_RATE: u64 = 250;
/// A sender that has sent nothing for this long is taken for dead: its withheld frames are worth most then.
const SILENT_US: Us = 300 * MS;
/// It lies this often, beside its answers.
const LIE_EVERY_US: Us = 200 * MS;
/// Earlier boots of each node of which it has frames.
const EARLIER_BOOTS: u32 = 2;

/// What it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tape {
    /// Nothing.
    None,
    /// Frames of boots that were over before the run began, and anything heard in it.
    Old,
    /// Once a node falls silent, in their order, the frames that it sent last: those of so much time.
    Last(Us),
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tactic {
    /// No heartbeat arrives over the LAN.
    pub(crate) withholds: bool,
    pub(crate) plays: Tape,
    /// Frames a second.
    pub(crate) rate: u64,
    /// The static addresses of the nodes are at it.
    pub(crate) is_peer: bool,
    /// The gateway's address is at it, but it answers now and then only.
    pub(crate) is_gateway: bool,
    /// The cluster IP is at it.
    pub(crate) is_cluster: bool,
}

impl Tactic {
    /// One that does nothing yet.
    pub(crate) const NOTHING: Self =
        Self { withholds: false, plays: Tape::None, rate: 1, is_peer: false, is_gateway: false, is_cluster: false };
}

/// Its memory.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Whether an attack is planned, so that recording is worth while.
    listens: bool,
    tactics: Vec<Tactic>,
    /// Datagrams to each node, with the time at which they were sent.
    heard: [Vec<(Us, Packet)>; 2],
    /// The next of them to be played as the last ones of a sender.
    next: [usize; 2],
    /// Datagrams to each node that were sent in earlier boots.
    earlier: [Vec<Packet>; 2],
    played: u64,
}

impl Recorder {
    /// One that will be needed for these faults.
    pub(crate) fn new(faults: &[Fault]) -> Self {
        Self { listens: faults.iter().any(|fault| matches!(fault.kind, Kind::Recorder(_))), ..Self::default() }
    }

    /// Listens from now on.
    pub(crate) fn listen(&mut self) {
        self.listens = true;
    }

    /// Whether an attack is under way.
    pub(crate) fn is_active(&self) -> bool {
        !self.tactics.is_empty()
    }

    /// Whether it says that the address is at it.
    pub(crate) fn lies_about(&self, ip: Ipv4Addr) -> bool {
        self.tactics.iter().any(|tactic| {
            (tactic.is_peer && NODE_IP.contains(&ip))
                || (tactic.is_gateway && ip == GATEWAY_IP)
                || (tactic.is_cluster && ip == CLUSTER_IP)
        })
    }

    /// Hears a datagram to `to`; true when nobody else does.
    pub(crate) fn takes(&mut self, now: Us, to: usize, packet: &Packet) -> bool {
        if self.listens {
            self.heard[to].push((now, *packet));
        }
        self.tactics.iter().any(|tactic| tactic.withholds)
    }

    /// The next of the last frames to `to`, if their sender is silent.
    fn last_words(&mut self, now: Us, to: usize, span: Us) -> Option<Packet> {
        let heard = &self.heard[to];
        let last = heard.last()?.0;
        if now < last + SILENT_US {
            return None;
        }
        let first = heard.partition_point(|(at, _)| *at + span < last);
        let index = self.next[to].max(first);
        self.next[to] = index + 1;
        heard.get(index).map(|(_, packet)| *packet)
    }
}

/// One datagram of each role that `node` had in earlier boots: booting, active, off.
pub(crate) fn old_frames(settings: &Settings, node: usize) -> Vec<Packet> {
    let frames = earlier_boots(settings, node);
    let key = settings.config(node).key.as_ref().map(Authenticator::new);
    let of = |role| frames.iter().find(|it| Repr::parse(it.bytes(), key.as_ref()).is_ok_and(|repr| repr.role == role));
    let found: Vec<Packet> = [Role::Init, Role::Active, Role::Off].into_iter().filter_map(of).copied().collect();
    assert_eq!(found.len(), 3, "an earlier boot had all of them");
    found
}

/// What a host says by ARP, unasked, to the node `to`: that `ip` is at it.
pub(crate) fn lie(to: usize, ip: Ipv4Addr) -> Packet {
    let asked = Arp { sender_mac: NODE_MAC[to], sender_ip: NODE_IP[to], ..question(ip) };
    asked.answer(FOREIGN_MAC).emit()
}

/// Datagrams that `node` sent in earlier boots: alone it became active, and in the end it was turned off.
fn earlier_boots(settings: &Settings, node: usize) -> Vec<Packet> {
    let mut config = settings.config(node);
    config.gateway = None;
    config.enabled = true;
    let mut frames = Vec::new();
    for boot in 1..=EARLIER_BOOTS {
        let mut now = Instant::from_ms(1);
        let record = Record { term: 5, term_ceiling: 9, last_active: true, ..Record::default() };
        let mut earlier = real_node(config, record, 0x0dd_0000 + 2 * boot + node as u32, now);
        earlier.handle(now, Input::Link { port: Port::Lan, up: true });
        let hello = Arp { sender_mac: FOREIGN_MAC, sender_ip: GATEWAY_IP, ..question(GATEWAY_IP) }.emit();
        earlier.handle(now, Input::ArpFrame(hello.bytes()));
        let end = Instant::from_ms(u64::from(config.heartbeat_timeout_s) * 1000 + 2000);
        let mut buffer = [0; FRAME_CAPACITY];
        let mut off = false;
        while now < end + Duration::from_ms(500) {
            while let Some(output) = earlier.poll_output(&mut buffer) {
                match output {
                    Output::SendLan { len } => frames.push(Packet::new(&buffer[..len])),
                    Output::BindAddress { .. } => earlier.handle(now, Input::Address(ucm_ha::io::AddressEvent::Held)),
                    Output::ReleaseAddress => {
                        earlier.handle(now, Input::Address(ucm_ha::io::AddressEvent::Released));
                    }
                    Output::Persist(_) => earlier.handle(now, Input::Persisted { saved: true }),
                    _ => {}
                }
            }
            now = earlier.poll_timeout().max(now + Duration::from_us(1));
            if now >= end && !core::mem::replace(&mut off, true) {
                earlier.handle(now, Input::Command(Command::Disable));
            } else {
                earlier.handle(now, Input::Timeout);
            }
        }
    }
    frames
}

/// A question of nobody, to be filled in.
fn question(ip: Ipv4Addr) -> Arp {
    Arp {
        request: true,
        to: super::stations::BROADCAST,
        sender_mac: FOREIGN_MAC,
        sender_ip: ip,
        target_mac: ucm_ha::types::MacAddr([0; 6]),
        target_ip: ip,
    }
}

impl World {
    /// Begins or ends what the host does.
    pub(crate) fn set_recorder(&mut self, tactic: Tactic, on: bool) {
        if !on {
            self.recorder.tactics.retain(|other| *other != tactic);
            return;
        }
        if self.recorder.earlier[A].is_empty() && tactic.plays == Tape::Old {
            self.recorder.earlier = [B, A].map(|from| earlier_boots(&self.settings, from));
        }
        let idle = !self.recorder.is_active();
        self.recorder.tactics.push(tactic);
        self.recorder.next = [A, B].map(|to| self.recorder.heard[to].len());
        if idle {
            self.after(0, Event::RecorderPlays);
            self.after(0, Event::RecorderLies);
        }
    }

    /// Plays one frame to each node.
    pub(crate) fn recorder_plays(&mut self) {
        let Some(&tactic) = self.recorder.tactics.last() else { return };
        for to in [A, B] {
            let packet = match tactic.plays {
                Tape::None => None,
                Tape::Old => self.any_old_frame(to),
                Tape::Last(span) => self.recorder.last_words(self.now, to, span),
            };
            if let Some(packet) = packet.filter(|_| self.net.lan_passes(FOREIGN, to) && self.net.own_address(to)) {
                let slot = self.pool.put(packet);
                self.udp_arrives(to, NODE_IP[1 - to], slot, true);
            }
        }
        self.recorder.played += 1;
        let pause = if self.recorder.played.is_multiple_of(BURST) {
            (BURST * SEC / MEAN_RATE).saturating_sub(BURST * SEC / tactic.rate)
        } else {
            0
        };
        self.after(SEC / tactic.rate + pause, Event::RecorderPlays);
    }

    fn any_old_frame(&mut self, to: usize) -> Option<Packet> {
        let (earlier, heard) = (self.recorder.earlier[to].len() as u64, self.recorder.heard[to].len() as u64);
        let index = self.dice.below(earlier + heard.min(earlier)) as usize;
        let Some(packet) = self.recorder.earlier[to].get(index) else {
            let index = self.dice.below(heard) as usize;
            return self.recorder.heard[to].get(index).map(|(_, packet)| *packet);
        };
        Some(*packet)
    }

    /// Tells everybody, unasked, whose addresses it has.
    pub(crate) fn recorder_lies(&mut self) {
        if !self.recorder.is_active() {
            return;
        }
        for to in [A, B] {
            for ip in [NODE_IP[1 - to], GATEWAY_IP, CLUSTER_IP] {
                if self.recorder.lies_about(ip) {
                    self.send_arp(FOREIGN, lie(to, ip));
                }
            }
        }
        if self.recorder.lies_about(CLUSTER_IP) {
            self.announce(FOREIGN, FOREIGN_MAC);
        }
        let pause = self.dice.between(LIE_EVERY_US / 4, LIE_EVERY_US);
        self.after(pause, Event::RecorderLies);
    }

    /// Whether the host answers a question that reaches it.
    pub(crate) fn recorder_answers(&mut self, arp: &Arp) -> bool {
        // As the gateway it answers so seldom that whoever asks it alone misses the real one.
        arp.target_ip != GATEWAY_IP || self.dice.percent(20)
    }
}
