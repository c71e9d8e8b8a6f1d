//! The one call for which no safe interface exists.

use std::io;

/// Lets SIGSEGV end this process also where somebody sent it. Rust's own handler, there for stack overflows, ignores the first
/// one that no access of memory has caused.
pub(crate) fn die_of_sent_segv() -> io::Result<()> {
    // SAFETY: the default action is no handler that could run in the wrong moment.
    match unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
