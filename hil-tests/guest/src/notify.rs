//! The service manager's end of the protocol that `sd_notify(3)` describes.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Where services report.
pub(crate) const SOCKET: &str = "/run/notify";
/// Longest message, in bytes.
const MAX_MESSAGE_LEN: usize = 4096;

/// The socket.
pub(crate) struct Notify {
    socket: UnixDatagram,
}

impl Notify {
    /// Opens it.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { socket: UnixDatagram::bind(SOCKET)? })
    }

    /// Waits for the next message, for `timeout` at most; whether it was a sign of life.
    pub(crate) fn sign_of_life(&self, timeout: Duration) -> io::Result<bool> {
        self.socket.set_read_timeout(Some(timeout))?;
        let mut buffer = [0; MAX_MESSAGE_LEN];
        let len = match self.socket.recv(&mut buffer) {
            Ok(len) => len,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let message = String::from_utf8_lossy(buffer.get(..len).unwrap_or_default());
        Ok(message.lines().any(|line| matches!(line, "READY=1" | "WATCHDOG=1")))
    }
}
