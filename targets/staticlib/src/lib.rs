//! `libucm_ha.a`: the C interface of the library, and what a static library needs besides: the end of every panic.
#![no_std]

// The functions of `include/ucm_ha.h` have C names; naming their crate is enough to link them.
extern crate ucm_ha_core as _;

#[cfg(feature = "panic-handler")]
mod panic;
#[cfg(feature = "planted")]
mod planted;
