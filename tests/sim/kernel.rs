//! The part of a machine that works without the daemon: addresses with a lifetime, and answers to ARP.

use super::ether::Arp;
use super::stations::CLUSTER_IP;
use super::{SEC, Us};
use core::net::Ipv4Addr;

/// Kernel state of one machine.
#[derive(Default)]
pub(crate) struct Kernel {
    gone_at: Option<Us>,
}

impl Kernel {
    /// Whether the cluster IP is bound.
    pub(crate) fn bound(&self) -> bool {
        self.gone_at.is_some()
    }

    /// When the cluster IP will vanish by itself.
    pub(crate) fn gone_at(&self) -> Option<Us> {
        self.gone_at
    }

    /// Adds the cluster IP, or extends its lifetime. Kernels are late: `late_us`.
    pub(crate) fn bind(&mut self, now: Us, valid_s: u32, late_us: Us) {
        self.gone_at = Some(now + Us::from(valid_s) * SEC + late_us);
    }

    /// Removes the cluster IP; true when it was there.
    pub(crate) fn release(&mut self) -> bool {
        self.gone_at.take().is_some()
    }

    /// Whether the kernel answers this ARP packet: a request for the own or the cluster IP.
    pub(crate) fn answers(&self, arp: &Arp, own_ip: Option<Ipv4Addr>) -> bool {
        arp.request
            && arp.sender_ip != arp.target_ip
            && (Some(arp.target_ip) == own_ip || (arp.target_ip == CLUSTER_IP && self.bound()))
    }
}
