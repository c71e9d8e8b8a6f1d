//! Requests on the control socket, as the daemon reads them: through its server, from a client that writes anything.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ucm_ha_linux::fuzzing::control(bytes));
