//! The emulator's control socket.

use lab::error::Context;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::mem;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the emulator may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection.
pub(super) struct Qmp {
    stream: BufReader<UnixStream>,
    reset: bool,
}

impl Qmp {
    /// Connects.
    pub(super) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let mut qmp = Self { stream: BufReader::new(stream), reset: false };
        qmp.read()?;
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Gives or takes the carrier of a network device.
    pub(super) fn set_link(&mut self, device: &str, up: bool) -> io::Result<()> {
        self.execute("set_link", json!({ "name": device, "up": up })).map(drop)
    }

    /// Lets a machine that was started paused run.
    pub(super) fn cont(&mut self) -> io::Result<()> {
        self.execute("cont", json!({})).map(drop)
    }

    /// The path of the machine's GPIO controller.
    pub(super) fn gpio_path(&mut self) -> io::Result<String> {
        const PARENT: &str = "/machine/unattached";
        let devices = self.execute("qom-list", json!({ "path": PARENT }))?;
        let name = devices.as_array().into_iter().flatten().find(|device| device["type"] == "child<pl061>");
        let name = name.and_then(|device| device["name"].as_str());
        name.map(|name| format!("{PARENT}/{name}"))
            .ok_or_else(|| io::Error::other("the emulated machine has no GPIO controller"))
    }

    /// Whether the machine was reset since this was asked last.
    pub(super) fn was_reset(&mut self) -> io::Result<bool> {
        // Events stand before the answer to a later command.
        self.execute("query-status", json!({}))?;
        Ok(mem::take(&mut self.reset))
    }

    fn execute(&mut self, command: &str, arguments: Value) -> io::Result<Value> {
        let line = json!({ "execute": command, "arguments": arguments });
        writeln!(self.stream.get_mut(), "{line}").context("the emulator does not listen")?;
        loop {
            let mut reply = self.read()?;
            if let Some(error) = reply.get("error") {
                return Err(io::Error::other(format!("the emulator refuses {command}: {}", error["desc"])));
            }
            if let Some(value) = reply.get_mut("return") {
                return Ok(value.take());
            }
            self.reset |= reply["event"] == "RESET";
        }
    }

    fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).context("the emulator does not answer")? == 0 {
            return Err(io::Error::other("the emulator has closed its control socket"));
        }
        Ok(serde_json::from_str(&line)?)
    }
}
