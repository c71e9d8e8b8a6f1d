//! The priority of a rig over what else its machine does: real nodes would not wait for that.

use crate::error::Context;
use rustix::io::Errno;
use rustix::process::{Pid, setpriority_process, setsid};
use std::fs;
use std::io::{self, ErrorKind};

/// Nice value of a rig and everything in it.
pub(crate) const NICE: i32 = -15;

/// Puts this process, and what it starts from now on, before other programs. It must lead no process group.
pub fn take() -> io::Result<()> {
    setpriority_process(None, NICE).context("cannot set its nice value")?;
    // A kernel with CONFIG_SCHED_AUTOGROUP shares the processors between sessions first; a nice value counts within its
    // session only, and the session has one of its own.
    setsid().context("cannot begin a session")?;
    match fs::write("/proc/self/autogroup", NICE.to_string()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("cannot set its session's nice value"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives it back to a program that has let go of it, as Asterisk does when it starts: to its threads and those they start.
pub fn give(process: u32) -> io::Result<()> {
    for entry in fs::read_dir(format!("/proc/{process}/task")).context("cannot list its threads")? {
        let name = entry.context("cannot list its threads")?.file_name();
        let Some(thread) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
        match setpriority_process(Some(thread), NICE) {
            Err(Errno::SRCH) => {} // it has ended meanwhile
            set => set.context("cannot set a thread's nice value")?,
        }
    }
    Ok(())
}
