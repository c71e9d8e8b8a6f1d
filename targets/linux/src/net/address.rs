//! The addresses of the LAN interface: the cluster IP, as the node wants it, and the static one, which others look after.

use crate::clock;
use crate::net::netlink::Netlink;
use std::io;
use std::net::Ipv4Addr;
use ucm_ha::io::AddressEvent;
use ucm_ha::types::Cidr;
use ucm_ha::{Duration, Instant};

/// The index by which the kernel is asked for the addresses of all interfaces.
const ANY_INTERFACE: u32 = 0;

/// What the node last asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Bound, and it is, on the interface of this index.
    Held { on: u32 },
    /// Not bound, and it is not.
    Released,
    /// Not bound, but it could not be removed yet; once it is, this is told.
    Releasing { tell: AddressEvent },
}

/// Binds and releases the cluster IP. Where it is bound is known by the interface's index: names change.
pub(crate) struct ClusterAddress {
    cidr: Cidr,
    wanted: Wanted,
    /// The kernel removes it no earlier.
    valid_until: Instant,
    /// When somebody else last removed it.
    removed_at: Option<Instant>,
}

impl ClusterAddress {
    pub(crate) fn new(cidr: Cidr) -> Self {
        Self { cidr, wanted: Wanted::Released, valid_until: Instant::ZERO, removed_at: None }
    }

    /// When somebody else last removed it, if anybody has.
    pub(crate) fn removed_at(&self) -> Option<Instant> {
        self.removed_at
    }

    /// Binds the address for `valid_s`, to be reported to the node.
    pub(crate) fn bind(&mut self, netlink: &mut Netlink, index: Option<u32>, valid_s: u32) -> AddressEvent {
        let index = index.ok_or_else(missing);
        self.valid_until = clock::now() + Duration::from_s(valid_s.into());
        match index.and_then(|index| netlink.set_address(index, self.cidr, valid_s).map(|()| index)) {
            Ok(on) => {
                self.wanted = Wanted::Held { on };
                AddressEvent::Held
            }
            Err(error) => {
                log::error!("cluster IP {} cannot be bound: {error}", self.cidr);
                self.wanted = Wanted::Released;
                AddressEvent::Failed
            }
        }
    }

    /// Extends the life of the address; `Lost` where it is not there any more. The kernel would add it anew, unasked.
    pub(crate) fn renew(&mut self, netlink: &mut Netlink, index: Option<u32>, valid_s: u32) -> Option<AddressEvent> {
        if let Some(lost) = self.check(netlink, index) {
            return Some(lost);
        }
        let Wanted::Held { on } = self.wanted else { return None };
        let valid_until = clock::now() + Duration::from_s(valid_s.into());
        match netlink.set_address(on, self.cidr, valid_s) {
            Ok(()) => {
                self.valid_until = valid_until;
                None
            }
            Err(error) => {
                log::error!("cluster IP {} cannot be renewed: {error}", self.cidr);
                self.remove(netlink, AddressEvent::Lost)
            }
        }
    }

    /// Removes the address, to be reported to the node. Where that fails it is reported once it succeeds.
    pub(crate) fn release(&mut self, netlink: &mut Netlink) -> Option<AddressEvent> {
        self.remove(netlink, AddressEvent::Released)
    }

    /// Compares the interfaces with what the node wants; the LAN interface has this index.
    pub(crate) fn check(&mut self, netlink: &mut Netlink, index: Option<u32>) -> Option<AddressEvent> {
        match self.wanted {
            Wanted::Releasing { tell } => self.remove(netlink, tell),
            // What cannot be read now is read again soon; the lifetime in the kernel runs meanwhile.
            Wanted::Held { on } => match look(netlink, Some(on), self.cidr.address)? {
                true if index.is_none_or(|index| index == on) => None,
                true => {
                    log::warn!("cluster IP {} is not on the LAN interface; removing it", self.cidr);
                    self.remove(netlink, AddressEvent::Lost)
                }
                false => {
                    log::warn!("cluster IP {} was taken away", self.cidr);
                    self.note_removal(netlink, on);
                    self.remove(netlink, AddressEvent::Lost)
                }
            },
            Wanted::Released => {
                if look(netlink, Some(ANY_INTERFACE), self.cidr.address)? {
                    log::warn!("cluster IP {} was added by somebody else; removing it", self.cidr);
                    // The node knows that it is not bound; only a failure has to be followed up.
                    let _reported = self.release(netlink);
                }
                None
            }
        }
    }

    /// Notes that somebody has removed the address: its life was not over, and the interface is there.
    fn note_removal(&mut self, netlink: &mut Netlink, on: u32) {
        let now = clock::now();
        // What cannot be read is no proof of it.
        if now < self.valid_until && matches!(netlink.link_at(on), Ok(Some(_))) {
            self.removed_at = Some(now);
        }
    }

    /// Whether the address is, or may be, on an interface.
    pub(crate) fn may_be_bound(&self) -> bool {
        self.wanted != Wanted::Released
    }

    /// Removes the address from wherever it is. What is told is true by then: the peer may bind it.
    fn remove(&mut self, netlink: &mut Netlink, tell: AddressEvent) -> Option<AddressEvent> {
        let likely = if let Wanted::Held { on } = self.wanted { Some(on) } else { None };
        match netlink.remove_address(likely, self.cidr) {
            Ok(()) => {
                self.wanted = Wanted::Released;
                Some(tell)
            }
            Err(error) => {
                if !matches!(self.wanted, Wanted::Releasing { .. }) {
                    log::error!("cluster IP {} cannot be removed: {error}; trying again", self.cidr);
                }
                self.wanted = Wanted::Releasing { tell };
                None
            }
        }
    }
}

/// Whether the static address is on the interface. The daemon does not start without it.
pub(crate) struct OwnAddress {
    present: bool,
}

impl OwnAddress {
    pub(crate) const fn new() -> Self {
        Self { present: true }
    }

    pub(crate) const fn is_present(&self) -> bool {
        self.present
    }

    /// Looks again; `true` when that changed. What cannot be read counts as unchanged, and is read again soon.
    pub(crate) fn check(&mut self, netlink: &mut Netlink, index: Option<u32>, address: Ipv4Addr) -> bool {
        let Some(present) = look(netlink, index, address) else { return false };
        core::mem::replace(&mut self.present, present) != present
    }
}

/// Whether the interface has the address; `None`, and a warning, where that cannot be read.
fn look(netlink: &mut Netlink, index: Option<u32>, address: Ipv4Addr) -> Option<bool> {
    match index.map_or(Ok(false), |index| netlink.has_address(index, address)) {
        Ok(present) => Some(present),
        Err(error) => {
            log::warn!("the addresses cannot be read: {error}");
            None
        }
    }
}

fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the LAN interface is missing")
}
