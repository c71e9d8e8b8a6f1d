//! FXO ports of the running daemon: faults, what is none, and devices that are missing, vanish and return.

use crate::site::{Daemon, Site, wait_until};
use fair::in_real_time;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a port that was never there is not judged.
const GRACE: Duration = Duration::from_secs(10);

/// The directory of the simulated ports.
fn ports(site: &Site) -> PathBuf {
    site.run_dir().parent().unwrap().join("fxo")
}

fn configure(site: &Site, fxo: &str) {
    site.configure(|text| {
        text.replace("heartbeat_timeout = 3", "heartbeat_timeout = 3\nhardware_fault_switch = [\"FXO2\"]")
            + "\n[fault]\nfxo_clear_ms = 500\n\n[fxo]\n"
            + fxo
    });
}

fn simulated(site: &Site) {
    configure(site, &format!("driver = \"sim\"\nsim = {:?}\n", ports(site).display().to_string()));
}

fn show(site: &Site, port: &str, state: &str) {
    fs::write(ports(site).join(port), state).unwrap();
}

fn started(site: &Site) -> Daemon {
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon
}

/// The entry of a port in a list of the status.
fn entry(site: &Site, list: &str, port: &str) -> Value {
    let status = site.status();
    let found = status[list].as_array().unwrap().iter().find(|entry| entry["name"] == port).cloned();
    found.unwrap_or_else(|| panic!("no {port} in {list} of {status}"))
}

fn is_raised(site: &Site, port: &str) -> bool {
    entry(site, "faults", port)["raised"] == true
}

fn state(site: &Site, port: &str) -> String {
    entry(site, "fxo", port)["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_dead_port_is_a_fault_with_its_cause_and_clears() {
    let Some(site) = Site::new() else { return };
    fs::create_dir(ports(&site)).unwrap();
    simulated(&site);
    let daemon = started(&site);
    wait_until("the ports are known", || state(&site, "FXO4") == "ok");
    show(&site, "FXO1", "dead");
    wait_until("the fault of FXO1", || is_raised(&site, "FXO1"));
    daemon.wait_for_log("FXO1: the chip does not answer");
    daemon.wait_for_log("fault FXO1 was raised");
    wait_until("its event", || site.ask("events").out.contains("Generate Alert\tMAC : "));
    let events = site.ask("events").out;
    assert!(events.lines().any(|event| event.contains("Generate Alert") && event.contains(" -- FXO1 ")), "{events}");
    assert_eq!(entry(&site, "faults", "FXO1")["switches"], false);
    assert_eq!(entry(&site, "faults", "FXO2")["switches"], true);
    let text = site.ask("status").out;
    assert!(text.contains("\nFaults              FXO1\n"), "{text}");
    assert!(text.contains("\nFXO ports           FXO1 the chip does not answer\n"), "{text}");
    assert!(text.contains("\n                    FXO2 ok\n"), "{text}");
    show(&site, "FXO1", "ok");
    wait_until("the end of it", || !is_raised(&site, "FXO1"));
    daemon.wait_for_log("fault FXO1 was cleared");
}

#[test]
fn an_unplugged_cord_is_shown_and_is_no_fault() {
    let Some(site) = Site::new() else { return };
    fs::create_dir(ports(&site)).unwrap();
    show(&site, "FXO2", "unplugged");
    simulated(&site);
    let daemon = started(&site);
    wait_until("it is shown", || state(&site, "FXO2") == "unplugged");
    std::thread::sleep(Duration::from_secs(1));
    assert!(!is_raised(&site, "FXO2"));
    assert!(!daemon.log().contains("fault FXO"), "{}", daemon.log());
}

#[test]
fn a_device_that_is_missing_at_start_is_said_and_a_fault_after_ten_seconds_until_it_appears() {
    let Some(site) = Site::new() else { return };
    simulated(&site);
    let begin = Instant::now();
    let daemon = started(&site);
    let dir = ports(&site);
    daemon.wait_for_log(&format!("FXO: {} cannot be opened: No such file or directory", dir.display()));
    daemon.wait_for_log("without it its FXO ports count as faulty");
    site.wait_for_role("Active");
    assert_eq!(state(&site, "FXO1"), "starting");
    assert!(begin.elapsed() > GRACE || !is_raised(&site, "FXO1"), "not before its time");
    wait_until("the fault of FXO1", || is_raised(&site, "FXO1"));
    assert!(begin.elapsed() >= GRACE, "{:?}", begin.elapsed());
    assert_eq!(state(&site, "FXO1"), "its device, driver or channel is missing");
    fs::create_dir(&dir).unwrap();
    wait_until("the end of it", || !is_raised(&site, "FXO1"));
    daemon.wait_for_log(&format!("FXO: {} is open", dir.display()));
    assert_eq!(daemon.log().matches("cannot be opened").count(), 1, "said once");
}

#[test]
fn a_device_that_vanishes_is_a_fault_and_is_taken_again_when_it_returns() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let dir = ports(&site);
        fs::create_dir(&dir).unwrap();
        simulated(&site);
        let daemon = started(&site);
        wait_until("the ports are known", || state(&site, "FXO4") == "ok");
        fs::remove_dir_all(&dir).unwrap();
        let begin = Instant::now();
        wait_until("the fault of FXO4", || is_raised(&site, "FXO4"));
        assert!(begin.elapsed() < GRACE / 2, "a port that was there gets no time to appear: {:?}", begin.elapsed());
        daemon.wait_for_log("does not answer; opening it again");
        fs::create_dir(&dir).unwrap();
        wait_until("the end of it", || !is_raised(&site, "FXO4"));
        show(&site, "FXO3", "dead");
        wait_until("the new directory is watched", || is_raised(&site, "FXO3"));
    });
}

#[test]
fn a_node_that_starts_anew_after_its_lan_interface_was_replaced_knows_its_ports() {
    let Some(site) = Site::new() else { return };
    fs::create_dir(ports(&site)).unwrap();
    show(&site, "FXO3", "dead");
    simulated(&site);
    let daemon = started(&site);
    wait_until("the fault of FXO3", || is_raised(&site, "FXO3"));
    site.ip("link del eth0");
    daemon.wait_for_log("interface eth0 is gone; waiting for it");
    site.plug_lan();
    daemon.wait_for_log("the LAN interface was replaced");
    assert!(is_raised(&site, "FXO3"));
}

#[test]
fn check_notes_a_device_that_is_not_there_and_the_daemon_starts_without_it() {
    let Some(site) = Site::new() else { return };
    configure(&site, "driver = \"si3050\"\nspi = \"/dev/no-such-spidev\"\n");
    let answer = site.ask("check");
    assert_eq!(answer.code, 0, "{}", answer.err);
    let note = "note: fxo.spi: /dev/no-such-spidev cannot be used: No such file or directory (os error 2); ";
    assert!(answer.err.contains(note), "{}", answer.err);
    let daemon = started(&site);
    daemon.wait_for_log("FXO: /dev/no-such-spidev cannot be opened");
}

#[test]
fn without_fxo_section_nothing_is_watched_or_shown() {
    let Some(site) = Site::new() else { return };
    let _daemon = started(&site);
    assert_eq!(site.status()["fxo"], Value::Array(vec![]));
    assert!(!site.ask("status").out.contains("FXO ports"));
}
