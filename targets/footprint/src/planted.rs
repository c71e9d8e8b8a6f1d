//! What the check must find, to show that it is not blind.

use core::hint::black_box;

/// Makes a panic and a symbol of the C library's allocator reachable.
pub fn plant() {
    let position = black_box(0_usize);
    black_box([1_u8, 2, 3][position]);
    black_box(_sbrk(black_box(1)));
}

/// Only the name matters; the optimiser knows `malloc` itself too well to leave it in.
// SAFETY: the image links no C library, so there is no other function of this name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn _sbrk(_increment: isize) -> *mut u8 {
    black_box(core::ptr::null_mut())
}
