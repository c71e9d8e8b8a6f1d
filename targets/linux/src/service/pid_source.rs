//! Where the number of a service's process comes from: a pid file, or the cgroup of a systemd unit.

use super::stat::Stat;
use crate::{regular_file, settings};
use rustix::process::Pid;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Longest pid file that is looked at, in bytes.
const MAX_PID_FILE_LEN: u64 = 64;
/// Longest list of a unit's processes that is looked through, in bytes: 500 processes or more.
const MAX_PROCS_LEN: u64 = 4096;
/// Where cgroups of version 2 are: alone, or beside those of version 1.
const CGROUP_ROOTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// The processes of a cgroup; every cgroup has this file, a directory that only holds mounts of version 1 has not.
const PROCS: &str = "cgroup.procs";

/// Tells the number of one service's process.
pub(super) enum PidSource {
    /// The first line of this file.
    PidFile(PathBuf),
    /// The unit's processes are in this file.
    Unit(PathBuf),
}

impl PidSource {
    pub(super) fn new(settings: &settings::PidSource) -> Self {
        match settings {
            settings::PidSource::PidFile(path) => Self::PidFile(path.clone()),
            settings::PidSource::Unit(cgroup) => Self::unit(cgroup_root(), cgroup),
        }
    }

    fn unit(root: &Path, cgroup: &Path) -> Self {
        Self::Unit(root.join(cgroup).join(PROCS))
    }

    /// The file that is read.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::PidFile(path) | Self::Unit(path) => path,
        }
    }

    /// The number of the process now, where `known` runs; an error says why there is none.
    pub(super) fn read(&self, known: Option<Pid>) -> Result<Pid, String> {
        match self {
            Self::PidFile(path) => {
                let text = read(path, MAX_PID_FILE_LEN)?;
                let pid = text.lines().next().and_then(number);
                pid.ok_or_else(|| format!("{} holds no process number", path.display()))
            }
            Self::Unit(path) => {
                let text = read(path, MAX_PROCS_LEN)?;
                if text.len() as u64 == MAX_PROCS_LEN {
                    return Err(format!("{} holds more processes than are looked through", path.display()));
                }
                let pids: Vec<Pid> = text.lines().filter_map(number).collect();
                // A unit has one main process at a time.
                let main = known.filter(|known| pids.contains(known)).or_else(|| main_process(&pids));
                main.ok_or_else(|| format!("{} holds no process that a service manager started", path.display()))
            }
        }
    }

    /// Whether a process belongs to the unit; a pid file knows of no other process.
    pub(super) fn includes(&self, pid: i32) -> bool {
        match self {
            Self::PidFile(_) => false,
            Self::Unit(path) => read(path, MAX_PROCS_LEN)
                .is_ok_and(|text| text.lines().filter_map(number).any(|other| other.as_raw_nonzero().get() == pid)),
        }
    }
}

fn cgroup_root() -> &'static Path {
    let [first, _] = CGROUP_ROOTS;
    Path::new(CGROUP_ROOTS.into_iter().find(|root| Path::new(root).join(PROCS).exists()).unwrap_or(first))
}

fn read(path: &Path, max_len: u64) -> Result<String, String> {
    let shown = path.display();
    match regular_file::read(path, max_len) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("{shown} is not there")),
        Err(error) => Err(format!("{shown} cannot be read: {error}")),
    }
}

fn number(line: &str) -> Option<Pid> {
    line.trim().parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw)
}

/// The oldest process whose parent is not among them. systemd gives each process that it starts a session of its own, so
/// that what a dead main process left behind, now a child of another, is told apart.
fn main_process(pids: &[Pid]) -> Option<Pid> {
    let started = pids.iter().filter_map(|pid| {
        let number = pid.as_raw_nonzero().get();
        let stat = Stat::read(number)?;
        let parent = stat.parent()?;
        let is_inside = pids.iter().any(|other| other.as_raw_nonzero().get() == parent);
        (stat.session()? == number && !is_inside).then_some((stat.start_time()?, number))
    });
    let (_, oldest) = started.min()?;
    Pid::from_raw(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::BufRead;
    use std::process::{Child, Command, Stdio};

    /// A directory in the place of a cgroup.
    struct Rig {
        dir: tempfile::TempDir,
        source: PidSource,
    }

    impl Rig {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let source = PidSource::unit(dir.path(), Path::new("system.slice/asterisk.service"));
            fs::create_dir_all(source.path().parent().unwrap()).unwrap();
            Self { dir, source }
        }

        fn write(&self, pids: &[u32]) {
            let lines: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
            fs::write(self.source.path(), lines).unwrap();
        }

        fn main(&self) -> Result<u32, String> {
            self.read(None)
        }

        fn read(&self, known: Option<u32>) -> Result<u32, String> {
            let known = known.and_then(|known| Pid::from_raw(known.try_into().unwrap()));
            self.source.read(known).map(|pid| pid.as_raw_nonzero().get().try_into().unwrap())
        }
    }

    /// A process with a session of its own and a child; ends with the test.
    struct Main {
        process: Child,
        worker: u32,
    }

    impl Main {
        fn start() -> Self {
            let script = "sleep 600 & echo $!; read end; kill $!";
            let mut command = Command::new("setsid");
            command.args(["sh", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut process = command.spawn().unwrap();
            let mut line = String::new();
            std::io::BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            Self { process, worker: line.trim().parse().unwrap() }
        }

        fn pid(&self) -> u32 {
            self.process.id()
        }
    }

    impl Drop for Main {
        fn drop(&mut self) {
            // Its input ends, and so does it.
            self.process.wait().unwrap();
        }
    }

    #[test]
    fn the_main_process_of_a_unit_is_the_one_whose_parent_is_not_in_it() {
        let rig = Rig::new();
        let main = Main::start();
        rig.write(&[main.worker, main.pid()]);
        assert_eq!(rig.main(), Ok(main.pid()));
    }

    #[test]
    fn of_several_the_oldest_is_the_main_process_and_stays_it_while_it_runs() {
        let rig = Rig::new();
        let first = Main::start();
        // Clock ticks are 10 ms.
        std::thread::sleep(std::time::Duration::from_millis(50));
        let second = Main::start();
        rig.write(&[second.pid(), second.worker, first.worker, first.pid()]);
        assert_eq!(rig.main(), Ok(first.pid()));
        assert_eq!(rig.read(Some(second.pid())), Ok(second.pid()));
        assert_eq!(rig.read(Some(std::process::id())), Ok(first.pid()), "it is not in the unit");
    }

    #[test]
    fn what_a_dead_main_process_left_behind_is_none() {
        let rig = Rig::new();
        let main = Main::start();
        rig.write(&[main.worker]);
        let said = format!("{} holds no process that a service manager started", rig.source.path().display());
        assert_eq!(rig.main(), Err(said));
    }

    #[test]
    fn a_unit_without_processes_says_so() {
        let rig = Rig::new();
        let shown = rig.dir.path().join("system.slice/asterisk.service/cgroup.procs").display().to_string();
        assert_eq!(rig.main(), Err(format!("{shown} is not there")));
        for text in ["", "0\n", "x\n"] {
            fs::write(rig.source.path(), text).unwrap();
            assert_eq!(rig.main(), Err(format!("{shown} holds no process that a service manager started")), "{text:?}");
        }
    }

    #[test]
    fn the_processes_of_a_unit_are_those_in_its_list() {
        let rig = Rig::new();
        rig.write(&[41, 42]);
        assert!(rig.source.includes(42) && !rig.source.includes(4));
        assert!(!PidSource::PidFile(rig.source.path().to_owned()).includes(42));
    }

    #[test]
    fn a_list_that_was_cut_off_is_not_used() {
        let rig = Rig::new();
        let main = Main::start();
        rig.write(&[main.pid(); 4096]);
        let said = format!("{} holds more processes than are looked through", rig.source.path().display());
        assert_eq!(rig.main(), Err(said));
    }
}
