//! The record that survives a restart: one small file, written by a thread of its own.
//!
//! A disk that stalls must never stall the heartbeats, and a power cut must leave the old record or the new one. So the
//! record is written aside, synced, and renamed over the old one.

use crate::clock;
use crc::{CRC_32_ISO_HDLC, Crc};
use mio::Waker;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ucm_ha::Instant as NodeInstant;
use ucm_ha::io::Record;

const FILE_NAME: &str = "state";
const NEW_FILE_NAME: &str = "state.new";
const BAD_FILE_NAME: &str = "state.bad";
/// Nobody else needs it.
const MODE: u32 = 0o600;
const HEADER: &str = "ucm-ha state 1";
/// The line of a node in maintenance.
const MAINTENANCE: &str = "maintenance true\n";
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// Longest file that is looked at; the longest valid one is shorter.
const MAX_FILE_LEN: u64 = 1024;
/// Pause before a record that could not be stored is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// A record that takes longer counts as one that could not be stored, until it is: a disk that hangs must not keep the
/// node from serving.
const PATIENCE: ucm_ha::Duration = ucm_ha::Duration::from_s(1);
/// Stack of the writing thread, in bytes.
const STACK_LEN: usize = 128 * 1024;

/// The record of the last run; the default, and a log line, where there is none that can be trusted.
pub(crate) fn load(dir: &Path) -> Record {
    let path = dir.join(FILE_NAME);
    let text = match read_file(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            log::info!("no state in {}: starting with term 0", path.display());
            return Record::default();
        }
        Err(error) => {
            log::error!("{} cannot be read: {error}; starting with term 0", path.display());
            return Record::default();
        }
    };
    decode(&text).unwrap_or_else(|| {
        let bad = dir.join(BAD_FILE_NAME);
        match fs::rename(&path, &bad) {
            Ok(()) => log::error!("{} is damaged: kept as {}, starting with term 0", path.display(), bad.display()),
            Err(error) => log::error!(
                "{} is damaged and cannot be kept as {}: {error}; starting with term 0",
                path.display(),
                bad.display()
            ),
        }
        Record::default()
    })
}

/// The record in `dir`, as a start would find it, with nothing changed; otherwise why a start would find none.
pub(crate) fn check(dir: &Path) -> Result<Record, String> {
    let path = dir.join(FILE_NAME);
    let text = read_file(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let bad = dir.join(BAD_FILE_NAME);
    match decode(&text) {
        Some(_) if bad.exists() => Err(format!("{} was found damaged at a start", bad.display())),
        Some(record) => Ok(record),
        None => Err(format!("{} is damaged", path.display())),
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, MAX_FILE_LEN), &mut text)?;
    Ok(text)
}

/// The text of the file.
pub(crate) fn encode(record: &Record) -> String {
    let Record { term, term_ceiling, last_active, disabled_by_peer, handovers, maintenance } = record;
    // A daemon of version 0.1 reads the file of a node that is in none.
    let maintenance = if *maintenance { MAINTENANCE } else { "" };
    let body = format!(
        "{HEADER}\nterm {term}\nterm_ceiling {term_ceiling}\nlast_active {last_active}\n\
         disabled_by_peer {disabled_by_peer}\nhandovers {handovers}\n{maintenance}"
    );
    format!("{body}crc {:08x}\n", CRC.checksum(body.as_bytes()))
}

/// Only text that [`encode`] would write again, to the byte, is taken.
pub(crate) fn decode(text: &[u8]) -> Option<Record> {
    let text = str::from_utf8(text).ok()?;
    let mut lines = text.lines().skip(1);
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let record = Record {
        term: value("term")?.parse().ok()?,
        term_ceiling: value("term_ceiling")?.parse().ok()?,
        last_active: value("last_active")?.parse().ok()?,
        disabled_by_peer: value("disabled_by_peer")?.parse().ok()?,
        handovers: value("handovers")?.parse().ok()?,
        maintenance: text.contains(MAINTENANCE),
    };
    (encode(&record) == text).then_some(record)
}

fn store(dir: &Path, record: &Record) -> io::Result<()> {
    let new = dir.join(NEW_FILE_NAME);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&new)?;
    // One that an older version left behind may have another.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(encode(record).as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, dir.join(FILE_NAME))?;
    File::open(dir)?.sync_all()
}

/// What the writing thread is told.
#[derive(Default)]
struct Orders {
    /// The newest record, and its number.
    wanted: Option<(u64, Record)>,
}

#[derive(Default)]
struct Shared {
    orders: Mutex<Orders>,
    changed: Condvar,
}

impl Shared {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        // The lock guards plain data that is whole at every moment.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a record.
struct Outcome {
    number: u64,
    saved: bool,
}

/// Stores records in the background.
pub(crate) struct StateWriter {
    shared: Arc<Shared>,
    outcomes: Receiver<Outcome>,
    /// Number of the newest record.
    newest: u64,
    /// Whether the newest record is stored.
    saved: bool,
    /// When the newest record counts as not stored, while nothing is known of it.
    overdue_at: NodeInstant,
}

impl StateWriter {
    /// Starts the thread; `waker` wakes the loop when there is an outcome.
    pub(crate) fn start(dir: PathBuf, waker: Arc<Waker>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (report, outcomes) = channel();
        let worker = Worker { dir, shared: Arc::clone(&shared), report, waker };
        std::thread::Builder::new().name("state".to_owned()).stack_size(STACK_LEN).spawn(move || worker.run())?;
        Ok(Self { shared, outcomes, newest: 0, saved: true, overdue_at: NodeInstant::NEVER })
    }

    /// Stores `record`; one that waits to be stored is forgotten, as only the newest matters.
    pub(crate) fn store(&mut self, record: Record) {
        self.newest += 1;
        self.saved = false;
        self.overdue_at = clock::now() + PATIENCE;
        self.shared.orders().wanted = Some((self.newest, record));
        self.shared.changed.notify_one();
    }

    /// Whether the newest record was stored, once that is known. A failure is tried again and may become a success.
    pub(crate) fn outcome(&mut self) -> Option<bool> {
        let mut newest = None;
        while let Ok(outcome) = self.outcomes.try_recv() {
            newest = self.take(&outcome).or(newest);
        }
        newest.or_else(|| self.overdue())
    }

    /// When [`outcome`](Self::outcome) should be asked although the thread said nothing.
    pub(crate) fn deadline(&self) -> NodeInstant {
        self.overdue_at
    }

    fn overdue(&mut self) -> Option<bool> {
        if clock::now() < self.overdue_at {
            return None;
        }
        self.overdue_at = NodeInstant::NEVER;
        log::error!("state is not stored after {} ms; does the disk hang?", PATIENCE.as_ms());
        Some(false)
    }

    /// Waits, at most so long, until the newest record is stored.
    pub(crate) fn finish(&mut self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while !self.saved {
            match self.outcomes.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(outcome) => self.take(&outcome).unwrap_or_default(),
                Err(_) => return false,
            };
        }
        true
    }

    fn take(&mut self, outcome: &Outcome) -> Option<bool> {
        if outcome.number != self.newest {
            return None;
        }
        self.saved = outcome.saved;
        self.overdue_at = NodeInstant::NEVER;
        Some(outcome.saved)
    }
}

struct Worker {
    dir: PathBuf,
    shared: Arc<Shared>,
    report: Sender<Outcome>,
    waker: Arc<Waker>,
}

impl Worker {
    fn run(self) {
        loop {
            let (number, record) = self.next_order();
            if !self.store_until_superseded(number, &record) {
                return;
            }
        }
    }

    fn next_order(&self) -> (u64, Record) {
        let mut orders = self.shared.orders();
        loop {
            if let Some(order) = orders.wanted.take() {
                return order;
            }
            orders = self.shared.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tries until the record is stored or a newer one is there; reports the first failure and the success.
    /// `false` when nobody listens any more.
    fn store_until_superseded(&self, number: u64, record: &Record) -> bool {
        let mut failed = false;
        loop {
            match store(&self.dir, record) {
                Ok(()) => {
                    if failed {
                        log::info!("state in {} is stored again", self.dir.display());
                    }
                    return self.tell(Outcome { number, saved: true });
                }
                Err(_) if failed => {}
                Err(error) => {
                    log::error!("state cannot be stored in {}: {error}; trying again", self.dir.display());
                    failed = true;
                    if !self.tell(Outcome { number, saved: false }) {
                        return false;
                    }
                }
            }
            let orders = self.shared.orders();
            let superseded = |orders: &mut Orders| orders.wanted.is_none();
            let waited = self.shared.changed.wait_timeout_while(orders, RETRY_PAUSE, superseded);
            if waited.unwrap_or_else(PoisonError::into_inner).0.wanted.is_some() {
                return true;
            }
        }
    }

    fn tell(&self, outcome: Outcome) -> bool {
        if self.report.send(outcome).is_err() {
            return false;
        }
        if let Err(error) = self.waker.wake() {
            log::error!("the main loop cannot be woken: {error}");
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Poll, Token};
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    const RECORD: Record = Record {
        term: 7,
        term_ceiling: 1007,
        last_active: true,
        disabled_by_peer: false,
        handovers: 2,
        maintenance: false,
    };

    fn writer(dir: &Path) -> (StateWriter, Poll) {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        (StateWriter::start(dir.to_owned(), waker).unwrap(), poll)
    }

    fn wait_for_outcome(writer: &mut StateWriter) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Some(saved) = writer.outcome() {
                return saved;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no outcome within 10 s");
    }

    #[test]
    fn a_stored_record_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _poll) = writer(dir.path());
        writer.store(RECORD);
        assert!(wait_for_outcome(&mut writer));
        assert_eq!(load(dir.path()), RECORD);
        assert!(!dir.path().join(NEW_FILE_NAME).exists());
    }

    #[test]
    fn of_many_records_the_newest_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _poll) = writer(dir.path());
        for term in 0..100 {
            writer.store(Record { term, ..RECORD });
        }
        assert!(writer.finish(Duration::from_secs(10)));
        assert_eq!(load(dir.path()).term, 99);
    }

    #[test]
    fn without_a_file_the_record_is_the_default() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path()), Record::default());
        assert!(!dir.path().join(BAD_FILE_NAME).exists());
    }

    #[test]
    fn a_file_cut_short_anywhere_is_kept_aside_and_not_believed() {
        let whole = encode(&RECORD);
        for len in 0..whole.len() {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FILE_NAME), &whole[..len]).unwrap();
            assert_eq!(load(dir.path()), Record::default(), "cut to {len} bytes");
            assert_eq!(fs::read(dir.path().join(BAD_FILE_NAME)).unwrap(), &whole.as_bytes()[..len]);
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let whole = encode(&RECORD);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_file_with_more_behind_it_is_not_believed() {
        let longer = encode(&RECORD) + "x";
        assert_eq!(decode(longer.as_bytes()), None);
    }

    #[test]
    fn a_disk_that_hangs_is_reported_in_time_and_its_recovery_too() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join(NEW_FILE_NAME);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (mut writer, _poll) = writer(dir.path());
        writer.store(RECORD);
        assert_eq!(writer.outcome(), None, "not yet");
        assert!(!wait_for_outcome(&mut writer), "the write hangs");
        assert_eq!(writer.deadline(), NodeInstant::NEVER, "it is said once");

        let _reader = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
        fs::remove_file(&pipe).unwrap();
        while !wait_for_outcome(&mut writer) {}
        assert_eq!(load(dir.path()), RECORD);
    }

    #[test]
    fn an_unwritable_directory_is_reported_and_tried_again() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("state");
        let (mut writer, _poll) = writer(&dir);
        writer.store(RECORD);
        assert!(!wait_for_outcome(&mut writer), "there is no directory to write to");
        fs::create_dir(&dir).unwrap();
        assert!(wait_for_outcome(&mut writer), "the record is tried again");
        assert_eq!(load(&dir), RECORD);
    }
}
