//! The program `ucm-ha`; everything is in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ucm_ha_linux::main()
}
