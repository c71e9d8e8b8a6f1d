//! Reads files at paths that others may have a hand in, as a service in its pid file: nothing there may hold the reader up.

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file, and nothing else: a FIFO would wait for a writer, and to open a device may do something.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Only found, not opened: what it is cannot change any more.
    let found = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let kind = match FileType::from_raw_mode(fstat(&found)?.st_mode) {
        FileType::RegularFile => {
            // A file under a lease of its owner, or one of the kernel's that waits for news, answers at once, too.
            let mut options = OpenOptions::new();
            options.read(true).custom_flags(libc::O_NONBLOCK);
            return options.open(format!("/proc/self/fd/{}", found.as_raw_fd()));
        }
        FileType::Fifo => "a FIFO",
        FileType::Directory => "a directory",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Socket => "a socket",
        FileType::Symlink | FileType::Unknown => "something else",
    };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {kind}, not a regular file")))
}

/// What such a file holds, up to `max_len` bytes; whoever reads that many has not seen its end.
pub(crate) fn read(path: &Path, max_len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(max_len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read`], a longer file being an error.
pub(crate) fn read_text(path: &Path, max_len: u64) -> io::Result<String> {
    let bytes = read(path, max_len.saturating_add(1))?;
    if bytes.len() as u64 > max_len {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is longer than {max_len} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::mknodat;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_regular_file_is_read_up_to_its_bound_also_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "12345678").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read(&link, 5).unwrap(), b"12345");
        assert_eq!(read_text(&link, 8).unwrap(), "12345678");
        assert_eq!(read_text(&link, 7).unwrap_err().to_string(), "it is longer than 7 bytes");
        assert!(read(Path::new("/proc/self/stat"), 5).is_ok(), "what the kernel writes is a file, too");
    }

    #[test]
    fn what_is_no_file_is_said_so_and_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        symlink(at("fifo"), at("link")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let why = |name: &str| read(&at(name), 64).unwrap_err().to_string();
        assert_eq!(why("fifo"), "it is a FIFO, not a regular file");
        assert_eq!(why("link"), "it is a FIFO, not a regular file");
        assert_eq!(why("socket"), "it is a socket, not a regular file");
        assert_eq!(why("."), "it is a directory, not a regular file");
        assert_eq!(why("/dev/zero"), "it is a device, not a regular file");
        assert!(why("loop").contains("symbolic links"), "{}", why("loop"));
        assert!(why("gone").contains("No such file"), "{}", why("gone"));
    }

    /// Whoever opens it waits until its owner lets go, 45 s at most.
    #[test]
    fn a_file_under_a_lease_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let owner = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
        crate::sys::take_lease(&owner).unwrap();
        assert_eq!(read(&path, 64).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
