//! The program in `core_pattern`, run as the kernel runs it.

use crate::services::{Service, fault, start, wait_for_fault};
use crate::site::{Site, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs the core helper as the kernel does, with `dump` on its stdin.
fn core_helper(site: &Site, words: &str, dump: &[u8]) -> (i32, String) {
    let mut child = site
        .command("core-helper")
        .args(words.split(' '))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What is not read, as of a helper that gave up, is not wanted.
    let _unread = child.stdin.take().unwrap().write_all(dump);
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The dumps in a folder.
fn dumps(dir: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().as_bytes().starts_with(b"core.")).collect()
}

#[test]
fn the_core_helper_reports_the_crash_before_it_reads_the_dump() {
    let Some(site) = Site::new() else { return };
    let service = Service::start(&site);
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("service asterisk runs as process");
    let mut helper = site.command("core-helper");
    let pid = service.pid().to_string();
    helper.args([&pid, "11", "asterisk"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut helper = helper.spawn().unwrap();
    let raised = wait_for_fault(&site, "SERVICE asterisk", true);
    assert_eq!(raised["reason"], "crashed (killed by SIGSEGV)");
    assert!(helper.try_wait().unwrap().is_none(), "it waits for a dump of which it has not read a byte");
    let cores = site.state_dir().join("cores");

    helper.stdin.take().unwrap().write_all(b"dump").unwrap();
    assert!(helper.wait().unwrap().success());
    let stored = dumps(&cores);
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(fs::read(&stored[0]).unwrap(), b"dump");
}

#[test]
fn the_core_helper_knows_a_service_by_its_process() {
    let Some(site) = Site::new() else { return };
    let service = Service::start(&site);
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\npid_file = PID\n");
    daemon.wait_for_log("service asterisk runs as process");
    let (code, said) = core_helper(&site, &format!("{} 6 worker thread", service.pid()), b"dump");
    assert_eq!(code, 0, "{said}");
    assert_eq!(wait_for_fault(&site, "SERVICE asterisk", true)["reason"], "crashed (killed by SIGABRT)");
}

#[test]
fn a_child_of_a_service_that_has_its_name_counts_as_the_service() {
    let Some(site) = Site::new() else { return };
    let script = "exec -a asterisk-as-named bash -c 'sleep 600 & read end; kill $!'";
    let mut command = Command::new("bash");
    let parent =
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let service = Service::of(parent);
    fs::write(site.run_dir().with_file_name("service.pid"), service.pid().to_string()).unwrap();
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk-as-named\"\npid_file = PID\n");
    daemon.wait_for_log("service asterisk-as-named runs as process");
    let children = format!("/proc/{0}/task/{0}/children", service.pid());
    wait_until("a child", || !fs::read_to_string(&children).unwrap().is_empty());
    let child = fs::read_to_string(&children).unwrap().trim().to_owned();
    let (code, said) = core_helper(&site, &format!("{child} 11 sleep"), b"dump");
    assert_eq!(code, 0, "{said}");
    daemon.wait_for_log(&format!("process {child} (\"sleep\") crashed by SIGSEGV: no service"));
    // The kernel cuts names at 15 bytes.
    let (code, said) = core_helper(&site, &format!("{child} 11 asterisk-as-nam"), b"dump");
    assert_eq!(code, 0, "{said}");
    wait_for_fault(&site, "SERVICE asterisk-as-named", true);
    kill_process(Pid::from_raw(child.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
}

/// Whoever may run a program may give it any name.
#[test]
fn a_stranger_with_the_name_of_a_service_is_no_service() {
    let Some(site) = Site::new() else { return };
    let _service = Service::start(&site);
    let sections = "[[service]]\nname = \"asterisk\"\npid_file = PID\n[[service]]\nname = \"voicemail\"\n";
    let daemon = start(&site, true, sections);
    daemon.wait_for_log("service asterisk runs as process");
    let stranger = std::process::id();
    for name in ["asterisk", "voicemail"] {
        let (code, said) = core_helper(&site, &format!("{stranger} 11 {name}"), b"dump");
        assert_eq!(code, 0, "{said}");
        daemon.wait_for_log(&format!("process {stranger} (\"{name}\") crashed by SIGSEGV: no service"));
        assert_eq!(fault(&site, &format!("SERVICE {name}")).unwrap()["raised"], false);
    }
}

#[test]
fn the_name_of_a_process_is_no_option_and_no_line_of_its_own() {
    let Some(site) = Site::new() else { return };
    let daemon = start(&site, true, "");
    let dir = site.run_dir().with_file_name("elsewhere");
    let option = format!("--dir={}", dir.display());
    for name in [option.as_bytes(), b"--config /x", b"\xff\xfe", b"a\nb"] {
        let mut helper = site.command("core-helper");
        helper.args(["4242", "11"]).arg(OsStr::from_bytes(name)).stdin(Stdio::null()).stderr(Stdio::piped());
        let helper = helper.output().unwrap();
        let said = String::from_utf8(helper.stderr).unwrap();
        assert!(said.lines().all(|line| line.starts_with("ucm-ha: ")), "{said}");
        assert!(helper.status.success(), "{said}");
    }
    daemon.wait_for_log("process 4242 (\"--config /x\") crashed by SIGSEGV: no service");
    assert!(!dir.exists());
    assert_eq!(dumps(&site.state_dir().join("cores")).len(), 3, "the newest are kept");
}

#[test]
fn the_crash_of_a_program_that_is_no_service_is_no_fault() {
    let Some(site) = Site::new() else { return };
    let daemon = start(&site, true, "[[service]]\nname = \"asterisk\"\n");
    let (code, said) = core_helper(&site, "4242 11 some program", b"dump");
    assert_eq!(code, 0, "{said}");
    daemon.wait_for_log("process 4242 (\"some program\") crashed by SIGSEGV: no service");
    assert_eq!(fault(&site, "SERVICE asterisk").unwrap()["raised"], false);
}

#[test]
fn without_a_daemon_and_without_a_configuration_the_dump_is_stored_all_the_same() {
    let Some(site) = Site::new() else { return };
    let (code, said) = core_helper(&site, "4242 11 asterisk", b"dump");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("crash of asterisk (process 4242, SIGSEGV) not reported: no daemon answers at"), "{said}");
    fs::remove_file(site.config()).unwrap();
    let dir = site.run_dir().with_file_name("elsewhere");
    let words = format!("--run-dir {} --dir {} 4242 11 asterisk", site.run_dir().display(), dir.display());
    let (code, said) = core_helper(&site, &words, b"dump");
    assert_eq!(code, 0, "{said}");
    assert_eq!(dumps(&dir).len(), 1);
}

#[test]
fn a_user_who_crashes_all_the_time_fills_no_log_and_leaves_room_for_the_dumps_of_others() {
    let Some(site) = Site::new() else { return };
    let sleep = |uid| Service::of(Command::new("sleep").arg("600").uid(uid).stdin(Stdio::null()).spawn().unwrap());
    let (service, stranger) = (sleep(12345), sleep(65534));
    let crash = |of: &Service, name: &str| core_helper(&site, &format!("{} 11 {name}", of.pid()), b"dump");
    assert_eq!(crash(&service, "asterisk").0, 0);
    let all: Vec<(i32, String)> = (0..12).map(|n| crash(&stranger, &format!("loop{n}"))).collect();
    assert_eq!(all.iter().filter(|(code, _)| *code == 0).count(), 5, "{all:?}");
    let lines: Vec<&str> =
        all.iter().flat_map(|(_, said)| said.lines()).filter(|line| !line.contains("/dev/kmsg")).collect();
    assert_eq!(lines.len(), 10, "{lines:?}");
    assert!(lines[9].ends_with("(there were many of this user: for a minute no more lines)"), "{lines:?}");
    let (code, said) = crash(&service, "asterisk");
    assert_eq!(code, 0, "{said}");
    let kept = dumps(&site.state_dir().join("cores"));
    let of_service = kept.iter().filter(|path| path.to_str().unwrap().ends_with(".12345")).count();
    assert_eq!((kept.len(), of_service), (3, 1), "{kept:?}");
}

#[test]
fn a_dump_too_many_is_said_to_be_one() {
    let Some(site) = Site::new() else { return };
    let daemon = start(&site, true, "");
    let own = std::process::id();
    let said: Vec<String> = (0..6).map(|_| core_helper(&site, &format!("{own} 11 loop"), b"dump").1).collect();
    assert!(said[5].contains("dump of loop not stored: there were 5 of user 0 within a minute"), "{said:?}");
    daemon.wait_for_log(&format!("process {own} (\"loop\") crashed by SIGSEGV: no service"));
}
