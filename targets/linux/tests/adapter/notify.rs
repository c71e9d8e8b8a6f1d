//! `[[notify]]`: programs and servers that are told of events.

use crate::site::{Site, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);

/// A program in the site's directory, which everybody may run, and the file it writes to.
fn script(site: &Site, text: &str) -> (PathBuf, PathBuf) {
    let dir = site.config().parent().unwrap().to_owned();
    let everybody = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(&dir, everybody(0o755)).unwrap();
    let (program, out) = (dir.join("told.sh"), dir.join("told"));
    fs::write(&program, format!("#!/bin/sh\nOUT={}\n{text}", out.display())).unwrap();
    fs::set_permissions(&program, everybody(0o755)).unwrap();
    fs::write(&out, "").unwrap();
    fs::set_permissions(&out, everybody(0o666)).unwrap();
    (program, out)
}

fn lines(out: &PathBuf) -> Vec<String> {
    fs::read_to_string(out).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_program_is_told_of_every_event_in_order_as_the_chosen_user() {
    let Some(site) = Site::new() else { return };
    let (program, out) = script(
        &site,
        "read -r event\nsleep 0.2\n\
         echo \"$1|$2|$3|$(id -un) $(id -gn) $(id -G | wc -w)|$HOME|$(grep CapEff /proc/self/status | cut -f2)|$event\" >> $OUT\n",
    );
    site.configure(|text| {
        let notify =
            format!("[[notify]]\ncommand = [{:?}, \"first\"]\nuser = \"nobody\"\n", program.display().to_string());
        text + "[fault]\nlink_raise_ms = 0\nlink_clear_ms = 0\n" + &notify
    });
    let daemon = site.start();
    daemon.wait_until_ready();
    let of_lan = || lines(&out).iter().filter(|line| line.starts_with("first|alert|LAN|")).count();
    wait_until("the role is told", || lines(&out).iter().any(|line| line.starts_with("first|role|Active|")));
    let before = of_lan();
    site.ip("link set lan down");
    wait_until("the fault is told", || of_lan() == before + 1);
    site.ip("link set lan up");
    wait_until("its end is told", || of_lan() == before + 2);

    let told = lines(&out);
    let nobody = "|nobody nogroup 1|/nonexistent|0000000000000000|";
    assert!(told.iter().all(|line| line.contains(nobody)), "{told:?}");
    let events: Vec<Value> =
        told.iter().map(|line| serde_json::from_str(line.split('|').nth(6).unwrap()).unwrap()).collect();
    let ids: Vec<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|older, newer| older < newer), "{ids:?}");
    let listed = site.ask("events --json").out;
    for event in events.iter().filter(|event| event["kind"] == "alert") {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove("kind");
        let same = |line: &str| serde_json::from_str::<Value>(line).unwrap() == event;
        assert!(listed.lines().any(same), "{event} is not in {listed}");
    }
    let status = site.status();
    assert_eq!(status["notify"][0]["target"], program.display().to_string());
    assert_eq!((&status["notify"][0]["failed"], &status["notify"][0]["dropped"]), (&0.into(), &0.into()));
}

#[test]
fn a_program_that_hangs_is_ended_with_all_it_started_and_the_next_event_is_told() {
    let Some(site) = Site::new() else { return };
    let (program, out) = script(&site, "trap '' TERM\nsleep 1000 &\necho \"$2 $!\" >> $OUT\nwait\nwait\n");
    site.configure(|text| {
        let command = program.display().to_string();
        text + &format!("[[notify]]\ncommand = [{command:?}]\ntimeout_ms = 300\nuser = \"nobody\"\n")
    });
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon.wait_for_log("it did not end within 300 ms and was ended: signal: 9 (SIGKILL)");
    wait_until("the next event is told", || lines(&out).len() >= 2);
    for line in lines(&out).iter().take(1) {
        let pid = line.split(' ').nth(1).unwrap();
        let state = |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        wait_until("its child has ended", || state(pid).is_empty() || state(pid).contains(") Z "));
    }
    assert!(site.status()["notify"][0]["failed"].as_u64().unwrap() > 0);
}

#[test]
fn a_program_that_ignores_to_be_asked_does_not_outlive_the_daemon() {
    let Some(site) = Site::new() else { return };
    let (program, out) = script(&site, "trap '' TERM\nsleep 1000 &\necho \"$$ $!\" >> $OUT\nwait\nwait\n");
    site.configure(|text| {
        let command = program.display().to_string();
        text + &format!("[[notify]]\ncommand = [{command:?}]\ntimeout_ms = 600000\nuser = \"nobody\"\n")
    });
    let mut daemon = site.start();
    daemon.wait_until_ready();
    wait_until("it runs", || !lines(&out).is_empty());
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(PATIENCE), 0);
    for pid in lines(&out).iter().flat_map(|line| line.split(' ')) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{pid} still runs: {stat}");
    }
    assert_eq!(lines(&out).len(), 1, "no other was started");
}

#[test]
fn a_program_that_fails_or_is_missing_is_said_with_its_exit_status() {
    let Some(site) = Site::new() else { return };
    let (program, _) = script(&site, "exit 3\n");
    site.configure(|text| {
        let command = program.display().to_string();
        text + &format!("[[notify]]\ncommand = [{command:?}]\n[[notify]]\ncommand = [\"/nonexistent/told\"]\n")
    });
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon.wait_for_log(&format!("{} was not told of event ", program.display()));
    daemon.wait_for_log(": exit status: 3");
    daemon.wait_for_log("it cannot be run: No such file or directory (os error 2); check notify.command");
    site.wait_for_role("Active");
}

#[test]
fn events_that_a_slow_program_has_no_room_for_are_counted_and_the_node_serves() {
    let Some(site) = Site::new() else { return };
    let (program, _) = script(&site, "sleep 1000\n");
    site.configure(|text| {
        let command = program.display().to_string();
        text + "[fault]\nlink_raise_ms = 0\nlink_clear_ms = 0\n"
            + &format!("[[notify]]\ncommand = [{command:?}]\ntimeout_ms = 600000\n")
    });
    let mut daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let dropped = || site.status()["notify"][0]["dropped"].as_u64().unwrap();
    wait_until_long("events are dropped", || {
        for state in ["down", "up"] {
            site.ip(&format!("link set lan {state}"));
            std::thread::sleep(Duration::from_millis(30));
        }
        dropped() > 0
    });
    site.wait_for_role("Active");
    // The end of the daemon does not wait for the slow one either.
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(PATIENCE), 0);
    assert!(daemon.log().contains("not everybody of [[notify]] was told of the last events"), "{}", daemon.log());
}

/// As [`wait_until`], for what takes many steps.
#[track_caller]
fn wait_until_long(what: &str, condition: impl Fn() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(std::time::Instant::now() < end, "{what}: not within a minute");
    }
}

/// Reads one request whole: its first line and its body.
fn request(reader: &mut impl BufRead) -> (String, String) {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_lowercase()),
        }
    }
    let len = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; len.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    assert!(lines.contains(&"content-type: application/json".to_owned()), "{lines:?}");
    (lines[0].clone(), String::from_utf8(body).unwrap())
}

#[test]
fn a_server_gets_the_filled_template_and_is_tried_again_when_it_fails() {
    let Some(site) = Site::new() else { return };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let (told, requests) = channel();
    std::thread::spawn(move || {
        let mut statuses = ["503 Service Unavailable", "204 No Content"].into_iter();
        for stream in server.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let got = request(&mut stream);
            let status = statuses.next().unwrap_or("200 OK");
            write!(stream.get_mut(), "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            // The test may have seen enough.
            let _seen = told.send(got);
        }
    });
    site.configure(|text| {
        text + &format!(
            "[[notify]]\nurl = \"http://127.0.0.1:{port}/events?a=b\"\n\
             template = '{{\"action\":\"${{ACTION}}\",\"mac\":\"${{MAC}}\",\"content\":\"${{CONTENT}}\"}}'\n"
        )
    });
    let daemon = site.start();
    daemon.wait_until_ready();
    let next = || requests.recv_timeout(PATIENCE).expect("a request");
    let first = next();
    assert_eq!(first.0, "post /events?a=b http/1.1");
    assert_eq!(next(), first, "the same again");
    let third = next();
    assert_ne!(third, first, "once the server has taken it the next one comes");
    let bodies: Vec<Value> = [first, third].iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let role = bodies.iter().find(|body| body["action"] == "Role change").expect("the role change is told");
    assert_eq!(role["content"], "HA failover: Init -> Active (peer silent for 3 s)");
    let alert = bodies.iter().find(|body| body["action"] == "Generate Alert").expect("the alert is told");
    assert_eq!(alert["mac"], "unknown", "the peer was never heard");
    assert!(alert["content"].as_str().unwrap().starts_with("MAC : unknown -- HEARTBEAT "), "{alert}");
}

#[test]
fn a_server_that_is_not_there_is_given_up_after_three_attempts() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text + "[[notify]]\nurl = \"http://127.0.0.1:9/\"\ntemplate = \"${CONTENT}\"\n");
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon.wait_for_log("http://127.0.0.1:9/ was not told of event ");
    daemon.wait_for_log("Connection refused (os error 111), 3 times");
    site.wait_for_role("Active");
}

#[test]
fn an_unknown_user_is_a_problem_for_check_and_for_run() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text + "[[notify]]\ncommand = [\"/bin/true\"]\nuser = \"no-such-user\"\n");
    let line = "notify[0].user = \"no-such-user\": is not a user of this machine; `getent passwd` lists them\n";
    let checked = site.ask("check");
    assert_eq!((checked.code, &*checked.err), (1, line));
    let refused = site.ask("run");
    assert_eq!((refused.code, &*refused.err), (2, line));
}
