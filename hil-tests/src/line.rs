//! The phone's line: it pings the cluster IP as any host would, and knows by the MAC address who answered.
//!
//! Echo requests leave through the kernel, so the phone finds a new owner of the address by the announcements of that
//! owner, or not at all. Every appliance answers them, so nothing has to be installed for it.

use crate::names::Names;
use lab::error::Context;
use lab::frames::{Direction, FrameSocket};
use lab::phone::Line;
use lab::plan::Node;
use lab::site::Site;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr, IpProtocol, Ipv4Packet};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

/// Marks the phone's requests among others.
const IDENT: u16 = 0x5543;
const NUMBER_LEN: usize = 8;
const FRAME_LEN: usize = 2048;

/// The line.
pub(crate) struct PingLine {
    requests: Socket,
    answers: FrameSocket,
    cluster_ip: Ipv4Addr,
    names: Names,
}

impl PingLine {
    /// Opens it on an interface of the phone's site.
    pub(crate) fn open(site: &mut Site, interface: &str, cluster_ip: Ipv4Addr, names: Names) -> io::Result<Self> {
        let answers = FrameSocket::open(&site.netns, &mut site.links, interface)?;
        let requests = site
            .netns
            .run(|| {
                let socket = Socket::new(Domain::IPV4, Type::RAW.nonblocking(), Some(Protocol::ICMPV4))?;
                socket.connect(&SockAddr::from(SocketAddrV4::new(cluster_ip, 0)))?;
                Ok(socket)
            })
            .context("cannot start the phone")?;
        Ok(Self { requests, answers, cluster_ip, names })
    }

    fn read(&self, frame: &[u8]) -> Option<(u64, Node)> {
        let frame = EthernetFrame::new_checked(frame).ok()?;
        if frame.ethertype() != EthernetProtocol::Ipv4 {
            return None;
        }
        let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
        if packet.src_addr() != self.cluster_ip || packet.next_header() != IpProtocol::Icmp {
            return None;
        }
        let message = Icmpv4Packet::new_checked(packet.payload()).ok()?;
        match Icmpv4Repr::parse(&message, &ChecksumCapabilities::default()).ok()? {
            Icmpv4Repr::EchoReply { ident: IDENT, data, .. } => {
                let number = u64::from_be_bytes(data.try_into().ok()?);
                Some((number, self.names.node(frame.src_addr())?))
            }
            _ => None,
        }
    }
}

impl AsFd for PingLine {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.answers.as_fd()
    }
}

impl Line for PingLine {
    fn ask(&self, number: u64) {
        let data = number.to_be_bytes();
        // Only the order of the phone's own requests; the number itself is in the data.
        let seq_no = u16::from_be_bytes([data[NUMBER_LEN - 2], data[NUMBER_LEN - 1]]);
        let request = Icmpv4Repr::EchoRequest { ident: IDENT, seq_no, data: &data };
        let mut buffer = vec![0; request.buffer_len()];
        request.emit(&mut Icmpv4Packet::new_unchecked(&mut buffer), &ChecksumCapabilities::default());
        let _ = self.requests.send(&buffer);
    }

    fn answer(&self) -> Option<(u64, Node)> {
        let mut buffer = [0; FRAME_LEN];
        loop {
            match self.answers.receive(&mut buffer) {
                Ok(Some((len, Direction::In))) => {
                    if let Some(answer) = self.read(buffer.get(..len)?) {
                        return Some(answer);
                    }
                }
                Ok(Some((_, Direction::Out))) => {}
                // What cannot be received is an unanswered probe.
                Ok(None) | Err(_) => return None,
            }
        }
    }
}
