//! The first program of an emulated machine of the rig: what a service manager does for the daemon.
//!
//! It does what systemd does with the unit file of this project and `RuntimeWatchdogSec=`: it starts the daemon again when
//! it ends, kills it when it gives no sign of life for `WATCHDOG_S`, and feeds the machine's watchdog itself. A machine
//! on which not even this program gets the processor is reset by the watchdog. It also keeps a shell on the rig's line.
//! `hil-guest spin` makes a machine such a one.
#![forbid(unsafe_code)]

mod daemon;
mod notify;
mod spin;
mod watchdog;

use daemon::Daemon;
use notify::Notify;
use rustix::process::{Pid, WaitOptions, wait};
use std::fs::OpenOptions;
use std::io;
use std::process::{Child, Command, ExitCode};
use std::time::Duration;
use watchdog::Watchdog;

/// How often the watchdog is fed, at least.
const TURN: Duration = Duration::from_millis(250);
/// The line to the rig, a virtual serial port.
const RIG_LINE: &str = "/dev/hvc0";

fn main() -> ExitCode {
    let outcome = if std::env::args().nth(1).as_deref() == Some("spin") { spin::spin() } else { supervise() };
    match outcome {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("hil-guest: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Never ends but by an error. The kernel then panics, since its first process has ended, and says so.
fn supervise() -> io::Result<std::convert::Infallible> {
    let mut watchdog = Watchdog::arm()?;
    let notify = Notify::open()?;
    let mut daemon = Daemon::new();
    let mut shell = None;
    loop {
        watchdog.feed()?;
        if shell.is_none() {
            shell = Some(pid_of(&start_shell()?));
        }
        daemon.keep_running()?;
        if notify.sign_of_life(TURN)? {
            daemon.lives();
        }
        // As the first process this one inherits every orphan, too.
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if shell == Some(pid) {
                shell = None;
            }
            daemon.ended(pid, status);
        }
    }
}

fn start_shell() -> io::Result<Child> {
    let line = OpenOptions::new().read(true).write(true).open(RIG_LINE)?;
    Command::new("/bin/sh").stdin(line.try_clone()?).stdout(line.try_clone()?).stderr(line).spawn()
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}
