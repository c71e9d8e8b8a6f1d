//! What a local user without rights, or a program that the daemon starts, can do, and cannot.

use crate::services::{Service, fault, pid_file, start, wait_for_fault};
use crate::site::{Daemon, Site, wait_until};
use fair::in_real_time;
use rustix::process::{Pid, Signal, Uid, kill_process};
use rustix::thread::set_thread_uid;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Any user of this machine that is not root, and another one.
const NOBODY: u32 = 65534;
const SERVICE_USER: u32 = 12345;

/// Somebody who writes to the kick socket until this is dropped.
struct Kicker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Kicker {
    /// A user that writes these lines, in turn and with a pause after each.
    fn start(site: &Site, uid: u32, lines: &'static [&'static str], pause: Option<Duration>) -> Self {
        let (socket, stop) = (site.run_dir().join("kick.sock"), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            // Of this thread only.
            set_thread_uid(Uid::from_raw(uid)).unwrap();
            let own = UnixDatagram::unbound().unwrap();
            for line in lines.iter().cycle().take_while(|_| !stopped.load(Ordering::Relaxed)) {
                // The daemon may be gone by now.
                let _sent = own.send_to(line.as_bytes(), &socket);
                pause.into_iter().for_each(std::thread::sleep);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Kicker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Lets other users through the folders of a site.
fn open_to_all(site: &Site) {
    fs::set_permissions(site.config().parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn only_root_and_the_user_of_a_service_can_kick_it() {
    let Some(site) = Site::new() else { return };
    open_to_all(&site);
    let mut command = Command::new("sleep");
    let service = Service::of(command.arg("600").uid(SERVICE_USER).stdin(Stdio::null()).spawn().unwrap());
    fs::write(pid_file(&site), service.pid().to_string()).unwrap();
    let sections =
        "[[service]]\nname = \"asterisk\"\npid_file = PID\nkick_timeout_ms = 1000\nstart_timeout_ms = 3000\n";
    let daemon = start(&site, true, sections);
    daemon.wait_for_log("service asterisk runs as process");
    let stranger = Kicker::start(&site, NOBODY, &["kick asterisk"], Some(Duration::from_millis(50)));
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    assert_eq!(raised["reason"], "is deadlocked: it gave no sign of life in time");
    daemon.wait_for_log("kick.sock: user 65534 does not run service asterisk and cannot kick it (1 such kicks so far)");
    daemon.wait_for_log("(10 such kicks so far)");
    assert!(daemon.log().matches("cannot kick it").count() <= 4, "{}", daemon.log());

    let own = Kicker::start(&site, SERVICE_USER, &["kick asterisk"], Some(Duration::from_millis(50)));
    wait_for_fault(&site, "SERVICE asterisk", false);
    drop((own, stranger));
}

#[test]
fn a_flood_of_kicks_costs_little_and_keeps_nobody_out() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        open_to_all(&site);
        let service = Service::start(&site);
        let sections =
            "[[service]]\nname = \"asterisk\"\npid_file = PID\nkick_timeout_ms = 2000\nstart_timeout_ms = 10000\n";
        let daemon = start(&site, true, sections);
        site.wait_for_role("Active");
        let own = Kicker::start(&site, 0, &["kick asterisk"], Some(Duration::from_millis(100)));
        let flood = [(); 3].map(|()| Kicker::start(&site, NOBODY, &["kick asterisk", "nonsense"], None));
        std::thread::sleep(Duration::from_secs(1));
        let (begin, spent) = (Instant::now(), processor_time(&daemon));
        std::thread::sleep(Duration::from_secs(5));
        let share = (processor_time(&daemon) - spent).as_secs_f64() / begin.elapsed().as_secs_f64();
        println!("a flood of kicks costs {:.1} % of a processor", share * 100.0);
        assert!(share < 0.25, "{share}");
        assert_eq!(fault(&site, "SERVICE asterisk").unwrap()["raised"], false);
        assert_eq!(site.status()["role"], "Active");
        drop((flood, own, service));
    });
}

fn processor_time(daemon: &Daemon) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
    let fields: Vec<u64> =
        stat.rsplit_once(')').unwrap().1.split_whitespace().map(|f| f.parse().unwrap_or(0)).collect();
    // Clock ticks are 10 ms.
    Duration::from_millis((fields[11] + fields[12]) * 10)
}

#[test]
fn crashes_of_strangers_are_looked_into_and_told_at_a_bounded_rate() {
    let Some(site) = Site::new() else { return };
    let service = Service::start(&site);
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("service asterisk runs as process");
    let report = |pid: u32| {
        let mut helper = site.command("core-helper");
        helper.args([&pid.to_string(), "11", "asterisk"]).stdin(Stdio::null()).stderr(Stdio::null());
        helper.spawn().unwrap()
    };
    let begin = Instant::now();
    let helpers: Vec<_> = (0..60).map(|_| report(std::process::id())).collect();
    for mut helper in helpers {
        helper.wait().unwrap();
    }
    let most = 10 * (begin.elapsed().as_secs() as usize + 2);
    let told = daemon.log().matches("crashed by SIGSEGV: no service").count();
    assert!(told >= 10 && told <= most, "{told} of 60 in {:?}", begin.elapsed());
    let mut last = report(service.pid());
    wait_for_fault(&site, "SERVICE asterisk", true);
    last.wait().unwrap();
}

#[test]
fn programs_that_the_daemon_starts_have_none_of_its_limits() {
    let Some(site) = Site::new() else { return };
    let seen = site.run_dir().with_file_name("seen");
    let script = format!(
        "{{ ulimit -r; ulimit -l; ulimit -e; umask; cat /proc/self/oom_score_adj; chrt -p $$; }} > {0}.new 2>&1; mv {0}.new {0}",
        seen.display()
    );
    let sections = format!(
        "\n[[service]]\nname = \"asterisk\"\nprobe = [\"bash\", \"-c\", {script:?}]\nprobe_interval_ms = 100\n"
    );
    site.configure(|text| text + &sections);
    let mut command = Command::new("bash");
    let run = format!(
        "ulimit -r 10 -l unlimited -e 20; umask 077; echo -500 > /proc/self/oom_score_adj; exec {} run --config {}",
        env!("CARGO_BIN_EXE_ucm-ha"),
        site.config().display()
    );
    command.args(["-c", &run]);
    let daemon = site.start_as(command);
    daemon.wait_until_ready();
    wait_until("a probe", || seen.exists());
    let seen = fs::read_to_string(seen).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[..5], ["0", "8192", "0", "0022", "0"], "{seen}");
    assert!(seen.contains("SCHED_OTHER"), "{seen}");
}

#[test]
fn the_daemon_leaves_no_core_dump_that_would_hold_the_key() {
    let Some(site) = Site::new() else { return };
    let here = site.config().parent().unwrap().to_owned();
    let with_dumps = |words: &str| {
        let mut command = Command::new("bash");
        command.args(["-c", &format!("ulimit -c unlimited; exec {words}")]).current_dir(&here);
        command
    };
    let mut control = with_dumps("sleep 600").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&control), Signal::ABORT).unwrap();
    if !control.wait().unwrap().core_dumped() {
        println!("skipped: this machine dumps no core");
        return;
    }
    let key = "5a".repeat(32);
    let file = here.join("key");
    fs::write(&file, &key).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let key_file = format!("key_file = {:?}", file.display().to_string());
    site.configure(|text| text.replace("allow_unauthenticated = true", &key_file));
    let run = format!("{} run --config {}", env!("CARGO_BIN_EXE_ucm-ha"), site.config().display());
    let mut daemon = site.start_as(with_dumps(&run));
    daemon.wait_until_ready();
    daemon.signal(Signal::ABORT);
    assert!(!daemon.wait_for_status().core_dumped(), "it left a dump");
}

#[test]
fn what_the_daemon_writes_is_its_owners_only() {
    let Some(site) = Site::new() else { return };
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_ucm-ha");
    command.args(["-c", &format!("umask 022; exec {program} run --config {}", site.config().display())]);
    let daemon = site.start_as(command);
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    wait_until("the state", || site.state_dir().join("state").exists());
    assert_eq!(mode(&site.state_dir()), 0o700);
    for entry in fs::read_dir(site.state_dir()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&site.run_dir().join("lock")), 0o600);
    assert_eq!(mode(&site.run_dir()), 0o755, "services find the kick socket there");
}
