//! The program in `core_pattern`, run as the kernel runs it.

use crate::services::{Service, fault, start, wait_for_fault};
use crate::site::Site;
use std::fs;
use std::io::Write;
use std::process::Stdio;

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

#[test]
fn the_core_helper_reports_the_crash_before_it_reads_the_dump() {
    let Some(site) = Site::new() else { return };
    let _daemon = start(&site, true, "[[service]]\nname = \"asterisk-as-named\"\n");
    // The kernel cuts names at 15 bytes.
    let mut helper = site.command("core-helper");
    helper.args(["4242", "11", "asterisk-as-nam"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut helper = helper.spawn().unwrap();
    let raised = wait_for_fault(&site, "SERVICE asterisk-as-named", true);
    assert_eq!(raised["reason"], "crashed (killed by SIGSEGV)");
    assert!(helper.try_wait().unwrap().is_none(), "it waits for a dump of which it has not read a byte");
    let cores = site.state_dir().join("cores");

    helper.stdin.take().unwrap().write_all(b"dump").unwrap();
    assert!(helper.wait().unwrap().success());
    let stored: Vec<_> = fs::read_dir(cores).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(fs::read(&stored[0]).unwrap(), b"dump");
    assert_eq!(site.ask("fault clear asterisk-as-named").code, 0);
    assert_eq!(fault(&site, "SERVICE asterisk-as-named").unwrap()["raised"], false);
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
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
}
