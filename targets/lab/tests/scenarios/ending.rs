//! However a lab ends, nothing of it is left.

use crate::program::lab;
use crate::room::Room;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashSet;
use std::fs;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// The process `root` and everything it started, directly or not.
fn family(root: u32) -> HashSet<u32> {
    let mut family = HashSet::from([root]);
    loop {
        let grown: HashSet<u32> =
            processes().filter(|(_, parent)| family.contains(parent)).map(|(pid, _)| pid).collect();
        let before = family.len();
        family.extend(grown);
        if family.len() == before {
            return family;
        }
    }
}

/// Every process with its parent.
fn processes() -> impl Iterator<Item = (u32, u32)> {
    fs::read_dir("/proc").expect("/proc can be read").flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, after_name) = stat.rsplit_once(')')?;
        Some((pid, after_name.split_whitespace().nth(1)?.parse().ok()?))
    })
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(10), "after 10 s not yet: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A lab that plays for long, both daemons running: this process, the first one inside, and the two daemons.
fn running_lab() -> (Child, HashSet<u32>) {
    let child = lab(&["--script", "starvation", "--seconds", "60"]).spawn().expect("the lab starts");
    let root = child.id();
    eventually("both daemons run", || family(root).len() >= 4);
    (child, family(root))
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("the process exists");
}

fn nothing_is_left(family: &HashSet<u32>) {
    eventually("all processes have ended", || !processes().any(|(pid, _)| family.contains(&pid)));
    assert!(!fs::exists("/run/a").expect("/run can be read"), "the lab's files were never seen outside");
}

#[test]
fn an_interrupted_lab_leaves_nothing() {
    let _room = Room::beside_others();
    let (lab, family) = running_lab();
    signal(lab.id(), Signal::INT);
    let output = lab.wait_with_output().expect("the lab ends");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    nothing_is_left(&family);
}

#[test]
fn a_killed_lab_leaves_nothing() {
    let _room = Room::beside_others();
    let (mut lab, family) = running_lab();
    lab.kill().expect("the lab runs");
    lab.wait().expect("the lab ends");
    nothing_is_left(&family);
}

#[test]
fn a_lab_that_dies_inside_leaves_nothing_and_says_so() {
    let _room = Room::beside_others();
    let (mut lab, family) = running_lab();
    let inside = processes().find(|&(_, parent)| parent == lab.id()).map(|(pid, _)| pid);
    signal(inside.expect("the process inside"), Signal::KILL);
    let status = lab.wait().expect("the lab ends");
    assert_eq!(status.code(), Some(128 + 9));
    nothing_is_left(&family);
}
