//! What the kernel tells of a process in `/proc/PID/stat`.

use std::fs;
use std::str::FromStr;

/// Numbers of its fields, as proc(5) counts them.
const STATE: usize = 3;
const PARENT: usize = 4;
const SESSION: usize = 6;
const START_TIME: usize = 22;
const EXIT_CODE: usize = 52;

/// The fields that follow the name.
pub(super) struct Stat(String);

impl Stat {
    /// `None` when there is no such process (any more).
    pub(super) fn read(pid: i32) -> Option<Self> {
        // The name may be any bytes.
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        let (_, after_name) = stat.rsplit_once(')')?;
        Some(Self(after_name.to_owned()))
    }

    /// The process that it is a child of.
    pub(super) fn parent(&self) -> Option<i32> {
        self.field(PARENT)
    }

    /// The process that began its session.
    pub(super) fn session(&self) -> Option<i32> {
        self.field(SESSION)
    }

    /// When it started, in clock ticks since the machine did.
    pub(super) fn start_time(&self) -> Option<u64> {
        self.field(START_TIME)
    }

    /// The wait status of a process that is dead and not yet reaped. The kernel shows it to those who may trace the process,
    /// others read 0.
    pub(super) fn zombie_status(&self) -> Option<i32> {
        let is_zombie = self.field(STATE) == Some('Z');
        self.field(EXIT_CODE).filter(|_| is_zombie)
    }

    fn field<T: FromStr>(&self, number: usize) -> Option<T> {
        self.0.split_ascii_whitespace().nth(number - STATE)?.parse().ok()
    }
}

/// The real and the effective user of a process. The owner of its folder in `/proc` is root once it has changed its user.
pub(crate) fn users(pid: i32) -> Option<[u32; 2]> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let mut numbers = line.split_ascii_whitespace().map_while(|number| number.parse().ok());
    Some([numbers.next()?, numbers.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_told_by_its_fields_whatever_its_name_is() {
        let script = "printf ') Z 1 \\377' > /proc/$$/comm; echo; read end";
        let mut child = Command::new("setsid")
            .args(["sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let pid = child.id().try_into().unwrap();
        assert_eq!(fs::read(format!("/proc/{pid}/comm")).unwrap(), b") Z 1 \xff\n");

        let stat = Stat::read(pid).unwrap();
        assert_eq!(stat.parent(), Some(std::process::id().try_into().unwrap()));
        assert_eq!((stat.session(), stat.zombie_status()), (Some(pid), None));
        let own = Stat::read(std::process::id().try_into().unwrap()).unwrap();
        assert!(stat.start_time() >= own.start_time() && own.start_time() > Some(0));

        child.wait().unwrap();
        assert!(Stat::read(pid).is_none());
    }
}
