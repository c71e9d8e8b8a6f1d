//! A bad cable: a thread that carries frames between two interfaces, and loses, delays or doubles some of them.

use crate::frames::{Direction, FrameSocket};
use crate::worker::{STOP_CHECK, Stop, Worker, wait_readable};
use smoltcp::wire::{EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, UdpPacket};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ucm_ha_linux::shared;

/// Frames in flight at most; more are lost, as in a full queue.
const MAX_IN_FLIGHT: usize = 4096;
const FRAME_LEN: usize = 65_536;
/// Above the daemons' real-time priority.
const PRIORITY: i32 = 40;

/// What is wrong with the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Impairment {
    /// Nothing reaches the node.
    pub deaf: bool,
    /// Nothing the node sends gets out.
    pub mute: bool,
    /// Share of frames that are lost, in per cent.
    pub loss_pct: u8,
    /// Share of frames that come twice, in per cent.
    pub duplicate_pct: u8,
    /// Time every frame takes.
    pub delay: Duration,
    /// Further time of up to this much, at random: frames overtake each other.
    pub jitter: Duration,
    /// UDP datagrams to this port are lost.
    pub filtered_udp_port: Option<u16>,
}

/// The bad cable. It is a good one until told otherwise.
pub struct Relay {
    impairment: Arc<Mutex<Impairment>>,
    _worker: Worker,
}

impl Relay {
    /// Carries frames between the node's end and the other one.
    pub fn start(node: FrameSocket, network: FrameSocket) -> io::Result<Self> {
        let impairment = Arc::new(Mutex::new(Impairment::default()));
        let seen = Arc::clone(&impairment);
        let worker = Worker::start("relay", move |stop| {
            // A cable does not wait for a busy machine. Where this is not permitted it may seem worse than it was told.
            if let Err(error) = shared::schedule_fifo(PRIORITY) {
                eprintln!("lab: a relay without real-time priority ({error}) may be slow on a busy machine");
            }
            Carrier { sockets: [node, network], impairment: seen, in_flight: BinaryHeap::new(), count: 0 }.run(&stop)
        })?;
        Ok(Self { impairment, _worker: worker })
    }

    /// From now on, this is wrong with the cable.
    pub fn impair(&self, impairment: Impairment) {
        *self.impairment.lock().unwrap_or_else(PoisonError::into_inner) = impairment;
    }
}

/// A frame on its way; the earliest first, and in the order of arrival where they are due at once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InFlight {
    due: Instant,
    number: u64,
    to: usize,
    frame: Vec<u8>,
}

/// Place of the node's end in the table of sockets.
const NODE: usize = 0;

struct Carrier {
    sockets: [FrameSocket; 2],
    impairment: Arc<Mutex<Impairment>>,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    count: u64,
}

impl Carrier {
    fn run(mut self, stop: &Stop) -> io::Result<()> {
        let mut buffer = vec![0; FRAME_LEN];
        while !stop.is_set() {
            let next = self.in_flight.peek().map(|Reverse(frame)| frame.due.saturating_duration_since(Instant::now()));
            let [node, network] = &self.sockets;
            wait_readable([node.as_fd(), network.as_fd()], next.unwrap_or(STOP_CHECK).min(STOP_CHECK))?;
            for from in [NODE, 1 - NODE] {
                self.take_in(from, &mut buffer)?;
            }
            self.deliver()?;
        }
        Ok(())
    }

    fn take_in(&mut self, from: usize, buffer: &mut [u8]) -> io::Result<()> {
        let impairment = *self.impairment.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((len, direction)) = self.sockets[from].receive(buffer)? {
            let frame = &mut buffer[..len];
            if direction == Direction::Out || !passes(&impairment, from, frame) {
                continue;
            }
            fill_udp_checksum(frame);
            let copies = if chance(impairment.duplicate_pct) { 2 } else { 1 };
            for _ in 0..copies {
                self.launch(&impairment, 1 - from, frame.to_vec());
            }
        }
        Ok(())
    }

    fn launch(&mut self, impairment: &Impairment, to: usize, frame: Vec<u8>) {
        if self.in_flight.len() < MAX_IN_FLIGHT {
            self.count += 1;
            let due = Instant::now() + impairment.delay + impairment.jitter.mul_f64(fastrand::f64());
            self.in_flight.push(Reverse(InFlight { due, number: self.count, to, frame }));
        }
    }

    fn deliver(&mut self) -> io::Result<()> {
        while let Some(Reverse(frame)) = self.in_flight.peek()
            && frame.due <= Instant::now()
        {
            self.sockets[frame.to].send(&frame.frame)?;
            self.in_flight.pop();
        }
        Ok(())
    }
}

fn passes(impairment: &Impairment, from: usize, frame: &[u8]) -> bool {
    let cut = if from == NODE { impairment.mute } else { impairment.deaf };
    let filtered = impairment.filtered_udp_port.is_some_and(|port| udp_destination(frame) == Some(port));
    !cut && !filtered && !chance(impairment.loss_pct)
}

fn chance(pct: u8) -> bool {
    pct > 0 && fastrand::u8(0..100) < pct
}

fn udp_destination(frame: &[u8]) -> Option<u16> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
    if packet.next_header() != IpProtocol::Udp {
        return None;
    }
    Some(UdpPacket::new_checked(packet.payload()).ok()?.dst_port())
}

/// The kernel leaves the checksum of a frame that stays on this machine to a network card that is not there. A frame
/// that a program passes on needs it.
fn fill_udp_checksum(frame: &mut [u8]) {
    if udp_destination(frame).is_none() {
        return;
    }
    let mut frame = EthernetFrame::new_unchecked(frame);
    let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
    let (source, destination) = (packet.src_addr(), packet.dst_addr());
    UdpPacket::new_unchecked(packet.payload_mut()).fill_checksum(&source.into(), &destination.into());
}

impl Impairment {
    /// Nothing is wrong.
    pub const GOOD: Self = Self {
        deaf: false,
        mute: false,
        loss_pct: 0,
        duplicate_pct: 0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        filtered_udp_port: None,
    };

    /// In words.
    pub fn describe(&self) -> String {
        let mut words = Vec::new();
        if self.deaf {
            words.push("receives nothing".to_owned());
        }
        if self.mute {
            words.push("sends nothing".to_owned());
        }
        if self.loss_pct > 0 {
            words.push(format!("{} % loss", self.loss_pct));
        }
        if self.duplicate_pct > 0 {
            words.push(format!("{} % duplicated", self.duplicate_pct));
        }
        if !self.delay.is_zero() || !self.jitter.is_zero() {
            words.push(format!("delay {:?} to {:?}", self.delay, self.delay + self.jitter));
        }
        if let Some(port) = self.filtered_udp_port {
            words.push(format!("UDP port {port} filtered"));
        }
        if words.is_empty() { "good".to_owned() } else { words.join(", ") }
    }
}
