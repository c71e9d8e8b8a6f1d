//! How the command ends where it has no success to tell: exit code, and one line. 0 is success.

use std::fmt;
use std::process::ExitCode;

/// Refused, failed, or `check` found problems.
pub(crate) const REFUSED: u8 = 1;
/// A usage error, or a configuration that cannot be used.
pub(crate) const UNUSABLE: u8 = 2;
/// There is no daemon to talk to, or it did not answer.
pub(crate) const NO_DAEMON: u8 = 3;
/// The program of a subcommand is not installed.
pub(crate) const NOT_INSTALLED: u8 = 3;

/// One line on stderr, and the exit code.
pub(crate) fn fail(code: u8, message: impl fmt::Display) -> ExitCode {
    eprintln!("ucm-ha: {message}");
    ExitCode::from(code)
}
