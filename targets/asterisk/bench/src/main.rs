//! A real Asterisk with `res_ucm_ha` on each node of a pair, and what can happen to it: `targets/asterisk/check` builds what is
//! needed and runs this.
//!
//! Everything happens in the sandbox of the lab, which the kernel removes when this ends, for whatever reason.

mod ami;
mod asterisk;
mod cases;
mod phone;
mod stage;

use rustix::mount::{MountFlags, mount, mount_bind_recursive};
use rustix::process::setpriority_process;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;
use stage::{Stage, expect};
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use ucm_ha_linux::lab::error::Context;
use ucm_ha_linux::lab::sandbox;

/// Nice value of everything: real machines would not wait for what else this one does.
const PRIORITY: i32 = -15;

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
    if let Err(error) = setpriority_process(None, PRIORITY) {
        eprintln!(
            "asterisk-bench: no priority over other programs ({error}); a busy machine may disturb the measuring"
        );
    }
    let (program, root) = (path_from("UCM_HA")?, path_from("UCM_HA_ASTERISK_ROOT")?);
    furnish(&root)?;
    let wanted: Vec<String> = env::args().skip(1).collect();
    let mut failed = 0;
    let chosen: Vec<_> =
        cases::ALL.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name)).collect();
    expect(!chosen.is_empty(), || format!("no case is named {}", wanted.join(" or ")))?;
    for (name, case) in &chosen {
        failed += usize::from(!play(name, *case, &program, &root));
    }
    println!("{} passed, {failed} failed", chosen.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the case came out well.
fn play(name: &str, case: cases::Case, program: &Path, root: &Path) -> bool {
    println!("case {name}");
    let begun = Instant::now();
    let outcome = Stage::set(program, root).and_then(|mut stage| {
        let played = case(&mut stage).and_then(|()| {
            let both = stage.both_bound();
            expect(both == Duration::ZERO, || format!("both nodes had the cluster IP for {both:?}"))
        });
        played.inspect_err(|_| println!("{}", stage.logs()))
    });
    match &outcome {
        Ok(()) => println!("case {name}: ok, {:.1} s", begun.elapsed().as_secs_f32()),
        Err(error) => println!("case {name}: FAILED: {error}"),
    }
    outcome.is_ok()
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

fn path_from(variable: &str) -> io::Result<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    path.ok_or_else(|| io::Error::other(format!("{variable} is not set; run targets/asterisk/check")))
}
