//! A socket for every Ethernet frame of one interface, in both directions.

use crate::error::Context;
use crate::links::Links;
use crate::netns::Netns;
use crate::worker::{STOP_CHECK, wait_readable};
use nix::sys::socket::{LinkAddr, recvfrom};
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use ucm_ha_linux::shared;

/// Every EtherType.
const ETH_P_ALL: u16 = 0x0003;
/// The packet type of a frame that this machine sends.
const PACKET_OUTGOING: u8 = 4;
/// The longest frame that is listened to: no heartbeat and no ARP packet is as long.
const HEARD_LEN: usize = 2048;
/// Room for bursts while the lab's thread waits for its turn.
const RECEIVE_BUFFER_LEN: usize = 1024 * 1024;

/// Which way a frame passed the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// In from the cable.
    In,
    /// Out to the cable.
    Out,
}

/// The socket.
pub struct FrameSocket {
    socket: Socket,
}

impl FrameSocket {
    /// Opens it on `interface` of `netns`.
    pub fn open(netns: &Netns, links: &mut Links, interface: &str) -> io::Result<Self> {
        let index = links.index(interface)?;
        netns
            .run(|| {
                let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
                socket.set_recv_buffer_size(RECEIVE_BUFFER_LEN)?;
                socket.bind(&shared::packet_address(index, ETH_P_ALL)?)?;
                Ok(Self { socket })
            })
            .context(format_args!("cannot listen on {interface}"))
    }

    /// The next frame, or `None` when none is waiting.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, Direction)>> {
        match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), buffer).map_err(io::Error::from) {
            Ok((len, from)) => {
                let sent = from.is_some_and(|from| from.pkttype() == PACKET_OUTGOING);
                Ok(Some((len, if sent { Direction::Out } else { Direction::In })))
            }
            // An interface that was turned off reports that once; nothing was received.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NetworkDown) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Listens for a while, [`STOP_CHECK`] at most, and gives each frame to `take`; of one that is too long, its beginning.
    pub fn hear(&self, mut take: impl FnMut(&[u8], Direction)) -> io::Result<()> {
        wait_readable([self.as_fd()], STOP_CHECK)?;
        let mut buffer = [0; HEARD_LEN];
        while let Some((len, direction)) = self.receive(&mut buffer)? {
            take(buffer.get(..len).unwrap_or(&buffer), direction);
        }
        Ok(())
    }

    /// Sends a frame. One that meets an interface without carrier is lost, as on a real cable.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        match self.socket.send(frame) {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.kind(), ErrorKind::NetworkDown | ErrorKind::WouldBlock)
                    || error.raw_os_error() == Some(libc::ENOBUFS)
                    || error.raw_os_error() == Some(libc::ENXIO) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl AsFd for FrameSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
