//! The daemon: one thread that turns facts into the node's inputs and carries out its outputs, in their order.
//!
//! | file | concept |
//! |---|---|
//! | `start` | up and down |
//! | `running` | the daemon as it runs |
//! | `turn` | the loop |
//! | `part` | what lives beside the node: `services`, `fxo`, `state`, `journal`, `standby`, `address`, `control` |
//! | `ports`, `channel` | the interfaces, and the ways that frames go on them |
//! | `effects` | carries out what the node decides |
//! | `reload` | takes other settings |
//! | `off` | why high availability is off |
//! | `urgency` | real-time priority |
//! | `watchdog` | the service manager |

mod address;
mod boot_id;
mod channel;
mod control;
mod effects;
mod fxo;
mod journal;
mod off;
mod part;
mod ports;
mod reload;
mod running;
mod services;
mod standby;
mod start;
mod state;
mod token;
mod turn;
mod urgency;
mod watchdog;

pub(crate) use start::{OF_ALL, make_dir, run};
