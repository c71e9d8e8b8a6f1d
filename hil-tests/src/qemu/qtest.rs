//! The emulator's test socket: sets input lines of the machine's GPIO controller, as a chip's fault pin would.

use lab::error::Context;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the emulator may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection. The emulator takes one only.
pub(super) struct Qtest {
    stream: BufReader<UnixStream>,
}

impl Qtest {
    /// Connects.
    pub(super) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket).context("the emulator has no test socket")?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sets one input line of the controller at `path`.
    pub(super) fn set_line(&mut self, path: &str, line: u8, high: bool) -> io::Result<()> {
        let level = u8::from(high);
        writeln!(self.stream.get_mut(), "set_irq_in {path} unnamed-gpio-in {line} {level}")?;
        let mut reply = String::new();
        self.stream.read_line(&mut reply).context("the emulator does not answer")?;
        if reply.starts_with("OK") {
            return Ok(());
        }
        Err(io::Error::other(format!("the emulator refuses to set GPIO line {line}: {}", reply.trim())))
    }
}
