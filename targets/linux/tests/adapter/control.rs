//! The control socket against clients that misbehave.

use crate::site::{Answer, Site, wait_until};
use fair::in_real_time;
use nix::unistd::Group;
use rustix::process::Signal;
use std::fs::Permissions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use ucm_ha_control::{Conversation, MAX_ASKING, PULSE_MS, Reply, Report, Request, SILENCE_MS};

/// A user without a place in the table of rights.
const NOBODY: u32 = 65534;
/// How long a line may take that is due now.
const PATIENCE: Duration = Duration::from_secs(15);

fn connect(site: &Site) -> UnixStream {
    let stream = UnixStream::connect(site.run_dir().join("control.sock")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    stream
}

/// The reply, up to the end of the connection.
fn reply(mut stream: UnixStream) -> String {
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text,
        // The daemon closed the connection with something of the client's unread; the reply came before.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => text,
        Err(error) => panic!("{error}"),
    }
}

fn error(reason: &str) -> String {
    format!("{{\"reply\":\"error\",\"reason\":\"{reason}\"}}\n")
}

#[test]
fn only_root_and_the_group_may_open_the_socket() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let socket = site.run_dir().join("control.sock").metadata().unwrap();
    let group = Group::from_name("ucm-ha").unwrap().map(|group| group.gid.as_raw());
    let expected = group.map_or((0, 0o600), |gid| (gid, 0o660));
    assert_eq!((socket.gid(), socket.mode() & 0o777), expected);
    assert_eq!(socket.uid(), 0);
}

#[test]
fn what_is_no_request_is_answered_with_an_error() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let lines: [&[u8]; 5] = [b"hello\n", b"\n", b"{}\n", b"{\"request\":\"reboot\"}\n", b"\xff\xfe\x00\n"];
    for line in lines {
        let mut stream = connect(&site);
        stream.write_all(line).unwrap();
        assert_eq!(reply(stream), error("not a request"), "{line:?}");
    }
    let mut stream = connect(&site);
    stream.write_all(&[b'a'; 300]).unwrap();
    assert_eq!(reply(stream), error("the request line is too long"));
    assert_eq!(site.ask("status").code, 0);
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let mut stream = connect(&site);
    for byte in b"{\"request\":\"status\"}\n" {
        stream.write_all(&[*byte]).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(reply(stream).starts_with("{\"reply\":\"status\",\"status\":{\"ha_status\":"));
}

#[test]
fn clients_that_say_nothing_are_sent_away_after_two_seconds() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        let begun = Instant::now();
        let silent: Vec<UnixStream> = (0..MAX_ASKING).map(|_| connect(&site)).collect();
        let connected = Instant::now();
        for stream in silent {
            assert_eq!(reply(stream), error("no request in time"));
        }
        let (longest, shortest) = (begun.elapsed(), connected.elapsed());
        assert!(longest > Duration::from_millis(1990), "{longest:?}");
        // Generous: the kernel may make the daemon wait while other tests take down namespaces.
        assert!(shortest < Duration::from_secs(15), "{shortest:?}; the log:\n{}", daemon.log());
        assert_eq!(site.ask("status").code, 0);
    });
}

#[test]
fn a_crowd_that_comes_at_once_is_answered_to_the_last() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    // Frozen, the daemon finds them all in its queue when it goes on.
    daemon.signal(Signal::STOP);
    let crowd: Vec<UnixStream> = (0..100).map(|_| connect(&site)).collect();
    daemon.signal(Signal::CONT);
    let answers: Vec<String> = crowd.into_iter().map(reply).collect();
    // Where the kernel makes the daemon wait (other tests take down namespaces meanwhile), places become free again.
    let known = [error("no request, and others wait"), error("no request in time")];
    assert!(answers.iter().all(|answer| known.contains(answer)), "{answers:?}");
    assert!(answers.contains(&known[0]), "nobody made room");
}

#[test]
fn clients_that_only_hold_their_place_keep_nobody_from_asking() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let idle: Vec<UnixStream> = (0..3 * MAX_ASKING).map(|_| connect(&site)).collect();
    assert_eq!(site.ask("status").code, 0);
    let switch = site.ask("switch");
    assert!(switch.err.starts_with("ucm-ha: refused: "), "answered by the node: {switch:?}");
    drop(idle);
}

#[test]
fn who_subscribes_is_told_at_once_then_at_each_change_and_every_second() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let mut follower = Conversation::begin(&site.run_dir(), &Request::Subscribe).unwrap();
    assert_eq!(next_status(&mut follower).role, "Active");
    // Nothing changes, and it is told again.
    assert_eq!(next_status(&mut follower).role, "Active");
    site.ip("link set lan down");
    let told = Instant::now();
    let lan_fault = |status: &Report| status.faults.iter().any(|fault| fault.name == "LAN" && fault.raised);
    while !lan_fault(&next_status(&mut follower)) {
        assert!(told.elapsed() < PATIENCE, "the fault is not told");
    }
    drop(daemon);
    assert!(follower.next(PATIENCE).is_err(), "the end of the daemon ends the conversation");
}

#[test]
fn a_part_is_told_the_role_and_the_status_says_whether_it_is_there() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        site.wait_for_role("Active");
        let mut part = Conversation::begin(&site.run_dir(), &Request::Part { name: "sync".to_owned() }).unwrap();
        let Ok(Some(Reply::Part { role, term, bound })) = part.next(PATIENCE) else { panic!("no role") };
        assert_eq!((&*role, bound), ("Active", true));
        assert_eq!(term, site.status()["term"]);
        let state = serde_json::json!({"complete": true, "lag_ms": 3});
        part.tell(state.as_object().unwrap()).unwrap();
        wait_until("its state is in the status", || site.status()["parts"][0]["state"] == state);

        // When it says nothing any more, then it is absent, which is told; the conversation goes on.
        let silent = Instant::now();
        wait_until("it is absent", || site.status()["parts"][0]["present"] == false);
        assert!(silent.elapsed() >= Duration::from_millis(SILENCE_MS - PULSE_MS), "{:?}", silent.elapsed());
        daemon.wait_for_log("alert: PART sync: is not running or does not answer");
        part.tell(state.as_object().unwrap()).unwrap();
        wait_until("it is there again", || site.status()["parts"][0]["present"] == true);
        drop(part);
        wait_until("it is gone", || site.status()["parts"][0]["present"] == false);
        assert_eq!(site.status()["role"], "Active");
    });
}

#[test]
fn a_part_that_comes_twice_is_the_one_that_came_last() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let begin = || Conversation::begin(&site.run_dir(), &Request::Part { name: "calls".to_owned() }).unwrap();
    let mut first = begin();
    assert!(matches!(first.next(PATIENCE), Ok(Some(Reply::Part { .. }))));
    let mut second = begin();
    assert!(matches!(second.next(PATIENCE), Ok(Some(Reply::Part { .. }))));
    let ended = std::iter::from_fn(|| first.next(PATIENCE).ok()).take(10).count();
    assert!(ended < 10, "the first one is still told");
    assert_eq!(site.status()["parts"][0]["present"], true);
}

#[test]
fn a_part_that_nobody_knows_is_refused() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let mut stream = connect(&site);
    stream.write_all(b"{\"request\":\"part\",\"name\":\"web\"}\n").unwrap();
    assert_eq!(reply(stream), error("there is no part of this name"));
}

#[test]
fn somebody_who_is_not_in_the_table_may_look_and_nothing_else() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    // As the group would let it.
    for path in [site.config().parent().unwrap().to_owned(), site.run_dir().join("control.sock"), site.config()] {
        std::fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    }
    let as_nobody = |words: &str| Answer::of(site.command(words).uid(NOBODY).gid(NOBODY).output().unwrap());
    let status = as_nobody("status --json");
    assert_eq!(status.code, 0, "{status:?}");
    for words in ["switch", "fault raise asterisk", "kick asterisk"] {
        let refused = as_nobody(words);
        assert!(refused.err.contains(&format!("user {NOBODY} may not ask for this")), "{words}: {refused:?}");
    }
}

fn next_status(follower: &mut Conversation) -> Report {
    match follower.next(PATIENCE) {
        Ok(Some(Reply::Status { status })) => *status,
        other => panic!("no status: {other:?}"),
    }
}

#[test]
fn clients_that_go_away_are_forgotten() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        for _ in 0..3 * MAX_ASKING {
            let mut stream = connect(&site);
            stream.write_all(b"{\"requ").unwrap();
            drop(stream);
        }
        let started = Instant::now();
        assert_eq!(site.ask("status").code, 0);
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    });
}
