//! A program that is told of an event: the event as JSON on its stdin, kind and name as its last arguments.

use crate::sys;
use crate::user::User;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, kill_process_group, pidfd_open};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that does not end in time is asked to end, and gets this long for it.
pub(crate) const TERM_GRACE: Duration = Duration::from_millis(500);
/// What a service manager told this process, and nobody else.
const PRIVATE_ENVIRONMENT: [&str; 4] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS"];

/// The longest time that [`Program::tell`] takes.
pub(crate) fn longest(timeout: Duration) -> Duration {
    timeout + TERM_GRACE
}

/// A program and how to run it.
pub(crate) struct Program {
    /// The program and its first arguments.
    pub(crate) words: Vec<String>,
    /// Who it runs as; the user of this process where nobody is chosen.
    pub(crate) user: Option<User>,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

/// What a program is told.
pub(crate) struct Occasion<'a> {
    /// `alert` or `role`.
    pub(crate) kind: &'a str,
    /// The cause of an alert, or the new role.
    pub(crate) name: &'a str,
    /// The event, on one line.
    pub(crate) json: &'a str,
}

impl Program {
    /// The program's name.
    pub(crate) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Runs the program to its end; an error says why it was of no use. It is ended before its time once `stopped` can be read.
    pub(crate) fn tell(&self, occasion: &Occasion<'_>, stopped: Option<BorrowedFd<'_>>) -> Result<(), String> {
        let mut child = self.command(occasion).spawn().map_err(|error| self.not_run(&error))?;
        // The event fits into the pipe, so nobody is waited for. Whether it is read is the program's business.
        if let Some(Err(error)) = child.stdin.take().map(|mut stdin| stdin.write_all(occasion.json.as_bytes()))
            && error.kind() != ErrorKind::BrokenPipe
        {
            log::warn!("{}: its stdin cannot be written: {error}", self.name());
        }
        let wait = wait_for(&child, self.timeout, stopped);
        if !matches!(wait, Ok(Wait::Ended)) {
            end_group(&child);
        }
        let status = child.wait().map_err(|error| format!("it cannot be waited for: {error}"))?;
        match wait {
            Ok(Wait::Ended) if status.success() => Ok(()),
            Ok(Wait::Ended) => Err(status.to_string()),
            Ok(Wait::TimedOut) => {
                Err(format!("it did not end within {} ms and was ended: {status}", self.timeout.as_millis()))
            }
            Ok(Wait::Stopped) => Err(format!("it was ended with the daemon: {status}")),
            Err(error) => Err(format!("it cannot be watched and was ended: {error}")),
        }
    }

    fn command(&self, occasion: &Occasion<'_>) -> Command {
        let mut command = Command::new(self.name());
        command.args(self.words.get(1..).unwrap_or_default()).args([occasion.kind, occasion.name]);
        // A group of its own, so that it can be ended with all that it started.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).current_dir("/").process_group(0);
        for name in PRIVATE_ENVIRONMENT {
            command.env_remove(name);
        }
        sys::run_ordinarily(&mut command);
        if let Some(user) = &self.user {
            command.env("HOME", &user.home).env("USER", &user.name).env("LOGNAME", &user.name);
            if user.uid.as_raw() != geteuid().as_raw() {
                let groups = user.groups.iter().map(|gid| gid.as_raw()).collect();
                sys::run_as(&mut command, user.uid.as_raw(), user.gid.as_raw(), groups);
            }
        }
        command
    }

    fn not_run(&self, error: &io::Error) -> String {
        match (&self.user, error.kind()) {
            (Some(user), ErrorKind::PermissionDenied) => format!(
                "it cannot be run as {}: {error}; check the program's mode, and that CAP_SETUID and CAP_SETGID are granted",
                user.name
            ),
            _ => format!("it cannot be run: {error}; check notify.command"),
        }
    }
}

/// How waiting for a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Ended,
    TimedOut,
    /// Nobody wants to wait any longer.
    Stopped,
}

/// Waits for the end of the program. It is not reaped yet, so that its process group keeps its number.
fn wait_for(child: &Child, timeout: Duration, stopped: Option<BorrowedFd<'_>>) -> io::Result<Wait> {
    let pidfd = pidfd(child)?;
    let end = Instant::now() + timeout;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut entries = vec![PollFd::new(&pidfd, PollFlags::IN)];
        entries.extend(stopped.as_ref().map(|stopped| PollFd::new(stopped, PollFlags::IN)));
        match poll(&mut entries, Some(&left)) {
            Ok(0) => return Ok(Wait::TimedOut),
            Ok(_) if entries.first().is_some_and(|entry| !entry.revents().is_empty()) => return Ok(Wait::Ended),
            Ok(_) => return Ok(Wait::Stopped),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn pidfd(child: &Child) -> io::Result<OwnedFd> {
    Ok(pidfd_open(pid(child)?, PidfdFlags::empty())?)
}

fn pid(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| ErrorKind::NotFound.into())
}

/// Asks the program and what it started to end, then makes them.
fn end_group(child: &Child) {
    let asked = pid(child).and_then(|pid| Ok(kill_process_group(pid, Signal::TERM)?));
    if let Err(error) = asked.and_then(|()| wait_for(child, TERM_GRACE, None)) {
        log::warn!("a program cannot be asked to end: {error}");
    }
    if let Err(error) = pid(child).and_then(|pid| Ok(kill_process_group(pid, Signal::KILL)?)) {
        log::error!("a program cannot be ended: {error}; grant CAP_KILL");
    }
}
