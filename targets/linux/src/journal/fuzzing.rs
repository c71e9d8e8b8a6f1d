//! The file of a log, whatever stands in it: called by the fuzz target of the same name.

use super::ring::{Ring, contents, read_slots};
use crate::events::form::{Event, log_line};
use crate::events::record::{CRC, CRC_LEN, Record, SLOT_LEN, Slot, What, decode, encode};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Places of the file.
const CAPACITY: usize = 4;
/// Most bytes of one place that are the fuzzer's; the rest is blank.
const MAX_BODY_LEN: usize = SLOT_LEN - CRC_LEN - 1;

/// A file of these bytes, and one whose places were given the right checksum. Records that were whole stay, damage is found
/// once, and what is written later is read again.
pub(crate) fn file(bytes: &[u8]) {
    run(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').take(CAPACITY + 1);
    let sealed: Vec<u8> = lines.flat_map(sealed).collect();
    run(&sealed);
    if let [at, flip, ..] = *bytes {
        sealed.chunks(SLOT_LEN).for_each(|slot| damage(slot, usize::from(at) * 2, flip));
    }
}

/// One damaged byte makes no record another.
fn damage(slot: &[u8], at: usize, flip: u8) {
    let mut damaged = slot.to_vec();
    damaged[at] ^= flip;
    let (whole, read) = (decode(slot), decode(&damaged));
    assert!(read == whole || read == Slot::Damaged, "byte {at} damaged by {flip:#x}: {whole:?} is read as {read:?}");
}

/// A place with the line in it and a checksum that is right.
fn sealed(line: &[u8]) -> [u8; SLOT_LEN] {
    let mut slot = [b' '; SLOT_LEN];
    slot[SLOT_LEN - 1] = b'\n';
    let line = &line[..line.len().min(MAX_BODY_LEN)];
    slot[CRC_LEN..CRC_LEN + line.len()].copy_from_slice(line);
    let crc = format!("{:08x}", CRC.checksum(&slot[CRC_LEN..]));
    slot[..CRC_LEN].copy_from_slice(crc.as_bytes());
    slot
}

fn run(bytes: &[u8]) {
    let file: File = memfd_create("journal", MemfdFlags::CLOEXEC).expect("a file").into();
    file.write_all_at(bytes, 0).expect("room for it");
    let records = read(&file);
    records.iter().for_each(check);
    let damaged = contents(&slots(&file)).damaged;
    let (ring, found) = open(&file);
    assert_eq!(found, damaged);
    assert_eq!(read(&file), records, "opening the file has changed its records");
    assert_eq!(open(&file).1, 0, "damage is found twice");
    write_on(ring, &file, &records);
}

fn write_on(mut ring: Ring, file: &File, records: &[Record]) {
    let Some(id) = ring.newest().checked_add(1) else { return };
    let what = What::Backup { success: true };
    let new = Record { id, unix_ms: 0, monotonic_ms: 0, what };
    ring.append(&new).expect("room for a record");
    let after = read(file);
    assert_eq!(after.last(), Some(&new), "the newest record is not the last");
    assert!(after.len() <= CAPACITY && after.len() >= records.len(), "{} of {}", after.len(), records.len());
    let kept = after.iter().filter(|record| records.contains(record)).count();
    assert!(kept + 1 >= records.len().min(CAPACITY), "more than one record made room");
    let stays = |newest: &Record| after.iter().any(|record| record.id == newest.id);
    assert!(records.last().is_none_or(stays), "the newest record made room, and not an older one");
    let (reopened, damaged) = open(file);
    assert_eq!((reopened.newest(), damaged), (id, 0));
}

/// What a record is shown as. None is too long to be written again.
fn check(record: &Record) {
    let slot = encode(record);
    assert!(slot.is_none_or(|slot| decode(&slot) == Slot::Record(record.clone())), "not read back");
    if let Some(event) = Event::of(record) {
        assert!(event.line(record).split('\t').count() >= 4, "fewer than four fields");
        serde_json::to_string(&event).expect("an event has a text");
    }
    let _ = log_line(record);
}

fn slots(file: &File) -> Vec<Slot> {
    // Another description of the same file, read from its start.
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
    read_slots(&File::open(path).expect("the file"), CAPACITY).expect("it is read")
}

fn read(file: &File) -> Vec<Record> {
    contents(&slots(file)).records
}

fn open(file: &File) -> (Ring, usize) {
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
    let file = File::options().read(true).write(true).open(path).expect("the file");
    Ring::over(file, CAPACITY).expect("it is opened")
}
