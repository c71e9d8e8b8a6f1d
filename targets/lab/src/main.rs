//! The program `ucm-ha-lab`; everything is in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    lab::main()
}
