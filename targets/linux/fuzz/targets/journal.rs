//! The file of a log: read, repaired, written on.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ucm_ha_linux::fuzzing::journal(bytes));
