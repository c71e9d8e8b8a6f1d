//! The state directory: damaged, unwritable.

use crate::site::Site;
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

#[test]
fn a_damaged_state_file_is_set_aside_and_the_daemon_goes_on() {
    let Some(site) = Site::new() else { return };
    let (file, bad) = (site.state_dir().join("state"), site.state_dir().join("state.bad"));
    let mut daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(Duration::from_secs(10)), 0);
    let whole = fs::read(&file).unwrap();

    let mut corrupted = whole.clone();
    corrupted[whole.len() / 2] ^= 0x10;
    for damaged in [corrupted, whole[..whole.len() - 3].to_vec(), Vec::new(), b"\xff\x00".repeat(4000)] {
        fs::write(&file, &damaged).unwrap();
        let mut daemon = site.start();
        daemon.wait_until_ready();
        let line = format!("{} is damaged: kept as {}, starting with term 0", file.display(), bad.display());
        daemon.wait_for_log(&line);
        assert_eq!(fs::read(&bad).unwrap(), damaged);
        assert!(site.status()["term"].is_number());
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.wait(Duration::from_secs(10)), 0);
    }
}

#[test]
fn a_state_dir_that_cannot_be_written_is_an_alert_and_the_node_serves() {
    let Some(site) = Site::new() else { return };
    // Below a file nobody can make a directory, not even root.
    fs::write(site.state_dir(), "in the way").unwrap();
    site.configure(|text| text.replace("/state\"", "/state/here\""));
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon.wait_for_log("state cannot be stored in ");
    daemon.wait_for_log("alert: the term could not be stored; a restart may forget it");
    site.wait_for_role("Active");

    fs::remove_file(site.state_dir()).unwrap();
    fs::create_dir_all(site.state_dir().join("here")).unwrap();
    daemon.wait_for_log("restored to normal: the term could not be stored");
}
