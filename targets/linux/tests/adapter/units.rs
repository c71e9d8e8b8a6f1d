//! Services that a systemd unit names: real processes in real cgroups, which the test makes in the place of systemd.

use crate::services::{Service, start, wait_for_fault};
use crate::site::{Site, wait_until};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The cgroup of a slice and, once something runs in it, of its service; removed with the test.
struct Unit {
    slice: PathBuf,
}

impl Unit {
    /// `None`, and said, where no cgroup can be made.
    fn new(name: &str) -> Option<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
        let Some(root) = roots.into_iter().find(|root| root.join("cgroup.procs").exists()) else {
            println!("skipped: no cgroups of version 2");
            return None;
        };
        let slice = root.join(format!("ucmhatest{name}{}.slice", std::process::id()));
        match fs::create_dir(&slice) {
            Ok(()) => Some(Self { slice }),
            Err(error) => {
                println!("skipped: {} cannot be made: {error}", slice.display());
                None
            }
        }
    }

    /// As the configuration names it.
    fn name(&self) -> String {
        format!("{}/asterisk.service", self.slice.file_name().unwrap().display())
    }

    fn cgroup(&self) -> PathBuf {
        self.slice.join("asterisk.service")
    }

    /// Starts a main process with a worker, as systemd does: with a session of its own.
    fn run(&self) -> Service {
        fs::create_dir_all(self.cgroup()).unwrap();
        let script = format!("echo $$ > {}/cgroup.procs; sleep 600 & exec sleep 600", self.cgroup().display());
        Service::of(Command::new("setsid").args(["sh", "-c", &script]).stdin(Stdio::null()).spawn().unwrap())
    }

    fn pids(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.cgroup().join("cgroup.procs")).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if self.cgroup().exists() {
            fs::write(self.cgroup().join("cgroup.kill"), "1").unwrap();
            // What was killed is in it for a moment longer.
            wait_until("the cgroup is removed", || fs::remove_dir(self.cgroup()).is_ok());
        }
        fs::remove_dir(&self.slice).unwrap();
    }
}

#[test]
fn a_unit_whose_main_process_crashes_is_at_fault_until_it_is_started_again() {
    let Some(site) = Site::new() else { return };
    let Some(unit) = Unit::new("crash") else { return };
    let daemon = start(&site, true, &format!("[[service]]\nname = \"asterisk\"\nunit = {:?}\n", unit.name()));
    daemon.wait_for_log("asterisk.service/cgroup.procs is not there; waiting for it");
    let mut service = unit.run();
    daemon.wait_for_log(&format!("service asterisk runs as process {}\n", service.pid()));
    wait_until("it has a worker", || unit.pids().len() == 2);

    service.signal(Signal::SEGV);
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    // The test reaps it at once: not every kernel tells then how it ended.
    let reason = raised["reason"].as_str().unwrap();
    assert!(reason.starts_with("crashed (killed by SIGSEGV") || reason == "ended (ended)", "{reason}");
    daemon.wait_for_log("cgroup.procs holds no process that a service manager started; waiting for it");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(unit.pids().len(), 1, "its worker is left");
    let still = wait_for_fault(&site, "SERVICE asterisk", true);
    assert!(!still["reason"].as_str().unwrap().contains("recover"), "a worker is no main process: {still}");

    let restarted = unit.run();
    daemon.wait_for_log(&format!("service asterisk runs as process {}\n", restarted.pid()));
    wait_for_fault(&site, "SERVICE asterisk", false);
}

#[test]
fn a_unit_that_is_stopped_and_gone_has_ended() {
    let Some(site) = Site::new() else { return };
    let Some(unit) = Unit::new("stop") else { return };
    let mut service = unit.run();
    let daemon = start(&site, false, &format!("[[service]]\nname = \"asterisk\"\nunit = {:?}\n", unit.name()));
    daemon.wait_for_log(&format!("service asterisk runs as process {}\n", service.pid()));
    service.signal(Signal::TERM);
    fs::write(unit.cgroup().join("cgroup.kill"), "1").unwrap();
    wait_until("the cgroup is gone, as systemd removes it", || fs::remove_dir(unit.cgroup()).is_ok());
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    assert!(raised["reason"].as_str().unwrap().starts_with("ended ("), "{raised}");
    daemon.wait_for_log("asterisk.service/cgroup.procs is not there; waiting for it");
}
