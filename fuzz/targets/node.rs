//! Sequences of facts to a node, in any order and at any time, from anybody: the promises that one node can keep alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ucm_ha_fuzz::course::Course;
use ucm_ha_fuzz::script::Script;

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut course = Course::new(&mut script);
    while !script.is_over() {
        course.step(&mut script);
    }
});
