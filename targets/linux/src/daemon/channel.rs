//! A way that frames go: its socket, whether it can be sent on, whether more waits to be read.

use super::token;
use crate::net::lan::LanSocket;
use crate::net::packet::PacketSocket;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use ucm_ha::Input;

/// Where frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Heartbeats over the cable.
    Cable,
    /// Heartbeats over the LAN.
    Lan,
    /// ARP on the LAN.
    Arp,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Cable, Self::Lan, Self::Arp];

    const fn token(self) -> Token {
        match self {
            Self::Cable => token::CABLE,
            Self::Lan => token::LAN,
            Self::Arp => token::ARP,
        }
    }

    /// What goes there, in the log.
    const fn freight(self) -> &'static str {
        match self {
            Self::Cable => "the heartbeat over the cable",
            Self::Lan => "the heartbeat over the LAN",
            Self::Arp => "ARP on the LAN",
        }
    }

    /// What came there, as the node is told. `source` matters on the LAN only.
    pub(super) const fn input(self, frame: &[u8], source: Ipv4Addr) -> Input<'_> {
        match self {
            Self::Cable => Input::CableFrame(frame),
            Self::Lan => Input::LanDatagram { source, payload: frame },
            Self::Arp => Input::ArpFrame(frame),
        }
    }
}

/// A socket of a way.
pub(super) trait Socket: AsRawFd {
    /// Receives one frame, and its source where the socket knows that; `WouldBlock` when none is waiting.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Ipv4Addr)>;
    /// Sends one.
    fn send(&self, frame: &[u8]) -> io::Result<()>;
}

impl Socket for PacketSocket {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Ipv4Addr)> {
        Ok((Self::receive(self, buffer)?, Ipv4Addr::UNSPECIFIED))
    }

    fn send(&self, frame: &[u8]) -> io::Result<()> {
        Self::send(self, frame)
    }
}

impl Socket for LanSocket {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Ipv4Addr)> {
        Self::receive(self, buffer)
    }

    fn send(&self, frame: &[u8]) -> io::Result<()> {
        Self::send(self, frame)
    }
}

/// Whether frames can be sent on a path. Says so when that changes, not for every frame.
struct SendHealth {
    path: &'static str,
    failures: u64,
    failing: Option<String>,
}

impl SendHealth {
    const fn new(path: &'static str) -> Self {
        Self { path, failures: 0, failing: None }
    }

    fn note(&mut self, sent: io::Result<()>) {
        match sent {
            Ok(()) if self.failing.is_none() => {}
            Ok(()) => {
                log::info!("{} is sent again ({} failures so far)", self.path, self.failures);
                self.failing = None;
            }
            Err(error) => {
                self.failures += 1;
                let error = error.to_string();
                if self.failing.as_ref() != Some(&error) {
                    log::warn!("{} cannot be sent: {error}", self.path);
                    self.failing = Some(error);
                }
            }
        }
    }
}

/// A way with its socket, while that is open.
pub(super) struct Channel {
    way: Way,
    socket: Option<Box<dyn Socket>>,
    health: SendHealth,
    /// There may be more to read: epoll reports each arrival once.
    waiting: bool,
}

impl Channel {
    /// One that is not open.
    pub(super) const fn new(way: Way) -> Self {
        Self { way, socket: None, health: SendHealth::new(way.freight()), waiting: false }
    }

    /// Takes a socket, and wakes the loop for it from now on.
    pub(super) fn open(&mut self, socket: impl Socket + 'static, registry: &Registry) -> io::Result<()> {
        registry.register(&mut SourceFd(&socket.as_raw_fd()), self.way.token(), Interest::READABLE)?;
        self.socket = Some(Box::new(socket));
        self.waiting = true;
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.socket = None;
    }

    pub(super) const fn is_open(&self) -> bool {
        self.socket.is_some()
    }

    /// There may be something to read.
    pub(super) fn wake(&mut self) {
        self.waiting = true;
    }

    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// The next frame: its length and its source. `None` where there is none, or it cannot be had.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, Ipv4Addr)> {
        match self.socket.as_ref().map(|socket| socket.receive(buffer)) {
            Some(Ok(received)) => return Some(received),
            // The next one may be good.
            Some(Err(error)) if error.kind() != ErrorKind::WouldBlock => log::debug!("{}: {error}", self.way.freight()),
            Some(Err(_)) | None => self.waiting = false,
        }
        None
    }

    /// Sends a frame, where the socket is open.
    pub(super) fn send(&mut self, frame: &[u8]) {
        if let Some(socket) = &self.socket {
            self.health.note(socket.send(frame));
        }
    }
}
