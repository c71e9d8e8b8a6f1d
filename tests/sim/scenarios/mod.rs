//! Named scenarios: given a pair, when this happens, then that follows. Each is run from several seeds, which vary
//! clocks, latencies and the phase of everything. The invariants are checked throughout, as in the sweep.

mod alerts;
mod boot;
mod fault_policy;
mod freeze;
mod gateway;
mod handover;
mod identity;
mod interruption;
mod isolation;
mod lab;
mod maintenance;
mod mismatch;
mod operator;
mod pace;
mod recorder;
mod stranger;
mod takeover;
