//! One daemon for each `run_dir`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE_NAME: &str = "lock";
const MODE: u32 = 0o600;

/// Holds `run_dir` until the process ends, however it ends.
pub(crate) struct RunDirLock {
    _file: File,
}

/// Locks `run_dir`; an error is one line that says what to do.
pub(crate) fn lock(run_dir: &Path) -> Result<RunDirLock, String> {
    let path = run_dir.join(FILE_NAME);
    let failed = |error: io::Error| format!("{} cannot be locked: {error}; check paths.run_dir", path.display());
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(false).mode(MODE).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let run_dir = run_dir.display();
            return Err(format!("another daemon runs on {run_dir}; stop it, or give this one its own paths.run_dir"));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // For people who look; nothing reads it.
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
    Ok(RunDirLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_on_the_same_run_dir_is_refused_until_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock(dir.path()).unwrap();
        let refused = lock(dir.path()).err().unwrap();
        assert!(refused.contains("another daemon runs on"), "{refused}");
        drop(first);
        lock(dir.path()).unwrap();
    }

    #[test]
    fn a_missing_run_dir_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let refused = lock(&dir.path().join("gone")).err().unwrap();
        assert!(refused.contains("gone/lock cannot be locked"), "{refused}");
    }
}
