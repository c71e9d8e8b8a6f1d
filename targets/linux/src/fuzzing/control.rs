//! The control socket.

use crate::control::{Awaited, Server};
use mio::{Poll, Token};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use ucm_ha::{Duration, Instant};
use ucm_ha_control::{MAX_ASKING, MAX_REQUEST_LEN, Reply, Request, SOCKET_NAME};

/// Most bytes a client writes: more than any request has.
const MAX_WRITTEN: usize = 1024;
/// Bit of the first byte: the client has nothing more to say and waits, instead of leaving.
const STAYS: u8 = 0x80;
/// Longest time a client without a request may hold its place.
const MAX_PATIENCE: Duration = Duration::from_s(2);

struct Fixture {
    poll: Poll,
    server: Server,
    folder: PathBuf,
}

thread_local! {
    static FIXTURE: RefCell<Fixture> = RefCell::new(Fixture::new());
}

impl Fixture {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("ucm-ha-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the socket");
        let poll = Poll::new().expect("a poll");
        let server = Server::open(&folder, poll.registry(), Token(0)).expect("a socket");
        Self { poll, server, folder }
    }

    /// What the daemon reads next of any client. It answers at once, but for a switch, whose outcome comes later.
    fn read(&mut self) -> Option<Request> {
        let call = (1..=MAX_ASKING).find_map(|token| self.server.read(Token(token), Instant::ZERO))?;
        match call.request {
            Request::Switch => self.server.wait_for(call.client, Awaited::Switch, Instant::ZERO),
            _ => self.server.reply(call.client, &Reply::Done),
        }
        Some(call.request)
    }

    /// A client with nothing to wait for is told so when its time is up.
    fn expire(&mut self) {
        let deadline = self.server.deadline();
        if deadline != Instant::NEVER {
            assert!(deadline <= Instant::ZERO + MAX_PATIENCE, "a client holds its place until {deadline:?}");
            self.server.tend(deadline);
        }
        assert_eq!(self.server.deadline(), Instant::NEVER, "a client is waited for whose time is up");
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // A folder that stays is no finding.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a client is answered.
#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    /// What is wrong with its request.
    Error,
    /// The connection ends.
    Nothing,
}

struct Client<'a> {
    /// Written, and read, before the rest.
    first: &'a [u8],
    rest: &'a [u8],
    stays: bool,
}

impl<'a> Client<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (&head, written) = bytes.split_first()?;
        let written = written.get(..MAX_WRITTEN).unwrap_or(written);
        let (first, rest) = written.split_at(usize::from(head & !STAYS).min(written.len()));
        Some(Self { first, rest, stays: head & STAYS != 0 })
    }

    /// What the daemon must understand, and answer.
    fn expected(&self) -> (Option<Request>, Answer) {
        let written = [self.first, self.rest].concat();
        let end = written.iter().take(MAX_REQUEST_LEN).position(|byte| *byte == b'\n');
        match end.map(|end| (end, serde_json::from_slice(&written[..end]))) {
            Some((end, Ok(Request::Switch))) => (Some(Request::Switch), self.expected_of_switch(end)),
            Some((_, Ok(request))) => (Some(request), Answer::Done),
            Some((_, Err(_))) => (None, Answer::Error),
            None if written.len() >= MAX_REQUEST_LEN || self.stays => (None, Answer::Error),
            None => (None, Answer::Nothing),
        }
    }

    /// A client that waits for a switch may neither ask for more nor leave.
    fn expected_of_switch(&self, end: usize) -> Answer {
        let more = if end < self.first.len() { !self.rest.is_empty() } else { self.rest.len() > MAX_REQUEST_LEN };
        match (more, self.stays) {
            (true, _) => Answer::Error,
            (false, true) => Answer::Done,
            (false, false) => Answer::Nothing,
        }
    }
}

/// A client of the control socket, which writes `bytes` in two parts, and leaves or waits. One whole line is one request, or
/// one answer that says why not; anything else is nothing; and nobody stays for good.
pub fn control(bytes: &[u8]) {
    let Some(client) = Client::of(bytes) else { return };
    let (requests, answer) = FIXTURE.with_borrow_mut(|fixture| converse(fixture, &client));
    let (request, expected) = client.expected();
    assert_eq!(requests, request.as_slice());
    assert_eq!(answer, expected);
    for request in requests {
        let text = serde_json::to_vec(&request).expect("a request has a text");
        assert_eq!(serde_json::from_slice::<Request>(&text).ok(), Some(request), "not read back");
    }
}

fn converse(fixture: &mut Fixture, client: &Client<'_>) -> (Vec<Request>, Answer) {
    let mut stream = UnixStream::connect(fixture.folder.join(SOCKET_NAME)).expect("a connection");
    stream.write_all(client.first).expect("room for the first part");
    fixture.server.wake();
    fixture.server.accept(fixture.poll.registry(), Instant::ZERO);
    let mut requests = Vec::from_iter(fixture.read());
    // The server may have ended the connection already, and will not take more.
    let _ = stream.write_all(client.rest);
    if !client.stays {
        let _ = stream.shutdown(Shutdown::Write);
    }
    requests.extend(std::iter::from_fn(|| fixture.read()));
    fixture.server.reply_waiting(Awaited::Switch, &Reply::Done);
    fixture.expire();
    let mut line = Vec::new();
    // A connection that ends with bytes unread is an error here, and right there.
    let _ = stream.read_to_end(&mut line);
    (requests, answer(&line))
}

fn answer(line: &[u8]) -> Answer {
    if line.is_empty() {
        return Answer::Nothing;
    }
    assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1), "an answer is one line");
    match serde_json::from_slice(line).expect("an answer is JSON") {
        Reply::Done => Answer::Done,
        Reply::Error { reason } if !reason.is_empty() => Answer::Error,
        other => panic!("nobody answers {other:?} here"),
    }
}
