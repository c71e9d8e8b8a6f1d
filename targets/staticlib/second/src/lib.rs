//! Stands for another vendor's Rust library in the firmware: with a panic handler and a critical section of its own or, with
//! feature `std`, the whole standard library.
#![cfg_attr(not(feature = "std"), no_std)]

// The functions of `include/ucm_ha.h` have C names; naming their crate is enough to link them.
#[cfg(feature = "with-ucm-ha")]
extern crate ucm_ha as _;

#[cfg(feature = "bare")]
mod bare;

use core::cell::Cell;
use critical_section::Mutex;

static CALLS: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

const DIGITS: [u8; 10] = *b"0123456789";

/// The digit at a position; ends in the panic handler beyond the last.
// SAFETY: the prefix is this library's own.
#[unsafe(no_mangle)]
extern "C" fn second_digit(position: usize) -> u8 {
    digit(position)
}

fn digit(position: usize) -> u8 {
    critical_section::with(|section| {
        let calls = CALLS.borrow(section);
        calls.set(calls.get().wrapping_add(1));
    });
    DIGITS[position]
}

/// How often a digit was asked for.
// SAFETY: the prefix is this library's own.
#[unsafe(no_mangle)]
extern "C" fn second_calls() -> u32 {
    critical_section::with(|section| CALLS.borrow(section).get())
}

/// 1 if a panic unwinds to here and no further, 0 if not.
// SAFETY: the prefix is this library's own.
#[cfg(feature = "std")]
#[unsafe(no_mangle)]
extern "C" fn second_catches_its_panic() -> u8 {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| digit(usize::MAX)).is_err().into()
}
