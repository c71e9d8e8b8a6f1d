//! The other stations on the LAN: the gateway, a phone, and sometimes a stranger who took the cluster IP.

use super::ether::Arp;
use core::net::Ipv4Addr;
use ucm_ha::types::MacAddr;

/// Ports of the switch. Nodes A and B have 0 and 1.
pub(crate) const GATEWAY: usize = 2;
/// The stranger's port.
pub(crate) const FOREIGN: usize = 3;
/// The phone's port.
pub(crate) const PHONE: usize = 4;
/// Number of ports.
pub(crate) const STATIONS: usize = 5;

/// Address of the gateway.
pub(crate) const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The cluster IP.
pub(crate) const CLUSTER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
/// What is wrongly set as one.
pub(crate) const OTHER_CLUSTER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 66);
/// Own addresses of the nodes.
pub(crate) const NODE_IP: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 11), Ipv4Addr::new(10, 0, 0, 12)];
/// LAN MAC addresses of the nodes.
pub(crate) const NODE_MAC: [MacAddr; 2] = [MacAddr([2, 0, 0, 0, 0xa, 1]), MacAddr([2, 0, 0, 0, 0xb, 1])];
/// MAC addresses of the nodes' heartbeat ports.
pub(crate) const CABLE_MAC: [MacAddr; 2] = [MacAddr([2, 0, 0, 0, 0xa, 2]), MacAddr([2, 0, 0, 0, 0xb, 2])];
/// MAC address of the gateway.
pub(crate) const GATEWAY_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0xc, 1]);
/// MAC address of the stranger.
pub(crate) const FOREIGN_MAC: MacAddr = MacAddr([2, 0, 0, 0, 0xd, 1]);
/// The broadcast address.
pub(crate) const BROADCAST: MacAddr = MacAddr([0xff; 6]);

/// A phone: knows the cluster IP by what it is told, and never asks again.
#[derive(Default)]
pub(crate) struct Phone {
    /// Its ARP cache entry for the cluster IP.
    pub(crate) cluster_mac: Option<MacAddr>,
}

impl Phone {
    /// Takes a frame that reached the phone; true when the cache changed.
    pub(crate) fn hears(&mut self, arp: &Arp) -> bool {
        if arp.sender_ip != CLUSTER_IP || self.cluster_mac == Some(arp.sender_mac) {
            return false;
        }
        self.cluster_mac = Some(arp.sender_mac);
        true
    }
}
