//! The shell of a machine, on a virtual serial port of its own.

use crate::rig::Answer;
use lab::error::Context;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(8);
/// Most that a command may write, in bytes.
const MAX_TEXT_LEN: usize = 4 << 20;

/// A connection. It stays when the machine boots again.
pub(super) struct Shell {
    stream: UnixStream,
    commands: u32,
}

impl Shell {
    /// Connects to the emulator's end of the port.
    pub(super) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket).context("the emulator has no serial port for the rig")?;
        stream.set_write_timeout(Some(COMMAND_TIMEOUT))?;
        Ok(Self { stream, commands: 0 })
    }

    /// Runs a command. What an earlier one wrote too late is passed over.
    pub(super) fn run(&mut self, command: &str) -> io::Result<Answer> {
        self.commands += 1;
        let (begin, end) = (format!("<rig {}>", self.commands), format!("<rig {} ", self.commands));
        // A subshell: a command that exits ends itself only. The marks are taken apart, so that no echo looks like them.
        let number = self.commands;
        let line = format!("echo '<'rig {number}'>'; ( {command}\n) 2>&1 </dev/null; echo '<'rig {number} $?'>'\n");
        self.stream.write_all(line.as_bytes()).context("the machine's shell takes no command")?;
        let text = self.read_until(|text| find_answer(text, &begin, &end).is_some())?;
        let (answer, code) = find_answer(&text, &begin, &end).unwrap_or_default();
        Ok(Answer { code, text: answer })
    }

    fn read_until(&mut self, complete: impl Fn(&str) -> bool) -> io::Result<String> {
        let deadline = Instant::now() + COMMAND_TIMEOUT;
        let mut bytes = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || bytes.len() > MAX_TEXT_LEN {
                return Err(io::Error::new(ErrorKind::TimedOut, "the machine's shell does not answer"));
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::Error::other("the emulator has closed the machine's serial port")),
                Ok(len) => bytes.extend_from_slice(chunk.get(..len).unwrap_or(&chunk)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
            let text = String::from_utf8_lossy(&bytes);
            if complete(&text) {
                return Ok(text.into_owned());
            }
        }
    }
}

/// What stands between the marks, and the exit code in the second one.
fn find_answer(text: &str, begin: &str, end: &str) -> Option<(String, i32)> {
    let (_, rest) = text.split_once(begin)?;
    let (answer, rest) = rest.rsplit_once(end)?;
    let (code, _) = rest.split_once('>')?;
    Some((answer.trim_start_matches(['\r', '\n']).replace('\r', ""), code.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_between_the_marks() {
        let text = "late\n<rig 1 0>\n<rig 2>\r\nfirst\r\nsecond\n<rig 2 7>\n";
        assert_eq!(find_answer(text, "<rig 2>", "<rig 2 "), Some(("first\nsecond\n".to_owned(), 7)));
        assert_eq!(find_answer("<rig 2>\nfirst", "<rig 2>", "<rig 2 "), None, "not complete yet");
    }
}
