//! The datagram socket to which services write `kick NAME`.

use mio::net::UnixDatagram;
use mio::{Interest, Registry, Token};
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Name of the socket in `run_dir`.
const SOCKET_NAME: &str = "kick.sock";
/// Services run as users of their own: everybody may write. Who wrote is told by the kernel.
const SOCKET_MODE: u32 = 0o666;
/// Longest datagram that is looked at, in bytes.
const MAX_DATAGRAM_LEN: usize = 64;

/// What somebody wrote.
pub(super) struct Kick {
    /// Who.
    pub(super) uid: u32,
    /// The service's name, or why it is none.
    pub(super) name: Result<String, String>,
}

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
        set_socket_passcred(&socket, true)?;
        fs::set_permissions(&path, Permissions::from_mode(SOCKET_MODE))?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, path })
    }

    /// The next kick; `None` when nothing waits.
    pub(super) fn receive(&self) -> io::Result<Option<Kick>> {
        let mut buffer = [0; MAX_DATAGRAM_LEN];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let len = loop {
            let into = &mut [IoSliceMut::new(&mut buffer)];
            match recvmsg(&self.socket, into, &mut control, RecvFlags::CMSG_CLOEXEC).map_err(io::Error::from) {
                Ok(received) => break received.bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        let sender = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmCredentials(sender) => Some(sender.uid.as_raw()),
            _ => None,
        });
        let uid = sender.ok_or_else(|| io::Error::other("a sender without a user"))?;
        Ok(Some(Kick { uid, name: parse(buffer.get(..len).unwrap_or(&buffer)) }))
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
