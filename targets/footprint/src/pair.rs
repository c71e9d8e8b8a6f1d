//! The life of a pair: two nodes, a cable, a LAN with a gateway, in virtual time.

use crate::stack;
use core::hint::black_box;
use core::net::Ipv4Addr;
use ucm_ha::config::{Config, DEFAULT_HEARTBEAT_PORT, FaultPolicy};
use ucm_ha::io::{AddressEvent, Command, Port, Record};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::pace::DEFAULT_HEARTBEAT_TIMEOUT_S;
use ucm_ha::role::Role;
use ucm_ha::types::{Cidr, Firmware, KEY_LEN, Key, MacAddr, Model, NetworkMethod, StationType};
use ucm_ha::{Duration, Input, Instant, Node, Output};

const LAN_PREFIX_LEN: u8 = 24;
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 129, 1);
const CLUSTER: Ipv4Addr = Ipv4Addr::new(192, 168, 129, 64);
const GATEWAY_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xfe]);
const ARP_FRAME_LEN: usize = 42;
/// Long enough for every takeover: T and a second.
const SETTLE: Duration = Duration::from_s(DEFAULT_HEARTBEAT_TIMEOUT_S as u64 + 1);
/// Steps in one [`SETTLE`]; far more than its timers and frames need, so that a node that never sleeps ends the run.
const MAX_STEPS: usize = 20_000;

/// How the life went.
pub struct Outcome {
    /// What did not come true, if anything.
    pub broken: Option<&'static str>,
    /// The deepest stack of a call into a node.
    pub stack_bytes: usize,
}

/// Boots a pair, switches it over by hand, then takes the active's power away.
pub fn live() -> Outcome {
    let (Some(a), Some(b)) = (Station::new(1), Station::new(2)) else {
        return Outcome { broken: Some("the settings were refused"), stack_bytes: 0 };
    };
    let mut pair = Pair { a, b, now: Instant::ZERO };
    let broken = pair.story().err();
    Outcome { broken, stack_bytes: pair.a.stack_bytes.max(pair.b.stack_bytes) }
}

struct Pair {
    a: Station,
    b: Station,
    now: Instant,
}

struct Station {
    node: Node,
    mac: MacAddr,
    powered: bool,
    bound: bool,
    stack_bytes: usize,
}

impl Station {
    fn new(number: u8) -> Option<Self> {
        let config = black_box(config(number));
        let node = Node::new(config, black_box(Record::default()), black_box(u32::from(number)), Instant::ZERO);
        let node = node.map_err(|error| black_box((error.field(), error.reason()))).ok()?;
        Some(Self { node, mac: config.mac, powered: true, bound: false, stack_bytes: 0 })
    }

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if !self.powered {
            return;
        }
        let ((), bytes) = stack::measure(|| self.node.handle(black_box(now), black_box(input)));
        self.stack_bytes = self.stack_bytes.max(bytes);
    }

    fn poll_output(&mut self, frame: &mut [u8; FRAME_CAPACITY]) -> Option<Output> {
        if !self.powered {
            return None;
        }
        let (output, bytes) = stack::measure(|| self.node.poll_output(frame));
        self.stack_bytes = self.stack_bytes.max(bytes);
        output
    }

    fn role(&mut self) -> Role {
        let (status, bytes) = stack::measure(|| self.node.status());
        self.stack_bytes = self.stack_bytes.max(bytes);
        black_box(&status).role
    }

    fn wake_at(&self) -> Instant {
        if self.powered { self.node.poll_timeout() } else { Instant::NEVER }
    }
}

impl Pair {
    fn story(&mut self) -> Result<(), &'static str> {
        for port in [Port::Cable, Port::Lan] {
            self.a.handle(self.now, Input::Link { port, up: true });
            self.b.handle(self.now, Input::Link { port, up: true });
        }
        self.run(SETTLE)?;
        let first_is_a = self.serves(true);
        if self.serves(false) == first_is_a {
            return Err("not exactly one active after boot");
        }
        let now = self.now;
        self.station(first_is_a).handle(now, Input::Command(Command::ForceSwitch));
        self.run(SETTLE)?;
        if !self.serves(!first_is_a) || self.serves(first_is_a) {
            return Err("the forced switch did not change the roles");
        }
        self.station(!first_is_a).powered = false;
        self.run(SETTLE)?;
        if !self.serves(first_is_a) {
            return Err("the survivor did not take over");
        }
        Ok(())
    }

    fn station(&mut self, is_a: bool) -> &mut Station {
        if is_a { &mut self.a } else { &mut self.b }
    }

    fn serves(&mut self, is_a: bool) -> bool {
        let station = self.station(is_a);
        station.role() == Role::Active && station.bound
    }

    /// Lets `span` pass.
    fn run(&mut self, span: Duration) -> Result<(), &'static str> {
        let end = self.now + span;
        for _ in 0..MAX_STEPS {
            let mut frame = [0; FRAME_CAPACITY];
            let (a, b) = (&mut self.a, &mut self.b);
            if let Some(output) = a.poll_output(&mut frame) {
                carry_out(output, &frame, self.now, a, b);
            } else if let Some(output) = b.poll_output(&mut frame) {
                carry_out(output, &frame, self.now, b, a);
            } else if self.now >= end {
                return Ok(());
            } else {
                self.now = self.a.wake_at().min(self.b.wake_at()).min(end).max(self.now);
                self.a.handle(self.now, Input::Timeout);
                self.b.handle(self.now, Input::Timeout);
            }
        }
        Err("the nodes did not come to rest")
    }
}

/// Does what `own` asks for.
fn carry_out(output: Output, frame: &[u8], now: Instant, own: &mut Station, peer: &mut Station) {
    let bytes = |len| frame.get(..len).unwrap_or_default();
    match output {
        Output::SendCable { len } => peer.handle(now, Input::CableFrame(bytes(len))),
        Output::SendLan { len } => {
            peer.handle(now, Input::LanDatagram { source: own_ip(own.mac), payload: bytes(len) });
        }
        Output::SendArp { len } => {
            peer.handle(now, Input::ArpFrame(bytes(len)));
            if let Some(reply) = arp_reply(bytes(len), peer) {
                own.handle(now, Input::ArpFrame(&reply));
            }
        }
        Output::BindAddress { .. } => {
            own.bound = true;
            own.handle(now, Input::Address(AddressEvent::Held));
        }
        Output::ReleaseAddress => {
            own.bound = false;
            own.handle(now, Input::Address(AddressEvent::Released));
        }
        Output::Persist(_) => own.handle(now, Input::Persisted { saved: true }),
        Output::StartFullSync => own.handle(now, Input::SyncDone { generation: 1, complete: true }),
        Output::RenewAddress { .. }
        | Output::RoleChanged { .. }
        | Output::Alert { .. }
        | Output::FaultChanged { .. }
        | Output::Reboot
        | Output::SwitchDone(_)
        | Output::Stopped => {
            black_box(output);
        }
    }
}

/// What the LAN answers to the ARP request `frame`, if it asks for anybody who is there.
fn arp_reply(frame: &[u8], peer: &Station) -> Option<[u8; ARP_FRAME_LEN]> {
    let request: [u8; ARP_FRAME_LEN] = *frame.first_chunk()?;
    let target = Ipv4Addr::new(request[38], request[39], request[40], request[41]);
    let answers = |ip| peer.powered && (ip == own_ip(peer.mac) || (ip == CLUSTER && peer.bound));
    let holder = match target {
        GATEWAY => GATEWAY_MAC,
        ip if answers(ip) => peer.mac,
        _ => return None,
    };
    let (sender_mac, sender_ip) = (&request[22..28], &request[28..32]);
    let mut reply = request;
    reply[0..6].copy_from_slice(sender_mac);
    reply[6..12].copy_from_slice(&holder.0);
    reply[21] = 2;
    reply[22..28].copy_from_slice(&holder.0);
    reply[28..32].copy_from_slice(&target.octets());
    reply[32..38].copy_from_slice(sender_mac);
    reply[38..42].copy_from_slice(sender_ip);
    Some(reply)
}

fn own_ip(mac: MacAddr) -> Ipv4Addr {
    let [.., number] = mac.0;
    Ipv4Addr::new(192, 168, 129, 40 + number)
}

fn config(number: u8) -> Config {
    let mac = MacAddr([2, 0, 0, 0, 0, number]);
    let peer_mac = MacAddr([2, 0, 0, 0, 0, 3 - number]);
    Config {
        enabled: true,
        station_type: if number == 1 { StationType::Primary } else { StationType::Secondary },
        mac,
        cable_mac: MacAddr([2, 0, 0, 0, 1, number]),
        own_ip: Cidr { address: own_ip(mac), prefix_len: LAN_PREFIX_LEN },
        cluster_ip: Cidr { address: CLUSTER, prefix_len: LAN_PREFIX_LEN },
        peer_ip: own_ip(peer_mac),
        peer_mac: Some(peer_mac),
        heartbeat_port: DEFAULT_HEARTBEAT_PORT,
        heartbeat_timeout_s: DEFAULT_HEARTBEAT_TIMEOUT_S,
        fast_failover: true,
        gateway: Some(GATEWAY),
        key: Some(Key([0x5a; KEY_LEN])),
        network_method: NetworkMethod::Switch,
        model: Model::Ucm6304A,
        firmware: Firmware([1, 0, 10, 2]),
        fault: FaultPolicy::default(),
    }
}
