//! The daemon's end of the control socket.

use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::fs::Mode;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use ucm_ha::{Duration, Instant};
use ucm_ha_control::{Log, MAX_CLIENTS, MAX_REQUEST_LEN, Reply, Request, SOCKET_NAME};

/// Connections that are taken from the queue at once.
const MAX_ACCEPT_BATCH: usize = 32;
/// How long a client may take to write its request.
const REQUEST_TIMEOUT: Duration = Duration::from_s(2);
/// How long a client may wait for the outcome of a switch.
const SWITCH_TIMEOUT: Duration = Duration::from_s(60);
/// How long a client may wait until a log is cleared; less than it waits for an answer.
const CLEAR_TIMEOUT: Duration = Duration::from_ms(1500);

/// An outcome that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Of [`Request::Switch`].
    Switch,
    /// Of [`Request::ClearLog`].
    Clear(Log),
}

impl Awaited {
    const fn timeout(self) -> Duration {
        match self {
            Self::Switch => SWITCH_TIMEOUT,
            Self::Clear(_) => CLEAR_TIMEOUT,
        }
    }
}

/// A request and who made it.
#[derive(Debug)]
pub(crate) struct Call {
    /// What to give back to [`Server::reply`].
    pub(crate) client: usize,
    /// What is asked for.
    pub(crate) request: Request,
}

struct Client {
    stream: UnixStream,
    line: Vec<u8>,
    deadline: Instant,
    awaits: Option<Awaited>,
}

/// The daemon's end.
pub(crate) struct Server {
    listener: UnixListener,
    path: PathBuf,
    clients: [Option<Client>; MAX_CLIENTS],
    /// Token of the first client; the others follow.
    first_token: usize,
    /// There may be connections to take.
    waiting: bool,
}

impl Server {
    /// Listens in `run_dir`. A socket left over from a daemon that died is replaced, so hold the lock on `run_dir`.
    pub(crate) fn open(run_dir: &Path, registry: &Registry, listener_token: Token) -> io::Result<Self> {
        let path = run_dir.join(SOCKET_NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // The mask makes the socket 0600 from its first moment.
        let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
        let bound = UnixListener::bind(&path);
        rustix::process::umask(mask);
        let mut listener = bound?;
        registry.register(&mut listener, listener_token, Interest::READABLE)?;
        let clients = [const { None }; MAX_CLIENTS];
        Ok(Self { listener, path, clients, first_token: listener_token.0 + 1, waiting: true })
    }

    /// Somebody may want to connect.
    pub(crate) fn wake(&mut self) {
        self.waiting = true;
    }

    /// Takes the waiting connections, a batch at a time.
    pub(crate) fn accept(&mut self, registry: &Registry, now: Instant) {
        for _ in 0..MAX_ACCEPT_BATCH {
            if !self.waiting {
                return;
            }
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream, registry, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.waiting = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    log::warn!("a control connection cannot be taken: {error}");
                    self.waiting = false;
                }
            }
        }
    }

    fn admit(&mut self, mut stream: UnixStream, registry: &Registry, now: Instant) {
        let Some(free) = self.clients.iter().position(Option::is_none) else {
            write_reply(&mut stream, &error("too many clients at a time; try again"));
            return;
        };
        let token = Token(self.first_token + free);
        if let Err(error) = registry.register(&mut stream, token, Interest::READABLE) {
            log::warn!("a control connection cannot be watched: {error}");
            return;
        }
        let line = Vec::with_capacity(MAX_REQUEST_LEN);
        let client = Client { stream, line, deadline: now + REQUEST_TIMEOUT, awaits: None };
        if let Some(slot) = self.clients.get_mut(free) {
            *slot = Some(client);
        }
    }

    /// Reads from the client of `token`. A request comes back when its line is complete.
    pub(crate) fn read(&mut self, token: Token) -> Option<Call> {
        let number = token.0.checked_sub(self.first_token)?;
        let slot = self.clients.get_mut(number)?;
        match slot.as_mut()?.read() {
            Ok(None) => None,
            Ok(Some(request)) => Some(Call { client: number, request }),
            Err(reason) => {
                if let (Some(mut client), Some(reason)) = (slot.take(), reason) {
                    write_reply(&mut client.stream, &error(reason));
                }
                None
            }
        }
    }

    /// Answers a request and ends the connection.
    pub(crate) fn reply(&mut self, client: usize, reply: &Reply) {
        if let Some(mut client) = self.clients.get_mut(client).and_then(Option::take) {
            write_reply(&mut client.stream, reply);
        }
    }

    /// Keeps a client waiting for an outcome.
    pub(crate) fn wait_for(&mut self, client: usize, outcome: Awaited, now: Instant) {
        if let Some(client) = self.clients.get_mut(client).and_then(Option::as_mut) {
            client.awaits = Some(outcome);
            client.deadline = now + outcome.timeout();
        }
    }

    /// Answers everybody who waits for this outcome.
    pub(crate) fn reply_waiting(&mut self, outcome: Awaited, reply: &Reply) {
        for slot in &mut self.clients {
            if let Some(mut client) = slot.take_if(|client| client.awaits == Some(outcome)) {
                write_reply(&mut client.stream, reply);
            }
        }
    }

    /// Drops the clients that were too slow.
    pub(crate) fn expire(&mut self, now: Instant) {
        for slot in &mut self.clients {
            if let Some(mut client) = slot.take_if(|client| client.deadline <= now) {
                let late = match client.awaits {
                    Some(Awaited::Switch) => "no outcome in time; see the status",
                    Some(Awaited::Clear(_)) => "the disk did not take it in time; see the log",
                    None => "no request in time",
                };
                write_reply(&mut client.stream, &error(late));
            }
        }
    }

    /// When to call [`accept`](Self::accept) and [`expire`](Self::expire) although nobody wakes the loop.
    pub(crate) fn deadline(&self) -> Instant {
        if self.waiting {
            return Instant::ZERO;
        }
        self.clients.iter().flatten().map(|client| client.deadline).min().unwrap_or(Instant::NEVER)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            log::warn!("{} cannot be removed: {error}", self.path.display());
        }
    }
}

impl Client {
    /// The request, once its line is complete; otherwise an error ends the connection, with a reply where one is due.
    fn read(&mut self) -> Result<Option<Request>, Option<&'static str>> {
        let mut chunk = [0; MAX_REQUEST_LEN];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(None),
                Ok(len) => self.line.extend_from_slice(chunk.get(..len).unwrap_or(&chunk)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(None),
            }
            let end = self.line.iter().position(|&byte| byte == b'\n');
            match (end, self.line.get(..end.unwrap_or_default())) {
                _ if self.awaits.is_some() => return Err(Some("one request for each connection")),
                (Some(end), Some(line)) if end < MAX_REQUEST_LEN => {
                    return serde_json::from_slice(line).map(Some).map_err(|_| Some("not a request"));
                }
                _ if self.line.len() >= MAX_REQUEST_LEN => return Err(Some("the request line is too long")),
                _ => {}
            }
        }
    }
}

fn error(reason: &str) -> Reply {
    Reply::Error { reason: reason.to_owned() }
}

/// Writes what the socket takes at once; a client that lets its buffer fill up loses its reply.
fn write_reply(stream: &mut UnixStream, reply: &Reply) {
    let written = serde_json::to_vec(reply).map_err(io::Error::from).and_then(|mut line| {
        line.push(b'\n');
        stream.write_all(&line)
    });
    if let Err(error) = written {
        log::debug!("a control client did not take its reply: {error}");
    }
}
