//! Whole Ethernet frames on the heartbeat port: as they are, and with the IPv4 checksum made right.
//!
//! What is read lies within the frame and within what the headers say; what is written is read, at its own port alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoltcp::wire::{ETHERNET_HEADER_LEN, Ipv4Packet};
use ucm_ha::config::DEFAULT_HEARTBEAT_PORT;
use ucm_ha::wire::Repr;
use ucm_ha::wire::cable;
use ucm_ha_fuzz::peer::cable_frame;

/// Longest payload of an Ethernet frame with these headers, in bytes.
const MAX_PAYLOAD_LEN: usize = 1472;

fn read(bytes: &[u8]) {
    let Some(payload) = cable::parse(bytes, DEFAULT_HEARTBEAT_PORT) else { return };
    let within = bytes.as_ptr_range();
    assert!(within.contains(&payload.as_ptr()) || payload.is_empty());
    assert!(payload.len() + cable::HEADER_LEN <= bytes.len());
    assert_eq!(cable::parse(bytes, DEFAULT_HEARTBEAT_PORT + 1), None, "a datagram for two ports");
    let padded = [bytes, &[0; 18]].concat();
    assert_eq!(cable::parse(&padded, DEFAULT_HEARTBEAT_PORT), Some(payload), "padding is no payload");
    let _ = Repr::parse(payload, None);
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let mut frame = bytes.to_vec();
    if let Some(packet) = frame.get_mut(ETHERNET_HEADER_LEN..)
        && let Ok(mut packet) = Ipv4Packet::new_checked(packet)
    {
        packet.fill_checksum();
        read(&frame);
    }

    let payload = &bytes[..bytes.len().min(MAX_PAYLOAD_LEN)];
    let frame = cable_frame(payload);
    assert_eq!(cable::parse(&frame, DEFAULT_HEARTBEAT_PORT), Some(payload));
    assert_eq!(cable::parse(&frame[..frame.len() - 1], DEFAULT_HEARTBEAT_PORT), None, "a byte too few");
});
