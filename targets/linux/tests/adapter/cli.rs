//! Exit codes and lines of the command.

use crate::site::{Answer, Site};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program with these arguments, on the machine as it is.
fn ucm_ha(words: &str) -> Answer {
    Answer::of(Command::new(env!("CARGO_BIN_EXE_ucm-ha")).args(words.split(' ')).output().unwrap())
}

#[test]
fn check_accepts_a_good_configuration() {
    let Some(site) = Site::new() else { return };
    let answer = site.ask("check");
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.out, format!("{}: ok\n", site.config().display()));
    assert_eq!(
        answer.err,
        "note: ha.allow_unauthenticated = true: forged heartbeats count; set key_file on both nodes\n"
    );
}

#[test]
fn check_says_every_problem_on_a_line_and_run_refuses_them() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text.replace("heartbeat_timeout = 3", "heartbeat_timeout = 2\nheartbeat_port = 0"));
    let lines = "ha.heartbeat_port = 0: must be 1 to 65535\nha.heartbeat_timeout = 2: must be 3 to 10 seconds\n";

    let checked = site.ask("check");
    assert_eq!((checked.code, &*checked.err, &*checked.out), (1, lines, ""));

    let refused = site.ask("run");
    assert_eq!((refused.code, &*refused.err, &*refused.out), (2, lines, ""));
}

#[test]
fn check_prints_the_settings_that_must_match_and_names_programs_that_are_not_there() {
    let Some(site) = Site::new() else { return };
    let shared = site.ask("check --shared");
    assert_eq!((shared.code, &*shared.err), (0, ""));
    assert!(shared.out.contains("ha.heartbeat_timeout = 3\nha.software_fault_switch = false\n"), "{}", shared.out);
    assert!(!shared.out.contains("primary"), "{}", shared.out);
    site.configure(|text| text + "[[notify]]\ncommand = [\"/nonexistent/told\"]\n");
    let answer = site.ask("check");
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer.err.contains("note: notify[0].command: /nonexistent/told is no program of this machine\n"),
        "{answer:?}"
    );
    site.configure(|text| text.replace("heartbeat_timeout = 3", "heartbeat_timeout = 2"));
    assert_eq!(site.ask("check --shared").code, 1);
}

#[test]
fn a_missing_interface_is_a_problem_for_check() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text.replace("eth1", "eth9"));
    let answer = site.ask("check");
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.err,
        "network.heartbeat_interface = \"eth9\": does not exist on this machine; `ip link` lists the interfaces\n"
    );
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    for (command, code) in [("check", 1), ("run", 2), ("status", 2)] {
        let answer = ucm_ha(&format!("{command} --config /nonexistent/config.toml"));
        assert_eq!(answer.code, code, "{command}: {answer:?}");
        assert_eq!(answer.err.lines().count(), 1, "{command}: {answer:?}");
        assert!(answer.err.contains("/nonexistent/config.toml: cannot be read"), "{command}: {answer:?}");
    }
}

#[test]
fn a_usage_error_has_its_own_exit_code() {
    for words in ["serve", "status --jsom", "log", "log system", "run --log-level loud"] {
        assert_eq!(ucm_ha(words).code, 2, "{words}");
    }
}

#[test]
fn without_a_daemon_status_and_switch_say_what_to_do() {
    let Some(site) = Site::new() else { return };
    for command in ["status", "status --json", "switch"] {
        let answer = site.ask(command);
        assert_eq!(answer.code, 3, "{command}: {answer:?}");
        let socket = site.run_dir().join("control.sock");
        let line = format!("ucm-ha: no daemon answers at {}; start it with `ucm-ha run`\n", socket.display());
        assert_eq!(answer.err, line, "{command}");
    }
}

#[test]
fn the_configuration_may_be_named_before_and_after_the_subcommand() {
    let Some(site) = Site::new() else { return };
    let config = site.config().display().to_string();
    for words in [format!("check --config {config}"), format!("--config {config} check")] {
        assert_eq!(ucm_ha(&words).code, 0, "{words}");
    }
}

/// The program in a folder of its own, beside nothing but what a test puts there.
fn alone() -> (tempfile::TempDir, PathBuf) {
    let built = Path::new(env!("CARGO_BIN_EXE_ucm-ha"));
    // A link, not a copy: a program that was just written is busy while a child of another test still has its file open.
    let folder = tempfile::tempdir_in(built.parent().unwrap()).unwrap();
    let program = folder.path().join("ucm-ha");
    fs::hard_link(built, &program).unwrap();
    (folder, program)
}

#[test]
fn a_subcommand_with_a_program_of_its_own_names_the_package_where_it_is_not_installed() {
    let (folder, program) = alone();
    let answer = Answer::of(Command::new(program).args(["lab", "--list"]).output().unwrap());
    let expected = folder.path().join("ucm-ha-lab");
    assert_eq!(answer.code, 3, "{answer:?}");
    let line = format!(
        "ucm-ha: `ucm-ha lab` needs {}, which is not there; install the package ucm-ha-lab\n",
        expected.display()
    );
    assert_eq!(answer.err, line);
}

#[test]
fn a_subcommand_with_a_program_of_its_own_passes_everything_on() {
    let (folder, program) = alone();
    let script = folder.path().join("ucm-ha-lab");
    // Written by a process of its own, for the same reason.
    let write = "printf '#!/bin/sh\necho \"$UCM_HA: $*\"\nexit 7\n' >\"$0\" && chmod 755 \"$0\"";
    assert!(Command::new("sh").args(["-c", write]).arg(&script).status().unwrap().success());
    let words = ["lab", "--help", "--script", "tour", "-x", "--", "a b"];
    let answer = Answer::of(Command::new(&program).args(words).output().unwrap());
    assert_eq!(answer.out, format!("{}: --help --script tour -x -- a b\n", program.display()));
    assert_eq!(answer.code, 7);
}
