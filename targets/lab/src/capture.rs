//! Records what a node sends and receives at one port.

use crate::daemon::KEY;
use crate::datagram::heartbeat_in;
use crate::frames::{Direction, FrameSocket};
use crate::worker::Worker;
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetFrame, EthernetProtocol};
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use ucm_ha::role::Role;
use ucm_ha::wire::Repr;
use ucm_ha::wire::auth::Authenticator;

/// Frames that are kept at most.
const MAX_RECORDS: usize = 200_000;

/// What a frame says, as far as the lab cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A heartbeat.
    Heartbeat {
        /// The sender's role.
        role: Role,
        /// The sender's term.
        term: u32,
    },
    /// An ARP packet that announces the sender's own claim to an address.
    Announcement(Ipv4Addr),
}

/// A frame of interest.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// When the lab got it; a little after it passed.
    pub at: Instant,
    /// Whether the node sent it; otherwise it was sent to the node.
    pub sent: bool,
    /// What it says.
    pub content: Content,
}

/// A recording. It goes on until this is dropped.
pub struct Capture {
    records: Arc<Mutex<Vec<Record>>>,
    _worker: Worker,
}

impl Capture {
    /// Starts recording at a port; `socket` is on the switch's side, so what the node sends comes in.
    pub fn start(socket: FrameSocket) -> io::Result<Self> {
        let records = Arc::new(Mutex::new(Vec::new()));
        let its_records = Arc::clone(&records);
        let key = Authenticator::new(&KEY);
        let worker = Worker::start("capture", move |stop| {
            while !stop.is_set() {
                socket.hear(|frame, direction| {
                    if let Some(content) = read(frame, &key) {
                        keep(&its_records, Record { at: Instant::now(), sent: direction == Direction::In, content });
                    }
                })?;
            }
            Ok(())
        })?;
        Ok(Self { records, _worker: worker })
    }

    /// What was recorded after `since`.
    pub fn since(&self, since: Instant) -> Vec<Record> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| record.at > since).copied().collect()
    }
}

fn keep(records: &Mutex<Vec<Record>>, record: Record) {
    let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
    if records.len() < MAX_RECORDS {
        records.push(record);
    }
}

fn read(bytes: &[u8], key: &Authenticator) -> Option<Content> {
    let frame = EthernetFrame::new_checked(bytes).ok()?;
    match frame.ethertype() {
        EthernetProtocol::Ipv4 => read_heartbeat(heartbeat_in(bytes)?, key),
        EthernetProtocol::Arp => read_announcement(frame.payload()),
        EthernetProtocol::Ipv6 | EthernetProtocol::Unknown(_) => None,
    }
}

/// Of a pair with the lab's key, or without one.
fn read_heartbeat(heartbeat: &[u8], key: &Authenticator) -> Option<Content> {
    let frame = Repr::parse(heartbeat, None).or_else(|_| Repr::parse(heartbeat, Some(key))).ok()?;
    Some(Content::Heartbeat { role: frame.role, term: frame.term })
}

/// Both forms of a gratuitous ARP name the same address as sender and target. A probe's sender address is 0.0.0.0.
fn read_announcement(packet: &[u8]) -> Option<Content> {
    let packet = ArpPacket::new_checked(packet).ok()?;
    let ArpRepr::EthernetIpv4 { operation, source_protocol_addr, target_protocol_addr, .. } =
        ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    let gratuitous = matches!(operation, ArpOperation::Request | ArpOperation::Reply)
        && source_protocol_addr == target_protocol_addr
        && !source_protocol_addr.is_unspecified();
    gratuitous.then_some(Content::Announcement(source_protocol_addr))
}
