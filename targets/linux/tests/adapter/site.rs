//! A site for one daemon: a network namespace with a LAN, a heartbeat cable and a gateway, and a directory.

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process, pidfd_getfd, pidfd_open};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take that is not timed by the test itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// The interfaces are a node's: `eth0` on the LAN, `eth1` the cable. `lan` and `cable` are their other ends; the gateway
/// answers on `lan`.
pub(crate) struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    /// Moves this thread, and every program it starts, into a namespace of its own. `None`, and said, where that is not
    /// permitted.
    pub(crate) fn new() -> Option<Self> {
        // SAFETY: only file descriptor tables make `unshare` unsafe, and this flag leaves them alone.
        if let Err(error) = unsafe { unshare_unsafe(UnshareFlags::NEWNET) } {
            println!("skipped: no network namespace: {error}");
            return None;
        }
        let site = Self { dir: tempfile::tempdir().unwrap() };
        // The gateway lives in the same namespace: it answers an address of its own machine, for its own address only.
        fs::write("/proc/sys/net/ipv4/conf/all/accept_local", "1").unwrap();
        fs::write("/proc/sys/net/ipv4/conf/all/arp_ignore", "1").unwrap();
        site.ip("link set lo up");
        site.plug_lan();
        site.plug_cable();
        site.configure(|text| text);
        Some(site)
    }

    pub(crate) fn plug_lan(&self) {
        self.ip("link add eth0 type veth peer name lan");
        self.ip("addr add 192.168.129.42/24 dev eth0");
        self.ip("addr add 192.168.129.1/32 dev lan");
        self.ip("link set eth0 up");
        self.ip("link set lan up");
    }

    pub(crate) fn plug_cable(&self) {
        self.ip("link add eth1 type veth peer name cable");
        self.ip("link set eth1 up");
        self.ip("link set cable up");
    }

    /// Runs `ip` with these words.
    #[track_caller]
    pub(crate) fn ip(&self, words: &str) {
        let done = Command::new("ip").args(words.split(' ')).output().expect("iproute2 is installed");
        assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// What `ip` shows.
    pub(crate) fn ip_shows(&self, words: &str) -> Vec<u8> {
        Command::new("ip").args(words.split(' ')).output().expect("iproute2 is installed").stdout
    }

    pub(crate) fn holds_cluster_ip(&self) -> bool {
        String::from_utf8_lossy(&self.ip_shows("-4 -o addr")).contains("192.168.129.64/")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("config.toml")
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Writes the configuration, as `change` makes it.
    pub(crate) fn configure(&self, change: impl FnOnce(String) -> String) {
        let text = format!(
            "[ha]\nenable = true\nstation_type = \"primary\"\ncluster_ip = \"192.168.129.64/24\"\n\
             peer_ip = \"192.168.129.43\"\nheartbeat_timeout = 3\nallow_unauthenticated = true\n\n\
             [network]\nmethod = \"switch\"\nlan_interface = \"eth0\"\nheartbeat_interface = \"eth1\"\n\
             gateway = \"192.168.129.1\"\n\n[device]\nmodel = \"UCM6304A\"\nfirmware = \"1.0.10.2\"\n\n\
             [paths]\nstate_dir = {:?}\nrun_dir = {:?}\n",
            self.state_dir().display().to_string(),
            self.run_dir().display().to_string(),
        );
        fs::write(self.config(), change(text)).unwrap();
    }

    /// A command line of the program on this site's configuration.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ucm-ha"));
        command.args(words.split(' ')).arg("--config").arg(self.config());
        command
    }

    /// What a command line of the program does.
    pub(crate) fn ask(&self, words: &str) -> Answer {
        Answer::of(self.command(words).output().unwrap())
    }

    pub(crate) fn start(&self) -> Daemon {
        self.start_as(self.command("run"))
    }

    /// Starts the daemon by a command of the test's own making.
    pub(crate) fn start_as(&self, command: Command) -> Daemon {
        self.start_named("", command)
    }

    /// As [`start_as`](Self::start_as), for one daemon of several; `name` begins the names of its files.
    pub(crate) fn start_named(&self, name: &str, mut command: Command) -> Daemon {
        let (out, log) = (self.dir.path().join(format!("{name}out")), self.dir.path().join(format!("{name}log")));
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
        Daemon { child: command.spawn().unwrap(), out, log }
    }

    /// The JSON status of the running daemon.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        let answer = self.ask("status --json");
        assert_eq!(answer.code, 0, "{}", answer.err);
        serde_json::from_str(&answer.out).expect("one JSON object")
    }

    #[track_caller]
    pub(crate) fn wait_for_role(&self, role: &str) {
        wait_until(&format!("role {role}"), || self.status()["role"] == role);
    }
}

/// Exit code and output of a command.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A running daemon; killed with the test.
pub(crate) struct Daemon {
    child: Child,
    out: PathBuf,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until the log contains `text`.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "{text:?} is not in the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.is_ready() {
            assert!(Instant::now() < end, "not ready; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        read(&self.out) == "ready\n"
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Takes the daemon's subscription to interface events away, behind its back: from now on the kernel tells it nothing.
    #[track_caller]
    pub(crate) fn lose_interface_events(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let inodes = subscribed_inodes();
        let fds = fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().flatten();
        let is_subscription = |fd: &fs::DirEntry| {
            let target = fs::read_link(fd.path()).unwrap_or_default();
            inodes.iter().any(|inode| target.to_str() == Some(&format!("socket:[{inode}]")))
        };
        let fd = fds.into_iter().find(is_subscription).expect("a subscription").file_name();
        let stolen = pidfd_getfd(&pidfd, fd.to_str().unwrap().parse().unwrap(), PidfdGetfdFlags::empty()).unwrap();
        // SAFETY: the descriptor was just received and belongs to nobody else.
        let socket = unsafe { netlink_sys::Socket::from_raw_fd(stolen.into_raw_fd()) };
        socket.drop_membership(1).expect("links");
        socket.drop_membership(5).expect("IPv4 addresses");
        assert_eq!(subscribed_inodes(), Vec::<String>::new(), "no subscription is left");
    }

    /// Waits for the end; how it ended.
    #[track_caller]
    pub(crate) fn wait_for_status(&mut self) -> ExitStatus {
        self.wait(PATIENCE);
        self.child.wait().unwrap()
    }

    /// Waits for the end at most so long; the exit code, or -1 after a signal.
    #[track_caller]
    pub(crate) fn wait(&mut self, patience: Duration) -> i32 {
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "still running after {patience:?}; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// The sockets of this namespace that are subscribed to interface events.
fn subscribed_inodes() -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/net/netlink").unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let subscribed = rows.filter(|row| row.get(3).is_some_and(|groups| *groups != "00000000"));
    subscribed.filter_map(|row| row.last().map(|inode| (*inode).to_owned())).collect()
}

fn read(path: &Path) -> String {
    let mut text = Vec::new();
    File::open(path).unwrap().read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
