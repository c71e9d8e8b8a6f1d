//! A private corner of the machine: the lab runs as the first process of its own PID, mount and network namespaces.
//!
//! When that process ends, for whatever reason, the kernel kills every process in the corner and removes its network
//! namespaces, interfaces and files. Nothing has to be cleaned up, not even after SIGKILL.

use crate::error::Context;
use crate::paths::{ROOT, SELF_EXE};
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Pid, Signal, getegid, geteuid, kill_process, set_parent_process_death_signal};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

/// Tells the process inside who started it.
const PARENT_VARIABLE: &str = "UCM_HA_LAB_PARENT";

/// Leaves the alternate screen and shows the cursor.
const RESET_SCREEN: &[u8] = b"\x1b[?1049l\x1b[?25h";

/// Whether this process is the one inside.
pub fn is_inside() -> bool {
    env::var_os(PARENT_VARIABLE).is_some()
}

/// Runs this program again with the same arguments inside the sandbox, and returns its exit status.
pub fn run_again_inside() -> io::Result<ExitStatus> {
    let terminal = tcgetattr(rustix::stdio::stdin()).ok();
    let mut signals = Signals::new([SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP])?;
    let own_pid = rustix::process::getpid().as_raw_nonzero();
    unshare_everything()?;
    let mut child = Command::new(SELF_EXE)
        .arg0(env::args_os().next().unwrap_or_default())
        .args(env::args_os().skip(1))
        .env(PARENT_VARIABLE, own_pid.to_string())
        .spawn()
        .context("cannot start the lab's first process")?;
    let status = wait(&mut child, &mut signals)?;
    if status.signal().is_some() {
        restore_terminal(terminal.as_ref())?;
    }
    Ok(status)
}

/// Root needs no user namespace. Everybody else, and root without privileges (in a container), does.
fn unshare_everything() -> io::Result<()> {
    let spaces = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET;
    if geteuid().is_root() && unshare(spaces).is_ok() {
        return Ok(());
    }
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    unshare(spaces | CloneFlags::CLONE_NEWUSER).map_err(|error| {
        io::Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "this kernel does not let an unprivileged user make namespaces ({error}); run the lab as root, or allow \
                 it by `sysctl user.max_user_namespaces`, `kernel.unprivileged_userns_clone` or \
                 `kernel.apparmor_restrict_unprivileged_userns`"
            ),
        )
    })?;
    map_to_root(uid, gid)
}

/// Makes the caller root of the new user namespace.
fn map_to_root(uid: u32, gid: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny").context("cannot write /proc/self/setgroups")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("cannot write /proc/self/uid_map")?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("cannot write /proc/self/gid_map")
}

/// Waits for the end of the lab. What asks this process to stop is passed on, so that the lab can say how far it got.
fn wait(child: &mut Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(ErrorKind::InvalidData)?;
    for signal in signals.forever() {
        if signal == SIGCHLD {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
        } else if let Some(signal) = Signal::from_named_raw(signal) {
            kill_process(pid, signal)?;
        }
    }
    child.wait()
}

/// A lab that was killed could not leave the terminal as it found it.
fn restore_terminal(terminal: Option<&Termios>) -> io::Result<()> {
    let Some(terminal) = terminal else { return Ok(()) };
    tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, terminal)?;
    io::stdout().write_all(RESET_SCREEN)
}

/// Prepares the sandbox from the inside.
pub fn settle() -> io::Result<()> {
    die_with_parent()?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context("cannot make the mounts private")?;
    mount("tmpfs", ROOT, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=0755")
        .context("cannot mount a file system in memory")?;
    // A container may hide parts of /proc and then refuses a fresh one. Only the measuring of the daemons' memory and
    // CPU time needs it, and says so.
    match mount("proc", "/proc", "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None) {
        Ok(()) | Err(rustix::io::Errno::PERM) => Ok(()),
        Err(error) => Err(error).context("cannot mount /proc"),
    }
}

/// Lets the kernel kill this process when the one that started it ends, also if it has ended already.
fn die_with_parent() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let expected = env::var(PARENT_VARIABLE).unwrap_or_default();
    // The old /proc is still mounted, so the numbers are those of the outer PID namespace.
    let status = fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim);
    if parent == Some(expected.as_str()) {
        Ok(())
    } else {
        Err(io::Error::other("the process that started the lab has ended"))
    }
}
