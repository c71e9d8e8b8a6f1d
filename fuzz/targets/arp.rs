//! ARP packets. What is read is what smoltcp's parser reads, which is not used for its panics; what is written is read.
#![no_main]

use core::net::Ipv4Addr;
use libfuzzer_sys::fuzz_target;
use smoltcp::wire::{
    ArpHardware, ArpOperation, ArpPacket, ArpRepr, ETHERNET_HEADER_LEN, EthernetFrame, EthernetProtocol,
};
use ucm_ha::types::MacAddr;
use ucm_ha::wire::arp::{self, Heard, Message};
use ucm_ha_fuzz::script::Script;
use ucm_ha_fuzz::settings::OWN_MAC;

/// Length of an ARP packet for IPv4 over Ethernet with its Ethernet header, in bytes.
const FRAME_LEN: usize = 42;

/// What smoltcp makes of the frame.
fn reference(bytes: &[u8]) -> Option<Heard> {
    let frame = EthernetFrame::new_checked(bytes).ok()?;
    let packet = ArpPacket::new_checked(bytes.get(ETHERNET_HEADER_LEN..)?).ok()?;
    if frame.ethertype() != EthernetProtocol::Arp || packet.hardware_type() != ArpHardware::Ethernet {
        return None;
    }
    let ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr,
        source_protocol_addr,
        target_hardware_addr,
        target_protocol_addr,
    } = ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    let (reply_to, asks_for) = match operation {
        ArpOperation::Request => (None, Some(target_protocol_addr)),
        ArpOperation::Reply => (Some(MacAddr(target_hardware_addr.0)), None),
        ArpOperation::Unknown(_) => return None,
    };
    // Nobody sends from the address of a group, or from that of nobody.
    let sender = MacAddr(source_hardware_addr.0);
    let somebody = source_hardware_addr.is_unicast() && sender != MacAddr::default();
    somebody.then_some(Heard { mac: sender, ip: source_protocol_addr, reply_to, asks_for })
}

fn message(script: &mut Script<'_>) -> (Message, Ipv4Addr) {
    let kind = script.byte();
    let [a, b] = [script.array::<4>(), script.array::<4>()].map(Ipv4Addr::from);
    match kind % 5 {
        0 => (Message::Probe { target: a }, Ipv4Addr::UNSPECIFIED),
        1 => (Message::Request { sender: a, target: b }, a),
        2 => (Message::Poll { sender: a, target: b, station: MacAddr(script.array()) }, a),
        3 => (Message::AnnounceRequest { address: a }, a),
        _ => (Message::AnnounceReply { address: a }, a),
    }
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(arp::parse(bytes), reference(bytes));

    let (message, sender) = message(&mut Script::new(bytes));
    let mut buffer = [0xaa; FRAME_LEN + 1];
    assert_eq!(arp::emit(message, OWN_MAC, &mut buffer), Some(FRAME_LEN));
    assert_eq!(buffer[FRAME_LEN], 0xaa, "written past its end");
    let heard = arp::parse(&buffer).expect("what was written is read");
    assert_eq!((heard.mac, heard.ip), (OWN_MAC, sender));
    assert_eq!(heard.reply_to.is_some(), matches!(message, Message::AnnounceReply { .. }));
    assert_eq!(arp::emit(message, OWN_MAC, &mut buffer[..FRAME_LEN - 1]), None, "written where it does not fit");
});
