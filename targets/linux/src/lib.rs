//! `ucm-ha`, the daemon and command: carries out on Linux what the core decides.
//!
//! A library only so that others of this workspace can use parts of it: the rig plays its scenarios on the [`lab`], and
//! the package has its manual pages written from the [`command`] line. It promises nothing to anybody else.
#![deny(unsafe_code)]

mod cli;
mod clock;
mod control;
mod core_helper;
mod daemon;
mod describe;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod fxo;
mod interface;
mod journal;
pub mod lab;
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

/// The program.
pub fn main() -> std::process::ExitCode {
    cli::run()
}

/// The command line, as its documents describe it.
pub fn command() -> clap::Command {
    cli::command()
}
