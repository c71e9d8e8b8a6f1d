//! `libucm_ha.a`: the C interface of the library, and what a static library needs besides: the critical section and the end of
//! every panic, both in the firmware's hands.
#![no_std]

// The functions of `include/ucm_ha.h` have C names; naming their crate is enough to link them.
extern crate ucm_ha_core as _;

#[cfg(feature = "critical-section")]
mod critical;
mod panic;
#[cfg(feature = "planted")]
mod planted;
