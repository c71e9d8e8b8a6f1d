//! The text of the configuration file, and what it becomes on a machine with some interfaces.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ucm_ha_linux::fuzzing::config(bytes));
