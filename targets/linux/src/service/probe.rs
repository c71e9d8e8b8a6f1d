//! Probes: commands that tell whether a service is well. Each service's run in a thread of their own, one at a time.

use crate::{settings, sys};
use mio::Waker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Stack of a probing thread, in bytes.
const STACK_LEN: usize = 128 * 1024;
/// Outcomes that wait for the loop. A thread that finds no room waits; its service is probed less often then.
const MAX_WAITING: usize = 64;

/// What became of one probe.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The service's place among the configured ones.
    pub(super) service: usize,
    /// `Err` says why it failed.
    pub(super) passed: Result<(), String>,
}

/// The probing threads. Dropping this ends them and what they run.
pub(super) struct Probes {
    outcomes: Receiver<Outcome>,
    _stop: PipeWriter,
}

impl Probes {
    /// Starts a thread for each probe; `waker` wakes the loop when there is an outcome.
    pub(super) fn start(services: &[settings::Service], waker: &Arc<Waker>) -> io::Result<Self> {
        let (report, outcomes) = sync_channel(MAX_WAITING);
        let (stopped, stop) = io::pipe()?;
        for (service, settings) in services.iter().enumerate() {
            let Some(probe) = settings.probe.clone() else { continue };
            let stopped = stopped.try_clone()?;
            let prober = Prober { service, probe, report: report.clone(), waker: Arc::clone(waker), stopped };
            thread::Builder::new().name("probe".to_owned()).stack_size(STACK_LEN).spawn(move || prober.run())?;
        }
        Ok(Self { outcomes, _stop: stop })
    }

    /// The next outcome, if there is one.
    pub(super) fn take(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }
}

struct Prober {
    service: usize,
    probe: settings::Probe,
    report: SyncSender<Outcome>,
    waker: Arc<Waker>,
    /// Readable once nobody wants probes any more.
    stopped: PipeReader,
}

/// How waiting for something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Done,
    TimedOut,
    Stopped,
}

impl Prober {
    fn run(self) {
        let interval = Duration::from_millis(self.probe.interval_ms.into());
        while self.wait(None, interval) == Wait::TimedOut {
            let Some(passed) = self.probe_once() else { return };
            if self.report.send(Outcome { service: self.service, passed }).is_err() {
                return;
            }
            if let Err(error) = self.waker.wake() {
                log::error!("the main loop cannot be woken: {error}");
            }
        }
    }

    /// Runs the command; `None` when it was ended because nobody wants probes any more.
    fn probe_once(&self) -> Option<Result<(), String>> {
        let (program, arguments) = self.probe.command.split_first()?;
        let mut command = Command::new(program);
        // A group of its own, so that what it starts can be ended with it.
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        sys::run_ordinarily(&mut command);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Some(Err(format!("{program} cannot be run: {error}"))),
        };
        let timeout = Duration::from_millis(self.probe.timeout_ms.into());
        match self.wait(Some(&child), timeout) {
            Wait::Done => {}
            Wait::TimedOut => {
                end(&mut child);
                return Some(Err(format!("{program} did not end within {} ms", self.probe.timeout_ms)));
            }
            Wait::Stopped => {
                end(&mut child);
                return None;
            }
        }
        Some(match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{program}: {status}")),
            Err(error) => Err(format!("{program} cannot be waited for: {error}")),
        })
    }

    /// Waits for the end of `child`, where there is one, for so long at most.
    fn wait(&self, child: Option<&Child>, timeout: Duration) -> Wait {
        let end = Instant::now() + timeout;
        let pidfd = child.map(|child| pidfd_open(Pid::from_child(child), PidfdFlags::empty()));
        let Ok(pidfd) = pidfd.transpose() else {
            // Not even the descriptor is to be had: as good as no answer.
            return Wait::TimedOut;
        };
        loop {
            let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).unwrap_or_default();
            let stopped = PollFd::new(&self.stopped, PollFlags::IN);
            let mut entries = vec![stopped];
            entries.extend(pidfd.as_ref().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)));
            match poll(&mut entries, Some(&left)) {
                Ok(0) => return Wait::TimedOut,
                Ok(_) if entries.first().is_some_and(|entry| !entry.revents().is_empty()) => return Wait::Stopped,
                Ok(_) => return Wait::Done,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    log::error!("a probe cannot be waited for: {error}");
                    return Wait::Stopped;
                }
            }
        }
    }
}

/// Kills a probe and what it started.
fn end(child: &mut Child) {
    let killed = kill_process_group(Pid::from_child(child), Signal::KILL);
    if let Err(error) = killed.map_err(io::Error::from).and_then(|()| child.wait()) {
        log::error!("a probe cannot be ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Poll, Token};
    use std::fs;

    fn probes(script: &str, timeout_ms: u32) -> (Probes, Poll) {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        let probe = Some(settings::Probe { command, interval_ms: 10, timeout_ms });
        let service = settings::Service {
            name: "asterisk".to_owned(),
            pid_source: None,
            kick_timeout_ms: None,
            start_timeout_ms: None,
            probe,
        };
        (Probes::start(&[service], &waker).unwrap(), poll)
    }

    fn outcome(probes: &Probes) -> Result<(), String> {
        probes.outcomes.recv_timeout(Duration::from_secs(10)).unwrap().passed
    }

    #[test]
    fn a_probe_passes_or_says_why_it_fails() {
        assert_eq!(outcome(&probes("exit 0", 5000).0), Ok(()));
        assert_eq!(outcome(&probes("exit 3", 5000).0), Err("sh: exit status: 3".to_owned()));
    }

    #[test]
    fn a_probe_that_takes_too_long_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let (pid, late) = (dir.path().join("pid"), dir.path().join("late"));
        let script = format!("echo $$ > {}; (sleep 1; touch {}) & wait", pid.display(), late.display());
        let (probes, _poll) = probes(&script, 200);
        assert_eq!(outcome(&probes), Err("sh did not end within 200 ms".to_owned()));
        drop(probes);
        thread::sleep(Duration::from_millis(1500));
        assert!(pid.exists(), "it ran");
        assert!(!late.exists(), "what it had started was killed with it");
    }

    #[test]
    fn nothing_is_left_running_when_probes_are_no_longer_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let (probes, _poll) = probes(&format!("echo $$ > {}; exec sleep 60", pid.display()), 60_000);
        let patience = Instant::now() + Duration::from_secs(10);
        let number = loop {
            match fs::read_to_string(&pid).ok().and_then(|text| text.trim().parse::<u32>().ok()) {
                Some(number) => break number,
                None => assert!(Instant::now() < patience, "it did not start"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        drop(probes);
        while fs::exists(format!("/proc/{number}")).unwrap() {
            assert!(Instant::now() < patience, "it still runs");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
