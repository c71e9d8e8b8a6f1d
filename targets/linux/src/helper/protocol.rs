//! Request and answer of the helper: a line of JSON each.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest request, in bytes, with its line end.
pub(super) const MAX_REQUEST_LEN: usize = 64 * 1024;
/// Longest answer, in bytes, with its line end.
pub(super) const MAX_ANSWER_LEN: usize = 4096;
/// Longest event, in bytes: it fits into any pipe, so that the program need not read it.
pub(super) const MAX_EVENT_LEN: usize = 4096;
/// Longest name of an event, in bytes.
pub(super) const MAX_NAME_LEN: usize = 512;
/// What an event may be.
pub(super) const KINDS: [&str; 2] = ["alert", "role"];
/// How long who asks may take to write the request.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// What is asked for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// To run the program of a `[[notify]]`.
    Notify(Told),
    /// To give the asking process its real-time priority.
    Priority,
}

/// A program of a `[[notify]]`, and what it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    /// The program and its first arguments, as configured.
    pub(crate) words: Vec<String>,
    /// Its user, as configured.
    pub(crate) user: Option<String>,
    /// `alert` or `role`.
    pub(crate) kind: String,
    /// The cause of an alert, or the new role.
    pub(crate) name: String,
    /// The event as JSON, on one line.
    pub(crate) event: String,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    /// It was done.
    Done,
    /// It was not done, or of no use.
    Failed {
        /// Why, on one line.
        reason: String,
    },
}
