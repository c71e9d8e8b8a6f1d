//! The file with the record that survives a restart.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ucm_ha_linux::fuzzing::state(bytes));
