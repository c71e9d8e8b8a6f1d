//! The lab: two nodes, the heartbeat cable, the LAN, the gateway and a phone on this one machine.
//!
//! The daemons are real and the network is the kernel's own, in network namespaces. Everything happens in a [`sandbox`] that the
//! kernel removes when the lab ends. `cargo lab` shows the live picture; the rigs of `hil-tests` and the bench of Asterisk
//! build on the same parts.
#![deny(unsafe_code)]

mod acts;
mod address_events;
mod aftermath;
pub mod capture;
mod cli;
mod core_pattern;
pub mod course;
pub mod daemon;
mod datagram;
mod disk;
mod echo;
pub mod error;
mod forger;
pub mod frames;
pub mod gaps;
mod lab_course;
pub mod links;
mod load;
mod moves;
pub mod neighbour;
pub mod netns;
pub mod network;
pub mod observer;
pub mod operations;
pub mod outcome;
mod overrun;
mod pace;
pub mod pair;
pub mod paths;
pub mod phone;
pub mod plan;
mod print;
pub mod priority;
pub mod recorder;
pub mod relay;
mod report;
pub mod sandbox;
pub mod scenario;
mod scenarios;
mod service;
pub mod site;
pub mod stimulus;
mod storm;
pub mod stranger;
#[expect(unsafe_code, reason = "the only module that may")]
mod sys;
pub mod timeline;
mod ui;
pub mod worker;

/// The program `ucm-ha-lab`. By the name of the daemon it is the daemon: the lab starts itself so in each node, and needs no
/// other program.
pub fn main() -> std::process::ExitCode {
    if paths::is_daemon() { ucm_ha_linux::main() } else { cli::run() }
}
