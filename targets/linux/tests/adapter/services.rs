//! Services of the PBX: real processes, real signals, and the command that speaks for them.

use crate::site::{Daemon, Site, wait_until};
use fair::in_real_time;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon that watches what `sections` say; `PID` in them is the pid file.
pub(crate) fn start(site: &Site, switch: bool, sections: &str) -> Daemon {
    let sections = sections.replace("PID", &format!("{:?}", pid_file(site).display().to_string()));
    let enable = format!("enable = true\nsoftware_fault_switch = {switch}");
    site.configure(|text| text.replace("enable = true", &enable) + "\n" + &sections);
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon
}

pub(crate) fn pid_file(site: &Site) -> PathBuf {
    site.run_dir().with_file_name("service.pid")
}

/// The process of a service; killed with the test.
pub(crate) struct Service(Child);

impl Service {
    /// A process that the pid file names.
    pub(crate) fn start(site: &Site) -> Self {
        let child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        fs::write(pid_file(site), format!("{}\n", child.id())).unwrap();
        Self(child)
    }

    pub(crate) fn of(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// The entry of a fault in the status.
pub(crate) fn fault(site: &Site, name: &str) -> Option<Value> {
    site.status()["faults"].as_array().unwrap().iter().find(|fault| fault["name"] == name).cloned()
}

#[track_caller]
pub(crate) fn wait_for_fault(site: &Site, name: &str, raised: bool) -> Value {
    wait_until(&format!("{name} raised: {raised}"), || fault(site, name).is_some_and(|f| f["raised"] == raised));
    fault(site, name).unwrap()
}

#[test]
fn a_service_that_crashes_is_at_fault_until_it_runs_again() {
    let Some(site) = Site::new() else { return };
    let mut service = Service::start(&site);
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("service asterisk runs as process");
    let well = serde_json::json!({"name": "SERVICE asterisk", "raised": false, "switches": true, "reason": null});
    assert_eq!(fault(&site, "SERVICE asterisk"), Some(well));

    service.signal(Signal::SEGV);
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    // The test reaps it at once: not every kernel tells then how it ended.
    let reason = raised["reason"].as_str().unwrap();
    assert!(reason.starts_with("crashed (killed by SIGSEGV") || reason == "ended (ended)", "{reason}");
    assert!(site.ask("status").out.contains(&format!("Faults              SERVICE asterisk {reason}")));
    daemon.wait_for_log("fault SERVICE asterisk was raised: ");

    let _restarted = Service::start(&site);
    wait_for_fault(&site, "SERVICE asterisk", false);
    daemon.wait_for_log("fault SERVICE asterisk was cleared");
    let events = site.ask("events").out;
    let lines: Vec<&str> = events.lines().filter(|line| line.contains("SERVICE asterisk")).collect();
    assert_eq!(lines.len(), 2, "{events}");
    assert!(lines[0].contains("\tRestore to normal\t") && lines[1].contains("\tGenerate Alert\t"), "{events}");
}

/// Whoever waits for its writer waits for ever; the main loop has an address to renew.
#[test]
fn a_pid_file_that_is_no_file_holds_nothing_up() {
    let Some(site) = Site::new() else { return };
    let path = pid_file(&site);
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("cannot be read: it is a FIFO, not a regular file; waiting for it");
    site.wait_for_role("Active");
    for (place, said) in [("/dev/zero", "it is a device"), ("/", "it is a directory")] {
        fs::remove_file(&path).unwrap();
        symlink(place, &path).unwrap();
        daemon.wait_for_log(&format!("cannot be read: {said}, not a regular file; waiting for it"));
    }
    fs::remove_file(&path).unwrap();
    symlink(&path, &path).unwrap();
    daemon.wait_for_log("symbolic links");
    fs::remove_file(&path).unwrap();
    fs::write(&path, vec![b'7'; 10_000_000]).unwrap();
    daemon.wait_for_log("holds no process number");
    fs::remove_file(&path).unwrap();
    let _service = Service::start(&site);
    daemon.wait_for_log("service asterisk runs as process");
}

#[test]
fn an_end_that_was_asked_for_is_a_fault_but_no_crash() {
    let Some(site) = Site::new() else { return };
    let mut service = Service::start(&site);
    let daemon = start(&site, false, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("service asterisk runs as process");
    service.signal(Signal::TERM);
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    assert!(raised["reason"].as_str().unwrap().starts_with("ended ("), "{raised}");
    assert_eq!(raised["switches"], false);
}

#[test]
fn a_service_that_never_ran_is_waited_for_and_said_once() {
    let Some(site) = Site::new() else { return };
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("is not there; waiting for it");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(daemon.log().matches("is not there; waiting for it").count(), 1, "{}", daemon.log());
    assert_eq!(fault(&site, "SERVICE asterisk").unwrap()["raised"], false);
    let _service = Service::start(&site);
    daemon.wait_for_log("service asterisk runs as process");
}

#[test]
fn a_service_that_must_run_is_at_fault_when_it_does_not_in_time() {
    let Some(site) = Site::new() else { return };
    let _daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\nstart_timeout_ms = 500\n");
    assert_eq!(wait_for_fault(&site, "SERVICE asterisk", true)["reason"], "does not run");
}

#[test]
fn a_service_that_stops_kicking_is_deadlocked_until_it_kicks_again() {
    let Some(site) = Site::new() else { return };
    let sections = "[[service]]\nname = \"asterisk\"\nkick_timeout_ms = 1500\nstart_timeout_ms = 60000\n";
    let _daemon = start(&site, true, sections);
    for _ in 0..4 {
        assert_eq!(site.ask("kick asterisk").code, 0);
        assert_eq!(fault(&site, "SERVICE asterisk").unwrap()["raised"], false);
        std::thread::sleep(Duration::from_millis(500));
    }
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    assert_eq!(raised["reason"], "is deadlocked: it gave no sign of life in time");

    // As programs do it.
    let socket = UnixDatagram::unbound().unwrap();
    wait_until("the fault is cleared", || {
        socket.send_to(b"kick asterisk", site.run_dir().join("kick.sock")).unwrap();
        fault(&site, "SERVICE asterisk").unwrap()["raised"] == false
    });
}

#[test]
fn everybody_may_write_kicks_and_nonsense_is_said_once() {
    let Some(site) = Site::new() else { return };
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\nkick_timeout_ms = 60000\n");
    let path = site.run_dir().join("kick.sock");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o666);
    let socket = UnixDatagram::unbound().unwrap();
    for datagram in [&b"kick nobody"[..], b"", b"\xff\xfe", b"hello", &[b'k'; 500]] {
        socket.send_to(datagram, &path).unwrap();
    }
    daemon.wait_for_log("no [[service]] is named \"nobody\"; see the configuration; this is said once");
    assert_eq!(site.ask("status").code, 0);
    assert_eq!(daemon.log().matches("kick.sock: ").count(), 1, "{}", daemon.log());
}

#[test]
fn a_kick_of_nobody_is_refused() {
    let Some(site) = Site::new() else { return };
    let _daemon = start(&site, true, "");
    let answer = site.ask("kick asterisk");
    let line = "ucm-ha: refused: no [[service]] is named \"asterisk\"; see the configuration\n";
    assert_eq!((answer.code, &*answer.err), (1, line));
}

#[test]
fn a_service_may_report_its_own_fault_configured_or_not() {
    let Some(site) = Site::new() else { return };
    let _daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\n");
    for name in ["asterisk", "voicemail"] {
        assert_eq!(site.ask(&format!("fault raise {name}")).code, 0);
        let raised = fault(&site, &format!("SERVICE {name}")).unwrap();
        assert_eq!((&raised["raised"], &raised["switches"]), (&true.into(), &true.into()), "{raised}");
        assert_eq!(site.ask(&format!("fault clear {name}")).code, 0);
    }
    assert_eq!(fault(&site, "SERVICE asterisk").unwrap()["raised"], false);
    assert_eq!(fault(&site, "SERVICE voicemail"), None, "forgotten with its fault");
    let answer = site.ask("fault clear voicemail");
    let line = "ucm-ha: refused: no fault of \"voicemail\" is raised; see `ucm-ha status`\n";
    assert_eq!((answer.code, &*answer.err), (1, line));
}

#[test]
fn faults_of_services_that_are_not_configured_are_bounded() {
    let Some(site) = Site::new() else { return };
    let _daemon = start(&site, true, "");
    for number in 0..16 {
        assert_eq!(site.ask(&format!("fault raise service-{number}")).code, 0);
    }
    let answer = site.ask("fault raise one-more");
    let line = "ucm-ha: refused: 16 faults of services without [[service]] stand; clear one, or configure it\n";
    assert_eq!((answer.code, &*answer.err), (1, line));
    assert_eq!(site.ask("fault clear service-3").code, 0);
    assert_eq!(site.ask("fault raise one-more").code, 0);
}

#[test]
fn what_cannot_be_the_name_of_a_service_is_a_usage_error() {
    let Some(site) = Site::new() else { return };
    for words in ["kick a/b", "fault raise ä", "fault clear aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let answer = site.ask(words);
        assert_eq!((answer.code, answer.err.lines().count()), (2, 1), "{words}: {answer:?}");
        assert!(answer.err.contains("the name of a service must be 1 to 32 letters, digits, `.`, `_` or `-`"));
    }
}

#[test]
fn what_is_measured_cannot_be_cleared_by_hand() {
    let Some(site) = Site::new() else { return };
    let _daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\nkick_timeout_ms = 200\n");
    wait_for_fault(&site, "SERVICE asterisk", true);
    let answer = site.ask("fault clear asterisk");
    let line = "ucm-ha: refused: the fault of asterisk stands until it is well again: is deadlocked: \
                it gave no sign of life in time\n";
    assert_eq!((answer.code, &*answer.err), (1, line));
}

#[test]
fn a_service_whose_probes_fail_is_at_fault_until_one_passes() {
    let Some(site) = Site::new() else { return };
    let mark = site.run_dir().with_file_name("well");
    let sections = format!(
        "[[service]]\nname = \"asterisk\"\nprobe = [\"test\", \"-e\", {:?}]\nprobe_interval_ms = 100\n",
        mark.display().to_string()
    );
    let _daemon = start(&site, true, &sections);
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    assert_eq!(raised["reason"], "fails its probes (test: exit status: 1)");
    fs::write(&mark, "").unwrap();
    wait_for_fault(&site, "SERVICE asterisk", false);
}

#[test]
fn a_probe_that_hangs_holds_nothing_up_and_is_a_fault() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let sections = "[[service]]\nname = \"asterisk\"\nprobe = [\"sleep\", \"600\"]\nprobe_interval_ms = 100\n\
                        probe_timeout_ms = 200\n";
        let mut daemon = start(&site, true, sections);
        assert_eq!(
            wait_for_fault(&site, "SERVICE asterisk", true)["reason"],
            "fails its probes (sleep did not end within 200 ms)"
        );
        let asked = Instant::now();
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.wait(Duration::from_secs(10)), 0);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    });
}
