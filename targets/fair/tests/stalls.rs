//! What is voided and what is not, with a machine that is made to stand still.

use fair::{MAX_VOIDED, StallWatch, fairly, in_real_time};
use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

const STALL: Duration = Duration::from_millis(300);
const BOUND: Duration = Duration::from_millis(150);
/// Makes this program the one that is stopped, and says how often.
const STOPPED: &str = "FAIR_STOPPED_RUNS";

/// Stops the process group of this program from outside, for [`STALL`].
fn stand_still() {
    let group = rustix::process::getpgrp().as_raw_nonzero();
    let stop = format!("kill -STOP -{group}; sleep {}; kill -CONT -{group}", STALL.as_secs_f32());
    let mut shell = Command::new("sh").args(["-c", &stop]).process_group(0).spawn().expect("a shell");
    shell.wait().expect("the shell ends");
}

/// Runs the test `name` of this file in a process group of its own, with the first runs stopped.
fn stopped(name: &str, runs: u32) -> Output {
    let program = env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture"]).env(STOPPED, runs.to_string()).process_group(0);
    command.output().expect("the test runs")
}

fn voided(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stderr).matches("voided, the machine stood still for ").count()
}

/// Work that takes no time, unless the machine stands still in one of the first runs.
#[test]
fn prompt_work() {
    let Some(stopped) = env::var(STOPPED).ok().map(|runs| runs.parse::<u32>().expect("a number")) else { return };
    let mut run = 0;
    in_real_time(|| {
        run += 1;
        let begin = Instant::now();
        if run <= stopped {
            stand_still();
        }
        let took = begin.elapsed();
        assert!(took < BOUND, "took {took:?}");
    });
}

#[test]
fn a_run_in_which_its_process_group_stood_still_is_voided_and_repeated() {
    let output = stopped("prompt_work", 1);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(voided(&output), 1, "{output:?}");
}

#[test]
fn a_machine_that_never_runs_for_long_fails_the_test_in_the_end() {
    let output = stopped("prompt_work", MAX_VOIDED + 1);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(voided(&output), MAX_VOIDED as usize, "{output:?}");
}

/// Work that takes too long by itself.
#[test]
fn late_work() {
    if env::var_os(STOPPED).is_none() {
        return;
    }
    in_real_time(|| {
        println!("run");
        let begin = Instant::now();
        sleep(STALL);
        assert!(begin.elapsed() < BOUND);
    });
}

#[test]
fn a_product_that_is_really_late_fails_at_once() {
    // A machine that stood still beside it may void a run; it does not do so each time.
    for _ in 0..3 {
        let output = stopped("late_work", 0);
        assert!(!output.status.success(), "{output:?}");
        let runs = String::from_utf8_lossy(&output.stdout).lines().filter(|line| *line == "run").count();
        assert_eq!(runs, 1 + voided(&output), "{output:?}");
        if runs == 1 {
            return;
        }
    }
    panic!("a stall was seen in each of three tries");
}

#[test]
fn no_stall_excuses_a_broken_promise_of_safety() {
    if env::var_os(STOPPED).is_none() {
        let output = stopped("no_stall_excuses_a_broken_promise_of_safety", 1);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(voided(&output), 0, "{output:?}");
        return;
    }
    let mut runs = 0;
    let run = || {
        runs += 1;
        stand_still();
        Err::<(), _>("two actives")
    };
    assert_eq!(fairly("two actives", run, |_| None), Err("two actives"));
    assert_eq!(runs, 1);
}

#[test]
fn a_watch_with_nobodys_priority_sees_a_stall_too() {
    if env::var_os(STOPPED).is_none() {
        let output = stopped("a_watch_with_nobodys_priority_sees_a_stall_too", 1);
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let watch = StallWatch::of_nobody().expect("a watch");
    stand_still();
    assert!(watch.stall().is_some_and(|stall| stall.0 >= BOUND), "{:?}", watch.stall());
}
