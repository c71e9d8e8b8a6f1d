//! One JSON request line, one JSON reply line, then the connection ends; or a conversation that lasts, of one JSON line after the
//! other.

use crate::status::Report;
use serde::{Deserialize, Serialize};

/// Name of the socket in `run_dir`.
pub const SOCKET_NAME: &str = "control.sock";
/// Questions at a time, of root and of all others each. One more takes the place of who has not asked yet, or is told to come again.
pub const MAX_ASKING: usize = 8;
/// Subscriptions at a time; more are told to come again.
pub const MAX_SUBSCRIBERS: usize = 8;
/// The parts of the family that hold a conversation with the daemon.
pub const PARTS: [&str; 2] = ["sync", "calls"];
/// Who subscribed is told the status, and a part the role, at least so often, in ms.
pub const PULSE_MS: u64 = 1000;
/// A part that says nothing for so long counts as absent, in ms.
pub const SILENCE_MS: u64 = 2000;
/// Longest line of a part, in bytes, with its newline.
pub const MAX_PART_LINE_LEN: usize = 4096;
/// Longest request line, in bytes, with its newline.
pub const MAX_REQUEST_LEN: usize = 256;
/// Longest reply that [`ask`](crate::ask) reads, in bytes.
pub const MAX_REPLY_LEN: usize = 64 * 1024;

/// The logs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// System alert events.
    Events,
    /// Changes of the role.
    Failover,
    /// Full backups.
    Backup,
}

impl Log {
    /// Every log, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Events, Self::Failover, Self::Backup];
}

/// What happens to a reported fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultChange {
    /// It stands.
    Raise,
    /// It is over.
    Clear,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// The HA status.
    Status,
    /// The HA status now, then again at each change and at least every [`PULSE_MS`].
    Subscribe,
    /// A conversation as one of [`PARTS`]: the daemon tells the role, the part its state.
    Part {
        /// Which.
        name: String,
    },
    /// A force switch; answered when its outcome is known.
    Switch,
    /// Keep the node out of the active role, answered when that is durable; or let it take it again.
    Maintenance {
        /// Whether it is to be kept out.
        on: bool,
        /// Whether or not somebody else can serve.
        force: bool,
    },
    /// Clean a log; answered when that is durable.
    ClearLog {
        /// Which.
        log: Log,
    },
    /// A service gave a sign of life.
    Kick {
        /// Its name.
        name: String,
    },
    /// A service reports its own critical fault.
    Fault {
        /// Its name.
        name: String,
        /// Raised or cleared.
        change: FaultChange,
    },
    /// A process crashed.
    Crash {
        /// Its number, as this daemon sees it.
        pid: i32,
        /// Its name, as the kernel has it.
        comm: String,
        /// The signal that ended it.
        signal: i32,
    },
}

/// What the daemon answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The HA status.
    Status {
        /// All of it.
        status: Box<Report>,
    },
    /// What a part is told: all of it, again at each change and at least every [`PULSE_MS`].
    Part {
        /// The node's role, as the status has it.
        role: String,
        /// Term of the newest claim that it knows.
        term: u32,
        /// Whether it has the cluster IP.
        bound: bool,
    },
    /// The request was carried out.
    Done,
    /// The request makes sense but was refused.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// The request was not understood, or could not be taken.
    Error {
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines between backticks that begin so, in the section on this socket.
    fn documented(beginning: &str) -> impl Iterator<Item = &'static str> {
        let page = include_str!("../../../docs/services.md");
        let (_, from) = page.split_once("### control.sock").expect("a section on the socket");
        let (section, _) = from.split_once("\n### ").expect("a section behind it");
        section.split('`').filter(move |text| text.starts_with(beginning))
    }

    #[test]
    fn every_documented_request_is_one_to_the_byte() {
        let mut lines = 0;
        for line in documented("{\"request\"") {
            let request: Request = serde_json::from_str(line).expect(line);
            assert_eq!(serde_json::to_string(&request).expect("it has a text"), line);
            lines += 1;
        }
        assert_eq!(lines, 9);
    }

    #[test]
    fn every_documented_reply_is_one() {
        let replies: Vec<Reply> = documented("{\"reply\"")
            .filter(|line| !line.contains("\"status\":{"))
            .map(|line| serde_json::from_str(line).expect(line))
            .collect();
        let in_order =
            matches!(*replies, [Reply::Part { .. }, Reply::Done, Reply::Refused { .. }, Reply::Error { .. }]);
        assert!(in_order, "{replies:?}");
    }
}
