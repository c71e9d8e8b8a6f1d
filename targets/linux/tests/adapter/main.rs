//! The real program on real kernel networking, in network namespaces that end with the tests.

mod cli;
mod control;
mod daemon;
mod interfaces;
mod site;
mod state;
