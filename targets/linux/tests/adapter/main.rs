//! The real program on real kernel networking, in network namespaces that end with the tests.

mod cli;
mod control;
mod core_helper;
mod daemon;
mod events;
mod fxo;
mod helper;
mod interfaces;
mod local_users;
mod notify;
mod peer;
mod reboot;
mod services;
mod site;
mod state;
mod status;
mod units;
