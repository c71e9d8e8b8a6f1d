//! ARP packets (RFC 826) as the cluster IP needs them: requests, probes and announcements (RFC 5227).

use crate::types::MacAddr;
use core::net::Ipv4Addr;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, ETHERNET_HEADER_LEN, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr,
};

/// Length of an ARP packet for IPv4 over Ethernet, in bytes.
const ARP_LEN: usize = 28;
/// Length of the Ethernet frames this module writes, in bytes (the hardware pads them to 60).
pub const FRAME_LEN: usize = ETHERNET_HEADER_LEN + ARP_LEN;

/// An ARP packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// "Who has `target`?", asked by `sender`.
    Request {
        /// Own address.
        sender: Ipv4Addr,
        /// Wanted address.
        target: Ipv4Addr,
    },
    /// The same to one station, which is asked whether it is still there (RFC 1122 section 2.3.2.1, unicast poll).
    Poll {
        /// Own address.
        sender: Ipv4Addr,
        /// Wanted address.
        target: Ipv4Addr,
        /// Who answered for it before.
        station: MacAddr,
    },
    /// As `Request` without a sender address, so that nobody learns from it (RFC 5227 section 2.1.1).
    Probe {
        /// Wanted address.
        target: Ipv4Addr,
    },
    /// Gratuitous ARP in request form (RFC 5227 section 2.3).
    AnnounceRequest {
        /// Announced address.
        address: Ipv4Addr,
    },
    /// Gratuitous ARP in reply form, for stations that learn only from replies.
    AnnounceReply {
        /// Announced address.
        address: Ipv4Addr,
    },
}

/// Writes `message` from the station `mac`, broadcast but for a poll; `None` when it does not fit.
pub fn emit(message: Message, mac: MacAddr, buffer: &mut [u8]) -> Option<usize> {
    let buffer = buffer.get_mut(..FRAME_LEN)?;
    let own = EthernetAddress(mac.0);
    let nobody = EthernetAddress([0; 6]);
    let to = match message {
        Message::Poll { station, .. } => EthernetAddress(station.0),
        Message::Request { .. }
        | Message::Probe { .. }
        | Message::AnnounceRequest { .. }
        | Message::AnnounceReply { .. } => EthernetAddress::BROADCAST,
    };
    let (operation, source, target_mac, target) = match message {
        Message::Request { sender, target } | Message::Poll { sender, target, .. } => {
            (ArpOperation::Request, sender, nobody, target)
        }
        Message::Probe { target } => (ArpOperation::Request, Ipv4Addr::UNSPECIFIED, nobody, target),
        Message::AnnounceRequest { address } => (ArpOperation::Request, address, nobody, address),
        Message::AnnounceReply { address } => (ArpOperation::Reply, address, EthernetAddress::BROADCAST, address),
    };
    EthernetRepr { src_addr: own, dst_addr: to, ethertype: EthernetProtocol::Arp }
        .emit(&mut EthernetFrame::new_unchecked(&mut *buffer));
    ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: own,
        source_protocol_addr: source,
        target_hardware_addr: target_mac,
        target_protocol_addr: target,
    }
    .emit(&mut ArpPacket::new_unchecked(buffer.get_mut(ETHERNET_HEADER_LEN..)?));
    Some(FRAME_LEN)
}

/// What an ARP packet of another station tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Hardware address of the sender.
    pub mac: MacAddr,
    /// The address it claims to have; 0.0.0.0 in a probe.
    pub ip: Ipv4Addr,
    /// The station it replies to; `None` in a request.
    pub reply_to: Option<MacAddr>,
    /// The address it asks for, which may be its own; `None` in a reply.
    pub asks_for: Option<Ipv4Addr>,
}

impl Heard {
    /// The address it probes for: it asks, and has no address itself yet (RFC 5227 section 2.1.1).
    pub fn probes_for(&self) -> Option<Ipv4Addr> {
        self.asks_for.filter(|_| self.ip.is_unspecified())
    }
}

/// Reads an ARP packet for IPv4 over Ethernet, or `None` when the frame is something else.
///
/// Read at fixed offsets: smoltcp's ARP parser keeps a reachable panic after optimisation.
pub fn parse(frame: &[u8]) -> Option<Heard> {
    let f: &[u8; FRAME_LEN] = frame.first_chunk()?;
    let arp_for_ipv4_over_ethernet = [0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4];
    if f[12..20] != arp_for_ipv4_over_ethernet || f[20] != 0 {
        return None;
    }
    let reply = match f[21] {
        1 => false,
        2 => true,
        _ => return None,
    };
    let mac = MacAddr([f[22], f[23], f[24], f[25], f[26], f[27]]);
    let target_mac = MacAddr([f[32], f[33], f[34], f[35], f[36], f[37]]);
    let target = Ipv4Addr::new(f[38], f[39], f[40], f[41]);
    mac.is_unicast().then_some(Heard {
        mac,
        ip: Ipv4Addr::new(f[28], f[29], f[30], f[31]),
        reply_to: reply.then_some(target_mac),
        asks_for: (!reply).then_some(target),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([0x02, 1, 2, 3, 4, 5]);
    const CLUSTER: Ipv4Addr = Ipv4Addr::new(192, 168, 129, 64);

    fn frame(message: Message) -> [u8; FRAME_LEN] {
        let mut buffer = [0xaa; FRAME_LEN];
        assert_eq!(emit(message, MAC, &mut buffer), Some(FRAME_LEN));
        buffer
    }

    #[test]
    fn announcements_are_broadcast_in_both_forms_from_the_own_mac() {
        for (message, reply_to, asks_for) in [
            (Message::AnnounceRequest { address: CLUSTER }, None, Some(CLUSTER)),
            (Message::AnnounceReply { address: CLUSTER }, Some(MacAddr([0xff; 6])), None),
        ] {
            let bytes = frame(message);
            assert_eq!((&bytes[..6], &bytes[6..12]), (&[0xff; 6][..], &MAC.0[..]));
            assert_eq!(parse(&bytes), Some(Heard { mac: MAC, ip: CLUSTER, reply_to, asks_for }));
            assert_eq!(bytes[38..42], CLUSTER.octets(), "sender and target address are the announced one");
        }
    }

    #[test]
    fn a_poll_is_a_request_to_one_station() {
        let [gateway, own] = [Ipv4Addr::new(192, 168, 129, 1), Ipv4Addr::new(192, 168, 129, 42)];
        let station = MacAddr([2, 0, 0, 0, 0, 1]);
        let poll = frame(Message::Poll { sender: own, target: gateway, station });
        let request = frame(Message::Request { sender: own, target: gateway });
        assert_eq!((&poll[..6], &request[..6]), (&station.0[..], &[0xff; 6][..]));
        assert_eq!(poll[6..], request[6..], "only the destination differs");
    }

    #[test]
    fn a_frame_is_as_long_as_rfc_826_has_it() {
        assert_eq!(emit(Message::Probe { target: CLUSTER }, MAC, &mut [0; 64]), Some(14 + 28));
        assert_eq!(emit(Message::Probe { target: CLUSTER }, MAC, &mut [0; 41]), None, "no room");
    }

    #[test]
    fn a_probe_names_no_sender_address() {
        let heard = parse(&frame(Message::Probe { target: CLUSTER }));
        let (ip, asks_for) = (Ipv4Addr::UNSPECIFIED, Some(CLUSTER));
        assert_eq!(heard, Some(Heard { mac: MAC, ip, reply_to: None, asks_for }));
        assert_eq!(heard.and_then(|heard| heard.probes_for()), Some(CLUSTER));
        let request = parse(&frame(Message::AnnounceRequest { address: CLUSTER }));
        assert_eq!(request.and_then(|heard| heard.probes_for()), None, "who has an address does not probe");
    }

    #[test]
    fn truncated_or_other_packets_are_not_read() {
        let good = frame(Message::Probe { target: CLUSTER });
        for length in 0..FRAME_LEN {
            assert_eq!(parse(&good[..length]), None, "cut to {length}");
        }
        for (offset, value) in [(12, 0x86), (15, 6), (16, 0x86), (18, 8), (19, 16), (20, 1), (21, 3), (22, 1)] {
            let mut other = good;
            other[offset] = value;
            assert_eq!(parse(&other), None, "byte {offset} = {value}");
        }
    }
}
