//! The process of a service: its number comes from a source, a pidfd watches it.

use super::pid_source::PidSource;
use super::stat::{Stat, users};
use crate::sys;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::thread::{CapabilitySet, capabilities};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How far the parents of a process are looked through.
const MAX_GENERATIONS: usize = 16;

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
    /// Number of the one that ran last.
    ended: Option<i32>,
    /// Why there is none, once said.
    complaint: Option<String>,
}

impl Process {
    /// `token` wakes the loop when the process ends.
    pub(super) fn new(source: PidSource, token: Token) -> Self {
        Self { source, token, running: None, ended: None, complaint: None }
    }

    pub(super) const fn token(&self) -> Token {
        self.token
    }

    pub(super) fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(|running| running.pid.as_raw_nonzero().get())
    }

    /// Whether this is the number of the service's process, or of its last one while none runs.
    pub(super) fn is(&self, pid: i32) -> bool {
        self.pid().or(self.ended) == Some(pid)
    }

    /// The users that the process runs as, while it does: the real and the effective one.
    pub(super) fn users(&self) -> Option<[u32; 2]> {
        users(self.pid()?)
    }

    /// Whether the source names this process, which may not have been seen yet, or it is one that the service started.
    pub(super) fn includes(&self, pid: i32, named_like_it: bool) -> bool {
        let is_inside = || self.source.includes(pid) || self.pid().is_some_and(|own| descends(pid, own));
        self.source.read(None).is_ok_and(|own| own.as_raw_nonzero().get() == pid) || (named_like_it && is_inside())
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
        self.ended = Some(running.pid.as_raw_nonzero().get());
        let status = Stat::read(running.pid.as_raw_nonzero().get()).and_then(|stat| stat.zombie_status());
        let status = status.filter(|status| *status != 0 || may_trace());
        let status = status.or_else(|| sys::exit_status(running.pidfd.as_fd()));
        Some(status.map_or(End::Unknown, End::from_status))
    }
}

/// Whether a status of 0 means one: the kernel shows 0 to those who may not trace the process.
fn may_trace() -> bool {
    capabilities(None).is_ok_and(|held| held.effective.contains(CapabilitySet::SYS_PTRACE))
}

/// Whether a process is a child of `ancestor`, or of its children.
fn descends(pid: i32, ancestor: i32) -> bool {
    let parents = std::iter::successors(Some(pid), |pid| Stat::read(*pid)?.parent());
    parents.skip(1).take(MAX_GENERATIONS).any(|parent| parent == ancestor)
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
    use rustix::process::{Signal, kill_process};
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
    fn a_process_is_the_services_by_its_number_or_its_parents_and_never_by_its_name_alone() {
        let mut rig = Rig::new();
        let mut service = rig.start("sleep 60 & wait");
        let stranger = i32::try_from(std::process::id()).unwrap();
        let own = i32::try_from(service.id()).unwrap();
        assert!(rig.process.is(own) && !rig.process.is(stranger));
        assert!(!rig.process.includes(stranger, true), "it is a parent of the service");
        let child = descendant(own);
        assert!(!rig.process.is(child));
        assert!(rig.process.includes(child, true) && !rig.process.includes(child, false));
        service.kill().unwrap();
        service.wait().unwrap();
        rig.wait_for_end();
        assert!(rig.process.is(own), "it was");
        assert!(!rig.process.includes(child, true), "now a child of another");
        kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
    }

    /// The first child of a process, once there is one.
    fn descendant(pid: i32) -> i32 {
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
            match children.split_whitespace().next() {
                Some(child) => return child.parse().unwrap(),
                None => assert!(Instant::now() < patience, "no child"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn signals_are_named() {
        assert_eq!(signal_name(libc::SIGSEGV), "SIGSEGV");
        assert_eq!(signal_name(libc::SIGABRT), "SIGABRT");
        assert_eq!(signal_name(42), "signal 42");
    }
}
