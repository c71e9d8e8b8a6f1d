//! Waits until something may have changed in a directory.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::{Errno, read};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Not every file system reports what changes: then it is looked so often.
const LOOK_INTERVAL: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// Room for many notices; what they say does not matter.
const NOTICES_LEN: usize = 4096;

/// Watches a directory from the moment it was made: what changes later ends the next wait at once.
pub(super) struct Watch {
    inotify: OwnedFd,
}

impl Watch {
    pub(super) fn on(dir: &Path) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&inotify, dir, WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO)?;
        Ok(Self { inotify })
    }

    pub(super) fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.inotify, PollFlags::IN)], Some(&LOOK_INTERVAL)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut notices = [0; NOTICES_LEN];
        match read(&self.inotify, &mut notices) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
