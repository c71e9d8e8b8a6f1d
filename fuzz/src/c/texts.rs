//! Functions without storage: texts, names, settings, lines of a log.

use super::place::{At, Place, Wrongs, output};
use crate::script::Script;
use core::ffi::{CStr, c_char, c_void};
use ucm_ha::capi::*;

/// What stands at a C string of the library's.
pub(super) fn text(at: *const c_char) -> &'static str {
    assert!(!at.is_null());
    // SAFETY: the strings live for ever and end with NUL.
    let text = unsafe { CStr::from_ptr(at) }.to_str().expect("plain ASCII");
    assert!(!text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
    text
}

pub(super) fn call(script: &mut Script<'_>) {
    match script.byte() % 4 {
        0 => names(script),
        1 => log(script),
        2 => check(script),
        _ => defaults(script),
    }
}

fn names(script: &mut Script<'_>) {
    let number = script.byte();
    for name in [
        ucm_ha_role_name,
        ucm_ha_reason_name,
        ucm_ha_refusal_name,
        ucm_ha_alert_name,
        ucm_ha_output_name,
        ucm_ha_fxo_state_name,
    ] {
        text(name(number));
    }
    text(ucm_ha_fault_name(u32::from_be_bytes(script.array())));
    let result = i32::from_be_bytes(script.array());
    let known = (-13..=0).contains(&result) || (-120..=-100).contains(&result);
    assert_eq!(text(ucm_ha_result_text(result)) != "unknown result code", known, "{result}");
    assert_eq!(text(ucm_ha_library_version()), env!("CARGO_PKG_VERSION"));
}

/// Settings of any bytes: the check says the same each time, of a known code.
fn check(script: &mut Script<'_>) {
    let bytes: [u8; size_of::<ucm_ha_config>()] = script.array();
    // SAFETY: integers only, and as many bytes.
    let config: ucm_ha_config = unsafe { core::mem::transmute(bytes) };
    let (at, mut place) = (At::chosen(script), Place::holding(config));
    let before = place.words().to_vec();
    let pointer = place.pointer(at);
    // SAFETY: NULL, misaligned, or a value.
    let codes = [(); 2].map(|()| unsafe { ucm_ha_config_check(pointer) });
    assert_eq!(codes[0], codes[1]);
    let mut wrongs = Wrongs::default();
    wrongs.note_pointer::<ucm_ha_config>(at);
    if at == At::Right {
        let known = codes[0] == UCM_HA_OK || codes[0] == UCM_HA_ERR_UNKNOWN_VALUE || (-120..=-100).contains(&codes[0]);
        assert!(known, "{}", codes[0]);
    } else {
        wrongs.judge(codes[0]);
    }
    assert_eq!(before, place.words(), "the caller's settings are written");
}

fn defaults(script: &mut Script<'_>) {
    let (at, paint) = (At::chosen(script), script.byte());
    // SAFETY: NULL, misaligned, or memory of the type.
    let config = output(at, paint, Wrongs::default(), |config| unsafe { ucm_ha_config_defaults(config) });
    if let Some(config) = config {
        assert_eq!((config.heartbeat_timeout_s, config.reserved, config.reserved_end), (7, 0, [0; 2]));
    }
    // SAFETY: as above.
    let fxo = output(at, paint, Wrongs::default(), |config| unsafe { ucm_ha_fxo_config_defaults(config) });
    assert!(fxo.is_none_or(|config| config.interval_ms > 0 && config.quiet_interval_ms > 0));
}

/// How often it was called, and the only context it may be given.
unsafe extern "C" fn count_line(context: *mut c_void, level: u8, line: *const c_char) {
    assert!(matches!(level, UCM_HA_LOG_INFO | UCM_HA_LOG_WARNING), "level {level}");
    assert!(text(line).len() < UCM_HA_LOG_CAPACITY);
    // SAFETY: the context below.
    unsafe { *context.cast::<u32>() += 1 };
}

/// An effect of any bytes, with numbers that name nothing.
fn log(script: &mut Script<'_>) {
    let at = At::chosen(script);
    let callback: ucm_ha_log_line = if script.byte() == 0xff { None } else { Some(count_line) };
    let mut bytes: [u8; size_of::<ucm_ha_output>()] = script.array();
    let kind = core::mem::offset_of!(ucm_ha_output, kind);
    bytes[kind] %= 20;
    // SAFETY: integers only, and as many bytes.
    let effect: ucm_ha_output = unsafe { core::mem::transmute(bytes) };
    let mut wrongs = Wrongs::default();
    wrongs.note_pointer::<ucm_ha_output>(at);
    wrongs.note(callback.is_none(), UCM_HA_ERR_NULL);
    let mut lines = 0_u32;
    let mut place = Place::holding(effect);
    // SAFETY: NULL, misaligned, or a value; the callback is given its context.
    let code = unsafe { ucm_ha_log_output(place.pointer(at), callback, (&raw mut lines).cast()) };
    let worth_a_line = matches!(
        effect.kind,
        UCM_HA_OUTPUT_ROLE_CHANGED
            | UCM_HA_OUTPUT_ALERT
            | UCM_HA_OUTPUT_FAULT_CHANGED
            | UCM_HA_OUTPUT_SWITCH_DONE
            | UCM_HA_OUTPUT_REBOOT
            | UCM_HA_OUTPUT_STOPPED
    );
    let done = wrongs.judge(code);
    assert_eq!(lines, u32::from(done && worth_a_line));
}
