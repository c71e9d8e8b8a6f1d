//! The kernel's `core_pattern`, which is one for the whole machine: set for a scenario, and put back whatever happens.
//!
//! What was there before is kept in a file until it is back. Who finds that file without its owner puts it back: the
//! process that started the lab when the lab ends, and otherwise the next lab.

use crate::error::Context;
use crate::paths::{self, DAEMON};
use crate::plan::Node;
use crate::priority;
use rustix::process::geteuid;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";
/// The kernel starts its helper outside of the lab, so this is outside, too.
const DIR: &str = "/tmp/ucm-ha-lab-core";
/// What was there before, locked by the lab that changed it.
const ORIGINAL: &str = "original";
/// What the kernel starts.
const STARTER: &str = "starter";
/// How long a helper may take to end.
const HELPER_PATIENCE: Duration = Duration::from_secs(2);

/// The changed `core_pattern`. Dropping this puts back what was there.
pub(crate) struct CorePattern {
    _lock: File,
}

impl CorePattern {
    /// Lets the kernel give crashes of this node's services to `core-helper`. An error of the kind `Unsupported` says that
    /// this is not permitted here.
    pub(crate) fn set(node: Node) -> io::Result<Self> {
        put_back_left_over()?;
        let writable = OpenOptions::new().write(true).open(CORE_PATTERN);
        writable.map_err(|error| {
            io::Error::new(ErrorKind::Unsupported, format!("{CORE_PATTERN} cannot be written: {error}"))
        })?;
        DirBuilder::new().mode(0o700).create(DIR).context(format_args!("cannot make {DIR}"))?;
        symlink(paths::daemon_file()?, Path::new(DIR).join(DAEMON)).context("cannot name the daemon's program")?;
        let before = fs::read_to_string(CORE_PATTERN).context("cannot read core_pattern")?;
        let path = Path::new(DIR).join(ORIGINAL);
        let mut original = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        original.try_lock()?;
        original.write_all(before.as_bytes())?;
        original.sync_all()?;
        let set = Self { _lock: original };
        write_starter(node).context("cannot write what starts the helper")?;
        fs::write(CORE_PATTERN, format!("|{DIR}/{STARTER} %P %p %s %e")).context("cannot set core_pattern")?;
        Ok(set)
    }

    /// Where the dumps are stored.
    pub(crate) fn dumps() -> PathBuf {
        Path::new(DIR).join("cores")
    }
}

impl Drop for CorePattern {
    fn drop(&mut self) {
        if let Err(error) = put_back() {
            eprintln!("lab: {CORE_PATTERN} cannot be put back: {error}; it was {DIR}/{ORIGINAL}");
        }
    }
}

/// The kernel starts a helper with nobody's priority; this one starts it with that of the lab. Inside the lab a process has the number
/// %p, and its files are under those of %P as seen from outside.
fn write_starter(node: Node) -> io::Result<()> {
    let script = format!(
        "#!/bin/sh\nexec nice -n {} {DIR}/{DAEMON} core-helper --run-dir \"/proc/$1/root{}\" --dir {} \"$2\" \"$3\" \"$4\"\n",
        priority::NICE,
        paths::run_dir(node).display(),
        CorePattern::dumps().display()
    );
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(Path::new(DIR).join(STARTER))?;
    file.write_all(script.as_bytes())
}

/// Puts back what a lab that died has left changed.
pub(crate) fn put_back_left_over() -> io::Result<()> {
    let ours = match fs::symlink_metadata(DIR) {
        Ok(metadata) => metadata.is_dir() && metadata.uid() == geteuid().as_raw(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !ours {
        return Err(io::Error::other(format!("{DIR} belongs to somebody else; remove it")));
    }
    match File::open(Path::new(DIR).join(ORIGINAL)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => put_back(),
            Err(TryLockError::WouldBlock) => Err(io::Error::other("another lab has changed core_pattern; let it end")),
            Err(TryLockError::Error(error)) => Err(error),
        },
        // Nothing was changed yet.
        Err(error) if error.kind() == ErrorKind::NotFound => fs::remove_dir_all(DIR),
        Err(error) => Err(error),
    }
}

fn put_back() -> io::Result<()> {
    let mut original = String::new();
    File::open(Path::new(DIR).join(ORIGINAL))?.read_to_string(&mut original)?;
    // Written empty, the lab had died before it changed anything.
    if !original.is_empty() {
        fs::write(CORE_PATTERN, original)?;
    }
    remove_folder()
}

/// A helper that has stored its dump may still be at its notes.
fn remove_folder() -> io::Result<()> {
    let begin = Instant::now();
    loop {
        match fs::remove_dir_all(DIR) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && begin.elapsed() < HELPER_PATIENCE => {
                thread::sleep(Duration::from_millis(10));
            }
            removed => return removed,
        }
    }
}
