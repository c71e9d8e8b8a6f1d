//! The daemon's end of the control socket.
//!
//! | file | concept |
//! |---|---|
//! | `mod` | who is let in, and what becomes of each conversation |
//! | `client` | one connection |
//! | `part` | the parts of the family that hold a conversation |
//! | `rights` | who may ask for what |

mod client;
mod part;
mod rights;

use crate::sys;
use client::{Client, End, Talk};
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use nix::unistd::Group;
pub(crate) use part::PartNews;
use part::Parts;
use rights::Users;
use rustix::fs::{Gid, Mode, chmod, chown};
use rustix::process::getegid;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use ucm_ha::{Duration, Instant};
use ucm_ha_control::status::PartStatus;
use ucm_ha_control::{Log, MAX_ASKING, MAX_SUBSCRIBERS, PARTS, PULSE_MS, Reply, Request, SOCKET_NAME};

/// Connections that are taken from the queue at once.
const MAX_ACCEPT_BATCH: usize = 32;
/// Lines of a part that are read at once.
const MAX_LINE_BATCH: usize = 16;
/// Conversations at a time: questions of who may do everything, and of others, subscriptions, parts.
const MAX_CLIENTS: usize = 2 * MAX_ASKING + MAX_SUBSCRIBERS + PARTS.len();
/// How long a client may wait for the outcome of a switch.
const SWITCH_TIMEOUT: Duration = Duration::from_s(60);
/// How long a client may wait until a log is cleared; less than it waits for an answer.
const CLEAR_TIMEOUT: Duration = Duration::from_ms(1500);
/// Who subscribed, and parts, are told at least so often.
const PULSE: Duration = Duration::from_ms(PULSE_MS);
/// Its members may open the socket.
const GROUP: &str = "ucm-ha";

/// An outcome that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Of [`Request::Switch`], or of [`Request::Maintenance`]: the core has one handover at a time.
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

/// The daemon's end.
pub(crate) struct Server {
    listener: UnixListener,
    path: PathBuf,
    users: Users,
    clients: [Option<Client>; MAX_CLIENTS],
    parts: Parts,
    /// Token of the first client; the others follow.
    first_token: usize,
    /// There may be connections to take.
    waiting: bool,
    /// The newest lines for who subscribed, and for the parts.
    status_line: Vec<u8>,
    role_line: Vec<u8>,
    told_at: Instant,
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
        open_to_group(&path);
        registry.register(&mut listener, listener_token, Interest::READABLE)?;
        Ok(Self {
            listener,
            path,
            users: Users::look_up(),
            clients: [const { None }; MAX_CLIENTS],
            parts: Parts::default(),
            first_token: listener_token.0 + 1,
            waiting: true,
            status_line: Vec::new(),
            role_line: Vec::new(),
            told_at: Instant::ZERO,
        })
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
        let uid = match sys::peer(stream.as_fd()) {
            Ok(peer) => peer.uid,
            Err(error) => return log::warn!("the kernel does not tell who asks: {error}"),
        };
        self.make_room_to_ask(uid);
        let asking = self.count(|client| self.asks_beside(client, uid));
        let free = self.clients.iter().position(Option::is_none).filter(|_| asking < MAX_ASKING);
        let Some(free) = free else {
            return write_reply(&mut stream, &error("too many clients at a time; try again"));
        };
        let token = Token(self.first_token + free);
        if let Err(error) = registry.register(&mut stream, token, Interest::READABLE) {
            return log::warn!("a control connection cannot be watched: {error}");
        }
        if let Some(slot) = self.clients.get_mut(free) {
            *slot = Some(Client::new(stream, uid, now));
        }
    }

    /// Who has not asked yet goes first when there are too many. Those who may do everything and the others have places of their own.
    fn make_room_to_ask(&mut self, uid: u32) {
        if self.count(|client| self.asks_beside(client, uid)) < MAX_ASKING {
            return;
        }
        let idle = |client: &Client| client.idle_until().filter(|_| self.asks_beside(client, uid));
        let oldest = (0..).zip(&self.clients).filter_map(|(i, slot)| Some((idle(slot.as_ref()?)?, i))).min();
        if let Some((_, number)) = oldest {
            self.end(number, Some("no request, and others wait"));
        }
    }

    /// Whether a client has one of the places for questions for which `uid` would wait.
    fn asks_beside(&self, client: &Client, uid: u32) -> bool {
        matches!(client.talk, Talk::Asking | Talk::Awaiting(_))
            && self.users.is_master(client.uid) == self.users.is_master(uid)
    }

    fn count(&self, counts: impl Fn(&Client) -> bool) -> usize {
        self.clients.iter().flatten().filter(|client| counts(client)).count()
    }

    fn end(&mut self, number: usize, reason: End) {
        let Some(mut client) = self.clients.get_mut(number).and_then(Option::take) else { return };
        if let Talk::Part(part) = client.talk {
            self.parts.end(part);
        } else if let Some(reason) = reason {
            write_reply(&mut client.stream, &error(reason));
        }
    }

    /// Reads from the client of `token`. A request comes back when its line is complete.
    pub(crate) fn read(&mut self, token: Token, now: Instant) -> Option<Call> {
        let number = token.0.checked_sub(self.first_token)?;
        self.read_from(number, now)
    }

    fn read_from(&mut self, number: usize, now: Instant) -> Option<Call> {
        for _ in 0..MAX_LINE_BATCH {
            let client = self.clients.get_mut(number)?.as_mut()?;
            let line = match client.next_line() {
                Ok(line) => line?,
                Err(reason) => {
                    self.end(number, reason);
                    return None;
                }
            };
            match client.talk {
                Talk::Part(part) => self.parts.hear(part, &line, now),
                Talk::Asking | Talk::Awaiting(_) | Talk::Subscribed => return self.understand(number, &line),
            }
        }
        if let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) {
            client.more = true;
        }
        None
    }

    fn understand(&mut self, number: usize, line: &[u8]) -> Option<Call> {
        let Ok(request) = serde_json::from_slice::<Request>(line) else {
            self.end(number, Some("not a request"));
            return None;
        };
        let uid = self.clients.get(number)?.as_ref()?.uid;
        if self.users.rights(uid).permit(&request) {
            return Some(Call { client: number, request });
        }
        log::debug!("user {uid} asks for {request:?}");
        let reason = format!("user {uid} may not ask for this; run it as root, or see the rights in services.md");
        self.reply(number, &Reply::Refused { reason });
        None
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
            client.await_outcome(outcome, now);
        }
    }

    /// Answers everybody who waits for this outcome.
    pub(crate) fn reply_waiting(&mut self, outcome: Awaited, reply: &Reply) {
        for slot in &mut self.clients {
            if let Some(mut client) = slot.take_if(|client| client.talk == Talk::Awaiting(outcome)) {
                write_reply(&mut client.stream, reply);
            }
        }
    }

    /// Tells a client the status from now on.
    pub(crate) fn subscribe(&mut self, number: usize, now: Instant) {
        if self.count(|client| client.talk == Talk::Subscribed) >= MAX_SUBSCRIBERS {
            return self.end(number, Some("too many subscribers; try again"));
        }
        self.last(number, Talk::Subscribed, now);
    }

    /// Lets a client be the part of this name. One that was it before has been replaced.
    pub(crate) fn join(&mut self, number: usize, name: &str, now: Instant) {
        let Some(part) = PARTS.iter().position(|known| *known == name) else {
            return self.end(number, Some("there is no part of this name"));
        };
        let before =
            self.clients.iter().position(|slot| slot.as_ref().is_some_and(|client| client.talk == Talk::Part(part)));
        if let Some(before) = before {
            self.end(before, None);
        }
        self.last(number, Talk::Part(part), now);
        self.parts.join(part, now);
    }

    fn last(&mut self, number: usize, talk: Talk, now: Instant) {
        if let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) {
            client.last(talk, now);
        }
        // Its first line is due.
        self.told_at = Instant::ZERO;
    }

    /// Whether anybody is told the status as it changes.
    pub(crate) fn is_followed(&self) -> bool {
        self.clients.iter().flatten().any(|client| matches!(client.talk, Talk::Subscribed | Talk::Part(_)))
    }

    /// Whether the status is due although nothing has changed.
    pub(crate) fn is_pulse_due(&self, now: Instant) -> bool {
        now >= self.told_at + PULSE || self.told_at == Instant::ZERO
    }

    /// Tells everybody who follows how things are now. Who has not taken the line before gets this one later, or a newer one.
    pub(crate) fn tell(&mut self, status: &Reply, role: &Reply, now: Instant) {
        (self.status_line, self.role_line) = (line_of(status), line_of(role));
        self.told_at = now;
        self.clients.iter_mut().flatten().for_each(Client::owe);
    }

    /// Writes what those who follow take, and drops who takes nothing. Reads what was left of a part's lines.
    pub(crate) fn tend(&mut self, now: Instant) {
        for number in 0..MAX_CLIENTS {
            let more =
                self.clients.get_mut(number).and_then(Option::as_mut).map(|client| std::mem::take(&mut client.more));
            if more == Some(true) {
                // Who has a conversation that lasts asks for nothing.
                drop(self.read_from(number, now));
            }
            let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) else { continue };
            let newest = match client.talk {
                Talk::Subscribed => &self.status_line,
                Talk::Part(_) => &self.role_line,
                Talk::Asking | Talk::Awaiting(_) => continue,
            };
            if !client.catch_up(newest, now) {
                log::debug!("a control client takes nothing any more");
                self.end(number, None);
            }
        }
        self.parts.tick(now);
        self.expire(now);
    }

    /// A part that went, or came back, once.
    pub(crate) fn part_news(&mut self) -> Option<PartNews> {
        self.parts.news()
    }

    /// What the status says of the parts.
    pub(crate) fn parts(&self) -> Vec<PartStatus> {
        self.parts.status()
    }

    /// Drops the clients that were too slow.
    fn expire(&mut self, now: Instant) {
        for slot in &mut self.clients {
            if let Some(mut client) = slot.take_if(|client| client.deadline <= now) {
                let late = match client.talk {
                    Talk::Awaiting(Awaited::Switch) => "no outcome in time; see the status",
                    Talk::Awaiting(Awaited::Clear(_)) => "the disk did not take it in time; see the log",
                    Talk::Asking | Talk::Subscribed | Talk::Part(_) => "no request in time",
                };
                write_reply(&mut client.stream, &error(late));
            }
        }
    }

    /// When to call [`accept`](Self::accept), [`tend`](Self::tend) and, where it is due, [`tell`](Self::tell), although nobody
    /// wakes the loop.
    pub(crate) fn deadline(&self) -> Instant {
        if self.waiting || self.clients.iter().flatten().any(|client| client.more) {
            return Instant::ZERO;
        }
        let pulse = if self.is_followed() { self.told_at + PULSE } else { Instant::NEVER };
        let clients = self.clients.iter().flatten().map(|client| client.deadline);
        clients.fold(pulse.min(self.parts.deadline()), Instant::min)
    }
}

/// Lets the members of a group open the socket, where this machine has that group.
fn open_to_group(path: &Path) {
    let group = match Group::from_name(GROUP) {
        Ok(Some(group)) => group.gid.as_raw(),
        Ok(None) => return,
        Err(error) => return log::warn!("the group {GROUP} cannot be looked up: {error}"),
    };
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP;
    // A unit with Group= makes it the group's from the start, and may not change owners.
    let is_its_own = getegid().as_raw() == group;
    let given = if is_its_own { Ok(()) } else { chown(path, None, Some(Gid::from_raw(group))) };
    if let Err(error) = given.and_then(|()| chmod(path, mode)) {
        log::warn!("{} stays root's own: {error}; run the daemon with the group {GROUP}", path.display());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            log::warn!("{} cannot be removed: {error}", self.path.display());
        }
    }
}

fn error(reason: &str) -> Reply {
    Reply::Error { reason: reason.to_owned() }
}

fn line_of(reply: &Reply) -> Vec<u8> {
    // None of them has keys that are no strings, which is all that could fail.
    let mut line = serde_json::to_vec(reply).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Writes what the socket takes at once; a client that lets its buffer fill up loses its reply.
fn write_reply(stream: &mut UnixStream, reply: &Reply) {
    if let Err(error) = stream.write_all(&line_of(reply)) {
        log::debug!("a control client did not take its reply: {error}");
    }
}
