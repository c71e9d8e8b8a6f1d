//! The daemon as a service: started again when it ends, killed when it gives no sign of life.

use crate::notify::SOCKET;
use rustix::process::{Pid, Signal, WaitStatus, kill_process};
use std::fs;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/sbin/ucm-ha";
/// Read by the rig to signal the daemon.
const PID_FILE: &str = "/run/ucm-ha.pid";
/// `RestartSec` of the unit file.
const RESTART_DELAY: Duration = Duration::from_secs(1);
/// `WatchdogSec` of the unit file.
const WATCHDOG: Duration = Duration::from_secs(12);

/// The service.
pub(crate) struct Daemon {
    running: Option<Running>,
    start_at: Instant,
}

struct Running {
    pid: Pid,
    lived_at: Instant,
    aborted: bool,
}

impl Daemon {
    /// Not started yet.
    pub(crate) fn new() -> Self {
        Self { running: None, start_at: Instant::now() }
    }

    /// Starts it when it is time, and ends it when it hangs.
    pub(crate) fn keep_running(&mut self) -> io::Result<()> {
        let now = Instant::now();
        match &mut self.running {
            None if now >= self.start_at => self.running = Some(start(now)?),
            Some(running) if !running.aborted && now - running.lived_at > WATCHDOG => {
                println!("hil-guest: no sign of life of the daemon for {WATCHDOG:?}; it is killed");
                running.aborted = true;
                kill_process(running.pid, Signal::ABORT)?;
            }
            // One that does not even react to that (it may be stopped).
            Some(running) if running.aborted => kill_process(running.pid, Signal::KILL)?,
            None | Some(_) => {}
        }
        Ok(())
    }

    /// It gave a sign of life.
    pub(crate) fn lives(&mut self) {
        if let Some(running) = &mut self.running {
            running.lived_at = Instant::now();
        }
    }

    /// A process has ended.
    pub(crate) fn ended(&mut self, pid: Pid, status: WaitStatus) {
        if self.running.as_ref().is_some_and(|running| running.pid == pid) {
            println!("hil-guest: the daemon has ended: {status:?}");
            self.running = None;
            self.start_at = Instant::now() + RESTART_DELAY;
        }
    }
}

fn start(now: Instant) -> io::Result<Running> {
    let child = Command::new(PROGRAM)
        .arg("run")
        .env("NOTIFY_SOCKET", SOCKET)
        .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())
        .spawn()?;
    fs::write(PID_FILE, child.id().to_string())?;
    Ok(Running { pid: Pid::from_child(&child), lived_at: now, aborted: false })
}
