//! Critical sections by the firmware.

use critical_section::RawRestoreState;

unsafe extern "C" {
    /// Provided by the firmware, as declared in ucm_ha_hooks.h.
    fn ucm_ha_critical_enter() -> u32;
    /// Provided by the firmware, as declared in ucm_ha_hooks.h.
    fn ucm_ha_critical_exit(state: u32);
}

struct Firmware;
critical_section::set_impl!(Firmware);

// SAFETY: ucm_ha_hooks.h demands of the firmware what this trait demands.
unsafe impl critical_section::Impl for Firmware {
    unsafe fn acquire() -> RawRestoreState {
        // SAFETY: the firmware provides it.
        unsafe { ucm_ha_critical_enter() }
    }

    unsafe fn release(state: RawRestoreState) {
        // SAFETY: the firmware provides it; the state is that of `acquire`.
        unsafe { ucm_ha_critical_exit(state) }
    }
}
