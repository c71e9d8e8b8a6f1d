//! The helper that has the rights which the daemon is without.

use crate::site::{Site, wait_until};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A socket with a helper for each connection, as a service manager gives it one.
pub(crate) struct Helpers {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Helpers {
    /// With the capabilities of the delivered unit file.
    pub(crate) fn start(site: &Site) -> Self {
        let (socket, stop) = (socket(site), Arc::new(AtomicBool::new(false)));
        let listener = UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
        let (config, log, stopped) = (site.config(), site.config().with_file_name("helper.log"), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !stopped.load(Ordering::Relaxed)) {
                let stream = OwnedFd::from(stream.unwrap());
                let log = OpenOptions::new().append(true).create(true).open(&log).unwrap();
                let mut helper = with_capabilities(include_str!("../../dist/ucm-ha-helper@.service"));
                helper.arg(env!("CARGO_BIN_EXE_ucm-ha")).args(["helper", "--config"]).arg(&config);
                helper.stdin(stream.try_clone().unwrap()).stdout(stream).stderr(log);
                let mut helper = helper.spawn().unwrap();
                std::thread::spawn(move || helper.wait().unwrap());
            }
        });
        Self { socket, stop, thread: Some(thread) }
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // One more connection, to be noticed.
        UnixStream::connect(&self.socket).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn socket(site: &Site) -> PathBuf {
    site.config().with_file_name("helper.sock")
}

/// A command that runs the one behind it with what a delivered unit file leaves of root's capabilities.
fn with_capabilities(unit: &str) -> Command {
    let set = unit.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet=")).expect("a bounding set");
    let kept: Vec<String> = set.split(' ').map(|name| name.to_lowercase().replace("cap_", ",+")).collect();
    let mut command = Command::new("setpriv");
    command.args([format!("--bounding-set=-all{}", kept.concat()), "--inh-caps=-all".to_owned()]);
    command
}

/// The daemon as the delivered unit file runs it.
fn daemon(site: &Site) -> Command {
    let mut command = with_capabilities(include_str!("../../dist/ucm-ha.service"));
    let run = site.command("run");
    command.arg(run.get_program()).args(run.get_args()).arg("--helper").arg(socket(site));
    command
}

/// A program in the site's folder that anybody may run.
fn script(site: &Site, text: &str) -> PathBuf {
    let program = site.config().with_file_name("told.sh");
    let everybody = fs::Permissions::from_mode(0o755);
    fs::set_permissions(site.config().parent().unwrap(), everybody.clone()).unwrap();
    fs::write(&program, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(&program, everybody).unwrap();
    program
}

fn notify(site: &Site, program: &Path) {
    let section =
        format!("[[notify]]\ncommand = [{:?}]\nuser = \"nobody\"\ntimeout_ms = 300\n", program.display().to_string());
    site.configure(|text| text + &section);
}

/// The helper's answer to a line of this process.
fn ask(site: &Site, line: &str) -> String {
    let mut stream = UnixStream::connect(socket(site)).unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_capabilities_of_the_unit_files_are_enough_to_run_and_to_end_a_program_of_another_user() {
    let Some(site) = Site::new() else { return };
    let out = site.config().with_file_name("told");
    let text = "trap '' TERM\nread -r event\nsleep 1000 &\necho \"$! $(id -un) $1 $2 $event\" >> OUT\nwait\nwait\n";
    let program = script(&site, &text.replace("OUT", &out.display().to_string()));
    fs::write(&out, "").unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o666)).unwrap();
    notify(&site, &program);
    let _helpers = Helpers::start(&site);
    let daemon = site.start_as(daemon(&site));
    daemon.wait_until_ready();
    daemon.wait_for_log("it did not end within 300 ms and was ended: signal: 9 (SIGKILL)");
    let told = || fs::read_to_string(&out).unwrap();
    wait_until("the role is told", || told().contains(" nobody role Active {\"kind\":\"role\""));
    for line in told().lines().take(1) {
        let child = line.split(' ').next().unwrap();
        let state = || fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        wait_until("what it has started has ended", || state().is_empty() || state().contains(") Z "));
    }
}

#[test]
fn the_helper_gives_the_daemon_the_priority_that_it_may_not_take() {
    let Some(site) = Site::new() else { return };
    let may = Command::new("chrt").args(["-f", "30", "true"]).stderr(Stdio::null()).status().unwrap().success();
    let helpers = Helpers::start(&site);
    let daemon = site.start_as(daemon(&site));
    daemon.wait_until_ready();
    if may {
        wait_until("real-time priority", || scheduling(daemon.pid()) == "SCHED_FIFO|SCHED_RESET_ON_FORK 30");
        assert!(!daemon.log().contains("no real-time priority"), "{}", daemon.log());
    } else {
        daemon
            .wait_for_log("no real-time priority, which keeps heartbeats on time under load: Operation not permitted");
        println!("this machine permits no real-time priority");
    }
    let refused = ask(&site, "{\"request\":\"priority\"}\n");
    let own = std::process::id();
    let reason = format!("process {own} is not of this program; only the daemon gets priority");
    assert_eq!(refused, format!("{{\"answer\":\"failed\",\"reason\":\"{reason}\"}}\n"));
    assert_eq!(scheduling(own), "SCHED_OTHER 0");
    drop(daemon);
    if may {
        site.configure(|text| text + "[daemon]\nrealtime_priority = 12\n");
        let other = site.start_as(self::daemon(&site));
        other.wait_until_ready();
        wait_until("the configured one", || scheduling(other.pid()) == "SCHED_FIFO|SCHED_RESET_ON_FORK 12");
    }
    drop(helpers);
}

/// Policy and priority of the main thread of a process.
fn scheduling(pid: u32) -> String {
    let shown = Command::new("chrt").args(["--pid", &pid.to_string()]).output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap();
    shown.lines().filter_map(|line| line.rsplit_once(": ")).map(|(_, value)| value).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_the_configuration_does_not_name_is_not_run() {
    let Some(site) = Site::new() else { return };
    let out = site.config().with_file_name("told");
    let program = script(&site, &format!("echo \"$1\" >> {}\n", out.display()));
    notify(&site, &program);
    let _helpers = Helpers::start(&site);
    let request = |words: &str, user: &str| {
        let event = "\"kind\":\"role\",\"name\":\"Active\",\"event\":\"{}\"";
        ask(&site, &format!("{{\"request\":\"notify\",\"words\":[{words}],\"user\":{user},{event}}}\n"))
    };
    let refused = "no [[notify]] has this command and user now";
    let configured = format!("{:?}", program.display().to_string());
    assert!(request(&configured, "null").contains(refused), "as root");
    assert!(request(&configured, "\"root\"").contains(refused), "as root by name");
    assert!(request(&format!("{configured},\"more\""), "\"nobody\"").contains(refused), "with more arguments");
    assert!(request("\"/bin/sh\",\"-c\",\"id\"", "\"nobody\"").contains(refused), "another program");
    assert!(ask(&site, "nonsense\n").contains("this is no request"));
    assert!(ask(&site, &"x".repeat(64 * 1024)).contains("the request's line is too long"));
    assert!(!out.exists());
    fs::write(&out, "").unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(request(&configured, "\"nobody\""), "{\"answer\":\"done\"}\n");
    assert_eq!(fs::read_to_string(&out).unwrap(), "role\n");
}

#[test]
fn a_helper_that_is_not_there_costs_the_notices_only_and_is_named() {
    let Some(site) = Site::new() else { return };
    let out = site.config().with_file_name("told");
    notify(&site, &script(&site, &format!("touch {}\n", out.display())));
    let daemon = site.start_as(daemon(&site));
    daemon.wait_until_ready();
    let why = format!(
        "the helper at {} cannot be asked: No such file or directory (os error 2); run `systemctl start ucm-ha-helper.socket`",
        socket(&site).display()
    );
    daemon.wait_for_log(&format!("no real-time priority, which keeps heartbeats on time under load: {why}"));
    site.wait_for_role("Active");
    daemon.wait_for_log(&format!("): {why}"));
    assert!(site.status()["notify"][0]["failed"].as_u64().unwrap() > 0);
    assert!(!out.exists(), "the daemon does not run it itself");
}

#[test]
fn a_helper_that_hangs_keeps_the_node_from_nothing() {
    let Some(site) = Site::new() else { return };
    notify(&site, &script(&site, "exit 0\n"));
    let _nobody_takes_connections = UnixListener::bind(socket(&site)).unwrap();
    let mut daemon = site.start_as(daemon(&site));
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    daemon.wait_for_log(&format!("the helper at {} gives no answer within 6000 ms", socket(&site).display()));
    daemon.wait_for_log("gives no answer within 5800 ms");
    daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.wait(std::time::Duration::from_secs(15)), 0);
}

#[test]
fn the_helper_without_a_connection_says_what_runs_it() {
    let Some(site) = Site::new() else { return };
    let answer = site.ask("helper");
    assert_eq!(answer.code, 2);
    assert!(answer.err.ends_with("ucm-ha-helper.socket runs this for the daemon\n"), "{}", answer.err);
}
