//! The console: log lines out, commands in.
//!
//! A line is the time in seconds, an event, and its fields as `key=value`. Lines wait in a queue and never hold up the
//! heartbeats; those that find no room are counted.

use crate::uart::CONSOLE;
use core::fmt::{self, Write};
use heapless::String;
use ucm_ha::Instant;

const BAUD: u32 = 115_200;
/// Longest line, in bytes; the rest of a longer one is cut off.
const MAX_LINE_LEN: usize = 1024;
/// Longest command, in bytes.
const MAX_COMMAND_LEN: usize = 16;
const US_PER_S: u64 = 1_000_000;

/// What the operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `status`: the status as one JSON object.
    Status,
    /// `switch`: hand the active role to the peer.
    Switch,
    /// `stop`: hand over, release, and rest until a reset.
    Stop,
    /// Anything else.
    Unknown,
}

/// The console.
pub(crate) struct Console {
    command: String<MAX_COMMAND_LEN>,
    /// More came in than a command is long.
    too_long: bool,
    lost_lines: u32,
}

impl Console {
    /// Starts the line.
    pub(crate) fn start() -> Self {
        CONSOLE.start(BAUD);
        Self { command: String::new(), too_long: false, lost_lines: 0 }
    }

    /// Writes a line of the log.
    pub(crate) fn log(&mut self, now: Instant, event: fmt::Arguments<'_>) {
        let (s, us) = (now.as_us() / US_PER_S, now.as_us() % US_PER_S);
        let lost = self.lost_lines;
        if lost > 0 && self.write(format_args!("{s}.{us:06} log lost={lost}\n")) {
            self.lost_lines = 0;
        }
        if !self.write(format_args!("{s}.{us:06} {event}\n")) {
            self.lost_lines = self.lost_lines.saturating_add(1);
        }
    }

    /// Writes a line as it is.
    pub(crate) fn answer(&mut self, line: fmt::Arguments<'_>) {
        if !self.write(format_args!("{line}\n")) {
            self.lost_lines = self.lost_lines.saturating_add(1);
        }
    }

    fn write(&mut self, line: fmt::Arguments<'_>) -> bool {
        let mut text = String::<MAX_LINE_LEN>::new();
        if text.write_fmt(line).is_err() {
            // Full: what fits is said, and the line is ended.
            text.pop();
            text.push('\n').unwrap_or_default();
        }
        CONSOLE.send(text.as_bytes())
    }

    /// The next command that has come in whole.
    pub(crate) fn command(&mut self) -> Option<Command> {
        while let Some(byte) = CONSOLE.receive() {
            match byte {
                b'\r' | b'\n' if self.command.is_empty() && !self.too_long => {}
                b'\r' | b'\n' => return Some(self.finish()),
                byte => self.too_long |= self.command.push(char::from(byte)).is_err(),
            }
        }
        None
    }

    fn finish(&mut self) -> Command {
        let command = match &*self.command {
            _ if self.too_long => Command::Unknown,
            "status" => Command::Status,
            "switch" => Command::Switch,
            "stop" => Command::Stop,
            _ => Command::Unknown,
        };
        self.command.clear();
        self.too_long = false;
        command
    }

    /// Whether bytes wait.
    pub(crate) fn has_received(&self) -> bool {
        CONSOLE.has_received()
    }
}
