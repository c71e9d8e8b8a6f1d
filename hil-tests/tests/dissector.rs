//! The Wireshark dissector on the golden frames of the protocol's documentation.

use pcap_file::DataLink;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr,
    UdpPacket, UdpRepr,
};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PROTOCOL: &str = include_str!("../../docs/protocol.md");
const DISSECTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/wireshark/ucm-ha.lua");
const HEARTBEAT_PORT: u16 = 9527;

/// The frame of this name in the documentation.
fn golden(name: &str) -> Vec<u8> {
    let (_, rest) = PROTOCOL.split_once(&format!("```golden {name}\n")).expect("the frame is documented");
    let (hex, _) = rest.split_once("```").expect("the frame ends");
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal")).collect()
}

/// The frame as it is on the cable, sent to `port`.
fn on_the_cable(heartbeat: &[u8], port: u16) -> Vec<u8> {
    let (source, target) = (Ipv4Address::new(169, 254, 0x73, 0x6c), Ipv4Address::BROADCAST);
    let udp = UdpRepr { src_port: port, dst_port: port };
    let payload_len = udp.header_len() + heartbeat.len();
    let ip = Ipv4Repr { src_addr: source, dst_addr: target, next_header: IpProtocol::Udp, payload_len, hop_limit: 1 };
    let mac = EthernetAddress([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6d]);
    let ethernet =
        EthernetRepr { src_addr: mac, dst_addr: EthernetAddress::BROADCAST, ethertype: EthernetProtocol::Ipv4 };
    let mut buffer = vec![0; ethernet.buffer_len() + ip.buffer_len() + payload_len];
    let checksums = ChecksumCapabilities::default();
    let mut frame = EthernetFrame::new_unchecked(&mut buffer);
    ethernet.emit(&mut frame);
    let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
    ip.emit(&mut packet, &checksums);
    udp.emit(
        &mut UdpPacket::new_unchecked(packet.payload_mut()),
        &source.into(),
        &target.into(),
        heartbeat.len(),
        |payload| payload.copy_from_slice(heartbeat),
        &checksums,
    );
    buffer
}

fn capture_of(name: &str, frames: &[Vec<u8>]) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pcap"));
    let output = std::fs::File::create(&file).expect("the capture can be written");
    let header = PcapHeader { datalink: DataLink::ETHERNET, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(output, header).expect("the header can be written");
    for frame in frames {
        let len = u32::try_from(frame.len()).expect("frames are short");
        writer.write_packet(&PcapPacket::new(Duration::from_secs(1), len, frame)).expect("a frame can be written");
    }
    file
}

/// What tshark finds in these fields, a line for each frame, values separated by `|`. `None` where there is no tshark.
fn dissected(name: &str, frames: &[Vec<u8>], fields: &[&str]) -> Option<String> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-X", &format!("lua_script:{DISSECTOR}"), "-n", "-r"]).arg(capture_of(name, frames));
    tshark.args(["-T", "fields", "-E", "separator=|"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = match tshark.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: no tshark (package tshark)");
            return None;
        }
        outcome => outcome.expect("tshark runs"),
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("ucm-ha.lua"), "{errors}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn every_field_of_a_request_has_its_name_and_value() {
    let fields = [
        "_ws.col.Protocol",
        "ucmha.magic",
        "ucmha.version",
        "ucmha.highest_version",
        "ucmha.length",
        "ucmha.kind",
        "ucmha.path",
        "ucmha.role",
        "ucmha.station_type",
        "ucmha.mac",
        "ucmha.model",
        "ucmha.boot_id",
        "ucmha.sequence",
        "ucmha.echo.boot_id",
        "ucmha.echo.sequence",
        "ucmha.term",
        "ucmha.readiness",
        "ucmha.signal",
        "ucmha.signal.detail",
        "ucmha.signal.term",
        "ucmha.faults",
        "ucmha.firmware",
        "ucmha.settings_digest",
        "ucmha.sync_generation",
        "ucmha.timeout",
        "ucmha.flags",
        "ucmha.conditions",
        "ucmha.condition.draining",
        "ucmha.condition.maintenance",
        "ucmha.own_ip",
        "ucmha.cluster_ip",
        "ucmha.data_epoch",
        "ucmha.crc",
    ];
    let Some(line) = dissected("request", &[on_the_cable(&golden("request"), HEARTBEAT_PORT)], &fields) else { return };
    let expected = "UCM-HA|UCHA|1|1|92|1|1|2|2|c0:74:ad:53:73:6c|7|0x11223344|5000000|0x55667788|9000123|5|0x177f|0|0|0\
                    |0x00000000|1.0.10.2|0xdeadbeef|42|7|0x00|0x0085|1|0\
                    |192.168.129.43|192.168.129.64|3|0xbf955be3\n";
    assert_eq!(line, expected);
}

#[test]
fn the_bits_of_a_handover_are_named() {
    let fields = [
        "ucmha.role",
        "ucmha.signal",
        "ucmha.signal.detail",
        "ucmha.signal.term",
        "ucmha.fault.fxo1",
        "ucmha.fault.lan",
        "ucmha.readiness.healthy",
        "ucmha.readiness.last_active",
        "_ws.col.Info",
    ];
    let Some(line) = dissected("handover", &[on_the_cable(&golden("handover-0.1"), HEARTBEAT_PORT)], &fields) else {
        return;
    };
    assert_eq!(line, "4|1|1|6|1|0|0|1|Request, Active, term 5, Handover 6\n");
}

#[test]
fn codes_and_extensions_are_told_apart() {
    let frames = ["request", "request-authenticated", "extended", "request-0.1", "request-0.1-authenticated"]
        .map(|name| on_the_cable(&golden(name), HEARTBEAT_PORT));
    let fields = ["ucmha.flags.authenticated", "ucmha.data_epoch", "ucmha.extension", "ucmha.crc", "ucmha.code"];
    let Some(lines) = dissected("trailers", &frames, &fields) else { return };
    let expected = "0|3||0xbf955be3|\n\
                    1|3||0xb995f894|f1d0dce4d198514c4a389045cc3c5f2e\n\
                    0|3|0102030405060708|0x04059b1c|\n\
                    0|||0xdd6ebc7d|\n\
                    1|||0x9beadd94|00c0d53810354dde6dc246a14418cf2d\n";
    assert_eq!(lines, expected);
}

#[test]
fn a_heartbeat_on_another_port_is_found_by_its_magic_number() {
    let Some(line) = dissected("port", &[on_the_cable(&golden("request"), 12345)], &["ucmha.term"]) else { return };
    assert_eq!(line, "5\n");
}

#[test]
fn a_frame_that_is_cut_short_is_malformed_and_a_later_version_is_said_to_be_one() {
    let request = golden("request");
    let mut later = request.clone();
    later[4] = 2;
    let frames = [on_the_cable(&request[..60], HEARTBEAT_PORT), on_the_cable(&later, HEARTBEAT_PORT)];
    let Some(lines) = dissected("bad", &frames, &["_ws.expert.message", "ucmha.term"]) else { return };
    let lines: Vec<&str> = lines.lines().collect();
    assert!(
        matches!(lines[..], [cut, other] if cut.ends_with("Malformed heartbeat|")
        && other.ends_with("Version this dissector does not know|")),
        "{lines:?}"
    );
}
