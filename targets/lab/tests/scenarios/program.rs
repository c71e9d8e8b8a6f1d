//! Runs the program `ucm-ha-lab`, as a user does.

use serde_json::Value;
use std::io::{Write, stderr};
use std::process::{Command, Output, Stdio};

/// The lab with these arguments, its output kept.
pub(crate) fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ucm-ha-lab"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The result of the only run of a scenario. It must have succeeded. Runs that were voided before it are said.
#[track_caller]
pub(crate) fn played(output: &Output) -> Value {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{said}");
    for line in said.lines().filter(|line| line.contains(": voided, ")) {
        // Past the harness, which would keep it to itself.
        writeln!(stderr(), "{line}").expect("stderr can be written");
    }
    serde_json::from_str(stdout.trim()).expect("one JSON object")
}

/// Plays a scenario, which must succeed.
#[track_caller]
pub(crate) fn play(scenario: &str) -> Value {
    played(&lab(&["--script", scenario, "--json"]).output().expect("the lab starts"))
}

/// A figure of a scenario.
#[track_caller]
pub(crate) fn figure(result: &Value, name: &str) -> f64 {
    result["figures"][name].as_f64().unwrap_or_else(|| panic!("no figure {name} in {result}"))
}
