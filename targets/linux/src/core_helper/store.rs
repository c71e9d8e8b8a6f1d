//! Stores a dump: bounded, never filling the disk, whole or not there.

use super::limits::User;
use rustix::fs::statvfs;
use std::cmp::Reverse;
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
pub(super) struct Bounds {
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

/// Makes the folder of the dumps, which hold secrets: calls, passwords.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Stores what `input` holds in `dir`. Older dumps make room first, those of this user before those of others who have fewer.
pub(super) fn store(
    dir: &Path,
    comm: &str,
    pid: i32,
    user: User,
    input: &mut impl Read,
    bounds: &Bounds,
) -> io::Result<Stored> {
    make_room(dir, user, bounds.keep)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let of_user = user.map_or(String::new(), |user| format!(".{user}"));
    let name = format!("{PREFIX}{}.{pid}.{now}{of_user}", file_name(comm));
    let partial = dir.join(format!("{name}{PARTIAL}"));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    // Tells it from one whose writer died.
    file.try_lock()?;
    let written = write(file, dir, input, bounds);
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
fn write(mut file: File, dir: &Path, input: &mut impl Read, bounds: &Bounds) -> io::Result<(u64, bool)> {
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
        let room = bounds.max_len.saturating_sub(len).min(free(dir)?.saturating_sub(bounds.min_free)).min(wanted);
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

/// A dump that is there.
struct Dump {
    modified: SystemTime,
    path: PathBuf,
    user: User,
}

/// Makes room for one more dump, so that `keep` are there then, and removes those whose writer died.
fn make_room(dir: &Path, user: User, keep: usize) -> io::Result<()> {
    let mut dumps = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(PARTIAL) {
            remove_if_abandoned(&entry)?;
        } else if name.starts_with(PREFIX) {
            dumps.push(Dump { modified: entry.metadata()?.modified()?, path: entry.path(), user: user_of(&name) });
        }
    }
    while dumps.len() >= keep
        && let Some(least) = least_needed(&dumps, user)
    {
        fs::remove_file(dumps.swap_remove(least).path)?;
    }
    Ok(())
}

/// The dump that goes for one of `user`: the oldest of whoever has most, this user where several have as many. So one who crashes
/// all the time does not push out all dumps of another.
fn least_needed(dumps: &[Dump], user: User) -> Option<usize> {
    let count = |whose| dumps.iter().filter(|dump| dump.user == whose).count() + usize::from(whose == user);
    let need = |dump: &Dump| (Reverse(count(dump.user)), dump.user != user, dump.modified);
    dumps.iter().enumerate().min_by_key(|(_, dump)| need(dump)).map(|(place, _)| place)
}

/// `core.NAME.PID.TIME.USER`, with an ending where the dump was cut off.
fn user_of(name: &str) -> User {
    name.split('.').nth(4)?.parse().ok()
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

    const BOUNDS: Bounds = Bounds { max_len: 10_000_000, min_free: 0, keep: 3 };

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
        make_dir(&dumps).unwrap();
        let dump = vec![7; 3 * CHUNK_LEN + 5];
        let stored = store(&dumps, "aster/../isk", 42, Some(1000), &mut &dump[..], &BOUNDS).unwrap();
        assert_eq!((stored.len, stored.truncated), (dump.len() as u64, false));
        assert!(stored.path.file_name().unwrap().to_str().unwrap().starts_with("core.aster____isk.42."));
        assert!(stored.path.to_str().unwrap().ends_with(".1000"));
        assert_eq!(fs::read(&stored.path).unwrap(), dump);
        assert_eq!(stored.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(dumps.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(names(&dumps).len(), 1, "nothing is left of its making");
    }

    #[test]
    fn a_dump_that_is_too_long_is_cut_off_and_named_so() {
        let dir = tempfile::tempdir().unwrap();
        let bounds = Bounds { max_len: CHUNK_LEN as u64 + 3, ..BOUNDS };
        let stored = store(dir.path(), "asterisk", 42, Some(1000), &mut io::repeat(7), &bounds).unwrap();
        assert_eq!((stored.len, stored.truncated), (bounds.max_len, true));
        assert_eq!(stored.path.metadata().unwrap().len(), bounds.max_len);
        assert!(stored.path.to_str().unwrap().ends_with(TRUNCATED));
    }

    #[test]
    fn a_disk_without_room_gets_no_dump_and_keeps_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let bounds = Bounds { min_free: u64::MAX, ..BOUNDS };
        let error = store(dir.path(), "asterisk", 42, Some(1000), &mut io::repeat(7), &bounds).unwrap_err();
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
        store(dir.path(), "z", 4, None, &mut &b"dump"[..], &BOUNDS).unwrap();
        let names = names(dir.path());
        assert_eq!(names[..2], ["core.a.2.2", "core.b.3.3.truncated"]);
        assert!(names[2].starts_with("core.z.4."));
        assert_eq!(names[3..], ["notes"]);
    }

    #[test]
    fn one_user_does_not_push_all_dumps_of_another_out() {
        const SERVICE: User = Some(100);
        const STRANGER: User = Some(1000);
        let dir = tempfile::tempdir().unwrap();
        let mut age_s = 1000;
        let mut crash = |comm: &str, pid, user| {
            let stored = store(dir.path(), comm, pid, user, &mut &b"dump"[..], &BOUNDS).unwrap();
            age_s -= 1;
            let file = File::options().write(true).open(stored.path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
            names(dir.path()).iter().map(|name| name.split('.').nth(2).unwrap().parse().unwrap()).collect::<Vec<i32>>()
        };
        assert_eq!(crash("pbx", 1, SERVICE), [1]);
        assert_eq!(crash("pbx", 2, SERVICE), [1, 2]);
        assert_eq!(crash("x", 3, STRANGER), [1, 2, 3]);
        for pid in 4..9 {
            assert_eq!(crash("x", pid, STRANGER), [1, 2, pid], "the stranger's own goes");
        }
        assert_eq!(crash("pbx", 9, SERVICE), [2, 9, 8], "the service has most");
        assert_eq!(crash("y", 10, None), [9, 8, 10], "the service still has most");
    }

    #[test]
    fn a_dump_whose_writer_died_is_removed_and_one_that_is_written_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (dead, alive) = (dir.path().join("core.a.1.1.partial"), dir.path().join("core.b.2.2.partial"));
        fs::write(&dead, "half").unwrap();
        let writing = File::create(&alive).unwrap();
        writing.try_lock().unwrap();
        store(dir.path(), "z", 4, None, &mut &b"dump"[..], &BOUNDS).unwrap();
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
        assert!(store(dir.path(), "asterisk", 42, Some(1000), &mut Broken, &BOUNDS).is_err());
        assert_eq!(names(dir.path()), [""; 0]);
    }
}
