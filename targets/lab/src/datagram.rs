//! The Ethernet frames in which heartbeats travel.

use crate::plan::{HEARTBEAT_PORT, Port, Wire};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ETHERNET_HEADER_LEN, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IPV4_HEADER_LEN, IpProtocol,
    Ipv4Packet, Ipv4Repr, UDP_HEADER_LEN, UdpPacket,
};
use ucm_ha::wire::cable;

const HOP_LIMIT: u8 = 64;

/// The heartbeat in an Ethernet frame of either wire.
pub(crate) fn heartbeat_in(frame: &[u8]) -> Option<&[u8]> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    if ethernet.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let packet = Ipv4Packet::new_checked(frame.get(ETHERNET_HEADER_LEN..)?).ok()?;
    let datagram = frame.get(ETHERNET_HEADER_LEN + usize::from(packet.header_len())..)?;
    let udp = UdpPacket::new_checked(datagram).ok()?;
    let ours = packet.next_header() == IpProtocol::Udp && udp.dst_port() == HEARTBEAT_PORT;
    datagram.get(UDP_HEADER_LEN..usize::from(udp.len())).filter(|_| ours)
}

/// The frame that brings a heartbeat to a port and says that it comes from the peer.
pub(crate) fn frame_to(port: Port, heartbeat: &[u8]) -> Option<Vec<u8>> {
    match port.wire {
        Wire::Cable => on_cable(port, heartbeat),
        Wire::Lan => on_lan(port, heartbeat),
    }
}

fn on_cable(port: Port, heartbeat: &[u8]) -> Option<Vec<u8>> {
    let peer = port.node.peer();
    let mut frame = vec![0; cable::HEADER_LEN];
    frame.extend_from_slice(heartbeat);
    let len = cable::emit(&mut frame, heartbeat.len(), peer.mac(Wire::Cable), peer.mac(Wire::Lan), HEARTBEAT_PORT)?;
    frame.truncate(len);
    Some(frame)
}

/// It has no UDP checksum, which IPv4 permits.
fn on_lan(port: Port, heartbeat: &[u8]) -> Option<Vec<u8>> {
    let (node, peer) = (port.node, port.node.peer());
    let mut frame = vec![0; ETHERNET_HEADER_LEN + IPV4_HEADER_LEN + UDP_HEADER_LEN];
    frame.extend_from_slice(heartbeat);
    EthernetRepr {
        src_addr: EthernetAddress(peer.mac(Wire::Lan).0),
        dst_addr: EthernetAddress(node.mac(Wire::Lan).0),
        ethertype: EthernetProtocol::Ipv4,
    }
    .emit(&mut EthernetFrame::new_unchecked(&mut frame[..]));
    let packet = frame.get_mut(ETHERNET_HEADER_LEN..)?;
    Ipv4Repr {
        src_addr: peer.address().address,
        dst_addr: node.address().address,
        next_header: IpProtocol::Udp,
        payload_len: UDP_HEADER_LEN + heartbeat.len(),
        hop_limit: HOP_LIMIT,
    }
    .emit(&mut Ipv4Packet::new_unchecked(&mut *packet), &ChecksumCapabilities::default());
    let mut udp = UdpPacket::new_unchecked(packet.get_mut(IPV4_HEADER_LEN..)?);
    udp.set_src_port(HEARTBEAT_PORT);
    udp.set_dst_port(HEARTBEAT_PORT);
    udp.set_len(u16::try_from(UDP_HEADER_LEN + heartbeat.len()).ok()?);
    udp.set_checksum(0);
    Some(frame)
}
