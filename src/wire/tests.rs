use super::*;
use crate::types::{Key, Model};
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;

const PROTOCOL: &str = include_str!("../../docs/protocol.md");

fn key() -> Authenticator {
    Authenticator::new(&Key(core::array::from_fn(|i| i as u8)))
}

/// The bytes of the golden frame `name` in `docs/protocol.md`.
fn golden(name: &str) -> Vec<u8> {
    let start = PROTOCOL.find(&std::format!("```golden {name}\n")).expect("the document has the frame");
    let body = PROTOCOL[start..].split_once('\n').expect("a body").1;
    let hex: String = body.split_once("```").expect("an end").0.split_whitespace().collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| std::format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n").to_string()
}

fn standby_asks() -> Repr {
    Repr {
        version_max: 1,
        kind: Kind::Request,
        path: Path::Cable,
        role: Role::Standby,
        station_type: StationType::Secondary,
        mac: MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6c]),
        model: Model::Ucm6304A.id(),
        boot_id: 0x1122_3344,
        sequence: 5_000_000,
        echo_boot_id: 0x5566_7788,
        echo_sequence: 9_000_123,
        term: 5,
        readiness: Readiness::HEALTHY
            | Readiness::IN_SYNC
            | Readiness::WILLING
            | Readiness::GATEWAY_SEEN
            | Readiness::LAN_USABLE
            | Readiness::CABLE_CARRIER
            | Readiness::LAN_CARRIER
            | Readiness::GATEWAY_CONFIGURED
            | Readiness::FAST_FAILOVER
            | Readiness::ECHO_COUNTED
            | Readiness::ENABLED,
        signal: Signal::None,
        faults: Faults::empty(),
        firmware: Firmware([1, 0, 10, 2]),
        digest: 0xdead_beef,
        sync_generation: 42,
        timeout_s: 7,
        conditions: Conditions::empty(),
        extension: None,
    }
}

/// The same, of a node that says which pair it belongs to.
fn standby_of_a_pair() -> Repr {
    Repr {
        conditions: Conditions::WITNESS_CONFIGURED | Conditions::FAST_ARMED | Conditions::DRAINING,
        extension: Some(Extension {
            own_ip: Ipv4Addr::new(192, 168, 129, 43),
            cluster_ip: Ipv4Addr::new(192, 168, 129, 64),
            data_epoch: 3,
        }),
        ..standby_asks()
    }
}

fn active_offers() -> Repr {
    Repr {
        kind: Kind::Request,
        path: Path::Lan,
        role: Role::Active,
        station_type: StationType::Primary,
        mac: MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x72]),
        boot_id: 0x5566_7788,
        sequence: 9_050_000,
        echo_boot_id: 0x1122_3344,
        echo_sequence: 5_000_000,
        readiness: standby_asks().readiness.difference(Readiness::HEALTHY).union(Readiness::LAST_ACTIVE),
        signal: Signal::Handover { term: 6, reason: HandoverReason::SelfFault },
        faults: Faults::FXO1,
        ..standby_asks()
    }
}

fn emitted(repr: &Repr, key: Option<&Authenticator>) -> Vec<u8> {
    let mut buffer = [0; MAX_EMIT_LEN];
    let length = repr.emit(key, &mut buffer).expect("the buffer is long enough");
    buffer[..length].to_vec()
}

#[test]
fn golden_frames_are_written_and_read_to_the_byte() {
    let key = key();
    for (name, repr, key) in [
        ("request", standby_of_a_pair(), None),
        ("request-authenticated", standby_of_a_pair(), Some(&key)),
        ("request-0.1", standby_asks(), None),
        ("request-0.1-authenticated", standby_asks(), Some(&key)),
        ("handover-0.1", active_offers(), None),
    ] {
        let bytes = emitted(&repr, key);
        assert_eq!(hex(&bytes), hex(&golden(name)), "golden frame {name}");
        assert_eq!(Repr::parse(&bytes, key), Ok(repr), "golden frame {name}");
    }
}

#[test]
fn a_frame_of_the_next_version_that_still_speaks_ours_is_read_without_its_new_fields() {
    let frame = golden("extended");
    assert_eq!(frame.len(), FIXED_LEN + EXTENSION_LEN + 8 + CRC_LEN);
    assert_eq!(Repr::parse(&frame, None), Ok(Repr { version_max: 2, ..standby_of_a_pair() }));
}

#[test]
fn an_extension_that_is_too_short_for_its_fields_says_nothing() {
    for length in 1..EXTENSION_LEN {
        let mut frame = golden("request-0.1");
        frame.truncate(FIXED_LEN);
        frame.extend(std::iter::repeat_n(0xc0, length));
        frame[field::LENGTH.end - 1] = (FIXED_LEN + length + CRC_LEN) as u8;
        frame.extend(CRC.checksum(&frame).to_be_bytes());
        assert_eq!(Repr::parse(&frame, None), Ok(standby_asks()), "{length} bytes");
    }
}

#[test]
fn a_frame_in_the_next_layout_is_an_unknown_version_not_damage() {
    let mut frame = golden("request-0.1");
    frame[4] = 2;
    assert_eq!(Repr::parse(&frame, None), Err(FrameError::UnknownVersion));
}

#[test]
fn with_a_key_a_frame_without_a_code_is_not_authentic_and_the_other_way_round() {
    let key = key();
    assert_eq!(Repr::parse(&golden("request-0.1"), Some(&key)), Err(FrameError::Unauthentic));
    assert_eq!(Repr::parse(&golden("request-0.1-authenticated"), None), Err(FrameError::Unauthentic));
    let other = Authenticator::new(&Key([9; 32]));
    assert_eq!(Repr::parse(&golden("request-0.1-authenticated"), Some(&other)), Err(FrameError::Unauthentic));
}

#[test]
fn no_flipped_bit_and_no_truncation_passes() {
    let key = key();
    for (name, key) in [
        ("request", None),
        ("request-authenticated", Some(&key)),
        ("request-0.1", None),
        ("request-0.1-authenticated", Some(&key)),
    ] {
        let frame = golden(name);
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Repr::parse(&damaged, key).is_err(), "{name}, bit {bit}");
        }
        for length in 0..frame.len() {
            assert_eq!(Repr::parse(&frame[..length], key), Err(FrameError::Malformed), "{name} cut to {length}");
        }
    }
}

/// `frame` with byte `at` replaced and its CRC made right again: only the field is wrong.
fn with_byte(frame: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at] = value;
    let crc = CRC.checksum(&frame[..FIXED_LEN]).to_be_bytes();
    frame[FIXED_LEN..].copy_from_slice(&crc);
    frame
}

#[test]
fn values_that_no_sender_writes_are_malformed() {
    let frame = golden("request-0.1");
    let unknown = [
        (field::MAGIC.start, b'X'),
        (field::LENGTH.end - 1, FIXED_LEN as u8 + CRC_LEN as u8 + 1),
        (field::KIND, 3),
        (field::PATH, 0),
        (field::ROLE, 6),
        (field::STATION_TYPE, 0),
        (field::SIGNAL, 7),
        (field::TIMEOUT_S, 2),
        (field::TIMEOUT_S, 11),
    ];
    for (at, value) in unknown {
        let bytes = with_byte(&frame, at, value);
        assert_eq!(Repr::parse(&bytes, None), Err(FrameError::Malformed), "byte {at} = {value}");
    }
    let offer = golden("handover-0.1");
    assert!(Repr::parse(&with_byte(&offer, field::SIGNAL_DETAIL, 2), None).is_ok());
    assert_eq!(Repr::parse(&with_byte(&offer, field::SIGNAL_DETAIL, 9), None), Err(FrameError::Malformed));
}

/// `frame` with unknown bytes before its CRC, `length` bytes in all.
fn lengthened(frame: &[u8], length: u16) -> Vec<u8> {
    let mut longer = frame[..FIXED_LEN].to_vec();
    longer[field::LENGTH].copy_from_slice(&length.to_be_bytes());
    longer.resize(usize::from(length) - CRC_LEN, 0xee);
    longer.extend(CRC.checksum(&longer).to_be_bytes());
    longer
}

#[test]
fn a_frame_may_be_as_long_as_the_document_allows_and_no_longer() {
    let frame = golden("request-0.1");
    for length in [81, 512, 1024] {
        let read = Repr::parse(&lengthened(&frame, length), None).expect("a heartbeat");
        assert_eq!(Repr { extension: None, ..read }, standby_asks(), "{length} bytes");
    }
    assert_eq!(Repr::parse(&lengthened(&frame, 1025), None), Err(FrameError::Malformed));
}

#[test]
fn unknown_bits_are_ignored() {
    let frame = with_byte(&with_byte(&golden("request-0.1"), 74, 0xff), field::READINESS.start, 0xf6);
    assert!(Repr::parse(&frame, None).is_ok());
    assert!(Repr::parse(&with_byte(&frame, field::FLAGS, !FLAG_AUTHENTICATED), None).is_ok());
}

#[test]
fn a_buffer_that_is_too_short_is_not_written_past() {
    for length in 0..MAX_EMIT_LEN {
        assert_eq!(standby_of_a_pair().emit(Some(&key()), &mut std::vec![0; length]), None);
    }
}

fn any_signal() -> impl Strategy<Value = Signal> {
    let reason =
        prop_oneof![Just(HandoverReason::SelfFault), Just(HandoverReason::Forced), Just(HandoverReason::Shutdown)];
    let refuse = prop_oneof![
        Just(RefuseReason::Unhealthy),
        Just(RefuseReason::Syncing),
        Just(RefuseReason::NotStandby),
        Just(RefuseReason::AddressFailed)
    ];
    (any::<u32>(), 0..7_u8, reason, refuse).prop_map(|(term, kind, reason, refuse)| match kind {
        0 => Signal::None,
        1 => Signal::Handover { term, reason },
        2 => Signal::Accept { term },
        3 => Signal::Refuse { term, reason: refuse },
        4 => Signal::Released { term, reason },
        5 => Signal::Intent { term },
        _ => Signal::Grant { term },
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        (role, primary, response, lan) in (0..6_u8, any::<bool>(), any::<bool>(), any::<bool>()),
        mac in any::<[u8; 6]>(),
        (boot_id, sequence, echo_boot_id, echo_sequence) in (1..u32::MAX, any::<u64>(), any::<u32>(), any::<u64>()),
        (term, model, digest, sync_generation) in any::<(u32, u16, u32, u32)>(),
        (readiness, faults, firmware) in any::<(u16, u32, [u8; 4])>(),
        signal in any_signal(),
        timeout_s in 3..=10_u8,
        conditions in any::<u16>(),
        extension in any::<Option<(u32, u32, u32)>>(),
        keyed in any::<bool>(),
    ) {
        let repr = Repr {
            version_max: VERSION,
            kind: if response { Kind::Response } else { Kind::Request },
            path: if lan { Path::Lan } else { Path::Cable },
            role: role_from_wire(role).expect("in range"),
            station_type: if primary { StationType::Primary } else { StationType::Secondary },
            mac: MacAddr(mac),
            model, boot_id, sequence, echo_boot_id, echo_sequence, term,
            readiness: Readiness::from_bits_truncate(readiness),
            signal,
            faults: Faults::from_bits_truncate(faults),
            firmware: Firmware(firmware),
            digest, sync_generation, timeout_s,
            conditions: Conditions::from_bits_truncate(conditions),
            extension: extension.map(|(own, cluster, data_epoch)| Extension {
                own_ip: own.into(),
                cluster_ip: cluster.into(),
                data_epoch,
            }),
        };
        let key = key();
        let key = keyed.then_some(&key);
        prop_assert_eq!(Repr::parse(&emitted(&repr, key), key), Ok(repr));
    }

    #[test]
    fn no_bytes_bring_the_parser_down(bytes in proptest::collection::vec(any::<u8>(), 0..200), keyed in any::<bool>()) {
        let key = key();
        let parsed = Repr::parse(&bytes, keyed.then_some(&key));
        prop_assert!(parsed.is_err(), "random bytes pass a CRC once in four billion times");
    }
}
