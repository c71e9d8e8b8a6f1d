//! Log lines on stderr, one per event: with the priority that the journal understands, or, where nobody adds it, with the time.
//!
//! A thread of its own writes them: whoever reads stderr may stall, the heartbeats may not.

use crate::events::form;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

/// Lines that may wait to be written; more are dropped and counted.
const MAX_WAITING_LINES: usize = 256;
/// How long the end of the program waits for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);
/// Stack of the writing thread, in bytes: reading the time zone takes some.
const STACK_LEN: usize = 512 * 1024;

enum Message {
    Line(Line),
    Flush(SyncSender<()>),
}

/// A line as it was said.
struct Line {
    time: SystemTime,
    level: Level,
    text: String,
}

/// Who reads the lines.
#[derive(Clone, Copy)]
enum Reader {
    /// The journal of a service manager, which has a time and a priority for each.
    Journal,
    /// Somebody at a terminal, or a file.
    Plain,
}

impl Line {
    fn new(level: Level, text: String) -> Self {
        Self { time: SystemTime::now(), level, text }
    }

    /// As it is written.
    fn for_reader(&self, reader: Reader) -> String {
        let Self { time, level, text } = self;
        match (reader, level) {
            (Reader::Journal, Level::Error) => format!("<3>{text}\n"),
            (Reader::Journal, Level::Warn) => format!("<4>{text}\n"),
            (Reader::Journal, Level::Info) => format!("<6>{text}\n"),
            (Reader::Journal, Level::Debug | Level::Trace) => format!("<7>{text}\n"),
            (Reader::Plain, level) => format!("{} {level:<5} {text}\n", form::shown_time_ms(*time)),
        }
    }
}

struct Logger {
    lines: SyncSender<Message>,
    dropped: AtomicU64,
}

impl Logger {
    fn push(&self, line: Line) {
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
            self.push(Line::new(Level::Warn, format!("{dropped} log lines were dropped: stderr is not read")));
        }
        self.push(Line::new(record.level(), record.args().to_string()));
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
    let reader = if std::env::var_os("JOURNAL_STREAM").is_some() { Reader::Journal } else { Reader::Plain };
    let write = move || write_lines(&waiting, reader);
    std::thread::Builder::new().name("log".to_owned()).stack_size(STACK_LEN).spawn(write)?;
    let logger = Logger { lines, dropped: AtomicU64::new(0) };
    log::set_boxed_logger(Box::new(logger)).map_err(std::io::Error::other)?;
    log::set_max_level(level);
    Ok(())
}

fn write_lines(waiting: &Receiver<Message>, reader: Reader) {
    while let Ok(message) = waiting.recv() {
        match message {
            // There is nowhere left to report that stderr is closed.
            Message::Line(line) => {
                std::io::stderr().write_all(line.for_reader(reader).as_bytes()).unwrap_or_default();
            }
            // The one who asked may have given up waiting.
            Message::Flush(done) => done.try_send(()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_where_no_journal_adds_one() {
        let line = Line { time: SystemTime::UNIX_EPOCH, level: Level::Warn, text: "something".to_owned() };
        assert_eq!(line.for_reader(Reader::Journal), "<4>something\n");
        let plain = line.for_reader(Reader::Plain);
        assert_eq!(plain, format!("{} WARN  something\n", form::shown_time_ms(SystemTime::UNIX_EPOCH)));
        let time = plain.split(" WARN").next().unwrap();
        assert!(time.len() == "1970-01-01 00:00:00.000".len() && time.ends_with(".000"), "{plain}");
    }
}
