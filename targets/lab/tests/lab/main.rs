//! The lab as a user runs it: as a program of its own.

mod chaos;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The scenarios measure time, so they do not run at the same time unless a test is about that.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ucm-ha-lab"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The result of the only run of a scenario. It must have succeeded.
fn played(output: &Output) -> Value {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    serde_json::from_str(stdout.trim()).expect("one JSON object")
}

fn play(scenario: &str) -> Value {
    played(&lab(&["--script", scenario, "--json"]).output().expect("the lab starts"))
}

fn figure(result: &Value, name: &str) -> f64 {
    result["figures"][name].as_f64().unwrap_or_else(|| panic!("no figure {name} in {result}"))
}

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
fn the_lab_measures_what_it_was_told_to() {
    let _alone = alone();
    // Given an address that is moved by hand, then phone and observer see what was done; the scenario checks it.
    let result = play("calibration");
    assert!(figure(&result, "gap_seen_ms") > 250.0);
    assert!(figure(&result, "overlap_seen_ms") > 150.0);
}

#[test]
fn a_forced_switch_is_not_noticed_by_a_caller() {
    let _alone = alone();
    let result = play("forced-switch");
    assert!(figure(&result, "gap_ms") < 100.0);
    assert_eq!(figure(&result, "both_bound_ms"), 0.0);
}

#[test]
fn a_dead_fxo_port_hands_over_when_its_raise_time_is_over() {
    let _alone = alone();
    let result = play("fxo-dead");
    assert!((300.0..360.0).contains(&figure(&result, "served_after_ms")), "{result}");
    assert!(figure(&result, "gap_ms") < 100.0);
    assert_eq!(figure(&result, "both_bound_ms"), 0.0);
}

#[test]
fn a_dead_fxo_port_moves_the_role_neither_without_its_switch_nor_to_and_fro_nor_beyond_the_budget() {
    let _alone = alone();
    let scenarios = ["fxo-switch-off", "fxo-unplugged", "fxo-both", "fxo-budget"];
    let labs = scenarios.map(|name| lab(&["--script", name, "--json"]).spawn().expect("the lab starts"));
    for lab in labs {
        let result = played(&lab.wait_with_output().expect("the lab ends"));
        assert_eq!(figure(&result, "both_bound_ms"), 0.0);
    }
}

#[test]
fn a_lan_port_without_carrier_hands_over_when_its_raise_time_is_over() {
    let _alone = alone();
    let result = play("lan-unplugged");
    assert!((50.0..160.0).contains(&figure(&result, "served_after_ms")), "{result}");
}

#[test]
fn a_node_without_power_is_replaced_within_half_a_second() {
    let _alone = alone();
    let result = play("power-loss");
    assert!(figure(&result, "takeover_after_ms") < 550.0);
}

#[test]
fn a_service_that_crashes_or_hangs_hands_the_role_over() {
    let _alone = alone();
    // The scenarios check the time from the fault, or the deadline, to the standby serving.
    for scenario in ["service-crash", "service-deadlock"] {
        assert_eq!(figure(&play(scenario), "both_bound_ms"), 0.0);
    }
}

#[test]
fn with_the_fault_switch_off_a_service_may_crash_without_a_handover() {
    let _alone = alone();
    assert_eq!(play("service-switch-off")["ok"], true);
}

#[test]
fn the_standby_serves_before_the_dump_of_the_crashed_service_is_written_and_core_pattern_is_put_back() {
    let _alone = alone();
    let core_pattern = || fs::read_to_string("/proc/sys/kernel/core_pattern").expect("Linux has it");
    let before = core_pattern();
    let output = lab(&["--script", "core-dump", "--json"]).output().expect("the lab starts");
    let result = played(&output);
    assert_eq!(core_pattern(), before);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if let Some(skipped) = stderr.lines().find(|line| line.starts_with("skipped: ")) {
        println!("{skipped}");
        return;
    }
    let (bound, written) = (figure(&result, "bound_after_ms"), figure(&result, "dump_written_after_ms"));
    assert!(bound < written, "bound after {bound} ms, dump written after {written} ms");
    assert!(figure(&result, "dump_mib") >= 500.0);
}

#[test]
fn a_thawed_daemon_claims_nothing() {
    let _alone = alone();
    assert_eq!(play("freeze")["ok"], true);
}

#[test]
fn one_way_wires_can_be_made() {
    let _alone = alone();
    assert_eq!(play("mute-lan")["ok"], true);
}

#[test]
fn labs_stand_side_by_side() {
    let _alone = alone();
    let labs = [(); 2].map(|()| lab(&["--script", "boot-pair", "--json"]).spawn().expect("the lab starts"));
    for lab in labs {
        let result = played(&lab.wait_with_output().expect("the lab ends"));
        assert_eq!(figure(&result, "both_bound_ms"), 0.0);
    }
}

#[test]
fn an_interrupted_lab_leaves_nothing() {
    let _alone = alone();
    let (lab, family) = running_lab();
    signal(lab.id(), Signal::INT);
    let output = lab.wait_with_output().expect("the lab ends");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    nothing_is_left(&family);
}

#[test]
fn a_killed_lab_leaves_nothing() {
    let _alone = alone();
    let (mut lab, family) = running_lab();
    lab.kill().expect("the lab runs");
    lab.wait().expect("the lab ends");
    nothing_is_left(&family);
}

#[test]
fn a_lab_that_dies_inside_leaves_nothing_and_says_so() {
    let _alone = alone();
    let (mut lab, family) = running_lab();
    let inside = processes().find(|&(_, parent)| parent == lab.id()).map(|(pid, _)| pid);
    signal(inside.expect("the process inside"), Signal::KILL);
    let status = lab.wait().expect("the lab ends");
    assert_eq!(status.code(), Some(128 + 9));
    nothing_is_left(&family);
}

#[test]
fn the_program_that_the_environment_names_runs_in_the_nodes() {
    let _alone = alone();
    let output = lab(&["--script", "boot-pair"]).env("UCM_HA", "/nonexistent/ucm-ha").output().expect("the lab starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("cannot start the daemon of A"), "{said}");
}

#[test]
fn every_listed_scenario_has_its_line_and_no_other_is_played() {
    let list = lab(&["--list"]).output().expect("the lab starts");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.lines().any(|line| line.starts_with("split-heal ")), "{list}");
    let unknown = lab(&["--script", "no-such"]).output().expect("the lab starts");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("--list"));
}
