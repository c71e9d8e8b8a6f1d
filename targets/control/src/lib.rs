//! The control socket of the daemon: what is asked, what is answered, the status, and a blocking client.
//!
//! `docs/services.md` describes it for programs in other languages. Everything of this family that asks the daemon does so by
//! this crate, so each of these types is defined once.
#![forbid(unsafe_code)]

mod client;
mod conversation;
mod protocol;
pub mod status;

pub use client::{Failure, ask};
pub use conversation::Conversation;
pub use protocol::{
    FaultChange, Log, MAX_ASKING, MAX_PART_LINE_LEN, MAX_REPLY_LEN, MAX_REQUEST_LEN, MAX_SUBSCRIBERS, PARTS, PULSE_MS,
    Reply, Request, SILENCE_MS, SOCKET_NAME,
};
pub use status::Report;
