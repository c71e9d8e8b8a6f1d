//! The process of a service: its number comes from a source, a pidfd watches it.

use super::pid_source::PidSource;
use super::stat::Stat;
use crate::sys;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or because it was asked to.
    Exited(i32),
    /// By a signal, and whether its core was dumped.
    Killed {
        /// The signal.
        signal: i32,
        /// Whether it left a core dump.
        dumped: bool,
    },
    /// The kernel did not tell.
    Unknown,
}

impl End {
    const fn from_status(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Killed { signal: libc::WTERMSIG(status), dumped: libc::WCOREDUMP(status) }
        } else {
            Self::Exited(libc::WEXITSTATUS(status))
        }
    }

    /// Whether that was a crash. Signals that ask a program to end are none.
    pub(super) const fn is_crash(self) -> bool {
        match self {
            Self::Killed { signal, .. } => !matches!(signal, libc::SIGTERM | libc::SIGINT | libc::SIGHUP),
            Self::Exited(_) | Self::Unknown => false,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Killed { signal, dumped } => {
                write!(f, "killed by {}{}", signal_name(*signal), if *dumped { ", core dumped" } else { "" })
            }
            Self::Unknown => f.write_str("ended"),
        }
    }
}

/// `SIGSEGV`, or `signal 42`.
pub(crate) fn signal_name(signal: i32) -> String {
    let named = nix::sys::signal::Signal::try_from(signal);
    named.map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_owned())
}

struct Running {
    pid: Pid,
    pidfd: OwnedFd,
}

/// What a look at the source showed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing new.
    Same,
    /// A process runs that did not before.
    Started(i32),
    /// There is no process; told once.
    Missing(String),
}

/// The process that a source names.
pub(super) struct Process {
    source: PidSource,
    token: Token,
    running: Option<Running>,
    /// Why there is none, once said.
    complaint: Option<String>,
}

impl Process {
    /// `token` wakes the loop when the process ends.
    pub(super) fn new(source: PidSource, token: Token) -> Self {
        Self { source, token, running: None, complaint: None }
    }

    pub(super) const fn token(&self) -> Token {
        self.token
    }

    pub(super) fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(|running| running.pid.as_raw_nonzero().get())
    }

    /// Reads the source and watches the process that it names.
    pub(super) fn look(&mut self, registry: &Registry) -> Look {
        let known = self.running.as_ref().map(|running| running.pid);
        let found = self.source.read(known).and_then(|pid| {
            if known == Some(pid) {
                return Ok(None);
            }
            let running = open(pid).map_err(|error| format!("{} names {error}", self.source.path().display()))?;
            registry
                .register(&mut SourceFd(&running.pidfd.as_raw_fd()), self.token, Interest::READABLE)
                .map_err(|error| format!("process {} cannot be watched: {error}", pid.as_raw_nonzero()))?;
            Ok(Some(running))
        });
        match found {
            Ok(None) => Look::Same,
            Ok(Some(running)) => {
                self.complaint = None;
                Look::Started(self.running.insert(running).pid.as_raw_nonzero().get())
            }
            // A process that runs is watched whatever becomes of the source.
            Err(_) if self.running.is_some() => Look::Same,
            Err(complaint) if self.complaint.as_ref() == Some(&complaint) => Look::Same,
            Err(complaint) => Look::Missing(self.complaint.insert(complaint).clone()),
        }
    }

    /// How the process ended, if it has.
    pub(super) fn take_end(&mut self) -> Option<End> {
        let running = self.running.take_if(|running| has_ended(&running.pidfd))?;
        let status = Stat::read(running.pid.as_raw_nonzero().get()).and_then(|stat| stat.zombie_status());
        let status = status.or_else(|| sys::exit_status(running.pidfd.as_fd()));
        Some(status.map_or(End::Unknown, End::from_status))
    }
}

/// Gets hold of a process that runs; one that is dead and not yet reaped does not.
fn open(pid: Pid) -> Result<Running, String> {
    let number = pid.as_raw_nonzero();
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) if has_ended(&pidfd) => Err(format!("process {number}, which has ended")),
        Ok(pidfd) => Ok(Running { pid, pidfd }),
        Err(Errno::SRCH) => Err(format!("process {number}, which does not run")),
        Err(error) => Err(format!("process {number}, which cannot be watched: {}", io::Error::from(error))),
    }
}

fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut entry = [PollFd::new(pidfd, PollFlags::IN)];
    // An error is no news of the process.
    poll(&mut entry, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::Poll;
    use std::fs;
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    struct Rig {
        dir: tempfile::TempDir,
        poll: Poll,
        process: Process,
    }

    impl Rig {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let process = Process::new(PidSource::PidFile(dir.path().join("pid")), Token(1));
            Self { dir, poll: Poll::new().unwrap(), process }
        }

        fn write(&self, text: &str) {
            fs::write(self.dir.path().join("pid"), text).unwrap();
        }

        fn look(&mut self) -> Look {
            self.process.look(self.poll.registry())
        }

        fn start(&mut self, script: &str) -> Child {
            let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
            self.write(&format!("{}\n", child.id()));
            assert_eq!(self.look(), Look::Started(child.id().try_into().unwrap()));
            child
        }

        fn wait_for_end(&mut self) -> End {
            let patience = Instant::now() + Duration::from_secs(10);
            loop {
                if let Some(end) = self.process.take_end() {
                    return end;
                }
                assert!(Instant::now() < patience, "no end within 10 s");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn the_end_of_a_process_that_nobody_has_reaped_yet_is_told_apart() {
        let cases = [
            ("exit 0", End::Exited(0), false),
            ("exit 3", End::Exited(3), false),
            ("kill -TERM $$", End::Killed { signal: libc::SIGTERM, dumped: false }, false),
            ("kill -KILL $$", End::Killed { signal: libc::SIGKILL, dumped: false }, true),
        ];
        for (script, end, crash) in cases {
            let mut rig = Rig::new();
            // It ends when it is looked at already.
            let mut child = rig.start(&format!("sleep 0.2; {script}"));
            assert_eq!(rig.wait_for_end(), end, "{script}");
            assert_eq!(end.is_crash(), crash, "{script}");
            child.wait().unwrap();
        }
    }

    #[test]
    fn the_end_of_a_process_that_was_reaped_at_once_is_told_where_the_kernel_knows_it() {
        let mut rig = Rig::new();
        let mut child = rig.start("sleep 0.2; kill -SEGV $$");
        child.wait().unwrap();
        let end = rig.wait_for_end();
        let told = matches!(end, End::Killed { signal: libc::SIGSEGV, .. });
        assert!(told || end == End::Unknown, "{end:?}");
    }

    #[test]
    fn a_process_that_is_not_there_is_said_once() {
        let mut rig = Rig::new();
        let path = rig.dir.path().join("pid").display().to_string();
        assert_eq!(rig.look(), Look::Missing(format!("{path} is not there")));
        assert_eq!(rig.look(), Look::Same);
        rig.write("x\n");
        assert_eq!(rig.look(), Look::Missing(format!("{path} holds no process number")));
        for text in ["", "0", "-5"] {
            rig.write(text);
            assert_eq!(rig.look(), Look::Same, "{text:?}");
        }
    }

    #[test]
    fn a_stale_pid_file_names_no_process() {
        let mut rig = Rig::new();
        let mut child = rig.start("sleep 0.1");
        rig.wait_for_end();
        let path = rig.dir.path().join("pid").display().to_string();
        // A zombie at first, nobody afterwards.
        assert_eq!(rig.look(), Look::Missing(format!("{path} names process {}, which has ended", child.id())));
        let pid = child.id();
        child.wait().unwrap();
        assert_eq!(rig.look(), Look::Missing(format!("{path} names process {pid}, which does not run")));
    }

    #[test]
    fn a_new_process_of_the_same_pid_file_takes_the_place_of_the_old_one() {
        let mut rig = Rig::new();
        let mut first = rig.start("sleep 60");
        let mut second = rig.start("sleep 60");
        first.kill().unwrap();
        first.wait().unwrap();
        assert_eq!(rig.process.take_end(), None, "the first one is watched no more");
        second.kill().unwrap();
        assert!(rig.wait_for_end().is_crash());
        second.wait().unwrap();
    }

    #[test]
    fn signals_are_named() {
        assert_eq!(signal_name(libc::SIGSEGV), "SIGSEGV");
        assert_eq!(signal_name(libc::SIGABRT), "SIGABRT");
        assert_eq!(signal_name(42), "signal 42");
    }
}
