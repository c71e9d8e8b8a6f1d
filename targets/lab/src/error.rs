//! Errors that say what was being done.

use std::fmt::Display;
use std::io;

/// Adds what was being done to an error.
pub trait Context<T> {
    /// `what` is put in front of the error's own words.
    fn context(self, what: impl Display) -> io::Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, what: impl Display) -> io::Result<T> {
        self.map_err(|error| {
            let error = error.into();
            io::Error::new(error.kind(), format!("{what}: {error}"))
        })
    }
}
