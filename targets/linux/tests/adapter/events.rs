//! Alert events and logs: forms, order, restarts, damaged files, full disks.

use crate::peer::{Peer, mac_in};
use crate::site::{Site, wait_until};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);

/// The LAN cable's faults and their ends follow each other without a pause.
fn without_debounce(text: String) -> String {
    text + "[fault]\nlink_raise_ms = 0\nlink_clear_ms = 0\n"
}

/// The events of the node, newest first, as objects.
#[track_caller]
fn events(site: &Site) -> Vec<Value> {
    let answer = site.ask("events --json");
    assert_eq!((answer.code, &*answer.err), (0, ""));
    answer.out.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

fn ids(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["id"].as_u64().unwrap()).collect()
}

fn count(site: &Site, cause: &str) -> usize {
    events(site).iter().filter(|event| event["cause"] == cause).count()
}

/// Takes the LAN cable out and puts it in again: two events of the cause `LAN`.
fn flap_lan(site: &Site) {
    let before = count(site, "LAN");
    site.ip("link set lan down");
    wait_until("the fault is told", || count(site, "LAN") == before + 1);
    site.ip("link set lan up");
    wait_until("its end is told", || count(site, "LAN") == before + 2);
}

/// Digits where `0` stands in `form`, and the same otherwise.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(is, must)| if must == b'0' { is.is_ascii_digit() } else { is == must })
}

#[test]
fn a_cable_cut_for_two_seconds_is_two_events_in_the_form_of_the_guide_on_both_nodes() {
    let Some(site) = Site::new() else { return };
    let peer = Peer::join(&site);
    let mut daemons = [site.start(), peer.start()];
    daemons.iter().for_each(|daemon| daemon.wait_until_ready());
    wait_until("the nodes hear each other on both paths", || {
        let status = site.status();
        status["ha_status"] == "Dual" && status["peer"]["cable"] == true && status["peer"]["lan"] == true
    });
    // Whatever the start was like, it is over.
    std::thread::sleep(Duration::from_secs(2));
    let before = [site.ask("events").out, peer.ask("events").out];

    peer.ip("link set eth1 down");
    std::thread::sleep(Duration::from_secs(2));
    peer.ip("link set eth1 up");

    let own_mac = mac_in(&String::from_utf8(site.ip_shows("-br link show eth0")).unwrap());
    let nodes: [(&dyn Fn() -> String, String, &String); 2] =
        [(&|| site.ask("events").out, peer.mac(), &before[0]), (&|| peer.ask("events").out, own_mac, &before[1])];
    for (list, mac, before) in nodes {
        let new = || list().strip_suffix(before.as_str()).expect("what was told stays").to_owned();
        wait_until("the end is told", || new().contains("Restore to normal"));
        let new = new();
        let lines: Vec<&str> = new.lines().collect();
        assert_eq!(lines.len(), 2, "{new}");
        let ends = ["has recovered from failure", "loose connection"];
        for ((line, end), kind) in lines.iter().zip(ends).zip(["Restore to normal", "Generate Alert"]) {
            let time = &line[..19];
            assert!(has_form(time, "0000-00-00 00:00:00"), "{line}");
            assert_eq!(*line, format!("{time}\tHA failure warning\t{kind}\tMAC : {mac} -- HEARTBEAT {time} {end}"));
        }
    }

    let told = events(&site);
    daemons[0].signal(Signal::KILL);
    daemons[0].wait(PATIENCE);
    assert_eq!(events(&site), told, "they survive the daemon");
    daemons[0] = site.start();
    daemons[0].wait_until_ready();
    peer.ip("link set eth1 down");
    wait_until("the next alert is told", || events(&site).len() > told.len());
    let ids = ids(&events(&site));
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
}

#[test]
fn the_json_events_have_the_fields_of_the_contract() {
    let Some(site) = Site::new() else { return };
    site.configure(without_debounce);
    let daemon = site.start();
    daemon.wait_until_ready();
    flap_lan(&site);
    let newest = events(&site).into_iter().find(|event| event["cause"] == "LAN").unwrap();
    let fields: Vec<&String> = newest.as_object().unwrap().keys().collect();
    let mut expected = ["id", "time", "monotonic_ms", "name", "type", "mac", "cause", "content"];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!((&newest["name"], &newest["type"]), (&"HA failure warning".into(), &"Restore to normal".into()));
    let mac = mac_in(&String::from_utf8(site.ip_shows("-br link show eth0")).unwrap());
    assert_eq!(newest["mac"], mac, "the node's own fault");
    let time = newest["time"].as_str().unwrap();
    assert!(has_form(&time[..23], "0000-00-00T00:00:00.000"), "{time}");
    let local = time[..19].replace('T', " ");
    assert_eq!(newest["content"], format!("MAC : {mac} -- LAN {local} has recovered from failure"));
}

#[test]
fn an_alert_that_ended_while_the_daemon_was_down_is_ended_and_one_that_stands_is_raised_again() {
    let Some(site) = Site::new() else { return };
    let mut daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let count = |cause: &str, kind: &str| {
        events(&site).iter().filter(|event| event["cause"] == cause && event["type"] == kind).count()
    };
    let [raised, ended] = ["Generate Alert", "Restore to normal"];
    site.ip("link set lan down");
    wait_until("both are told", || count("LAN", raised) == 1 && count("GATEWAY", raised) == 1);
    let since = |cause: &str| {
        let status = site.status();
        let alert = status["alerts"].as_array().unwrap().iter().find(|alert| alert["cause"] == cause).cloned();
        alert.map(|alert| alert["since"].clone())
    };
    let before = since("GATEWAY").expect("it stands");
    daemon.signal(Signal::KILL);
    daemon.wait(PATIENCE);
    site.ip("link set lan up");
    site.ip("addr del 192.168.129.1/32 dev lan");
    std::thread::sleep(Duration::from_millis(1100));

    let restarted = site.start();
    restarted.wait_until_ready();
    wait_until("what stands is raised again", || count("GATEWAY", raised) == 2);
    assert_eq!(since("GATEWAY"), Some(before), "since it was raised first");
    let end = std::time::Instant::now() + 3 * PATIENCE;
    while count("LAN", ended) == 0 {
        assert!(std::time::Instant::now() < end, "the end of what is over is not told");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!((since("LAN"), count("LAN", raised), count("GATEWAY", ended)), (None, 1, 0));
}

#[test]
fn times_are_local() {
    let Some(site) = Site::new() else { return };
    site.configure(without_debounce);
    let daemon = site.start();
    daemon.wait_until_ready();
    flap_lan(&site);
    let hour_in = |zone: &str| {
        let shown = site.command("events").env("TZ", zone).output().unwrap();
        String::from_utf8(shown.stdout).unwrap()[11..13].parse::<u32>().unwrap()
    };
    assert_eq!(hour_in("AAA-5"), (hour_in("UTC0") + 5) % 24);
}

#[test]
fn the_failover_log_tells_roles_that_last_and_is_cleared_with_and_without_a_daemon() {
    let Some(site) = Site::new() else { return };
    let mut daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let line = |shown: &str| shown.lines().next().unwrap_or_default().to_owned();
    wait_until("the role is told", || !site.ask("log failover").out.is_empty());
    let first = line(&site.ask("log failover").out);
    let (time, text) = first.split_at(25);
    assert!(has_form(&time.replace("PM", "AM"), "[0000-00-00 00:00:00 AM] "), "{first}");
    assert_eq!(text, "HA failover: Init -> Active (peer silent for 3 s)");
    let alerts = site.ask("events").out;

    assert_eq!(site.ask("log failover --clear").code, 0);
    assert_eq!(site.ask("log failover").out, "");
    assert_eq!(site.ask("events").out, alerts, "the events are another matter");
    assert_eq!(site.ask("log backup").out, "");

    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(PATIENCE), 0);
    assert!(line(&site.ask("log failover").out).ends_with("HA failover: Active -> Standby (old active was stopped)"));
    assert_eq!(site.ask("log failover --clear").code, 0);
    assert_eq!(site.ask("log failover").out, "");
    assert_eq!(site.ask("log backup --clear").code, 0);

    let newest = ids(&events(&site))[0];
    let restarted = site.start();
    restarted.wait_until_ready();
    wait_until("the next event is told", || ids(&events(&site))[0] > newest);
}

#[test]
fn a_log_is_not_cleared_behind_the_back_of_a_frozen_daemon() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    wait_until("the role is told", || !site.ask("log failover").out.is_empty());
    daemon.signal(Signal::STOP);
    let answer = site.ask("log failover --clear");
    daemon.signal(Signal::CONT);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("did not answer within 2 s"), "{answer:?}");
}

#[test]
fn follow_shows_what_there_is_and_what_comes_once_each_in_order() {
    let Some(site) = Site::new() else { return };
    site.configure(without_debounce);
    let daemon = site.start();
    daemon.wait_until_ready();
    flap_lan(&site);
    let mut follower = site.command("events --json --follow").stdout(Stdio::piped()).spawn().unwrap();
    let (line, lines) = channel();
    let stdout = BufReader::new(follower.stdout.take().unwrap());
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|read| line.send(read).unwrap()));
    for _ in 0..3 {
        flap_lan(&site);
    }
    let mut all = ids(&events(&site));
    all.reverse();
    let mut followed = Vec::new();
    while followed.last() != all.last() {
        let line = lines.recv_timeout(PATIENCE).expect("the newest event");
        followed.push(serde_json::from_str::<Value>(&line).unwrap()["id"].as_u64().unwrap());
    }
    assert_eq!(followed, all);
    // Not SIGINT: what a shell started in the background ignores that, and passes it on.
    kill_process(Pid::from_child(&follower), Signal::TERM).unwrap();
    follower.wait().unwrap();
}

#[test]
fn without_a_state_dir_the_commands_say_what_to_do() {
    let Some(site) = Site::new() else { return };
    for command in ["events", "events --follow", "log failover", "log backup"] {
        let answer = site.ask(command);
        assert_eq!(answer.code, 1, "{command}: {answer:?}");
        assert!(answer.err.contains("No such file or directory (os error 2); check paths.state_dir"), "{answer:?}");
        assert_eq!(answer.err.lines().count(), 1, "{command}: {answer:?}");
    }
}

#[test]
fn a_damaged_journal_loses_the_damaged_records_only() {
    let Some(site) = Site::new() else { return };
    site.configure(without_debounce);
    let mut daemon = site.start();
    daemon.wait_until_ready();
    for _ in 0..2 {
        flap_lan(&site);
    }
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(PATIENCE), 0);
    let before = ids(&events(&site));

    // A bit flipped in the second record, and the power cut within the last.
    let file = site.state_dir().join("events.journal");
    let mut bytes = fs::read(&file).unwrap();
    bytes[512 + 100] ^= 1;
    bytes.truncate(bytes.len() - 200);
    fs::write(&file, &bytes).unwrap();
    let answer = site.ask("events --json");
    assert_eq!((answer.code, &*answer.err), (0, "ucm-ha: 2 damaged records are left out\n"));

    let restarted = site.start();
    restarted.wait_until_ready();
    restarted.wait_for_log(&format!("{}: 2 damaged records were dropped", file.display()));
    flap_lan(&site);
    let mut expected = before.clone();
    expected.retain(|id| *id != before[0] && *id != before[before.len() - 2]);
    let after = ids(&events(&site));
    assert!(after.ends_with(&expected), "{before:?} became {after:?}");
    assert!(after.is_sorted_by(|newer, older| newer > older), "{after:?}");

    for garbage in [Vec::new(), b"\xff\x00".repeat(400_000)] {
        fs::write(&file, garbage).unwrap();
        assert_eq!(site.ask("events").code, 0);
    }
    drop(restarted);
    let daemon = site.start();
    daemon.wait_until_ready();
    flap_lan(&site);
}

/// Mounts a file system of this size where the state is, for this thread and what it starts.
fn mount_small(site: &Site, bytes: usize) {
    fs::create_dir_all(site.state_dir()).unwrap();
    // SAFETY: only file descriptor tables make `unshare` unsafe, and this flag leaves them alone.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.unwrap();
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
    let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
    mount("tmpfs", site.state_dir(), "tmpfs", MountFlags::empty(), Some(options.as_c_str())).unwrap();
}

#[test]
fn on_a_full_disk_the_oldest_events_make_room_and_the_node_serves() {
    let Some(site) = Site::new() else { return };
    mount_small(&site, 256 * 1024);
    site.configure(without_debounce);
    let daemon = site.start();
    daemon.wait_until_ready();
    flap_lan(&site);
    site.wait_for_role("Active");
    let first = *ids(&events(&site)).last().unwrap();
    let filler = site.state_dir().join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}

    // A page of the file system holds eight records.
    for _ in 0..8 {
        flap_lan_blindly(&site);
    }
    daemon.wait_for_log("events.journal is full: the oldest make room for new ones");
    let full = ids(&events(&site));
    assert!(!full.contains(&first) && full.len() >= 2, "{full:?}");
    assert!(full.is_sorted_by(|newer, older| newer > older), "{full:?}");
    let status = site.status();
    assert!(status["counters"]["events_dropped"].as_u64().unwrap() > 0, "{status}");
    site.wait_for_role("Active");
    assert_eq!(site.ask("log failover").code, 0);

    drop(file);
    fs::remove_file(filler).unwrap();
    let newest = ids(&events(&site))[0];
    for _ in 0..8 {
        flap_lan_blindly(&site);
    }
    daemon.wait_for_log("events.journal is written again");
    assert!(ids(&events(&site)).iter().filter(|id| **id > newest).count() > 8, "the file grows again");
}

/// As [`flap_lan`], where older events may vanish meanwhile.
fn flap_lan_blindly(site: &Site) {
    for (state, kind) in [("down", "Generate Alert"), ("up", "Restore to normal")] {
        site.ip(&format!("link set lan {state}"));
        wait_until("the newest event of the LAN is told", || {
            events(site).iter().find(|event| event["cause"] == "LAN").is_some_and(|event| event["type"] == kind)
        });
    }
}

#[test]
fn a_journal_that_cannot_be_opened_keeps_nobody_from_serving_and_is_written_once_it_can() {
    let Some(site) = Site::new() else { return };
    // Below a file nobody can make a directory, not even root.
    fs::write(site.state_dir(), "in the way").unwrap();
    site.configure(|text| text.replace("/state\"", "/state/here\""));
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon.wait_for_log(".journal cannot be written: ");
    site.wait_for_role("Active");
    fs::remove_file(site.state_dir()).unwrap();
    fs::create_dir_all(site.state_dir().join("here")).unwrap();
    daemon.wait_for_log("events.journal is written again");
    let line = "HA failover: Init -> Active (peer silent for 3 s)";
    wait_until("the role that was told meanwhile is written", || site.ask("log failover").out.contains(line));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    wait_until("an event is told", || !events(&site).is_empty());
    let program = site.command("events");
    let line = format!("{} events --config {} | true", program.get_program().display(), site.config().display());
    let done = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert_eq!((done.status.code(), &*done.stderr), (Some(0), &b""[..]));
}
