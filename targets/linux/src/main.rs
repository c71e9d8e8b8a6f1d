//! `ucm-ha`, the daemon and command: carries out on Linux what the core decides.
#![deny(unsafe_code)]

mod cli;
mod client;
mod clock;
mod control;
mod core_helper;
mod daemon;
mod describe;
mod fxo;
mod interface;
mod journal;
mod lab;
mod lan;
mod lock;
mod logging;
mod netlink;
mod notify;
mod packet;
mod realtime;
mod service;
mod settings;
mod state;
mod status;
#[expect(unsafe_code, reason = "the only module that may")]
mod sys;

fn main() -> std::process::ExitCode {
    cli::run()
}
