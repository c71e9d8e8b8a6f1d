//! The LAN path of the heartbeat: a UDP socket on the own static address.

use crate::sys;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

/// Class selector 6, network control: heartbeats go before calls.
const TOS_CS6: u32 = 48 << 2;

/// The socket of the LAN path.
pub(crate) struct LanSocket {
    socket: UdpSocket,
    peer: SocketAddr,
}

impl LanSocket {
    /// Opens the socket on this interface; fails while `own` is not an address of this machine.
    pub(crate) fn open(interface_index: u32, own: Ipv4Addr, peer: Ipv4Addr, port: u16) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
        sys::bind_to_interface(&socket, interface_index)?;
        socket.set_tos_v4(TOS_CS6)?;
        socket.bind(&SocketAddrV4::new(own, port).into())?;
        Ok(Self { socket: socket.into(), peer: SocketAddrV4::new(peer, port).into() })
    }

    /// Receives one datagram; `WouldBlock` when none is waiting.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Ipv4Addr)> {
        match self.socket.recv_from(buffer)? {
            (len, SocketAddr::V4(source)) => Ok((len, *source.ip())),
            (_, SocketAddr::V6(_)) => Err(io::Error::other("an IPv6 source on an IPv4 socket")),
        }
    }

    /// Sends one datagram to the peer.
    pub(crate) fn send(&self, payload: &[u8]) -> io::Result<()> {
        self.socket.send_to(payload, self.peer).map(drop)
    }
}

impl AsRawFd for LanSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
