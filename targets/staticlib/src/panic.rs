//! A panic ends in the firmware. No input makes the library panic, and `.ci/capi-footprint` looks that no linked image can;
//! the hook is for a defect of the library or the memory.

use core::ffi::c_char;
use core::panic::PanicInfo;

unsafe extern "C" {
    /// Provided by the firmware: stops what must not go on (the cluster IP first), and does not return.
    /// `file` is not NUL-terminated; it has `file_len` bytes.
    fn ucm_ha_on_panic(file: *const c_char, file_len: usize, line: u32) -> !;
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("", 0), |location| (location.file(), location.line()));
    panic_is_reachable(file, line)
}

/// The end of every panic. It stands in a linked image if, and only if, something in it can panic.
#[inline(never)]
fn panic_is_reachable(file: &str, line: u32) -> ! {
    // SAFETY: the firmware provides the function as declared in ucm_ha_hooks.h.
    unsafe { ucm_ha_on_panic(file.as_ptr().cast(), file.len(), line) }
}
