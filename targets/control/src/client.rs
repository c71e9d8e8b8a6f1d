//! The client's end of the socket.

use crate::protocol::{MAX_REPLY_LEN, Reply, Request, SOCKET_NAME};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a running daemon may take to answer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no answer: one line that says what to do.
#[derive(Debug)]
pub enum Failure {
    /// No daemon runs.
    NoDaemon(String),
    /// One may run, but it cannot be asked or does not answer.
    NoAnswer(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDaemon(line) | Self::NoAnswer(line) => f.write_str(line),
        }
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoDaemon(line) | Failure::NoAnswer(line) => line,
        }
    }
}

/// Asks the daemon whose `run_dir` this is, and waits for its answer, 2 s at most.
///
/// # Errors
///
/// There is no daemon, it may not be asked by this user, or it does not answer.
pub fn ask(run_dir: &Path, request: Request) -> Result<Reply, Failure> {
    let path = run_dir.join(SOCKET_NAME);
    exchange(&path, request).map_err(|error| Failure::of(&error, &path))
}

impl Failure {
    /// What an error in a conversation over `path` means.
    pub(crate) fn of(error: &io::Error, path: &Path) -> Self {
        let shown = path.display();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                Self::NoDaemon(format!("no daemon answers at {shown}; {}", remedy(Path::new("/"))))
            }
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::NoAnswer(format!(
                "the daemon at {shown} did not answer within {} s; see its log",
                ANSWER_TIMEOUT.as_secs()
            )),
            ErrorKind::PermissionDenied => {
                Self::NoAnswer(format!("{shown}: {error}; run this as root, or as a member of the group ucm-ha"))
            }
            _ => Self::NoAnswer(format!("the daemon at {shown} cannot be asked: {error}")),
        }
    }
}

/// What to do where no daemon answers: by the service manager where it runs this machine and has the daemon's unit.
fn remedy(root: &Path) -> &'static str {
    let has = |path: &str| root.join(path).exists();
    let units = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
    let has_unit = units.into_iter().any(|folder| has(&format!("{folder}/ucm-ha.service")));
    match has("run/systemd/system") && has_unit {
        true => {
            "`systemctl status ucm-ha` says whether it runs and what it waits for, `systemctl start ucm-ha` starts it"
        }
        false => "start it with `ucm-ha run`",
    }
}

fn exchange(path: &Path, request: Request) -> io::Result<Reply> {
    let end = Instant::now() + ANSWER_TIMEOUT;
    let mut stream = connect(path)?;
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = Vec::new();
    while !reply.ends_with(b"\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let mut chunk = [0; 4096];
        let len = stream.read(&mut chunk)?;
        if len == 0 || reply.len() > MAX_REPLY_LEN {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        reply.extend_from_slice(chunk.get(..len).unwrap_or(&chunk));
    }
    Ok(serde_json::from_slice(&reply)?)
}

/// Connects; with the write timeout set before, a frozen daemon whose queue is full does not hold the command up.
pub(crate) fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(OwnedFd::from(socket).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_remedy_fits_how_the_daemon_is_run() {
        let root = std::env::temp_dir().join(format!("ucm-ha-remedy-{}", std::process::id()));
        let make = |path: &str| fs::create_dir_all(root.join(path)).expect("a folder");
        let by_hand = "start it with `ucm-ha run`";
        make("run");
        assert_eq!(remedy(&root), by_hand);
        make("run/systemd/system");
        assert_eq!(remedy(&root), by_hand, "it has no unit");
        make("usr/lib/systemd/system/ucm-ha.service");
        assert!(remedy(&root).ends_with("`systemctl start ucm-ha` starts it"));
        fs::remove_dir_all(root.join("run/systemd")).expect("it goes");
        assert_eq!(remedy(&root), by_hand, "the service manager does not run");
        fs::remove_dir_all(root).expect("it goes");
    }
}
