//! High availability for a pair of IP-PBX appliances.
//!
//! Two nodes are joined by a heartbeat cable and a LAN. One of them is active and owns the cluster IP that the phones
//! use; the other stands by and takes over when it fails. This library decides; it does no I/O, reads no clock and
//! allocates nothing. Every effect is an [`Output`] that an adapter carries out, every fact an [`Input`] that it reports.
//!
//! # The loop
//!
//! ```
//! use core::net::Ipv4Addr;
//! use ucm_ha::io::{AddressEvent, Port, Record};
//! use ucm_ha::types::{Cidr, MacAddr, StationType};
//! use ucm_ha::{Config, FRAME_CAPACITY, Input, Instant, Node, Output};
//!
//! let ip = |last| Ipv4Addr::new(192, 168, 129, last);
//! let lan = |last| Cidr { address: ip(last), prefix_len: 24 };
//! let (mac, cable_mac) = (MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 1, 1]));
//! let mut config = Config::new(StationType::Primary, mac, cable_mac, lan(42), lan(64), ip(43));
//! config.gateway = Some(ip(1));
//!
//! // What the last `Output::Persist` stored, and a number that is random at every start.
//! let (record, boot_id) = (Record::default(), 0x5eed);
//! let mut now = Instant::ZERO;
//! let mut node = Node::new(config, record, boot_id, now)?;
//!
//! // First of all the carriers, as they are.
//! let mut inputs = vec![Input::Link { port: Port::Cable, up: true }, Input::Link { port: Port::Lan, up: true }];
//! let mut frame = [0; FRAME_CAPACITY];
//! let mut heartbeats = 0;
//! while now < Instant::from_ms(1000) {
//!     for input in inputs.drain(..) {
//!         node.handle(now, input);
//!     }
//!     // Then everything that follows, in this order. What came of it is an input.
//!     while let Some(output) = node.poll_output(&mut frame) {
//!         match output {
//!             Output::SendCable { len } => heartbeats += usize::from(!frame[..len].is_empty()),
//!             Output::SendLan { .. } | Output::SendArp { .. } => {}
//!             Output::BindAddress { .. } => inputs.push(Input::Address(AddressEvent::Held)),
//!             Output::ReleaseAddress => inputs.push(Input::Address(AddressEvent::Released)),
//!             Output::RenewAddress { .. } => {}
//!             Output::Persist(_) => inputs.push(Input::Persisted { saved: true }),
//!             Output::StartFullSync => inputs.push(Input::SyncDone { generation: 1, complete: true }),
//!             Output::RoleChanged { .. } | Output::Alert { .. } | Output::FaultChanged { .. } => {}
//!             Output::SwitchDone(_) | Output::Reboot | Output::Stopped => {}
//!         }
//!     }
//!     if inputs.is_empty() {
//!         // Here an adapter waits for a frame, a carrier, or this deadline.
//!         now = node.poll_timeout();
//!         inputs.push(Input::Timeout);
//!     }
//! }
//! assert!(heartbeats >= 19, "one each 50 ms");
//! # Ok::<(), ucm_ha::ConfigError>(())
//! ```
//!
//! The smallest adapter that runs is `examples/pair.rs`: two nodes over UDP on one machine, without root.
//!
//! # First inputs
//!
//! 1. [`Node::new`] with the [`Record`](io::Record) that was stored last. A node that has just started wants its cluster IP
//!    released: drain the outputs.
//! 2. [`Input::Link`] for each port, as it is. Until then it counts as without carrier.
//! 3. [`Input::OwnAddress`] if the own static address is missing; it counts as there.
//! 4. [`Input::FaultUnknown`] for parts that are still being looked at (FXO ports), then [`Input::Fault`] as they are found.
//!
//! From then on frames, changed facts and [`Input::Timeout`] at [`Node::poll_timeout`], in any order. Time never runs backwards.
//!
//! # What is where
//!
//! - [`node`], [`io`], [`config`], [`status`], [`event`]: the node, what goes in and comes out.
//! - [`fxo`], [`service`], [`mailbox`]: beside the node, for whoever wants them: FXO ports over SPI or fault lines, the services
//!   of the PBX, and a mailbox for interrupts and threads.
//! - [`wire`]: the heartbeat frame, for analysers. [`role`]: who is active, as one function without state.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `defmt`: `defmt::Format` for the public types.
//! - `capi`: the functions of `include/ucm_ha.h`, for a program in C.
//! - `header`: generates that header anew, for those who change it.
//!
//! # What may grow
//!
//! An [`Output`], a [`Role`](role::Role) and a [`Record`](io::Record) are complete: match the first two without a wildcard, and
//! store the whole of the third, since safety hangs on each part. What is only told or shown (alerts, reasons, refusals, status),
//! what is only handed in (inputs, commands) and [`Config`] are `non_exhaustive`.
//!
//! # Promises
//!
//! S1–S6 and L1–L7, which the comments cite, are listed in `docs/safety.md`; what they assume stands there too. The words are those of
//! `docs/glossary.md`.
#![no_std]
#![deny(unsafe_code)]
// A new role, signal or reason must be thought about wherever one is matched.
#![warn(clippy::wildcard_enum_match_arm)]

#[cfg(test)]
extern crate std;

#[cfg(feature = "capi")]
pub mod capi;
#[forbid(unsafe_code)]
pub mod config;
#[forbid(unsafe_code)]
pub mod crc;
#[forbid(unsafe_code)]
pub mod debounce;
#[forbid(unsafe_code)]
pub mod event;
#[forbid(unsafe_code)]
pub mod fault;
#[forbid(unsafe_code)]
pub mod fxo;
#[forbid(unsafe_code)]
pub mod io;
#[forbid(unsafe_code)]
pub mod mailbox;
#[forbid(unsafe_code)]
pub mod node;
#[forbid(unsafe_code)]
pub mod pace;
#[forbid(unsafe_code)]
mod peer;
#[forbid(unsafe_code)]
mod reach;
#[forbid(unsafe_code)]
pub mod role;
#[forbid(unsafe_code)]
pub mod service;
#[forbid(unsafe_code)]
pub mod status;
#[forbid(unsafe_code)]
pub mod time;
#[forbid(unsafe_code)]
pub mod types;
#[forbid(unsafe_code)]
pub mod wire;

pub use config::{Config, ConfigError};
pub use io::{Input, Output};
pub use node::{FRAME_CAPACITY, Node};
pub use status::Status;
pub use time::{Duration, Instant};
