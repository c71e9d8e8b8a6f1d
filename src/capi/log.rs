//! One line of text for each effect that an operator wants to read about. Without `core::fmt`, which would bring its own
//! panics into an image.

use super::memory;
use super::names::{ucm_ha_alert_name, ucm_ha_reason_name, ucm_ha_refusal_name, ucm_ha_role_name};
use super::output::{
    UCM_HA_OUTPUT_ALERT, UCM_HA_OUTPUT_FAULT_CHANGED, UCM_HA_OUTPUT_REBOOT, UCM_HA_OUTPUT_ROLE_CHANGED,
    UCM_HA_OUTPUT_STOPPED, UCM_HA_OUTPUT_SWITCH_DONE, ucm_ha_output,
};
use super::result::{Failure, UCM_HA_ERR_NULL, code};
use super::values::UCM_HA_REFUSAL_NONE;
use core::ffi::{CStr, c_char, c_void};

/// Size of the longest line, in bytes, its NUL included.
pub const UCM_HA_LOG_CAPACITY: usize = 80;

/// Something happened that is meant to happen.
pub const UCM_HA_LOG_INFO: u8 = 1;
/// Something wants the operator's attention.
pub const UCM_HA_LOG_WARNING: u8 = 2;

/// Takes a line of a log: level is UCM_HA_LOG_*; line is English, ends with NUL without a line end, and is gone when the
/// callback returns.
pub type ucm_ha_log_line = Option<unsafe extern "C" fn(context: *mut c_void, level: u8, line: *const c_char)>;

/// Calls log with one line about output if it is of a kind that an operator wants to read about (role, alert, fault, switch,
/// reboot, stop), and not at all if it is of another kind. context is handed to log.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; nothing is called.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_log_output(
    output: *const ucm_ha_output,
    log: ucm_ha_log_line,
    context: *mut c_void,
) -> i32 {
    // SAFETY: promised by the caller.
    let logged = unsafe { memory::read(output) }.and_then(|output| {
        let log = log.ok_or(Failure::new(UCM_HA_ERR_NULL))?;
        if let Some((level, mut line)) = describe(&output) {
            // SAFETY: whoever gave the callback promised that it can be called so.
            unsafe { log(context, level, line.ended()) };
        }
        Ok(())
    });
    code(logged)
}

fn describe(output: &ucm_ha_output) -> Option<(u8, Line)> {
    let mut line = Line { bytes: [0; UCM_HA_LOG_CAPACITY], len: 0 };
    let bad = |bad| if bad { UCM_HA_LOG_WARNING } else { UCM_HA_LOG_INFO };
    let raised = if output.raised == 0 { c" cleared" } else { c" raised" };
    let level = match output.kind {
        UCM_HA_OUTPUT_ROLE_CHANGED => {
            line.name(ucm_ha_role_name(output.role_before)).text(c" -> ").name(ucm_ha_role_name(output.role));
            line.text(c", term ").number(output.term, 10).text(c": ").name(ucm_ha_reason_name(output.reason));
            UCM_HA_LOG_INFO
        }
        UCM_HA_OUTPUT_ALERT => {
            line.text(c"alert ").name(ucm_ha_alert_name(output.alert)).text(raised);
            bad(output.raised != 0)
        }
        UCM_HA_OUTPUT_FAULT_CHANGED => {
            line.text(c"fault 0x").number(output.faults, 16).text(raised);
            bad(output.raised != 0)
        }
        UCM_HA_OUTPUT_SWITCH_DONE if output.refusal == UCM_HA_REFUSAL_NONE => {
            line.text(c"forced switch done");
            UCM_HA_LOG_INFO
        }
        UCM_HA_OUTPUT_SWITCH_DONE => {
            line.text(c"forced switch refused: ").name(ucm_ha_refusal_name(output.refusal));
            UCM_HA_LOG_WARNING
        }
        UCM_HA_OUTPUT_REBOOT => {
            line.text(c"reboot after a handover for an own fault");
            UCM_HA_LOG_WARNING
        }
        UCM_HA_OUTPUT_STOPPED => {
            line.text(c"stopped");
            UCM_HA_LOG_INFO
        }
        _ => return None,
    };
    Some((level, line))
}

/// A line in the making. What does not fit is left out; the last byte stays NUL.
struct Line {
    bytes: [u8; UCM_HA_LOG_CAPACITY],
    len: usize,
}

/// Digits of a `u32` in the smallest base that is used.
const MAX_DIGITS: usize = 10;

impl Line {
    fn push(&mut self, byte: u8) {
        let last = UCM_HA_LOG_CAPACITY - 1;
        if let Some(place) = self.bytes.get_mut(..last).and_then(|bytes| bytes.get_mut(self.len)) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    #[inline(never)]
    fn text(&mut self, text: &CStr) -> &mut Self {
        for byte in text.to_bytes() {
            self.push(*byte);
        }
        self
    }

    /// A name as the `ucm_ha_*_name` functions give it.
    #[inline(never)]
    fn name(&mut self, name: *const c_char) -> &mut Self {
        // SAFETY: those functions give C strings that live for ever.
        self.text(unsafe { CStr::from_ptr(name) })
    }

    fn number(&mut self, number: u32, base: u32) -> &mut Self {
        let mut digits = [0; MAX_DIGITS];
        let mut rest = number;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b"0123456789abcdef".get((rest % base) as usize).copied().unwrap_or(b'?');
            used += 1;
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        for digit in digits.iter().skip(MAX_DIGITS - used) {
            self.push(*digit);
        }
        self
    }

    fn ended(&mut self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}
