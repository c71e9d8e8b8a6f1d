//! The datagram socket to which services write `kick NAME`.

use mio::net::UnixDatagram;
use mio::{Interest, Registry, Token};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Name of the socket in `run_dir`.
const SOCKET_NAME: &str = "kick.sock";
/// Services run as users of their own: everybody may write. A kick is all that can be said here.
const SOCKET_MODE: u32 = 0o666;
/// Longest datagram that is looked at, in bytes.
const MAX_DATAGRAM_LEN: usize = 64;

/// The daemon's end.
pub(super) struct KickSocket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl KickSocket {
    /// Opens it in `run_dir`. One left over from a daemon that died is replaced, so hold the lock on `run_dir`.
    pub(super) fn open(run_dir: &Path, registry: &Registry, token: Token) -> io::Result<Self> {
        let path = run_dir.join(SOCKET_NAME);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut socket = UnixDatagram::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(SOCKET_MODE))?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, path })
    }

    /// The next kick: the service's name, or what was written instead. `None` when nothing waits.
    pub(super) fn receive(&self) -> io::Result<Option<Result<String, String>>> {
        let mut buffer = [0; MAX_DATAGRAM_LEN];
        let len = loop {
            match self.socket.recv(&mut buffer) {
                Ok(len) => break len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        Ok(Some(parse(buffer.get(..len).unwrap_or(&buffer))))
    }
}

impl Drop for KickSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            log::warn!("{} cannot be removed: {error}", self.path.display());
        }
    }
}

fn parse(datagram: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(datagram);
    let name = text.trim_end().strip_prefix("kick ").map(str::trim);
    name.map(str::to_owned).ok_or_else(|| format!("{:?} is no kick; write \"kick NAME\"", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kick_names_its_service_with_or_without_a_line_end() {
        assert_eq!(parse(b"kick asterisk"), Ok("asterisk".to_owned()));
        assert_eq!(parse(b"kick asterisk\n"), Ok("asterisk".to_owned()));
        assert_eq!(parse(b"kick\n"), Err("\"kick\" is no kick; write \"kick NAME\"".to_owned()));
        assert!(parse(b"").is_err() && parse(b"\xff\xfe").is_err());
    }
}
