//! What anybody may cause by crashing is bounded. The helpers know nothing of each other: a file in the folder of the dumps
//! remembers for them. Each user has bounds of its own, so that one who crashes all the time hides no crash of others.

use crate::rate::{Kept, Rate};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use ucm_ha::{Duration, Instant};

const FILE_NAME: &str = "limits";
/// Where both are counted.
const WINDOW: Duration = Duration::from_s(60);
/// Lines for the crashes of one user in a window.
pub(super) const MAX_LINES: u32 = 10;
/// Dumps of one user in a window.
pub(super) const MAX_DUMPS: u32 = 5;
/// Users that are counted each by itself; those beyond are counted as one.
const MAX_USERS: usize = 16;
/// The longest file that is read, in bytes; one that is written is shorter.
const MAX_FILE_LEN: u64 = 8192;

/// Whose crash it is; `None` where that is not known.
pub(super) type User = Option<u32>;

/// What is counted of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counted {
    user: User,
    lines: Kept,
    dumps: Kept,
}

/// A line that may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    OneOfMany,
    /// None may follow in this window.
    Last,
}

/// Takes a line to write; `None` where there are too many.
pub(super) fn take_line(dir: &Path, user: User, now: Instant) -> io::Result<Option<Line>> {
    update(dir, user, now, |lines, _| {
        let taken = lines.take(now);
        taken.then(|| if lines.next() > now { Line::Last } else { Line::OneOfMany })
    })
}

/// Takes a dump to store; `false` where there are too many.
pub(super) fn take_dump(dir: &Path, user: User, now: Instant) -> io::Result<bool> {
    update(dir, user, now, |_, dumps| dumps.take(now))
}

/// Changes what is counted of a user, while no other helper does.
fn update<T>(dir: &Path, user: User, now: Instant, change: impl FnOnce(&mut Rate, &mut Rate) -> T) -> io::Result<T> {
    let path = dir.join(FILE_NAME);
    let mut file = OpenOptions::new().create(true).read(true).write(true).truncate(false).mode(0o600).open(path)?;
    // Nobody holds it for longer than this function takes.
    file.lock()?;
    let mut all = read(&mut file)?;
    let is_over = |kept| Rate::resume(0, WINDOW, kept, now).is_over(now);
    all.retain(|counted| !is_over(counted.lines) || !is_over(counted.dumps));
    let known = all.iter().position(|counted| counted.user == user);
    let own = if known.is_none() && all.len() >= MAX_USERS { None } else { user };
    let known = all.iter().position(|counted| counted.user == own).map(|place| all.swap_remove(place));
    let mut lines = known.as_ref().map_or(Rate::new(MAX_LINES, WINDOW), |known| resume(MAX_LINES, known.lines, now));
    let mut dumps = known.as_ref().map_or(Rate::new(MAX_DUMPS, WINDOW), |known| resume(MAX_DUMPS, known.dumps, now));
    let changed = change(&mut lines, &mut dumps);
    all.push(Counted { user: own, lines: lines.keep(), dumps: dumps.keep() });
    // In its place, which needs no room on a disk that is full.
    file.seek(SeekFrom::Start(0))?;
    let bytes = serde_json::to_vec(&all)?;
    file.write_all(&bytes)?;
    file.set_len(bytes.len() as u64)?;
    Ok(changed)
}

fn resume(most: u32, kept: Kept, now: Instant) -> Rate {
    Rate::resume(most, WINDOW, kept, now)
}

/// What the file holds. One that is damaged, as by a loss of power, holds nothing.
fn read(file: &mut File) -> io::Result<Vec<Counted>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE_LEN).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn at(s: u64) -> Instant {
        Instant::ZERO + Duration::from_s(1000 + s)
    }

    #[test]
    fn one_user_gets_so_many_lines_and_dumps_in_a_window() {
        let dir = tempfile::tempdir().unwrap();
        let lines = |s| (0..100).filter(|_| take_line(dir.path(), Some(7), at(s)).unwrap().is_some()).count();
        let dumps = |s| (0..100).filter(|_| take_dump(dir.path(), Some(7), at(s)).unwrap()).count();
        assert_eq!((lines(0), dumps(0)), (10, 5));
        assert_eq!((lines(59), dumps(59)), (0, 0));
        assert_eq!((lines(60), dumps(60)), (10, 5));
    }

    #[test]
    fn the_last_line_of_a_window_is_known_to_be_that() {
        let dir = tempfile::tempdir().unwrap();
        let lines: Vec<_> = (0..11).map(|s| take_line(dir.path(), Some(7), at(s)).unwrap()).collect();
        assert_eq!(lines[..9], [Some(Line::OneOfMany); 9]);
        assert_eq!(lines[9..], [Some(Line::Last), None]);
    }

    #[test]
    fn one_user_who_crashes_all_the_time_takes_nothing_from_others() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..50 {
            take_line(dir.path(), Some(7), at(0)).unwrap();
            take_dump(dir.path(), Some(7), at(0)).unwrap();
        }
        for user in [None, Some(0), Some(8)] {
            assert_eq!(take_line(dir.path(), user, at(0)).unwrap(), Some(Line::OneOfMany));
            assert!(take_dump(dir.path(), user, at(0)).unwrap());
        }
    }

    #[test]
    fn any_number_of_users_together_is_bounded_and_so_is_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let users = 1..=1000;
        let lines = users.clone().filter(|user| take_line(dir.path(), Some(*user), at(0)).unwrap().is_some()).count();
        assert_eq!(lines, MAX_USERS + MAX_LINES as usize, "the first ones, and those beyond as one");
        assert!(fs::metadata(dir.path().join(FILE_NAME)).unwrap().len() < MAX_FILE_LEN / 2);
        let dumps = users.filter(|user| take_dump(dir.path(), Some(*user), at(61)).unwrap()).count();
        assert_eq!(dumps, MAX_USERS + MAX_DUMPS as usize, "once they are forgotten, anew");
    }

    #[test]
    fn what_is_left_of_another_boot_or_damaged_limits_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let dumps = |now| (0..9).filter(|_| take_dump(dir.path(), Some(7), now).unwrap()).count();
        assert_eq!(dumps(at(0)), 5);
        assert_eq!(dumps(Instant::ZERO + Duration::from_s(10)), 5, "the machine was booted again");
        for damage in ["", "[", "nonsense", "{}", &"x".repeat(20_000)] {
            fs::write(dir.path().join(FILE_NAME), damage).unwrap();
            assert_eq!(dumps(at(1)), 5, "{damage:.20}");
        }
    }

    #[test]
    fn helpers_at_the_same_time_count_together() {
        let dir = tempfile::tempdir().unwrap();
        let taken: usize = std::thread::scope(|scope| {
            let take = || (0..20).filter(|_| take_line(dir.path(), Some(7), at(0)).unwrap().is_some()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, MAX_LINES as usize);
    }
}
