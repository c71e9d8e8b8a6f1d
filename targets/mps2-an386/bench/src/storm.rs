//! Frames for the board that a parser may stumble over: good ones, half of them with bytes changed and ends cut off.

use crate::CLUSTER_IP;
use crate::site::BRIDGE;
use smoltcp::phy::{ChecksumCapabilities, Device, Medium, RawSocket, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{
    ETHERNET_HEADER_LEN, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IPV4_HEADER_LEN, Icmpv4Packet,
    Icmpv4Repr, IpProtocol, Ipv4Packet, Ipv4Repr, UDP_HEADER_LEN, UdpPacket, UdpRepr,
};
use std::net::Ipv4Addr;
use std::time::Duration;
use ucm_ha::config::DEFAULT_HEARTBEAT_PORT;
use ucm_ha::types::MacAddr;
use ucm_ha::wire::arp::{self, Message};

const SENDER: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0x55]);
const SENDER_IP: Ipv4Addr = Ipv4Addr::new(192, 168, 129, 55);
/// Frames in a row without a pause; the controller has room for more.
const BURST: u32 = 8;

/// The same numbers in each run (xorshift).
struct Dice(u32);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        usize::try_from(self.0).unwrap() % limit
    }
}

/// Sends `count` frames to the station with these addresses, on the LAN of this namespace.
pub fn blow(count: u32, to: EthernetAddress, to_ip: Ipv4Addr) {
    let mut port = RawSocket::new(BRIDGE, Medium::Ethernet).unwrap();
    let mut dice = Dice(0x2545_f491);
    for number in 0..count {
        let mut frame = good(&mut dice, to, to_ip);
        if dice.below(2) == 0 {
            frame = damage(frame, &mut dice);
        }
        let leave = port.transmit(Instant::now()).expect("a packet socket always has leave to send");
        leave.consume(frame.len(), |place| place.copy_from_slice(&frame));
        if number % BURST == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn good(dice: &mut Dice, to: EthernetAddress, to_ip: Ipv4Addr) -> Vec<u8> {
    match dice.below(4) {
        0 => question(if dice.below(2) == 0 { CLUSTER_IP } else { to_ip }),
        1 => ping(to, if dice.below(2) == 0 { CLUSTER_IP } else { to_ip }),
        2 => datagram(to, to_ip, DEFAULT_HEARTBEAT_PORT),
        _ => datagram(to, to_ip, 7),
    }
}

/// One to four bytes changed, in half of them the end cut off, in half of those with IPv4 the checksum right again.
fn damage(mut frame: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    for _ in 0..=dice.below(4) {
        // The Ethernet addresses stay, so that the frame gets there.
        let at = 12 + dice.below(frame.len() - 12);
        frame[at] = u8::try_from(dice.below(256)).unwrap();
    }
    let ip = ETHERNET_HEADER_LEN..ETHERNET_HEADER_LEN + IPV4_HEADER_LEN;
    if dice.below(2) == 0 && frame.len() > ip.end && frame[ETHERNET_HEADER_LEN] == 0x45 {
        Ipv4Packet::new_unchecked(&mut frame[ip.clone()]).fill_checksum();
    }
    if dice.below(2) == 0 {
        frame.truncate(ETHERNET_HEADER_LEN + dice.below(frame.len() - ETHERNET_HEADER_LEN));
    }
    frame
}

fn question(target: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![0; arp::FRAME_LEN];
    arp::emit(Message::Request { sender: SENDER_IP, target }, MacAddr(SENDER.0), &mut frame).unwrap();
    frame
}

fn ping(to: EthernetAddress, to_ip: Ipv4Addr) -> Vec<u8> {
    let message = Icmpv4Repr::EchoRequest { ident: 1, seq_no: 1, data: &[7; 56] };
    let mut frame = packet(to, to_ip, IpProtocol::Icmp, message.buffer_len());
    let payload = &mut frame[ETHERNET_HEADER_LEN + IPV4_HEADER_LEN..];
    message.emit(&mut Icmpv4Packet::new_unchecked(payload), &ChecksumCapabilities::default());
    frame
}

fn datagram(to: EthernetAddress, to_ip: Ipv4Addr, port: u16) -> Vec<u8> {
    let payload = [0x55; 96];
    let mut frame = packet(to, to_ip, IpProtocol::Udp, UDP_HEADER_LEN + payload.len());
    let mut udp = UdpPacket::new_unchecked(&mut frame[ETHERNET_HEADER_LEN + IPV4_HEADER_LEN..]);
    let repr = UdpRepr { src_port: port, dst_port: port };
    let fill = |place: &mut [u8]| place.copy_from_slice(&payload);
    repr.emit(&mut udp, &SENDER_IP.into(), &to_ip.into(), payload.len(), fill, &ChecksumCapabilities::default());
    frame
}

fn packet(to: EthernetAddress, to_ip: Ipv4Addr, next_header: IpProtocol, payload_len: usize) -> Vec<u8> {
    let mut frame = vec![0; ETHERNET_HEADER_LEN + IPV4_HEADER_LEN + payload_len];
    EthernetRepr { src_addr: SENDER, dst_addr: to, ethertype: EthernetProtocol::Ipv4 }
        .emit(&mut EthernetFrame::new_unchecked(&mut frame));
    Ipv4Repr { src_addr: SENDER_IP, dst_addr: to_ip, next_header, payload_len, hop_limit: 64 }
        .emit(&mut Ipv4Packet::new_unchecked(&mut frame[ETHERNET_HEADER_LEN..]), &ChecksumCapabilities::default());
    frame
}
