//! What a static library needs without the standard library.

use core::panic::PanicInfo;
use critical_section::RawRestoreState;

unsafe extern "C" {
    /// Provided by the firmware.
    fn second_on_panic() -> !;
    /// Provided by the firmware.
    fn second_critical_enter() -> u32;
    /// Provided by the firmware.
    fn second_critical_exit(state: u32);
}

#[panic_handler]
fn on_panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: the firmware provides it.
    unsafe { second_on_panic() }
}

struct Firmware;
critical_section::set_impl!(Firmware);

// SAFETY: the firmware provides what this trait demands.
unsafe impl critical_section::Impl for Firmware {
    unsafe fn acquire() -> RawRestoreState {
        // SAFETY: the firmware provides it.
        unsafe { second_critical_enter() }
    }

    unsafe fn release(state: RawRestoreState) {
        // SAFETY: the firmware provides it; the state is that of `acquire`.
        unsafe { second_critical_exit(state) }
    }
}
