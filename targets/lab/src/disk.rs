//! The disk of a node: a small file system in memory, mounted on the state directory, that can be full or hang.

use crate::error::Context;
use crate::paths;
use crate::plan::Node;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The program writes every new record to this file first.
const NEW_RECORD: &str = "state.new";
/// What fills the disk.
const FILLER: &str = "filler";
const CHUNK_LEN: usize = 4096;

/// The disk. Dropping this unmounts it.
pub(crate) struct Disk {
    dir: PathBuf,
    /// The other end of the pipe on which the daemon's writes hang, once they may go on.
    drain: Option<OwnedFd>,
}

impl Disk {
    /// Mounts an empty one of 2 MiB for a node whose daemon does not run: twice what a daemon ever stores.
    pub(crate) fn mount(node: Node) -> io::Result<Self> {
        let dir = paths::state_dir(node);
        fs::create_dir_all(&dir).context("cannot make the state directory")?;
        mount("tmpfs", &dir, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"size=2m,mode=0755")
            .context(format_args!("cannot mount a disk on {}", dir.display()))?;
        Ok(Self { dir, drain: None })
    }

    /// Leaves no room on it.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let mut filler = File::create(self.dir.join(FILLER)).context("cannot fill the disk")?;
        loop {
            match filler.write_all(&[0xff; CHUNK_LEN]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("cannot fill the disk"),
            }
        }
    }

    /// Makes every write of the state hang: instead of the file it finds a pipe that nobody reads. A file system that is
    /// really frozen would stop others of this machine, too.
    pub(crate) fn stall(&self) -> io::Result<()> {
        let path = self.dir.join(NEW_RECORD);
        // One that is there is being written, or was left by a full disk.
        remove(&path)?;
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).context("cannot stall the disk")
    }

    /// Makes it good again. A write that hangs goes on, fails, and is tried again.
    pub(crate) fn repair(&mut self) -> io::Result<()> {
        remove(&self.dir.join(FILLER))?;
        let path = self.dir.join(NEW_RECORD);
        let is_pipe = fs::symlink_metadata(&path).is_ok_and(|file| !file.is_file());
        if is_pipe {
            let reader = open(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
            self.drain = Some(reader.context("cannot let the disk go on")?);
            remove(&path)?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).context(format_args!("cannot remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = unmount(&self.dir, UnmountFlags::DETACH) {
            eprintln!("lab: a disk cannot be unmounted: {error}");
        }
    }
}
