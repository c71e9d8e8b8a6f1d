//! All boards of this machine as one.

use super::guarded::Guarded;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::BorrowedFd;
use std::time::Duration;
use ucm_ha::fault::Faults;
use ucm_ha::fxo::{LineInterface, Report};
use ucm_ha::time::Instant;

/// All boards; their ports count on from one to the next.
pub(super) struct Boards {
    boards: heapless::Vec<Guarded, { ucm_ha::fxo::MAX_PORTS }>,
}

impl Boards {
    pub(super) const fn new() -> Self {
        Self { boards: heapless::Vec::new() }
    }

    /// Adds the next board. There is room for one board a port; the settings allow no more.
    pub(super) fn add(&mut self, board: Guarded) {
        if self.boards.push(board).is_err() {
            log::error!("more FXO boards than ports; the last one is not watched");
        }
    }

    /// Sleeps until something at a port may have changed, or the time is over. The ports with news.
    pub(super) fn wait(&mut self, timeout: Duration) -> Faults {
        let watched: Vec<usize> = (0..).zip(&self.boards).filter(|(_, b)| b.news().is_some()).map(|(i, _)| i).collect();
        let mut fds: Vec<PollFd<'_>> = self.boards.iter().filter_map(Guarded::news).map(watched_fd).collect();
        let limit = Timespec { tv_sec: timeout.as_secs().cast_signed(), tv_nsec: timeout.subsec_nanos().into() };
        if !poll(&mut fds, Some(&limit)).is_ok_and(|ready| ready > 0) {
            // An interrupted sleep is a short one.
            return Faults::empty();
        }
        let ready: Vec<usize> =
            watched.into_iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty()).map(|(i, _)| i).collect();
        self.take_news(&ready)
    }

    fn take_news(&mut self, ready: &[usize]) -> Faults {
        let (mut news, mut first) = (Faults::empty(), 0);
        for (i, board) in self.boards.iter_mut().enumerate() {
            if ready.contains(&i) {
                news |= Faults::from_bits_truncate(board.take_news().bits() << first) & Faults::FXO;
            }
            first += board.ports();
        }
        news
    }
}

fn watched_fd(fd: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::from_borrowed_fd(fd, PollFlags::IN)
}

impl LineInterface for Boards {
    fn ports(&self) -> u8 {
        self.boards.ports()
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        self.boards.poll(port, now)
    }
}
