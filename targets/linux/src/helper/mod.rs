//! The privileged helper: does for the daemon what needs rights that the daemon is to be without.
//!
//! A service manager starts `ucm-ha helper` for each connection to its socket. It takes one request, which is a line of JSON,
//! gives one answer, and ends. It believes the daemon nothing: the configuration says what may be run, and the kernel who asks.
//!
//! | file | concept |
//! |---|---|
//! | `protocol` | request and answer |
//! | `client` | the daemon's end |
//! | `serve` | the helper's end |

mod client;
mod protocol;
mod serve;

pub(crate) use client::Helper;
pub(crate) use protocol::{Request, Told};
pub(crate) use serve::serve;
