//! A client of Asterisk's manager interface that collects the events of role changes.

use crate::asterisk::MANAGER;
use lab::error::Context;
use lab::netns::Netns;
use lab::worker::{STOP_CHECK, Stop, Worker};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const PORT: u16 = 5038;

/// An event HARoleChange.
#[derive(Clone, Debug)]
pub(crate) struct RoleChange {
    pub(crate) at: Instant,
    pub(crate) fields: HashMap<String, String>,
}

impl RoleChange {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("(not there)", String::as_str)
    }
}

/// The client. It listens until it is dropped.
pub(crate) struct Manager {
    events: Arc<Mutex<Vec<RoleChange>>>,
    _worker: Worker,
}

impl Manager {
    /// Logs in at the Asterisk of this namespace.
    pub(crate) fn log_in(netns: &Netns) -> io::Result<Self> {
        let mut stream = netns
            .run(|| TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)))
            .context("the manager interface does not answer")?;
        let (name, secret) = MANAGER;
        write!(stream, "Action: Login\r\nUsername: {name}\r\nSecret: {secret}\r\n\r\n")?;
        stream.set_read_timeout(Some(STOP_CHECK))?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let its_events = Arc::clone(&events);
        let worker = Worker::start("manager", move |stop| listen(stream, &its_events, &stop))?;
        Ok(Self { events, _worker: worker })
    }

    /// The changes so far.
    pub(crate) fn changes(&self) -> Vec<RoleChange> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long after `since` a change to this role was told; `None` while it was not.
    pub(crate) fn told(&self, role: &str, since: Instant) -> Option<Duration> {
        let changes = self.changes();
        let mut later = changes.iter().filter(|change| change.at >= since);
        later.find(|change| change.field("Role") == role).map(|change| change.at - since)
    }
}

/// Reads messages, each of lines `Name: value` up to an empty one.
fn listen(stream: TcpStream, events: &Mutex<Vec<RoleChange>>, stop: &Stop) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    let mut fields = HashMap::new();
    while !stop.is_set() {
        match lines.read_line(&mut line) {
            Ok(0) => return Ok(()), // Asterisk is gone
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
        if let Some((name, value)) = line.trim_end().split_once(':') {
            fields.insert(name.to_owned(), value.trim_start().to_owned());
        } else if line.trim_end().is_empty() {
            let fields = std::mem::take(&mut fields);
            if fields.get("Event").is_some_and(|event| event == "HARoleChange") {
                let change = RoleChange { at: Instant::now(), fields };
                events.lock().unwrap_or_else(PoisonError::into_inner).push(change);
            }
        }
        line.clear();
    }
    Ok(())
}
