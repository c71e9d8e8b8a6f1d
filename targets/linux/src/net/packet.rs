//! Packet sockets: whole Ethernet frames, on one interface and of one EtherType.
//!
//! Being bound to an EtherType, these sockets are not given the frames that this machine sends.

use crate::sys;
use socket2::{Domain, SockFilter, Socket, Type};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use ucm_ha::Config;

/// EtherType of IPv4.
const ETH_P_IP: u16 = 0x0800;
/// EtherType of ARP.
const ETH_P_ARP: u16 = 0x0806;

/// What a filter returns to let a packet through whole.
const ACCEPT: u32 = u32::MAX;

/// A packet socket.
pub(crate) struct PacketSocket {
    socket: Socket,
}

impl PacketSocket {
    /// For the heartbeat port: IPv4/UDP to the heartbeat's port.
    pub(crate) fn heartbeat(interface_index: u32, port: u16) -> io::Result<Self> {
        Self::open(interface_index, ETH_P_IP, &heartbeat_filter(port))
    }

    /// For ARP on the LAN: packets sent by the stations that the node asks about.
    pub(crate) fn arp(interface_index: u32, config: &Config) -> io::Result<Self> {
        Self::open(interface_index, ETH_P_ARP, &arp_filter(config))
    }

    fn open(interface_index: u32, ether_type: u16, filter: &[SockFilter]) -> io::Result<Self> {
        // Without a protocol nothing is received until the filter and the interface are set.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
        if !filter.is_empty() {
            socket.attach_filter(filter)?;
        }
        socket.bind(&sys::packet_address(interface_index, ether_type)?)?;
        Ok(Self { socket })
    }

    /// Receives one frame; `WouldBlock` when none is waiting.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buffer)
    }

    /// Sends one frame.
    pub(crate) fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.send(frame).map(drop)
    }
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// Lets ARP through whose sender is the gateway, the peer, or says it has the cluster IP, and probes for that: of the others the
/// node learns nothing, and on a large LAN they would wake the daemon many times a second. Without a gateway every packet is
/// evidence that the LAN works.
fn arp_filter(config: &Config) -> Vec<SockFilter> {
    const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const SENDER_AT: u32 = 28;
    const TARGET_AT: u32 = 38;
    const NOBODY: u32 = 0;
    let Some(gateway) = config.gateway else { return Vec::new() };
    let [gateway, peer, cluster] = [gateway, config.peer_ip, config.cluster_ip.address].map(u32::from);
    vec![
        SockFilter::new(LOAD_WORD, 0, 0, SENDER_AT),
        SockFilter::new(EQUAL, 6, 0, gateway),
        SockFilter::new(EQUAL, 5, 0, peer),
        SockFilter::new(EQUAL, 4, 0, cluster),
        SockFilter::new(EQUAL, 0, 2, NOBODY),
        SockFilter::new(LOAD_WORD, 0, 0, TARGET_AT),
        SockFilter::new(EQUAL, 1, 0, cluster),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, ACCEPT),
    ]
}

/// Lets unfragmented UDP to `port` through; the rest of the cable's traffic never wakes the daemon.
fn heartbeat_filter(port: u16) -> [SockFilter; 9] {
    const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
    const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
    const LOAD_HALF_BEHIND_IP: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_IND) as u16;
    const IP_HEADER_LEN: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const PROTOCOL_AT: u32 = 23;
    const FRAGMENT_AT: u32 = 20;
    const IP_AT: u32 = 14;
    const UDP: u32 = 17;
    const FRAGMENT_BITS: u32 = 0x3fff;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, PROTOCOL_AT),
        SockFilter::new(EQUAL, 0, 6, UDP),
        SockFilter::new(LOAD_HALF, 0, 0, FRAGMENT_AT),
        SockFilter::new(ANY_BIT, 4, 0, FRAGMENT_BITS),
        SockFilter::new(IP_HEADER_LEN, 0, 0, IP_AT),
        SockFilter::new(LOAD_HALF_BEHIND_IP, 0, 0, IP_AT + 2),
        SockFilter::new(EQUAL, 0, 1, u32::from(port)),
        SockFilter::new(RETURN, 0, 0, ACCEPT),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}
