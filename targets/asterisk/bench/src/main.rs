//! A real Asterisk with `res_ucm_ha` on each node of a pair, and what can happen to it; and the C program that embeds a node.
//! `targets/asterisk/check` builds what is needed and runs this.
//!
//! Everything happens in the sandbox of the lab, which the kernel removes when this ends, for whatever reason.

mod ami;
mod asterisk;
mod cases;
mod embedded;
mod host;
mod phone;
mod stage;

use lab::error::Context;
use lab::outcome::{Failure, Step};
use lab::{priority, sandbox};
use rustix::mount::{MountFlags, mount, mount_bind_recursive};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;
use stage::{Parts, Stage, expect};
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("asterisk-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<ExitCode> {
    if !sandbox::is_inside() {
        let status = sandbox::run_again_inside()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    sandbox::settle()?;
    // The first process of a PID namespace is deaf to signals it does not handle.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        register_conditional_shutdown(signal, 1, Arc::new(AtomicBool::new(true)))?;
    }
    if let Err(error) = priority::take() {
        eprintln!(
            "asterisk-bench: no priority over other programs ({error}); a busy machine may disturb the measuring"
        );
    }
    let parts = Parts {
        daemon: part("UCM_HA")?.into(),
        host: part("UCM_HA_HOST")?.into(),
        root: part("UCM_HA_ASTERISK_ROOT")?.into(),
    };
    furnish(&parts.root)?;
    let wanted: Vec<String> = env::args().skip(1).collect();
    let mut failed = 0;
    let chosen: Vec<_> =
        cases::ALL.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name)).collect();
    expect(!chosen.is_empty(), || format!("no case is named {}", wanted.join(" or ")))?;
    for (name, case) in &chosen {
        failed += usize::from(!play(name, *case, &parts));
    }
    println!("{} passed, {failed} failed", chosen.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the case came out well.
fn play(name: &str, case: cases::Case, parts: &Parts) -> bool {
    println!("case {name}");
    let begun = Instant::now();
    let outcome = fair::fairly(name, || play_once(case, parts), |outcome| outcome.as_ref().err()?.excusable());
    match &outcome {
        Ok(()) => println!("case {name}: ok, {:.1} s", begun.elapsed().as_secs_f32()),
        Err(failure) => println!("case {name}: FAILED: {}", failure.reason),
    }
    outcome.is_ok()
}

fn play_once(case: cases::Case, parts: &Parts) -> Step {
    let mut stage = Stage::set(parts)?;
    let played = case(&mut stage).map_err(Failure::from).and_then(|()| match stage.two_holders() {
        None => Ok(()),
        Some(two) => Err(Failure::standing(format!("expected: {two}"))),
    });
    played.inspect_err(|_| println!("{}", stage.logs()))
}

/// Gives the folder with Debian's files what a running program expects. Only this sandbox sees it.
fn furnish(root: &Path) -> io::Result<()> {
    for part in ["/run", "/dev"] {
        let there = root.join(part.trim_start_matches('/'));
        mount_bind_recursive(part, &there).context(format_args!("cannot mount {}", there.display()))?;
    }
    let proc = root.join("proc");
    mount("proc", &proc, "proc", MountFlags::empty(), None).context(format_args!("cannot mount {}", proc.display()))
}

/// Where `targets/asterisk/check` put a part.
fn part(variable: &str) -> io::Result<OsString> {
    env::var_os(variable).ok_or_else(|| io::Error::other(format!("{variable} is not set; run targets/asterisk/check")))
}
