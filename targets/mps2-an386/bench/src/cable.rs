//! The heartbeat cable: between two boards, their serial lines; between a board and a Linux node, the Ethernet frames on
//! the board's line and those on the node's heartbeat port.

use board::serial::{Decoder, MAX_RECEIVE_LEN, encode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use smoltcp::phy::{Device, Medium, RawSocket, RxToken, TxToken};
use smoltcp::time::Instant;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// How long a cable takes to notice that it is to end.
const END_CHECK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// Longest frame on the line.
const MAX_LINE_LEN: usize = 2 * MAX_RECEIVE_LEN;

/// A cable, carried by a thread. It goes with this value.
pub struct Cable {
    end: Arc<AtomicBool>,
    cut: Arc<AtomicBool>,
    carrier: Option<JoinHandle<()>>,
}

impl Cable {
    /// Joins two boards.
    #[must_use]
    pub fn between(a: UnixStream, b: UnixStream) -> Self {
        Self::start(move |end, cut| join(&a, &b, end, cut))
    }

    /// Joins a board and the interface `interface` of this namespace.
    #[must_use]
    pub fn to_interface(line: UnixStream, interface: &'static str) -> Self {
        Self::start(move |end, cut| convert(&line, interface, end, cut))
    }

    /// Cuts the cable in both directions, or mends it.
    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    fn start(carry: impl FnOnce(&AtomicBool, &AtomicBool) + Send + 'static) -> Self {
        let (end, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (its_end, its_cut) = (Arc::clone(&end), Arc::clone(&cut));
        let carrier = std::thread::spawn(move || carry(&its_end, &its_cut));
        Self { end, cut, carrier: Some(carrier) }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        let carried = self.carrier.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(carried, Some(Ok(()))), "the cable broke");
    }
}

fn join(a: &UnixStream, b: &UnixStream, end: &AtomicBool, cut: &AtomicBool) {
    let mut buffer = [0; 4096];
    while !end.load(Ordering::Relaxed) {
        let [a_ready, b_ready] = ready([a, b]);
        for (from, to, is_ready) in [(a, b, a_ready), (b, a, b_ready)] {
            if !is_ready {
                continue;
            }
            let len = receive(from, &mut buffer);
            if len == 0 {
                // A board without power is an open line. The other one sends into it.
                return drain(to, end);
            }
            if !cut.load(Ordering::Relaxed) {
                send(to, &buffer[..len]);
            }
        }
    }
}

fn convert(line: &UnixStream, interface: &str, end: &AtomicBool, cut: &AtomicBool) {
    let mut port = RawSocket::new(interface, Medium::Ethernet).unwrap();
    let mut frame = [0; MAX_RECEIVE_LEN];
    let mut decoder = Decoder::new(&mut frame);
    let mut buffer = [0; 4096];
    while !end.load(Ordering::Relaxed) {
        // The socket lends its descriptor only as a number; that the line is polled alone costs at most the wait.
        while let Some((received, _)) = port.receive(Instant::now()) {
            let mut stuffed = [0; MAX_LINE_LEN];
            let bytes = received.consume(|frame| encode(frame, &mut stuffed).map(<[u8]>::to_vec));
            if let Some(bytes) = bytes.filter(|_| !cut.load(Ordering::Relaxed)) {
                send(line, &bytes);
            }
        }
        if !readable_soon(line) {
            continue;
        }
        let len = receive(line, &mut buffer);
        if len == 0 {
            return;
        }
        for byte in &buffer[..len] {
            let Some(frame) = decoder.feed(*byte).filter(|_| !cut.load(Ordering::Relaxed)) else { continue };
            let leave = port.transmit(Instant::now()).expect("a packet socket always has leave to send");
            leave.consume(frame.len(), |place| place.copy_from_slice(frame));
        }
    }
}

fn ready(lines: [&UnixStream; 2]) -> [bool; 2] {
    let mut polled = lines.map(|line| PollFd::from_borrowed_fd(line.as_fd(), PollFlags::IN));
    poll(&mut polled, Some(&END_CHECK)).unwrap();
    polled.map(|line| !line.revents().is_empty())
}

/// Waits for a millisecond.
fn readable_soon(line: &UnixStream) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(line.as_fd(), PollFlags::IN)];
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 1_000_000 })).unwrap() > 0
}

/// What came in; 0 when the board is gone.
fn receive(mut line: &UnixStream, buffer: &mut [u8]) -> usize {
    match line.read(buffer) {
        Ok(len) => len,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
        Err(error) => panic!("{error}"),
    }
}

fn send(mut line: &UnixStream, bytes: &[u8]) {
    let gone = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
    match line.write_all(bytes) {
        Err(error) if !gone.contains(&error.kind()) => panic!("{error}"),
        // Nobody is there to receive it any more.
        Ok(()) | Err(_) => {}
    }
}

/// Takes what comes, until the end.
fn drain(line: &UnixStream, end: &AtomicBool) {
    let mut buffer = [0; 4096];
    while !end.load(Ordering::Relaxed) {
        let [is_ready, _] = ready([line, line]);
        if is_ready && receive(line, &mut buffer) == 0 {
            return;
        }
    }
}
