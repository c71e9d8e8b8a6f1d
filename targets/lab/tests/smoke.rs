//! One run of the lab in the test command, and its command line. All scenarios are in `scenarios/`.

#[path = "scenarios/program.rs"]
mod program;

use program::{figure, lab, play};
use std::io::{BufRead, BufReader};

#[test]
fn a_forced_switch_is_not_noticed_by_a_caller() {
    let result = play("forced-switch");
    assert_eq!(figure(&result, "both_bound_ms"), 0.0);
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

#[test]
fn the_program_that_the_environment_names_runs_in_the_nodes() {
    let output = lab(&["--script", "boot-pair"]).env("UCM_HA", "/nonexistent/ucm-ha").output().expect("the lab starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("cannot start the daemon of A"), "{said}");
}

#[test]
fn a_reader_that_goes_away_ends_the_lab_without_a_panic() {
    let mut lab = lab(&["--script", "starvation", "--seconds", "60"]).spawn().expect("the lab starts");
    let mut first = String::new();
    BufReader::new(lab.stdout.take().expect("its output")).read_line(&mut first).expect("a line");
    assert!(first.contains(" ms  "), "{first}");
    // Given nobody who reads on, then the next line ends it.
    let output = lab.wait_with_output().expect("the lab ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
