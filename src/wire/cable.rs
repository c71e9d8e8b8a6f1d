//! Heartbeats on the cable: raw Ethernet frames with UDP/IPv4 inside, so that no address has to be configured on the
//! heartbeat port and two nodes wrongly set to the same station type still meet.
//!
//! Sent to the Ethernet broadcast address and 255.255.255.255, from the link-local address 169.254.x.y made of the last
//! two bytes of the sender's MAC (RFC 3927 form, not negotiated: the only other station is the peer).

use crate::types::MacAddr;
use core::net::Ipv4Addr;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ETHERNET_HEADER_LEN, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IPV4_HEADER_LEN, IpProtocol,
    Ipv4Packet, Ipv4Repr, UDP_HEADER_LEN, UdpPacket,
};

/// Bytes before the heartbeat in a frame on the cable.
pub const HEADER_LEN: usize = ETHERNET_HEADER_LEN + IPV4_HEADER_LEN + UDP_HEADER_LEN;
/// A direct cable is never routed over.
const HOP_LIMIT: u8 = 1;

/// The link-local address a node sends from.
pub const fn link_local(mac: MacAddr) -> Ipv4Addr {
    let [.., x, y] = mac.0;
    Ipv4Addr::new(169, 254, x, y)
}

/// Wraps the heartbeat of `payload_len` bytes that stands in `buffer` from [`HEADER_LEN`] on; `None` when it does not
/// fit. Returns the length of the Ethernet frame.
pub fn emit(buffer: &mut [u8], payload_len: usize, source: MacAddr, identity: MacAddr, port: u16) -> Option<usize> {
    let length = HEADER_LEN + payload_len;
    let buffer = buffer.get_mut(..length)?;
    let source_ip = link_local(identity);
    let checksums = ChecksumCapabilities::default();
    EthernetRepr {
        src_addr: EthernetAddress(source.0),
        dst_addr: EthernetAddress::BROADCAST,
        ethertype: EthernetProtocol::Ipv4,
    }
    .emit(&mut EthernetFrame::new_unchecked(&mut *buffer));
    let packet = buffer.get_mut(ETHERNET_HEADER_LEN..)?;
    Ipv4Repr {
        src_addr: source_ip,
        dst_addr: Ipv4Addr::BROADCAST,
        next_header: IpProtocol::Udp,
        payload_len: UDP_HEADER_LEN + payload_len,
        hop_limit: HOP_LIMIT,
    }
    .emit(&mut Ipv4Packet::new_unchecked(&mut *packet), &checksums);
    let datagram = packet.get_mut(IPV4_HEADER_LEN..)?;
    let mut udp = UdpPacket::new_unchecked(datagram);
    udp.set_src_port(port);
    udp.set_dst_port(port);
    udp.set_len(u16::try_from(UDP_HEADER_LEN + payload_len).ok()?);
    udp.fill_checksum(&source_ip.into(), &Ipv4Addr::BROADCAST.into());
    Some(length)
}

/// The payload in an Ethernet frame of the cable, or `None` when the frame is no datagram for the heartbeat port. The
/// heartbeat in it is checked by [`Repr::parse`](crate::wire::Repr::parse).
pub fn parse(bytes: &[u8], port: u16) -> Option<&[u8]> {
    let frame = EthernetFrame::new_checked(bytes).ok()?;
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let packet = Ipv4Packet::new_checked(bytes.get(ETHERNET_HEADER_LEN..)?).ok()?;
    let whole = !packet.more_frags() && packet.frag_offset() == 0;
    let ours = packet.next_header() == IpProtocol::Udp && packet.dst_addr() == Ipv4Addr::BROADCAST;
    if packet.version() != 4 || !whole || !ours || !packet.verify_checksum() {
        return None;
    }
    let (header, total) = (usize::from(packet.header_len()), usize::from(packet.total_len()));
    let datagram = bytes.get(ETHERNET_HEADER_LEN..)?.get(header..total)?;
    let udp = UdpPacket::new_checked(datagram).ok()?;
    // The UDP checksum is left alone: the heartbeat has a CRC, and smoltcp's check keeps a panic in the image.
    if udp.dst_port() != port {
        return None;
    }
    datagram.get(UDP_HEADER_LEN..usize::from(udp.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([0x02, 0, 0, 0, 0x12, 0x34]);

    fn framed(heartbeat: &[u8]) -> std::vec::Vec<u8> {
        let mut buffer = std::vec![0; HEADER_LEN + heartbeat.len()];
        buffer[HEADER_LEN..].copy_from_slice(heartbeat);
        let length = emit(&mut buffer, heartbeat.len(), MAC, MAC, 9527);
        assert_eq!(length, Some(buffer.len()));
        buffer
    }

    #[test]
    fn a_heartbeat_comes_out_as_it_went_in_also_behind_ethernet_padding() {
        let mut frame = framed(b"heartbeat");
        assert_eq!(parse(&frame, 9527), Some(&b"heartbeat"[..]));
        frame.resize(64, 0);
        assert_eq!(parse(&frame, 9527), Some(&b"heartbeat"[..]));
        assert_eq!(&frame[..6], &[0xff; 6]);
        assert_eq!(&frame[26..30], &[169, 254, 0x12, 0x34], "source is the link-local address of the MAC");
    }

    #[test]
    fn truncated_damaged_or_foreign_frames_are_not_heartbeats() {
        let frame = framed(b"heartbeat");
        for length in 0..frame.len() {
            assert_eq!(parse(&frame[..length], 9527), None, "cut to {length}");
        }
        let ip_header = ETHERNET_HEADER_LEN..ETHERNET_HEADER_LEN + IPV4_HEADER_LEN;
        for bit in ip_header.start * 8..ip_header.end * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&damaged, 9527), None, "bit {bit}");
        }
        assert_eq!(parse(&frame, 9528), None, "another port");
    }

    /// A frame whose IPv4 header has byte `at` replaced and its checksum made right again: only the field is wrong.
    fn with_ip_byte(at: usize, value: u8) -> std::vec::Vec<u8> {
        let mut frame = framed(b"heartbeat");
        frame[ETHERNET_HEADER_LEN + at] = value;
        Ipv4Packet::new_unchecked(&mut frame[ETHERNET_HEADER_LEN..]).fill_checksum();
        frame
    }

    #[test]
    fn what_is_no_whole_datagram_to_everybody_is_no_heartbeat_however_right_its_checksum() {
        assert_eq!(parse(&with_ip_byte(1, 0xb8), 9527), Some(&b"heartbeat"[..]), "the type of service says nothing");
        let fields = [(0, 0x65), (6, 0x20), (7, 1), (9, 6), (16, 169), (19, 254)];
        for (at, value) in fields {
            assert_eq!(parse(&with_ip_byte(at, value), 9527), None, "byte {at} = {value:#x}");
        }
        let mut other = framed(b"heartbeat");
        other[12] = 0x86;
        assert_eq!(parse(&other, 9527), None, "not IPv4");
    }

    #[test]
    fn the_headers_are_as_long_as_their_standards_have_them() {
        assert_eq!(framed(b"heartbeat").len(), 14 + 20 + 8 + 9);
        assert_eq!(emit(&mut [0; 50], 9, MAC, MAC, 9527), None, "no room");
    }
}
