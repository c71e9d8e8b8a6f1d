//! The file of one log: a ring of places of fixed length, in which the newest record overwrites the oldest.
//!
//! It needs no room once it has its full size. On a disk that is full before, the ring closes early: what is oldest makes
//! room for what is new.

use crate::events::record::{BLANK, Record, SLOT_LEN, Slot, decode, encode};
use rustix::fs::Mode;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use ucm_ha_control::Log;

/// Name of a log's file in `state_dir`. Each log has one of its own, so that a storm in one costs the others nothing.
pub(super) const fn file_name(log: Log) -> &'static str {
    match log {
        Log::Events => "events.journal",
        Log::Failover => "failover.journal",
        Log::Backup => "backup.journal",
    }
}

/// Most records of a log that are kept; the oldest make room.
const fn capacity(log: Log) -> usize {
    match log {
        Log::Events => 1024,
        Log::Failover | Log::Backup => 256,
    }
}

/// Nobody but the daemon's user reads the logs.
const MODE: u32 = Mode::RUSR.bits() | Mode::WUSR.bits();

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// By rising number.
    pub(crate) records: Vec<Record>,
    /// Places that hold what nobody wrote.
    pub(crate) damaged: usize,
}

impl Contents {
    /// Number of the newest record; 0 for none.
    pub(super) fn newest(&self) -> u64 {
        self.records.last().map_or(0, |record| record.id)
    }
}

/// Reads the file of `log`. One that is not there holds nothing.
pub(crate) fn read(dir: &Path, log: Log) -> io::Result<Contents> {
    match File::open(dir.join(file_name(log))) {
        Ok(file) => Ok(contents(&read_slots(&file, capacity(log))?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Contents::default()),
        Err(error) => Err(error),
    }
}

pub(super) fn read_slots(file: &File, capacity: usize) -> io::Result<Vec<Slot>> {
    let mut bytes = Vec::new();
    file.take(offset(capacity)).read_to_end(&mut bytes)?;
    Ok(bytes.chunks(SLOT_LEN).map(decode).collect())
}

pub(super) fn contents(slots: &[Slot]) -> Contents {
    let damaged = slots.iter().filter(|slot| **slot == Slot::Damaged).count();
    let records = slots.iter().filter_map(|slot| match slot {
        Slot::Record(record) => Some(record.clone()),
        Slot::Blank | Slot::Damaged => None,
    });
    let mut records: Vec<Record> = records.collect();
    records.sort_by_key(|record| record.id);
    Contents { records, damaged }
}

/// The writer's end of a file.
#[derive(Debug)]
pub(super) struct Ring {
    file: File,
    capacity: usize,
    /// Places that the file has.
    len: usize,
    /// The place that is written next.
    next: usize,
    newest: u64,
    /// Places in the file that hold no record: to write there costs none.
    vacant: BTreeSet<usize>,
}

impl Ring {
    /// Opens or creates the file of `log`. Damaged records are dropped; how many there were is the second value.
    pub(super) fn open(dir: &Path, log: Log) -> io::Result<(Self, usize)> {
        let path = dir.join(file_name(log));
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).read(true).write(true).mode(MODE).open(path)?;
        Self::over(file, capacity(log))
    }

    pub(super) fn over(file: File, capacity: usize) -> io::Result<(Self, usize)> {
        let slots = read_slots(&file, capacity)?;
        let contents = contents(&slots);
        let newest = contents.newest();
        let newest_at = slots.iter().position(|slot| matches!(slot, Slot::Record(record) if record.id == newest));
        // A last place that is not whole counts as damaged and is cut off.
        let whole = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX) / SLOT_LEN;
        let next = newest_at.map_or(0, |at| at + 1) % capacity;
        let len = whole.min(capacity);
        let is_vacant = |at: &usize| !matches!(slots.get(*at), Some(Slot::Record(_)));
        let ring = Self { file, capacity, len, next, newest, vacant: (0..len).filter(is_vacant).collect() };
        ring.cut_off_rest()?;
        for (at, _) in slots.iter().enumerate().filter(|(at, slot)| **slot == Slot::Damaged && *at < ring.len) {
            ring.file.write_all_at(&BLANK, offset(at))?;
        }
        Ok((ring, contents.damaged))
    }

    /// Number of the newest record; 0 for none.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether the file still stands in its directory.
    pub(super) fn is_linked(&self) -> bool {
        self.file.metadata().is_ok_and(|file| file.nlink() > 0)
    }

    /// Writes `record`, which is newer than all others; whether an older one had to go because the disk is full.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<bool> {
        let slot = encode(record).ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the record is too long"))?;
        let mut at = self.next;
        if at >= self.len {
            match self.file.write_all_at(&slot, offset(self.len)) {
                Ok(()) => at = self.len,
                Err(error) => {
                    self.cut_off_rest()?;
                    if self.len == 0 {
                        return Err(error);
                    }
                    at = 0;
                }
            }
        }
        let mut squeezed = false;
        if at < self.len {
            self.file.write_all_at(&slot, offset(at))?;
            squeezed = !self.vacant.remove(&at) && self.len < self.capacity;
        }
        self.len = self.len.max(at + 1);
        self.next = (at + 1) % self.capacity;
        self.newest = record.id;
        Ok(squeezed)
    }

    /// Drops every record but `marker`, which is newer than they are.
    pub(super) fn clear(&mut self, marker: &Record) -> io::Result<()> {
        let slot = encode(marker).ok_or(ErrorKind::InvalidInput)?;
        // Once the marker is durable it hides what is left, should the power fail before the file is shortened.
        self.file.write_all_at(&slot, 0)?;
        self.sync()?;
        self.len = 1;
        self.next = 1;
        self.vacant.clear();
        self.newest = marker.id;
        self.cut_off_rest()?;
        self.sync()
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Removes what stands behind the last place.
    fn cut_off_rest(&self) -> io::Result<()> {
        self.file.set_len(offset(self.len))
    }
}

const fn offset(slot: usize) -> u64 {
    (slot * SLOT_LEN) as u64
}

/// How many records of the logs in `dir` are damaged.
pub(crate) fn damaged(dir: &Path) -> io::Result<usize> {
    let mut damaged = 0;
    for log in Log::ALL {
        damaged += read(dir, log)?.damaged;
    }
    Ok(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::record::What;
    use crate::events::record::tests::alert;
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    fn ids(dir: &Path) -> Vec<u64> {
        read(dir, Log::Failover).unwrap().records.iter().map(|record| record.id).collect()
    }

    fn open(dir: &Path) -> Ring {
        Ring::open(dir, Log::Failover).unwrap().0
    }

    #[test]
    fn of_more_records_than_fit_the_newest_are_kept_over_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let capacity = capacity(Log::Failover) as u64;
        for id in 1..=3 * capacity / 2 {
            // A restart at every moment.
            let mut ring = open(dir.path());
            assert_eq!(ring.newest(), id - 1);
            assert!(!ring.append(&alert(id)).unwrap(), "nothing is dropped for want of room");
        }
        assert_eq!(ids(dir.path()), (capacity / 2 + 1..=3 * capacity / 2).collect::<Vec<_>>());
        let len = dir.path().join(file_name(Log::Failover)).metadata().unwrap().len();
        assert_eq!(len, capacity * SLOT_LEN as u64);
    }

    #[test]
    fn a_write_that_was_cut_off_costs_its_record_only() {
        for cut in 1..SLOT_LEN {
            let dir = tempfile::tempdir().unwrap();
            let mut ring = open(dir.path());
            for id in 1..=3 {
                ring.append(&alert(id)).unwrap();
            }
            ring.file.set_len(offset(2) + cut as u64).unwrap();
            let (mut ring, damaged) = Ring::open(dir.path(), Log::Failover).unwrap();
            assert_eq!((damaged, ring.newest()), (1, 2), "cut to {cut} bytes");
            ring.append(&alert(4)).unwrap();
            assert_eq!(ids(dir.path()), [1, 2, 4]);
        }
    }

    #[test]
    fn a_damaged_record_is_dropped_once_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let mut ring = open(dir.path());
        for id in 1..=3 {
            ring.append(&alert(id)).unwrap();
        }
        ring.file.write_all_at(b"\0\0\0", offset(1) + 40).unwrap();
        assert_eq!(read(dir.path(), Log::Failover).unwrap().damaged, 1);
        assert_eq!(Ring::open(dir.path(), Log::Failover).unwrap().1, 1);
        assert_eq!(Ring::open(dir.path(), Log::Failover).unwrap().1, 0, "it is said once");
        assert_eq!(ids(dir.path()), [1, 3]);
    }

    #[test]
    fn a_file_of_garbage_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(file_name(Log::Failover)), b"\xff\n".repeat(100_000)).unwrap();
        let mut ring = open(dir.path());
        ring.append(&alert(1)).unwrap();
        assert_eq!(ids(dir.path()), [1]);
    }

    /// As a power cut may leave it: the length is there, what was written is not.
    #[test]
    fn places_of_zeros_are_damaged_and_no_sign_of_a_full_disk() {
        for records in [0, 2] {
            let dir = tempfile::tempdir().unwrap();
            let mut ring = open(dir.path());
            for id in 1..=records {
                ring.append(&alert(id)).unwrap();
            }
            ring.file.set_len(offset(usize::try_from(records).unwrap() + 3)).unwrap();
            let (mut ring, damaged) = Ring::open(dir.path(), Log::Failover).unwrap();
            assert_eq!(damaged, 3);
            for id in records + 1..=records + 6 {
                assert!(!ring.append(&alert(id)).unwrap(), "record {id}: nothing had to go");
            }
            assert_eq!(ids(dir.path()), (1..=records + 6).collect::<Vec<_>>());
        }
    }

    /// A file that keeps the size it has, as on a full disk.
    fn full_after(records: usize) -> File {
        let file: File = memfd_create("ring", MemfdFlags::ALLOW_SEALING).unwrap().into();
        let (mut ring, _) = Ring::over(file.try_clone().unwrap(), 8).unwrap();
        for id in 1..=records as u64 {
            ring.append(&alert(id)).unwrap();
        }
        fcntl_add_seals(&file, SealFlags::GROW).unwrap();
        file
    }

    fn ids_in(file: &File) -> Vec<u64> {
        let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        let slots: Vec<Slot> = bytes.chunks(SLOT_LEN).map(decode).collect();
        contents(&slots).records.iter().map(|record| record.id).collect()
    }

    #[test]
    fn on_a_full_disk_the_oldest_record_makes_room_for_each_new_one() {
        let file = full_after(3);
        let mut ring =
            Ring { file: file.try_clone().unwrap(), capacity: 8, len: 3, next: 3, newest: 3, vacant: BTreeSet::new() };
        for id in 4..=20 {
            assert!(ring.append(&alert(id)).unwrap(), "an older one had to go");
            assert_eq!(ids_in(&file), [id - 2, id - 1, id]);
        }
    }

    #[test]
    fn on_a_disk_without_any_room_a_record_is_refused_and_tried_again_later() {
        let (mut ring, _) = Ring::over(full_after(0), 8).unwrap();
        assert!(ring.append(&alert(1)).is_err());
        assert_eq!((ring.len, ring.newest), (0, 0));
    }

    #[test]
    fn a_cleared_log_keeps_its_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let mut ring = open(dir.path());
        for id in 1..=5 {
            ring.append(&alert(id)).unwrap();
        }
        ring.clear(&Record { what: What::Cleared, ..alert(6) }).unwrap();
        ring.append(&alert(7)).unwrap();
        assert_eq!(ids(dir.path()), [6, 7]);
        assert_eq!(open(dir.path()).newest(), 7);
    }
}
