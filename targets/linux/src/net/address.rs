//! The addresses of the LAN interface: the cluster IP, as the node wants it, and the static one, which others look after.

use crate::net::netlink::Netlink;
use std::io;
use std::net::Ipv4Addr;
use ucm_ha::io::AddressEvent;
use ucm_ha::types::Cidr;

/// What the node last asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Bound, and it is.
    Held,
    /// Not bound, and it is not.
    Released,
    /// Not bound, but it could not be removed yet.
    Releasing,
}

/// Binds and releases the cluster IP.
pub(crate) struct ClusterAddress {
    cidr: Cidr,
    wanted: Wanted,
}

impl ClusterAddress {
    pub(crate) fn new(cidr: Cidr) -> Self {
        Self { cidr, wanted: Wanted::Released }
    }

    /// Binds the address for `valid_s`, to be reported to the node.
    pub(crate) fn bind(&mut self, netlink: &mut Netlink, index: Option<u32>, valid_s: u32) -> AddressEvent {
        let bound = match index {
            Some(index) => netlink.set_address(index, self.cidr, valid_s),
            None => Err(missing()),
        };
        match bound {
            Ok(()) => {
                self.wanted = Wanted::Held;
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
        let index = index.filter(|_| self.wanted == Wanted::Held)?;
        match netlink.set_address(index, self.cidr, valid_s) {
            Ok(()) => None,
            Err(error) => {
                log::error!("cluster IP {} cannot be renewed: {error}", self.cidr);
                Some(self.lose())
            }
        }
    }

    /// Removes the address, to be reported to the node. Where that fails it is reported once it succeeds.
    pub(crate) fn release(&mut self, netlink: &mut Netlink, index: Option<u32>) -> Option<AddressEvent> {
        match index.map_or(Ok(()), |index| netlink.remove_address(index, self.cidr)) {
            Ok(()) => {
                self.wanted = Wanted::Released;
                Some(AddressEvent::Released)
            }
            Err(error) => {
                if self.wanted != Wanted::Releasing {
                    log::error!("cluster IP {} cannot be removed: {error}; trying again", self.cidr);
                }
                self.wanted = Wanted::Releasing;
                None
            }
        }
    }

    /// Compares the interface with what the node wants.
    pub(crate) fn check(&mut self, netlink: &mut Netlink, index: Option<u32>) -> Option<AddressEvent> {
        if self.wanted == Wanted::Releasing {
            return self.release(netlink, index);
        }
        // What cannot be read now is read again soon; the lifetime in the kernel runs meanwhile.
        let present = look(netlink, index, self.cidr.address)?;
        match (self.wanted, present) {
            (Wanted::Held, false) => {
                log::warn!("cluster IP {} was taken away", self.cidr);
                Some(self.lose())
            }
            (Wanted::Released, true) => {
                log::warn!("cluster IP {} was added by somebody else; removing it", self.cidr);
                // The node knows that it is not bound; only a failure has to be followed up.
                let _reported = self.release(netlink, index);
                None
            }
            (Wanted::Held, true) | (Wanted::Released, false) | (Wanted::Releasing, _) => None,
        }
    }

    /// Whether the address is, or may be, on the interface.
    pub(crate) fn may_be_bound(&self) -> bool {
        self.wanted != Wanted::Released
    }

    fn lose(&mut self) -> AddressEvent {
        self.wanted = Wanted::Released;
        AddressEvent::Lost
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
