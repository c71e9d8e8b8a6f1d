//! What the check of the image must find, to show that it is not blind.

use core::hint::black_box;

/// Panics, and calls an allocator. Named in the check's image only.
// SAFETY: no C library has a function of this name.
#[unsafe(no_mangle)]
extern "C" fn ucm_ha_planted(position: usize) {
    black_box([1_u8, 2, 3][black_box(position)]);
    black_box(_sbrk(black_box(1)));
}

/// Only the name matters; the optimiser knows `malloc` itself too well to leave it in.
// SAFETY: the image links no C library, so there is no other function of this name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn _sbrk(_increment: isize) -> *mut u8 {
    black_box(core::ptr::null_mut())
}
