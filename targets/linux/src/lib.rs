//! `ucm-ha`, the daemon and command: carries out on Linux what the core decides.
//!
//! A library only for others of this workspace: the lab has this program in itself and uses what is [`shared`], and the package
//! has its manual pages written from the [`command`] line. It promises nothing to anybody else.
#![deny(unsafe_code)]

mod cli;
mod clock;
mod control;
mod core_helper;
mod daemon;
mod describe;
mod events;
mod exit;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod fxo;
mod helper;
mod journal;
mod lock;
mod logging;
mod net;
mod notify;
mod program;
mod rate;
mod realtime;
mod regular_file;
mod service;
mod settings;
pub mod shared;
mod state;
mod status;
mod sub_program;
#[expect(unsafe_code, reason = "the only module that may")]
mod sys;
mod takeover;
mod text;
mod user;

/// The program.
pub fn main() -> std::process::ExitCode {
    cli::run()
}

/// The command line, as its documents describe it.
pub fn command() -> clap::Command {
    cli::command()
}
