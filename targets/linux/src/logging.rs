//! Log lines on stderr, one per event, with the priority the journal understands.
//!
//! A thread of its own writes them: whoever reads stderr may stall, the heartbeats may not.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait to be written; more are dropped and counted.
const MAX_WAITING_LINES: usize = 256;
/// How long the end of the program waits for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);
/// Stack of the writing thread, in bytes.
const STACK_LEN: usize = 128 * 1024;

enum Message {
    Line(String),
    Flush(SyncSender<()>),
}

struct Logger {
    lines: SyncSender<Message>,
    dropped: AtomicU64,
    journal: bool,
}

impl Logger {
    fn prefix(&self, level: Level) -> &'static str {
        match (self.journal, level) {
            (true, Level::Error) => "<3>",
            (true, Level::Warn) => "<4>",
            (true, Level::Info) => "<6>",
            (true, Level::Debug | Level::Trace) => "<7>",
            (false, Level::Error) => "ERROR ",
            (false, Level::Warn) => "WARN  ",
            (false, Level::Info) => "INFO  ",
            (false, Level::Debug | Level::Trace) => "DEBUG ",
        }
    }

    fn push(&self, line: String) {
        if self.lines.try_send(Message::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            self.push(format!("{}{dropped} log lines were dropped: stderr is not read\n", self.prefix(Level::Warn)));
        }
        self.push(format!("{}{}\n", self.prefix(record.level()), record.args()));
    }

    fn flush(&self) {
        let (done, finished) = sync_channel(1);
        // A full queue or a stalled reader only costs the last lines.
        if self.lines.try_send(Message::Flush(done)).is_ok() {
            finished.recv_timeout(FLUSH_TIMEOUT).unwrap_or_default();
        }
    }
}

/// Sends the lines of this program to stderr from now on.
pub(crate) fn start(level: LevelFilter) -> std::io::Result<()> {
    let (lines, waiting) = sync_channel(MAX_WAITING_LINES);
    std::thread::Builder::new().name("log".to_owned()).stack_size(STACK_LEN).spawn(move || write_lines(&waiting))?;
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let logger = Logger { lines, dropped: AtomicU64::new(0), journal };
    log::set_boxed_logger(Box::new(logger)).map_err(std::io::Error::other)?;
    log::set_max_level(level);
    Ok(())
}

fn write_lines(waiting: &Receiver<Message>) {
    while let Ok(message) = waiting.recv() {
        match message {
            // There is nowhere left to report that stderr is closed.
            Message::Line(line) => std::io::stderr().write_all(line.as_bytes()).unwrap_or_default(),
            // The one who asked may have given up waiting.
            Message::Flush(done) => done.try_send(()).unwrap_or_default(),
        }
    }
}
