//! Stores a dump: bounded, never filling the disk, whole or not there.

use rustix::fs::statvfs;
use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How every dump's file name begins.
const PREFIX: &str = "core.";
/// How a file name ends while the dump is written.
const PARTIAL: &str = ".partial";
/// How it ends when the dump was cut off.
const TRUNCATED: &str = ".truncated";
/// Read and written at once, in bytes. The free space is looked at before each.
const CHUNK_LEN: usize = 1024 * 1024;

/// How much may be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Longest dump, in bytes.
    pub(super) max_len: u64,
    /// Space to be left free on the disk, in bytes.
    pub(super) min_free: u64,
    /// Dumps that are kept, the new one included.
    pub(super) keep: usize,
}

/// What was stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) path: PathBuf,
    /// Length in bytes.
    pub(super) len: u64,
    /// Not all of the dump: the longest length was reached, or the disk's end.
    pub(super) truncated: bool,
}

/// Stores what `input` holds in `dir`. The oldest dumps make room first.
pub(super) fn store(dir: &Path, comm: &str, pid: i32, input: &mut impl Read, limits: &Limits) -> io::Result<Stored> {
    // A dump holds secrets: calls, passwords.
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    make_room(dir, limits.keep.saturating_sub(1))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = format!("{PREFIX}{}.{pid}.{now}", file_name(comm));
    let partial = dir.join(format!("{name}{PARTIAL}"));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    // Tells it from one whose writer died.
    file.try_lock()?;
    let written = write(file, dir, input, limits);
    let (len, truncated) = match written {
        Ok((0, true)) => Err(io::Error::new(ErrorKind::StorageFull, "too little space is free")),
        other => other,
    }
    .inspect_err(|_| {
        // The first error is the one to tell.
        let _unremoved = fs::remove_file(&partial);
    })?;
    let path = dir.join(if truncated { format!("{name}{TRUNCATED}") } else { name });
    fs::rename(&partial, &path)?;
    File::open(dir)?.sync_all()?;
    Ok(Stored { path, len, truncated })
}

/// Copies the dump; gives its length and whether it was cut off.
fn write(mut file: File, dir: &Path, input: &mut impl Read, limits: &Limits) -> io::Result<(u64, bool)> {
    let mut chunk = vec![0; CHUNK_LEN];
    let mut len = 0;
    loop {
        let read = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = chunk.get(..read).unwrap_or(&chunk);
        let wanted = bytes.len() as u64;
        let room = limits.max_len.saturating_sub(len).min(free(dir)?.saturating_sub(limits.min_free)).min(wanted);
        let kept = usize::try_from(room).ok().and_then(|room| bytes.get(..room)).unwrap_or(bytes);
        match file.write_all(kept) {
            Err(error) if error.kind() == ErrorKind::StorageFull => return file.sync_all().map(|()| (len, true)),
            other => other?,
        }
        len += room;
        if room < wanted {
            return file.sync_all().map(|()| (len, true));
        }
    }
    file.sync_all()?;
    Ok((len, false))
}

/// Bytes that are free on the disk of `dir`.
fn free(dir: &Path) -> io::Result<u64> {
    let space = statvfs(dir)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Removes all but the newest `keep` dumps, and those whose writer died.
fn make_room(dir: &Path, keep: usize) -> io::Result<()> {
    let mut dumps = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(PARTIAL) {
            remove_if_abandoned(&entry)?;
        } else if name.starts_with(PREFIX) {
            dumps.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    dumps.sort();
    let surplus = dumps.len().saturating_sub(keep);
    dumps.into_iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

fn remove_if_abandoned(entry: &DirEntry) -> io::Result<()> {
    match File::open(entry.path())?.try_lock() {
        Ok(()) => fs::remove_file(entry.path()),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The name of a process as part of a file name.
fn file_name(comm: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    comm.chars().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    const LIMITS: Limits = Limits { max_len: 10_000_000, min_free: 0, keep: 3 };

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_dump_is_stored_whole_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let dumps = dir.path().join("cores");
        let dump = vec![7; 3 * CHUNK_LEN + 5];
        let stored = store(&dumps, "aster/../isk", 42, &mut &dump[..], &LIMITS).unwrap();
        assert_eq!((stored.len, stored.truncated), (dump.len() as u64, false));
        assert!(stored.path.file_name().unwrap().to_str().unwrap().starts_with("core.aster____isk.42."));
        assert_eq!(fs::read(&stored.path).unwrap(), dump);
        assert_eq!(stored.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(dumps.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(names(&dumps).len(), 1, "nothing is left of its making");
    }

    #[test]
    fn a_dump_that_is_too_long_is_cut_off_and_named_so() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { max_len: CHUNK_LEN as u64 + 3, ..LIMITS };
        let stored = store(dir.path(), "asterisk", 42, &mut io::repeat(7), &limits).unwrap();
        assert_eq!((stored.len, stored.truncated), (limits.max_len, true));
        assert_eq!(stored.path.metadata().unwrap().len(), limits.max_len);
        assert!(stored.path.to_str().unwrap().ends_with(TRUNCATED));
    }

    #[test]
    fn a_disk_without_room_gets_no_dump_and_keeps_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { min_free: u64::MAX, ..LIMITS };
        let error = store(dir.path(), "asterisk", 42, &mut io::repeat(7), &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn the_oldest_dumps_make_room_and_nothing_else_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes"), "mine").unwrap();
        for (age_s, name) in [(30, "core.c.1.1"), (10, "core.a.2.2"), (20, "core.b.3.3.truncated")] {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        }
        store(dir.path(), "z", 4, &mut &b"dump"[..], &LIMITS).unwrap();
        let names = names(dir.path());
        assert_eq!(names[..2], ["core.a.2.2", "core.b.3.3.truncated"]);
        assert!(names[2].starts_with("core.z.4."));
        assert_eq!(names[3..], ["notes"]);
    }

    #[test]
    fn a_dump_whose_writer_died_is_removed_and_one_that_is_written_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (dead, alive) = (dir.path().join("core.a.1.1.partial"), dir.path().join("core.b.2.2.partial"));
        fs::write(&dead, "half").unwrap();
        let writing = File::create(&alive).unwrap();
        writing.try_lock().unwrap();
        store(dir.path(), "z", 4, &mut &b"dump"[..], &LIMITS).unwrap();
        assert!(!dead.exists() && alive.exists());
    }

    #[test]
    fn an_input_that_breaks_leaves_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(store(dir.path(), "asterisk", 42, &mut Broken, &LIMITS).is_err());
        assert_eq!(names(dir.path()), [""; 0]);
    }
}
