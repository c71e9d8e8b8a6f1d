//! The commands `events` and `log`. They read the files, so they work without a daemon.

use super::ring::{self, Contents, file_name};
use super::watch::Watch;
use super::writer;
use crate::events::form::{Event, log_line};
use crate::events::record::{Record, What};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;
use ucm_ha_control::Log;

/// A record that is just being written looks damaged: so often it is read again …
const MAX_READS: usize = 5;
/// … after this pause.
const READ_PAUSE: Duration = Duration::from_millis(20);

/// How events are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventsForm {
    /// One JSON object a line.
    pub(crate) json: bool,
    /// Oldest first, and then what comes.
    pub(crate) follow: bool,
}

/// Prints the events in `dir`; an error is one line that says what to do.
pub(crate) fn events(dir: &Path, form: EventsForm) -> Result<(), String> {
    if form.follow { follow(dir, form.json) } else { list(dir, Log::Events, |record| event_line(record, form.json)) }
}

/// Prints a log in `dir`, newest first; an error is one line that says what to do.
pub(crate) fn log(dir: &Path, log: Log) -> Result<(), String> {
    list(dir, log, log_line)
}

/// Clears a log in `dir` while no daemon runs on it: hold the lock on its `run_dir`.
pub(crate) fn clear(dir: &Path, log: Log) -> Result<(), String> {
    writer::clear_directly(dir, log).map_err(|error| unreadable(dir, log, &error))
}

fn event_line(record: &Record, json: bool) -> Option<String> {
    let event = Event::of(record)?;
    // The fields are text and numbers: nothing that JSON has no form for.
    if json { serde_json::to_string(&event).ok() } else { Some(event.line(record)) }
}

fn list(dir: &Path, log: Log, line: impl Fn(&Record) -> Option<String>) -> Result<(), String> {
    let contents = read(dir, log)?;
    if contents.damaged > 0 {
        eprintln!("ucm-ha: {} damaged records are left out", contents.damaged);
    }
    print(visible(&contents.records).iter().rev().filter_map(line)).map(drop)
}

/// Prints what there is, then what comes, until the reader of stdout goes away.
fn follow(dir: &Path, json: bool) -> Result<(), String> {
    let watch = Watch::on(dir).map_err(|error| unreadable(dir, Log::Events, &error))?;
    let mut shown = 0;
    loop {
        let contents = read(dir, Log::Events)?;
        let new: Vec<&Record> = visible(&contents.records).iter().filter(|record| record.id > shown).collect();
        if !print(new.iter().filter_map(|record| event_line(record, json)))? {
            return Ok(());
        }
        shown = new.last().map_or(shown, |record| record.id);
        watch.wait().map_err(|error| unreadable(dir, Log::Events, &error))?;
    }
}

/// What was not cleared away.
fn visible(records: &[Record]) -> &[Record] {
    let cleared = records.iter().rposition(|record| record.what == What::Cleared);
    records.get(cleared.map_or(0, |at| at + 1)..).unwrap_or_default()
}

fn read(dir: &Path, log: Log) -> Result<Contents, String> {
    let failed = |error: io::Error| unreadable(dir, log, &error);
    // A directory that is not there is no empty log.
    dir.metadata().map_err(failed)?;
    let mut contents = ring::read(dir, log).map_err(failed)?;
    for _ in 1..MAX_READS {
        if contents.damaged == 0 {
            break;
        }
        std::thread::sleep(READ_PAUSE);
        contents = ring::read(dir, log).map_err(failed)?;
    }
    Ok(contents)
}

fn unreadable(dir: &Path, log: Log, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::PermissionDenied => "run this as the daemon's user",
        _ => "check paths.state_dir",
    };
    format!("{}: {error}; {advice}", dir.join(file_name(log)).display())
}

/// Prints lines; `false` when nobody reads them any more.
fn print(lines: impl Iterator<Item = String>) -> Result<bool, String> {
    let mut out = io::stdout().lock();
    for line in lines {
        match writeln!(out, "{line}") {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(format!("stdout: {error}")),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::record::tests::alert;

    #[test]
    fn what_was_cleared_away_is_not_shown() {
        let marker = |id| Record { what: What::Cleared, ..alert(id) };
        let records = [alert(1), marker(2), alert(3), marker(4), alert(5), alert(6)];
        assert_eq!(visible(&records), [alert(5), alert(6)]);
        assert_eq!(visible(&records[..4]), []);
        assert_eq!(visible(&records[..1]), [alert(1)]);
    }
}
