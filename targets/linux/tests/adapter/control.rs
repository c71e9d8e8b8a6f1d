//! The control socket against clients that misbehave.

use crate::site::Site;
use fair::in_real_time;
use rustix::process::Signal;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Clients that the daemon serves at a time.
const MAX_CLIENTS: usize = 8;

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
fn only_the_daemons_user_may_use_the_socket() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let mode = site.run_dir().join("control.sock").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
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
fn clients_that_say_nothing_make_room_after_two_seconds() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        let begun = Instant::now();
        let silent: Vec<UnixStream> = (0..MAX_CLIENTS).map(|_| connect(&site)).collect();
        let connected = Instant::now();
        assert_eq!(reply(connect(&site)), error("too many clients at a time; try again"));
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
    let known = [error("too many clients at a time; try again"), error("no request in time")];
    assert!(answers.iter().all(|answer| known.contains(answer)), "{answers:?}");
    assert!(answers.contains(&known[0]), "nobody was refused");
}

#[test]
fn clients_that_go_away_are_forgotten() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        for _ in 0..3 * MAX_CLIENTS {
            let mut stream = connect(&site);
            stream.write_all(b"{\"requ").unwrap();
            drop(stream);
        }
        let started = Instant::now();
        assert_eq!(site.ask("status").code, 0);
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    });
}
