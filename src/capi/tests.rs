use super::memory::Plain;
use super::*;
use crate::event::{Alert, RoleReason, SwitchRefusal};
use std::boxed::Box;
use std::ffi::CStr;
use std::ptr;
use std::string::String;

fn text(pointer: *const core::ffi::c_char) -> String {
    // SAFETY: the library's texts are C strings that live for ever.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().into()
}

fn storage() -> Box<ucm_ha_node> {
    Box::new(ucm_ha_node { opaque: [0xa5a5_a5a5_a5a5_a5a5; UCM_HA_NODE_WORDS] })
}

fn config() -> ucm_ha_config {
    let mut config = filled(|at| {
        // SAFETY: the pointer is that of a value.
        unsafe { ucm_ha_config_defaults(at) }
    })
    .unwrap();
    config.mac.octets = [2, 0, 0, 0, 0, 1];
    config.cable_mac.octets = [2, 0, 0, 0, 1, 1];
    config.own_ip.octets = [192, 168, 129, 1];
    config.peer_ip.octets = [192, 168, 129, 2];
    config.cluster_ip.octets = [192, 168, 129, 64];
    config
}

/// What `call` writes, or its result code; then it must have written nothing.
fn filled<T: Plain>(call: impl Fn(*mut T) -> i32) -> Result<T, i32> {
    let mut values = [0x5a_u8, 0xa5].map(|paint| {
        let mut value = std::mem::MaybeUninit::<T>::uninit();
        // SAFETY: every pattern of bits is a value.
        unsafe {
            ptr::write_bytes(value.as_mut_ptr(), paint, 1);
            value.assume_init()
        }
    });
    let untouched = values;
    let codes = [call(&mut values[0]), call(&mut values[1])];
    if codes == [UCM_HA_OK; 2] {
        return Ok(values[0]);
    }
    let bytes = |values: &[T; 2]| -> std::vec::Vec<u8> {
        // SAFETY: integers, all written above.
        unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)).to_vec() }
    };
    assert_eq!(bytes(&values), bytes(&untouched), "written in spite of a failure");
    Err(codes[0])
}

fn init(node: &mut ucm_ha_node, version: u32, config: &ucm_ha_config) -> i32 {
    // SAFETY: storage and config are values; there is no record.
    unsafe { ucm_ha_node_init(node, version, config, ptr::null(), 7, 0) }
}

fn running() -> Box<ucm_ha_node> {
    let mut node = storage();
    assert_eq!(init(&mut node, UCM_HA_ABI_VERSION, &config()), UCM_HA_OK);
    node
}

fn status(node: &mut ucm_ha_node) -> Result<ucm_ha_status, i32> {
    let node: *mut ucm_ha_node = node;
    // SAFETY: both are values.
    filled(|at| unsafe { ucm_ha_node_status(node, at) })
}

#[test]
fn storage_that_was_never_initialised_is_refused_whatever_its_bytes() {
    for paint in [0, u64::MAX, 0x5543_4841_5543_4841, 0x4255_5359_4255_5359] {
        let mut node = Box::new(ucm_ha_node { opaque: [paint; UCM_HA_NODE_WORDS] });
        assert_eq!(status(&mut node), Err(UCM_HA_ERR_NOT_INITIALISED));
    }
}

#[test]
fn a_copy_of_a_node_is_no_node() {
    let mut node = running();
    let mut copy = Box::new(ucm_ha_node { opaque: node.opaque });
    assert!(status(&mut node).is_ok());
    assert_eq!(status(&mut copy), Err(UCM_HA_ERR_NOT_INITIALISED));
}

#[test]
fn a_wiped_node_is_no_node_and_leaves_no_byte_behind() {
    let mut node = running();
    // SAFETY: storage.
    assert_eq!(unsafe { ucm_ha_node_wipe(&mut *node) }, UCM_HA_OK);
    assert!(node.opaque.iter().all(|word| *word == 0));
    assert_eq!(status(&mut node), Err(UCM_HA_ERR_NOT_INITIALISED));
}

#[test]
fn a_second_init_restarts_the_node_and_a_failed_one_leaves_it_alone() {
    let mut node = running();
    // SAFETY: storage.
    assert_eq!(unsafe { ucm_ha_node_link(&mut *node, 5, UCM_HA_PORT_LAN, 1) }, UCM_HA_OK);
    assert_eq!(status(&mut node).unwrap().lan_usable, 1);
    let wrong = ucm_ha_config { heartbeat_timeout_s: 2, ..config() };
    assert_eq!(init(&mut node, UCM_HA_ABI_VERSION, &wrong), UCM_HA_ERR_CONFIG_TIMEOUT_OUT_OF_RANGE);
    assert_eq!(status(&mut node).unwrap().lan_usable, 1);
    assert_eq!(init(&mut node, UCM_HA_ABI_VERSION, &config()), UCM_HA_OK);
    assert_eq!(status(&mut node).unwrap().lan_usable, 0);
}

#[test]
fn only_the_same_major_and_a_known_minor_version_of_the_interface_are_taken() {
    let mut node = storage();
    for version in [0, UCM_HA_ABI_VERSION + 1, UCM_HA_ABI_VERSION + 0x1_0000, UCM_HA_ABI_VERSION - 0x1_0000] {
        assert_eq!(init(&mut node, version, &config()), UCM_HA_ERR_ABI_VERSION, "{version:#x}");
    }
    let oldest = UCM_HA_ABI_VERSION & 0xffff_0000;
    for version in oldest..=UCM_HA_ABI_VERSION {
        assert_eq!(init(&mut node, version, &config()), UCM_HA_OK, "{version:#x}");
    }
}

#[test]
fn null_and_misaligned_pointers_are_refused_everywhere() {
    let mut node = running();
    let node: *mut ucm_ha_node = &mut *node;
    let odd = node.cast::<u8>().wrapping_add(1);
    // SAFETY: wrong pointers are what the functions must find.
    unsafe {
        for (bad, code) in [(ptr::null_mut(), UCM_HA_ERR_NULL), (odd, UCM_HA_ERR_MISALIGNED)] {
            assert_eq!(ucm_ha_node_timeout(bad.cast(), 0), code);
            assert_eq!(ucm_ha_node_status(node, bad.cast()), code);
            assert_eq!(ucm_ha_node_next_timeout(node, bad.cast()), code);
            assert_eq!(ucm_ha_config_check(bad.cast()), code);
            assert_eq!(ucm_ha_fxo_faults(bad.cast(), bad.cast()), code);
        }
        assert_eq!(ucm_ha_node_cable_frame(node, 0, ptr::null(), 1), UCM_HA_ERR_NULL);
        assert_eq!(ucm_ha_node_cable_frame(node, 0, ptr::null(), 0), UCM_HA_OK);
        assert_eq!(ucm_ha_node_cable_frame(node, 0, odd, UCM_HA_MAX_INPUT_LEN + 1), UCM_HA_ERR_TOO_LONG);
        assert_eq!(ucm_ha_log_output(ptr::null(), None, ptr::null_mut()), UCM_HA_ERR_NULL);
    }
}

#[test]
fn numbers_that_name_nothing_are_refused() {
    let mut node = running();
    let node: *mut ucm_ha_node = &mut *node;
    // SAFETY: the node is one.
    unsafe {
        assert_eq!(ucm_ha_node_link(node, 0, 0, 1), UCM_HA_ERR_UNKNOWN_VALUE);
        assert_eq!(ucm_ha_node_link(node, 0, UCM_HA_PORT_LAN, 2), UCM_HA_ERR_UNKNOWN_VALUE);
        assert_eq!(ucm_ha_node_address(node, 0, 5), UCM_HA_ERR_UNKNOWN_VALUE);
        assert_eq!(ucm_ha_node_command(node, 0, 255), UCM_HA_ERR_UNKNOWN_VALUE);
        assert_eq!(ucm_ha_node_fault(node, 0, 1 << 31, 1), UCM_HA_ERR_UNKNOWN_VALUE);
        assert_eq!(ucm_ha_node_persisted(node, 0, 255), UCM_HA_ERR_UNKNOWN_VALUE);
    }
    let changes: [fn(&mut ucm_ha_config); 6] = [
        |config| config.enabled = 2,
        |config| config.model = 0,
        |config| config.station_type = 0,
        |config| config.network_method = 3,
        |config| config.switching_faults = u32::MAX,
        |config| config.has_key = 7,
    ];
    for change in changes {
        let mut config = config();
        change(&mut config);
        // SAFETY: a value.
        assert_eq!(unsafe { ucm_ha_config_check(&config) }, UCM_HA_ERR_UNKNOWN_VALUE);
    }
}

#[test]
fn a_short_frame_buffer_loses_no_effect() {
    let mut node = running();
    let node: *mut ucm_ha_node = &mut *node;
    let mut frame = [0; UCM_HA_FRAME_CAPACITY];
    let frame: *mut u8 = frame.as_mut_ptr();
    // SAFETY: the buffer has the size that is told, or more.
    let poll = |size| filled(|at| unsafe { ucm_ha_node_poll_output(node, frame, size, at) });
    assert_eq!(poll(UCM_HA_FRAME_CAPACITY - 1), Err(UCM_HA_ERR_TOO_SHORT));
    assert_eq!(poll(UCM_HA_FRAME_CAPACITY).unwrap().kind, UCM_HA_OUTPUT_RELEASE_ADDRESS);
}

#[test]
fn every_result_code_has_a_text_of_its_own() {
    let unknown = text(ucm_ha_result_text(1));
    let mut seen = std::collections::BTreeSet::new();
    for code in (-13..=0).chain(-120..=-100) {
        let text = text(ucm_ha_result_text(code));
        assert_ne!(text, unknown, "{code}");
        assert!(seen.insert(text), "{code}");
    }
    let example = text(ucm_ha_result_text(UCM_HA_ERR_CONFIG_TIMEOUT_OUT_OF_RANGE));
    assert_eq!(example, "heartbeat_timeout_s must be 3 to 10 seconds");
}

#[test]
fn the_defaults_are_those_of_the_rust_interface() {
    use crate::types::{Cidr, MacAddr, StationType};
    let nowhere = Cidr { address: core::net::Ipv4Addr::UNSPECIFIED, prefix_len: 24 };
    let (mac, station_type) = (MacAddr::default(), StationType::Primary);
    let core = crate::Config::new(station_type, mac, mac, nowhere, nowhere, nowhere.address);
    // SAFETY: the pointer is that of a value.
    let own = filled(|at| unsafe { ucm_ha_config_defaults(at) }).unwrap();
    assert_eq!(std::format!("{:?}", own.to_core().unwrap()), std::format!("{core:?}"));
}

#[test]
fn a_model_has_the_number_of_its_heartbeat_id() {
    for model in crate::types::Model::ALL {
        assert_eq!(numbered::Numbered::number(model), model.id(), "{model:?}");
    }
}

/// The constants of the C header with this prefix, and their values, which may be bits.
fn constants(prefix: &'static str) -> impl Iterator<Item = (String, u32)> {
    let header = include_str!("../../include/ucm_ha.h");
    let defines =
        header.lines().filter_map(move |line| line.strip_prefix("#define ")?.strip_prefix(prefix)?.split_once(' '));
    defines.map(|(name, value)| (name.to_ascii_lowercase(), number(value)))
}

fn number(value: &str) -> u32 {
    let bit = value.strip_prefix("(1u << ").and_then(|value| value.strip_suffix(')'));
    bit.map_or_else(|| value.parse().expect("a number"), |place| 1 << place.parse::<u32>().expect("a place"))
}

/// What the constants count is also what `ALL` lists: the tables of values.rs have a row, and a constant, for every value.
#[test]
fn every_constant_of_the_header_that_has_a_name_has_its_own() {
    type Name = extern "C" fn(u8) -> *const core::ffi::c_char;
    let families: [(&str, Name, usize); 5] = [
        ("UCM_HA_ROLE_", ucm_ha_role_name, 6),
        ("UCM_HA_REASON_", ucm_ha_reason_name, RoleReason::ALL.len()),
        ("UCM_HA_REFUSAL_", ucm_ha_refusal_name, SwitchRefusal::ALL.len() + 1),
        ("UCM_HA_ALERT_", ucm_ha_alert_name, Alert::ALL.len()),
        ("UCM_HA_OUTPUT_", ucm_ha_output_name, 15),
    ];
    for (prefix, name_of, count) in families {
        let named = constants(prefix).inspect(|(name, value)| {
            assert_eq!(text(name_of(u8::try_from(*value).unwrap())), *name, "{prefix}");
        });
        assert_eq!(named.count(), count, "{prefix}");
        assert_eq!(text(name_of(255)), "unknown", "{prefix}");
    }
    assert_eq!(text(ucm_ha_reason_name(0)), "unknown");
}

#[test]
fn every_fault_has_its_name_and_several_have_none() {
    for (name, bit) in constants("UCM_HA_FAULT_") {
        assert_eq!(text(ucm_ha_fault_name(bit)), name);
    }
    for bits in [0, 3, UCM_HA_FAULT_ADDRESS << 1, 1 << 31, u32::MAX] {
        assert_eq!(text(ucm_ha_fault_name(bits)), "unknown", "{bits:#x}");
    }
}

#[test]
fn every_state_of_an_fxo_port_has_its_name() {
    let sizes = |name: &str| name.starts_with("notice_") || name == "size" || name == "words";
    let states: std::vec::Vec<_> = constants("UCM_HA_FXO_").filter(|(name, _)| !sizes(name)).collect();
    assert_eq!(states.len(), 17);
    for (name, state) in states {
        assert_eq!(text(ucm_ha_fxo_state_name(u8::try_from(state).unwrap())), name);
    }
    for state in [9, 15, 24, 255] {
        assert_eq!(text(ucm_ha_fxo_state_name(state)), "unknown", "{state}");
    }
}

/// A callback that calls back into the storage it is polled from.
unsafe extern "C" fn reentering(context: *mut core::ffi::c_void, _data: *mut u8, _len: usize) -> i32 {
    let mut faults = 0;
    // SAFETY: the context is the storage; the call must find out that it is in use.
    let code = unsafe { ucm_ha_fxo_faults(context.cast(), &mut faults) };
    if code == UCM_HA_ERR_BUSY { UCM_HA_SPI_OK } else { UCM_HA_SPI_OTHER }
}

#[test]
fn a_callback_that_calls_back_is_told_that_the_storage_is_busy() {
    let mut fxo = Box::new(ucm_ha_fxo { opaque: [0; UCM_HA_FXO_WORDS] });
    let fxo: *mut ucm_ha_fxo = &mut *fxo;
    // SAFETY: both are values.
    unsafe {
        let config = filled(|at| ucm_ha_fxo_config_defaults(at)).unwrap();
        let code = ucm_ha_fxo_init_si3050(fxo, UCM_HA_ABI_VERSION, &config, Some(reentering), fxo.cast());
        assert_eq!(code, UCM_HA_OK);
        let update = filled(|at| ucm_ha_fxo_poll(fxo, 0, at)).unwrap();
        // Echoed bytes are no answer of a chip; a refusal other than "busy" would be an error of the bus.
        assert_eq!((update.changed, update.seen), (1, UCM_HA_FXO_FAULT_NO_ANSWER), "{update:?}");
    }
}

/// A line that is low for port 3 and high for others.
unsafe extern "C" fn port_3_is_low(_context: *mut core::ffi::c_void, line: u8) -> i32 {
    i32::from(line != 3)
}

#[test]
fn fault_lines_are_counted_over_the_whole_machine() {
    let mut fxo = Box::new(ucm_ha_fxo { opaque: [0; UCM_HA_FXO_WORDS] });
    let fxo: *mut ucm_ha_fxo = &mut *fxo;
    let read: ucm_ha_line_read = Some(port_3_is_low);
    // SAFETY: all pointers are those of values.
    unsafe {
        let mut config = filled(|at| ucm_ha_fxo_config_defaults(at)).unwrap();
        (config.first_port, config.ports) = (2, 7);
        let init = |config: &ucm_ha_fxo_config| {
            ucm_ha_fxo_init_fault_lines(fxo, UCM_HA_ABI_VERSION, config, read, ptr::null_mut())
        };
        assert_eq!(init(&config), UCM_HA_ERR_PORT_COUNT);
        config.ports = 2;
        assert_eq!(init(&config), UCM_HA_OK);
        let mut raised = std::vec::Vec::new();
        for ms in 0..1000 {
            let mut update = ucm_ha_fxo_update::default();
            assert_eq!(ucm_ha_fxo_poll(fxo, ms * 1000, &mut update), UCM_HA_OK);
            if update.fault_edge == UCM_HA_EDGE_RAISED {
                raised.push((update.port, update.faults, update.seen));
            }
        }
        assert_eq!(raised, [(3, UCM_HA_FAULT_FXO4, UCM_HA_FXO_FAULT_LINE)]);
        assert_eq!(filled(|at| ucm_ha_fxo_faults(fxo, at)), Ok(UCM_HA_FAULT_FXO4));
        assert_eq!(filled(|at| ucm_ha_fxo_port_status(fxo, 3, at)).map(|port| port.raised), Ok(1));
        assert_eq!(filled(|at| ucm_ha_fxo_port_status(fxo, 4, at)).err(), Some(UCM_HA_ERR_NO_SUCH_PORT));
    }
}
