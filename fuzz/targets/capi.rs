//! Sequences of calls of the C interface, with pointers, lengths, numbers and storage right and wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ucm_ha_fuzz::c::Machine;
use ucm_ha_fuzz::script::Script;

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut machine = Machine::new(&mut script);
    while !script.is_over() {
        machine.step(&mut script);
    }
});
