//! A conversation that lasts, as a subscriber or as a part.

use crate::client::{ANSWER_TIMEOUT, Failure, connect};
use crate::protocol::{MAX_PART_LINE_LEN, MAX_REPLY_LEN, Reply, Request, SOCKET_NAME};
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The client's end of it. Its descriptor is readable when there may be a line.
#[derive(Debug)]
pub struct Conversation {
    path: PathBuf,
    stream: UnixStream,
    received: Vec<u8>,
}

impl Conversation {
    /// Begins one with the daemon whose `run_dir` this is, by [`Request::Subscribe`] or [`Request::Part`].
    ///
    /// # Errors
    ///
    /// There is no daemon, or it may not be asked by this user.
    pub fn begin(run_dir: &Path, request: &Request) -> Result<Self, Failure> {
        let path = run_dir.join(SOCKET_NAME);
        let begun = connect(&path).and_then(|mut stream| write_line(&mut stream, request).map(|()| stream));
        match begun {
            Ok(stream) => Ok(Self { path, stream, received: Vec::new() }),
            Err(error) => Err(Failure::of(&error, &path)),
        }
    }

    /// The daemon's next line; `None` where none comes within `timeout`.
    ///
    /// # Errors
    ///
    /// The daemon ended the conversation, or does not keep to the protocol.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Reply>, Failure> {
        self.next_line(timeout).map_err(|error| Failure::of(&error, &self.path))
    }

    fn next_line(&mut self, timeout: Duration) -> io::Result<Option<Reply>> {
        let end = Instant::now() + timeout;
        loop {
            if let Some(len) = self.received.iter().position(|&byte| byte == b'\n') {
                let rest = self.received.split_off(len + 1);
                let line = std::mem::replace(&mut self.received, rest);
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            if self.received.len() > MAX_REPLY_LEN {
                return Err(io::Error::other("a line is too long"));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.received.extend_from_slice(chunk.get(..len).unwrap_or(&chunk)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells the daemon all of a part's state. Say it at each change and at least every second: a part that is silent for two
    /// counts as absent.
    ///
    /// # Errors
    ///
    /// The daemon ended the conversation, or takes nothing for 2 s; or the state is longer than [`MAX_PART_LINE_LEN`].
    pub fn tell(&mut self, state: &Map<String, Value>) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Line<'a> {
            state: &'a Map<String, Value>,
        }
        write_line(&mut self.stream, &Line { state }).map_err(|error| Failure::of(&error, &self.path))
    }
}

impl AsFd for Conversation {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn write_line(stream: &mut UnixStream, line: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(line)?;
    line.push(b'\n');
    if line.len() > MAX_PART_LINE_LEN {
        return Err(io::Error::other(format!("a line of {} bytes; at most {MAX_PART_LINE_LEN} are read", line.len())));
    }
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(&line)
}
