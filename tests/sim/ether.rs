//! Ethernet frames of the LAN: buffers for them, and ARP built and parsed with smoltcp's wire types.

use core::net::Ipv4Addr;
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::types::MacAddr;

/// Shortest frame a port delivers: Ethernet pads to this length.
const MIN_FRAME_LEN: usize = 60;

/// A frame or datagram in flight.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    bytes: [u8; FRAME_CAPACITY],
    len: u16,
}

impl Packet {
    /// A copy of `bytes`.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut packet = Self { bytes: [0; FRAME_CAPACITY], len: bytes.len() as u16 };
        packet.bytes[..bytes.len()].copy_from_slice(bytes);
        packet
    }

    /// The bytes as sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The bytes, to be tampered with.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..usize::from(self.len)]
    }

    /// Cuts the end off.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len as u16);
    }

    /// Pads to the shortest frame that Ethernet carries.
    pub(crate) fn padded(mut self) -> Self {
        self.len = self.len.max(MIN_FRAME_LEN as u16);
        self
    }
}

/// The fields of an ARP packet that a station acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arp {
    /// A request, as opposed to a reply.
    pub(crate) request: bool,
    /// Destination of the Ethernet frame.
    pub(crate) to: MacAddr,
    /// Sender's hardware address.
    pub(crate) sender_mac: MacAddr,
    /// Sender's protocol address; unspecified in a probe.
    pub(crate) sender_ip: Ipv4Addr,
    /// Target's hardware address.
    pub(crate) target_mac: MacAddr,
    /// Target's protocol address.
    pub(crate) target_ip: Ipv4Addr,
}

impl Arp {
    /// The answer of the station `mac` that has `ip`.
    pub(crate) fn answer(&self, mac: MacAddr) -> Self {
        Self {
            request: false,
            to: self.sender_mac,
            sender_mac: mac,
            sender_ip: self.target_ip,
            target_mac: self.sender_mac,
            target_ip: self.sender_ip,
        }
    }

    /// Parses an Ethernet frame; `None` when it is not ARP for IPv4.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let ethernet = EthernetFrame::new_checked(frame).ok()?;
        if ethernet.ethertype() != EthernetProtocol::Arp {
            return None;
        }
        let ArpRepr::EthernetIpv4 {
            operation,
            source_hardware_addr,
            source_protocol_addr,
            target_hardware_addr,
            target_protocol_addr,
        } = ArpRepr::parse(&ArpPacket::new_checked(ethernet.payload()).ok()?).ok()?
        else {
            return None;
        };
        Some(Self {
            request: operation == ArpOperation::Request,
            to: MacAddr(ethernet.dst_addr().0),
            sender_mac: MacAddr(source_hardware_addr.0),
            sender_ip: source_protocol_addr,
            target_mac: MacAddr(target_hardware_addr.0),
            target_ip: target_protocol_addr,
        })
    }

    /// The whole Ethernet frame.
    pub(crate) fn emit(&self) -> Packet {
        let arp = ArpRepr::EthernetIpv4 {
            operation: if self.request { ArpOperation::Request } else { ArpOperation::Reply },
            source_hardware_addr: EthernetAddress(self.sender_mac.0),
            source_protocol_addr: self.sender_ip,
            target_hardware_addr: EthernetAddress(self.target_mac.0),
            target_protocol_addr: self.target_ip,
        };
        let ethernet = EthernetRepr {
            src_addr: EthernetAddress(self.sender_mac.0),
            dst_addr: EthernetAddress(self.to.0),
            ethertype: EthernetProtocol::Arp,
        };
        let len = ethernet.buffer_len() + arp.buffer_len();
        let mut packet = Packet::new(&[0; FRAME_CAPACITY][..len]);
        let mut frame = EthernetFrame::new_unchecked(packet.bytes_mut());
        ethernet.emit(&mut frame);
        arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
        packet.padded()
    }
}

/// Buffers of everything in flight, reused so that a long run allocates little.
#[derive(Default)]
pub(crate) struct Pool {
    packets: Vec<Packet>,
    free: Vec<u32>,
}

/// A buffer of the [`Pool`].
pub(crate) type Slot = u32;

impl Pool {
    /// Stores a packet.
    pub(crate) fn put(&mut self, packet: Packet) -> Slot {
        match self.free.pop() {
            Some(slot) => {
                self.packets[slot as usize] = packet;
                slot
            }
            None => {
                self.packets.push(packet);
                (self.packets.len() - 1) as Slot
            }
        }
    }

    /// Takes a packet out.
    pub(crate) fn take(&mut self, slot: Slot) -> Packet {
        self.free.push(slot);
        self.packets[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arp_survives_the_wire() {
        let arp = Arp {
            request: true,
            to: MacAddr([0xff; 6]),
            sender_mac: MacAddr([2, 0, 0, 0, 0, 1]),
            sender_ip: Ipv4Addr::UNSPECIFIED,
            target_mac: MacAddr([0; 6]),
            target_ip: Ipv4Addr::new(10, 0, 0, 1),
        };
        let frame = arp.emit();
        assert_eq!(frame.bytes().len(), MIN_FRAME_LEN);
        assert_eq!(Arp::parse(frame.bytes()), Some(arp));
        assert_eq!(Arp::parse(&frame.bytes()[..20]), None);
    }
}
