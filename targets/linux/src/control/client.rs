//! One connection: lines in, lines out, and nobody is waited for.

use super::Awaited;
use mio::net::UnixStream;
use std::io::{ErrorKind, Read, Write};
use ucm_ha::{Duration, Instant};
use ucm_ha_control::{MAX_PART_LINE_LEN, MAX_REQUEST_LEN};

/// How long a client may take to write its request.
const REQUEST_TIMEOUT: Duration = Duration::from_s(2);
/// A reader that takes nothing for so long is dropped.
const STUCK_TIMEOUT: Duration = Duration::from_s(2);

/// What the connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// Its request is not complete.
    Asking,
    /// It waits for an outcome.
    Awaiting(Awaited),
    /// It is told the status, again and again.
    Subscribed,
    /// It is the part of this number, which is told the role and tells its state.
    Part(usize),
}

/// Why a connection ends: what it is told, if anything.
pub(super) type End = Option<&'static str>;

/// A connection.
pub(super) struct Client {
    pub(super) stream: UnixStream,
    pub(super) uid: u32,
    pub(super) talk: Talk,
    /// When it ends unless something happens; `NEVER` for a conversation that lasts.
    pub(super) deadline: Instant,
    /// Read, and no whole line yet.
    line: Vec<u8>,
    /// Of a line that is being written.
    unsent: Vec<u8>,
    /// There is a newer line than the one that is being written.
    behind: bool,
    /// When the socket last took something, or had nothing to take.
    moved_at: Instant,
    /// There may be more lines to read.
    pub(super) more: bool,
}

impl Client {
    /// One that has just connected.
    pub(super) fn new(stream: UnixStream, uid: u32, now: Instant) -> Self {
        Self {
            stream,
            uid,
            talk: Talk::Asking,
            deadline: now + REQUEST_TIMEOUT,
            line: Vec::new(),
            unsent: Vec::new(),
            behind: false,
            moved_at: now,
            more: false,
        }
    }

    /// Until when it may hold its place without having asked; `None` once it has. Who came first has to leave first.
    pub(super) fn idle_until(&self) -> Option<Instant> {
        (self.talk == Talk::Asking).then_some(self.deadline)
    }

    /// Waits for an outcome. What it said besides its request does not count.
    pub(super) fn await_outcome(&mut self, outcome: Awaited, now: Instant) {
        (self.talk, self.deadline) = (Talk::Awaiting(outcome), now + outcome.timeout());
        self.line.clear();
    }

    /// Goes on as a conversation that lasts.
    pub(super) fn last(&mut self, talk: Talk, now: Instant) {
        (self.talk, self.deadline, self.moved_at) = (talk, Instant::NEVER, now);
        // It may have said more than its request already. What was told before is not for it.
        (self.more, self.behind) = (true, false);
    }

    /// The next whole line; `None` when there is none yet.
    pub(super) fn next_line(&mut self) -> Result<Option<Vec<u8>>, End> {
        let max_len = match self.talk {
            Talk::Part(_) => MAX_PART_LINE_LEN,
            Talk::Asking | Talk::Awaiting(_) | Talk::Subscribed => MAX_REQUEST_LEN,
        };
        loop {
            let end = self.line.iter().position(|&byte| byte == b'\n');
            match end {
                _ if self.line.is_empty() => {}
                _ if matches!(self.talk, Talk::Awaiting(_) | Talk::Subscribed) => {
                    return Err(Some("one request for each connection"));
                }
                Some(end) if end < max_len => {
                    let rest = self.line.split_off(end + 1);
                    let mut line = std::mem::replace(&mut self.line, rest);
                    line.truncate(end);
                    return Ok(Some(line));
                }
                None if self.line.len() < max_len => {}
                Some(_) | None => return Err(Some("the request line is too long")),
            }
            if !self.read_more(max_len)? {
                return Ok(None);
            }
        }
    }

    /// Whether there was something to read.
    fn read_more(&mut self, max_len: usize) -> Result<bool, End> {
        let mut chunk = [0; MAX_PART_LINE_LEN];
        loop {
            match self.stream.read(chunk.get_mut(..max_len).unwrap_or(&mut [])) {
                Ok(0) => return Err(None),
                Ok(len) => {
                    self.line.extend_from_slice(chunk.get(..len).unwrap_or(&chunk));
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(None),
            }
        }
    }

    /// There is a newer line for it.
    pub(super) fn owe(&mut self) {
        self.behind = true;
    }

    /// Writes what the socket takes of the newest line, once the one before is out. Whether the client still takes anything.
    pub(super) fn catch_up(&mut self, newest: &[u8], now: Instant) -> bool {
        while self.behind || !self.unsent.is_empty() {
            if self.unsent.is_empty() {
                self.unsent.extend_from_slice(newest);
                self.behind = false;
                self.moved_at = now;
            }
            match self.stream.write(&self.unsent) {
                Ok(0) => return false,
                Ok(len) => {
                    self.unsent.drain(..len);
                    self.moved_at = now;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return now < self.moved_at + STUCK_TIMEOUT,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream as Peer;

    fn pair() -> (Client, Peer) {
        let (ours, theirs) = Peer::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Client::new(UnixStream::from_std(ours), 0, Instant::ZERO), theirs)
    }

    fn at(ms: u64) -> Instant {
        Instant::from_ms(ms)
    }

    /// A line that no socket takes at once.
    fn long_line(letter: u8) -> Vec<u8> {
        let mut line = vec![letter; 1 << 20];
        line.push(b'\n');
        line
    }

    fn drain(peer: &mut Peer, client: &mut Client, newest: &[u8], now: Instant) -> Vec<u8> {
        let mut all = Vec::new();
        let mut chunk = vec![0; 1 << 16];
        peer.set_nonblocking(true).unwrap();
        while let Ok(len) = peer.read(&mut chunk) {
            all.extend_from_slice(&chunk[..len]);
            assert!(client.catch_up(newest, now));
        }
        all
    }

    #[test]
    fn a_slow_reader_gets_the_line_that_was_begun_and_then_the_newest() {
        let (mut client, mut peer) = pair();
        client.last(Talk::Subscribed, at(0));
        let lines = [b'1', b'2', b'3'].map(long_line);
        for line in &lines {
            client.owe();
            assert!(client.catch_up(line, at(0)));
        }
        assert_eq!(drain(&mut peer, &mut client, &lines[2], at(1)), [&lines[0][..], &lines[2]].concat());
    }

    #[test]
    fn a_reader_that_takes_nothing_for_two_seconds_is_given_up() {
        let (mut client, _peer) = pair();
        client.last(Talk::Subscribed, at(0));
        client.owe();
        assert!(client.catch_up(&long_line(b'1'), at(100)));
        assert!(client.catch_up(b"\n", at(2099)));
        assert!(!client.catch_up(b"\n", at(2100)));
    }

    #[test]
    fn a_part_may_say_several_lines_at_once_and_one_in_pieces() {
        let (mut client, mut peer) = pair();
        client.last(Talk::Part(0), at(0));
        peer.write_all(b"one\ntwo\nthr").unwrap();
        assert_eq!(client.next_line(), Ok(Some(b"one".to_vec())));
        assert_eq!(client.next_line(), Ok(Some(b"two".to_vec())));
        assert_eq!(client.next_line(), Ok(None));
        peer.write_all(b"ee\n").unwrap();
        assert_eq!(client.next_line(), Ok(Some(b"three".to_vec())));
    }

    #[test]
    fn a_line_of_a_part_that_is_too_long_ends_the_conversation() {
        let (mut client, mut peer) = pair();
        client.last(Talk::Part(0), at(0));
        peer.write_all(&vec![b'a'; MAX_PART_LINE_LEN]).unwrap();
        assert!(client.next_line().is_err());
    }

    #[test]
    fn who_subscribed_has_nothing_more_to_say() {
        let (mut client, mut peer) = pair();
        client.last(Talk::Subscribed, at(0));
        assert_eq!(client.next_line(), Ok(None));
        peer.write_all(b"a").unwrap();
        assert!(client.next_line().is_err());
    }
}
