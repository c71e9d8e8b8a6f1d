//! The world, what is checked in it, and what is tried.

mod adapter;
mod attacker;
mod breadth;
mod clock;
mod dice;
mod ether;
mod faults;
mod grid;
mod invariants;
mod kernel;
mod lifecycle;
mod link;
mod machine;
mod misset;
mod model;
mod old_frames;
mod plan;
mod recorder;
mod replay;
mod scenarios;
mod selftest;
mod settings;
mod single;
mod stations;
mod sweep;
mod third;
mod trace;
mod traffic;
mod wakes;
mod world;

/// Virtual time in microseconds since the start of the run.
pub(crate) type Us = u64;
/// One millisecond.
pub(crate) const MS: Us = 1000;
/// One second.
pub(crate) const SEC: Us = 1_000_000;
/// Index of node A, the primary, in every pair of things.
pub(crate) const A: usize = 0;
/// Index of node B, the secondary.
pub(crate) const B: usize = 1;
