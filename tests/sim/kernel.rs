//! The part of a machine that works without the daemon: addresses with a lifetime, and answers to ARP.

use super::ether::Arp;
use super::stations::CLUSTER_IP;
use super::{SEC, Us};
use core::net::Ipv4Addr;

/// Kernel state of one machine.
#[derive(Default)]
pub(crate) struct Kernel {
    /// Addresses beside the static one, and when each will vanish by itself.
    held: Vec<(Ipv4Addr, Us)>,
}

impl Kernel {
    /// Whether the cluster IP is bound.
    pub(crate) fn bound(&self) -> bool {
        self.holds(CLUSTER_IP)
    }

    /// Whether an address is bound that the daemon takes for the cluster IP.
    pub(crate) fn holds(&self, ip: Ipv4Addr) -> bool {
        self.held.iter().any(|(held, _)| *held == ip)
    }

    /// The address that will vanish first, and when.
    pub(crate) fn expires(&self) -> Option<(Us, Ipv4Addr)> {
        self.held.iter().map(|&(ip, gone_at)| (gone_at, ip)).min()
    }

    /// Adds an address, or extends its lifetime. Kernels are late: `late_us`.
    pub(crate) fn bind(&mut self, ip: Ipv4Addr, now: Us, valid_s: u32, late_us: Us) {
        self.release(ip);
        self.held.push((ip, now + Us::from(valid_s) * SEC + late_us));
    }

    /// Removes an address; true when it was there.
    pub(crate) fn release(&mut self, ip: Ipv4Addr) -> bool {
        let before = self.held.len();
        self.held.retain(|(held, _)| *held != ip);
        self.held.len() != before
    }

    /// Whether the kernel answers this ARP packet: a request for the own or a bound address.
    pub(crate) fn answers(&self, arp: &Arp, own_ip: Option<Ipv4Addr>) -> bool {
        arp.request && arp.sender_ip != arp.target_ip && (Some(arp.target_ip) == own_ip || self.holds(arp.target_ip))
    }
}
