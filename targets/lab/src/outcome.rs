//! How a step of a scenario ends, in the lab and on the rigs.

use std::io;

/// Why a scenario failed: a check of its own, or the network and the nodes themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(
    /// The reason, in one line.
    pub String,
);

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Outcome of a step.
pub type Step<T = ()> = Result<T, Failure>;
