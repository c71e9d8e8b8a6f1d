//! FXO fault polling against simulated chips and mocked buses.

#[path = "fxo/faults.rs"]
mod faults;
#[path = "fxo/lines.rs"]
mod lines;
#[path = "fxo/random.rs"]
mod random;
#[path = "fxo/rig.rs"]
mod rig;
#[path = "fxo/sim.rs"]
mod sim;
#[path = "fxo/wire.rs"]
mod wire;
