//! The library for C: `include/ucm_ha.h` is generated from this module.
//!
//! One to one with the Rust API. The only module of the library with `unsafe` code: `memory.rs` and `storage.rs` handle the
//! caller's pointers, `numbered.rs` ties values to their numbers, and the other files check values and copy them.
//!
//! Names follow the habits of C. Whatever the caller passes is an integer, so that an unknown value becomes a result code and
//! never a Rust enum that does not exist.
#![allow(unsafe_code, reason = "the caller's pointers, and names for the linker")]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]

mod config;
mod fxo;
mod log;
mod mailbox;
mod memory;
mod names;
mod node;
mod numbered;
mod output;
mod result;
mod service;
mod status;
mod storage;
mod texts;
mod values;
mod version;

pub use config::*;
pub use fxo::*;
pub use log::*;
pub use mailbox::*;
pub use names::*;
pub use node::*;
pub use output::*;
pub use result::*;
pub use service::*;
pub use status::*;
pub use values::*;
pub use version::*;

#[cfg(test)]
mod tests;
