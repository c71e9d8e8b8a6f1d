//! What lives beside the node and has something to tell it. There is one notion of it, so that one more is a file here and a
//! line in `turn`.

use super::running::Daemon;
use mio::Token;
use ucm_ha::Instant;

/// How the loop deals with a part.
pub(super) struct Part {
    /// When to tend it although nothing woke it; `ZERO` while more waits to be read.
    pub(super) deadline: fn(&Daemon) -> Instant,
    /// Something woke the loop that may be for this part.
    pub(super) wake: fn(&mut Daemon, Token),
    /// Does what is due; in every turn.
    pub(super) tend: fn(&mut Daemon, Instant),
}
