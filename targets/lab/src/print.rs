//! Lines on stdout.

use signal_hook::consts::SIGTERM;
use signal_hook::low_level::raise;
use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

/// Prints a line. A lab whose reader has gone ends as one that was told to.
pub(crate) fn line(text: impl Display) {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            if let Err(error) = raise(SIGTERM) {
                eprintln!("lab: nobody reads, and it cannot be ended: {error}");
            }
        }
        Err(error) => eprintln!("lab: cannot print: {error}"),
        Ok(()) => {}
    }
}
