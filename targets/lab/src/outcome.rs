//! How a step of a scenario ends, in the lab and on the rigs.

use std::fmt::Display;
use std::io;

/// Why a scenario failed: a check of its own, or the network and the nodes themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason, in one line.
    pub reason: String,
    /// Whether it stands even where the machine stood still meanwhile: a broken promise of safety, or nobody wants to see more.
    pub stands: bool,
}

impl Failure {
    /// A failure that a machine which stood still would excuse.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), stands: false }
    }

    /// One that nothing excuses.
    pub fn standing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), stands: true }
    }

    /// The same, with where it happened before it.
    pub fn in_context(self, place: impl Display) -> Self {
        Self { reason: format!("{place}: {}", self.reason), ..self }
    }

    /// What a stall of the machine would excuse, in words.
    pub fn excusable(&self) -> Option<String> {
        (!self.stands).then(|| self.reason.clone())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Outcome of a step.
pub type Step<T = ()> = Result<T, Failure>;
