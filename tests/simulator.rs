//! Deterministic simulator: two real nodes in a world of virtual time, with faults in everything between them.
//!
//! `cargo test --test simulator` runs the named scenarios and a sweep over random pairs of faults. A failing run prints
//! its seed; `UCM_HA_SIM_SEED=<seed> cargo test --test simulator replay -- --nocapture` shows it again, event by event.
mod sim;
