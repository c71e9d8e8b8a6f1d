//! Network namespaces without names.
//!
//! A namespace lives as long as somebody holds its descriptor or runs in it.

use crate::error::Context;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

/// A network namespace.
pub struct Netns {
    file: File,
}

impl Netns {
    /// Makes a new one.
    pub fn create() -> io::Result<Self> {
        // A thread of its own goes there, so that the caller stays where it is.
        on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")?;
            let file = File::open("/proc/thread-self/ns/net").context("cannot open the network namespace")?;
            Ok(Self { file })
        })
    }

    /// The existing one that a file names, as `/proc/self/ns/net` does.
    pub fn at(path: &Path) -> io::Result<Self> {
        let file = File::open(path).context(format_args!("cannot open the network namespace {}", path.display()))?;
        Ok(Self { file })
    }

    /// Runs `task` inside. Sockets it opens and processes it starts stay there.
    pub fn run<T: Send>(&self, task: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_own_thread(|| {
            setns(&self.file, CloneFlags::CLONE_NEWNET).context("cannot enter the network namespace")?;
            task()
        })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for Netns {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

fn on_own_thread<T: Send>(task: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| scope.spawn(task).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
