//! Ports that are files of a directory, for labs and rigs: `FXO1` … hold `ok`, `dead`, `unplugged` or `ringing`.
//!
//! A port without a file is `ok`. A file that is being written may be seen empty; that is no verdict.

use super::board::{Board, all_ports};
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use ucm_ha::fault::Faults;
use ucm_ha::fxo::{FaultKind, LineInterface, MAX_PORTS, Notices, Observation, Report, Verdict};
use ucm_ha::time::Instant;

/// Longest file that is looked at.
const MAX_FILE_LEN: u64 = 64;
/// Room for events that are read at once.
const EVENTS_LEN: usize = 4096;
/// Events that are read at once; the rest waits for the next turn.
const MAX_EVENTS: usize = 32;

struct Directory {
    path: PathBuf,
    ports: u8,
    changes: OwnedFd,
    /// The word of each port that was last complained about.
    complaints: [Option<String>; MAX_PORTS],
}

/// Opens the directory.
pub(super) fn open(path: &Path, ports: u8) -> io::Result<Box<dyn Board>> {
    let changes = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let file_changes = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::MOVED_FROM;
    let own_changes = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
    add_watch(&changes, path, file_changes | own_changes)?;
    Ok(Box::new(Directory { path: path.to_owned(), ports, changes, complaints: Default::default() }))
}

impl Directory {
    fn verdict(&mut self, port: u8) -> Verdict {
        let path = self.path.join(format!("FXO{}", port.saturating_add(1)));
        let mut word = String::new();
        let read = File::open(&path).and_then(|file| file.take(MAX_FILE_LEN).read_to_string(&mut word));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound && self.path.is_dir() => word.push_str("ok"),
            Err(error) if error.kind() == ErrorKind::NotFound => return Verdict::Fault(FaultKind::Missing),
            Err(error) => {
                self.complain(port, &format!("{} cannot be read: {error}", path.display()));
                return Verdict::Fault(FaultKind::FaultLineUnreadable);
            }
        }
        self.judge(port, word.trim())
    }

    fn judge(&mut self, port: u8, word: &str) -> Verdict {
        let verdict = match word {
            "ok" => Verdict::Healthy,
            "dead" => Verdict::Fault(FaultKind::NoAnswer),
            "unplugged" => Verdict::NotAFault(Observation::Unplugged),
            "ringing" => Verdict::NotAFault(Observation::Ringing),
            _ => Verdict::NotAFault(Observation::Settling),
        };
        if verdict == Verdict::NotAFault(Observation::Settling) && !word.is_empty() {
            let number = port.saturating_add(1);
            self.complain(port, &format!("FXO{number}: {word:?} is neither ok, dead, unplugged nor ringing"));
        }
        verdict
    }

    fn complain(&mut self, port: u8, complaint: &str) {
        let Some(said) = self.complaints.get_mut(usize::from(port)) else { return };
        if said.as_deref() != Some(complaint) {
            log::warn!("{complaint}");
            *said = Some(complaint.to_owned());
        }
    }
}

impl LineInterface for Directory {
    fn ports(&self) -> u8 {
        self.ports
    }

    fn poll(&mut self, port: u8, _now: Instant) -> Option<Report> {
        let known = port < self.ports;
        known.then(|| Report { verdict: self.verdict(port), notices: Notices::empty() })
    }
}

impl Board for Directory {
    fn news(&self) -> Option<BorrowedFd<'_>> {
        Some(self.changes.as_fd())
    }

    fn take_news(&mut self) -> Faults {
        let mut buffer = [MaybeUninit::uninit(); EVENTS_LEN];
        let mut reader = Reader::new(&self.changes, &mut buffer);
        let mut news = Faults::empty();
        for _ in 0..MAX_EVENTS {
            let Ok(event) = reader.next() else { break };
            let name = event.file_name().and_then(|name| name.to_str().ok());
            // Without a name it is the directory itself, or too much at once.
            news |= name.map_or(Faults::FXO, |name| Faults::from_name(name).unwrap_or(Faults::empty()));
        }
        news & all_ports(self.ports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::fs;

    fn verdict(board: &mut Box<dyn Board>, port: u8) -> Verdict {
        board.poll(port, Instant::ZERO).unwrap().verdict
    }

    /// The ports with news, waiting for it at most a second.
    fn news(board: &mut Box<dyn Board>) -> Faults {
        let fd = board.news().unwrap();
        let limit = Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&limit)).unwrap();
        board.take_news()
    }

    #[test]
    fn each_word_has_its_verdict_and_nothing_else_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        let mut board = open(dir.path(), 4).unwrap();
        assert_eq!(verdict(&mut board, 0), Verdict::Healthy, "no file");
        let words = [
            ("ok", Verdict::Healthy),
            ("dead\n", Verdict::Fault(FaultKind::NoAnswer)),
            ("unplugged", Verdict::NotAFault(Observation::Unplugged)),
            (" ringing \n", Verdict::NotAFault(Observation::Ringing)),
            ("", Verdict::NotAFault(Observation::Settling)),
            ("DEAD", Verdict::NotAFault(Observation::Settling)),
            ("deadbeef", Verdict::NotAFault(Observation::Settling)),
        ];
        for (word, expected) in words {
            fs::write(dir.path().join("FXO2"), word).unwrap();
            assert_eq!(verdict(&mut board, 1), expected, "{word:?}");
            assert_eq!(verdict(&mut board, 0), Verdict::Healthy, "another port");
        }
        assert_eq!(board.poll(4, Instant::ZERO), None, "no such port");
    }

    #[test]
    fn a_file_that_cannot_be_read_and_a_directory_that_is_gone_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        let mut board = open(dir.path(), 2).unwrap();
        fs::create_dir(dir.path().join("FXO1")).unwrap();
        assert_eq!(verdict(&mut board, 0), Verdict::Fault(FaultKind::FaultLineUnreadable));
        fs::write(dir.path().join("FXO2"), [0xff, 0xfe]).unwrap();
        assert_eq!(verdict(&mut board, 1), Verdict::Fault(FaultKind::FaultLineUnreadable));
        fs::remove_dir_all(dir.path()).unwrap();
        assert_eq!(verdict(&mut board, 0), Verdict::Fault(FaultKind::Missing));
    }

    #[test]
    fn a_written_replaced_or_removed_file_is_news_of_its_port() {
        let dir = tempfile::tempdir().unwrap();
        let mut board = open(dir.path(), 4).unwrap();
        fs::write(dir.path().join("FXO3"), "dead").unwrap();
        assert_eq!(news(&mut board), Faults::FXO3);
        fs::write(dir.path().join("new"), "dead").unwrap();
        fs::rename(dir.path().join("new"), dir.path().join("FXO1")).unwrap();
        assert_eq!(news(&mut board), Faults::FXO1);
        fs::remove_file(dir.path().join("FXO3")).unwrap();
        assert_eq!(news(&mut board), Faults::FXO3);
        fs::write(dir.path().join("FXO5"), "dead").unwrap();
        assert_eq!(news(&mut board), Faults::empty(), "a port that the model does not have");
        fs::remove_dir_all(dir.path()).unwrap();
        assert!(news(&mut board).contains(Faults::FXO1 | Faults::FXO4), "all ports");
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(open(&dir.path().join("no-such"), 1).is_err());
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(open(&dir.path().join("file"), 1).is_err());
    }
}
