//! The command line of the lab.

use crate::daemon::Settings;
use crate::lab_course::Course;
use crate::moves::Scenario;
use crate::operations::{Lab, LabOptions};
use crate::timeline::Timeline;
use crate::{core_pattern, print, report, sandbox, scenarios, service, ui};
use clap::Parser;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::fmt;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Exit code where a scenario failed, or the lab itself.
const FAILED: u8 = 1;
/// Exit code of a usage error.
const UNUSABLE: u8 = 2;

/// Two nodes, cable, LAN, gateway and a phone on this one machine, in network namespaces.
#[derive(Debug, Parser)]
#[command(name = "ucm-ha-lab", version)]
struct LabArgs {
    /// Play a scenario instead of showing the live picture
    #[arg(long, value_name = "NAME")]
    script: Option<String>,
    /// List the scenarios
    #[arg(long)]
    list: bool,
    /// Play it this often, each time in a new lab, and give minimum, median and maximum
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Heartbeat timeout in seconds
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u8).range(3..=10))]
    timeout: Option<u8>,
    /// For how long a scenario watches, in seconds, where that is free to choose
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: Option<u32>,
    /// Where the random faults of a scenario begin
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often a scenario repeats what it does, where that is free to choose
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// One JSON object for each run instead of a timeline
    #[arg(long)]
    json: bool,
    /// Be a service of the PBX with so much memory, in MiB
    #[arg(long, hide = true, value_name = "MIB")]
    be_service: Option<u32>,
}

/// The scenario that is played where nobody asked for another one.
const DEFAULT_SCENARIO: &str = "tour";

/// Runs the lab.
pub(crate) fn run() -> ExitCode {
    let args = LabArgs::parse();
    if args.list {
        let width = scenarios::all().map(|scenario| scenario.name.len()).max().unwrap_or_default();
        for scenario in scenarios::all() {
            print::line(format_args!("{:<width$}  {}", scenario.name, scenario.about));
        }
        return ExitCode::SUCCESS;
    }
    if let Some(mib) = args.be_service {
        return match service::be(mib) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(FAILED, error),
        };
    }
    let name = args.script.as_deref().unwrap_or(DEFAULT_SCENARIO);
    let Some(scenario) = scenarios::find(name) else {
        return fail(UNUSABLE, format_args!("there is no scenario {name}; `--list` names them all"));
    };
    if !sandbox::is_inside() {
        return match run_again_inside() {
            Ok(status) => passed_on(status),
            Err(error) => fail(FAILED, error),
        };
    }
    match play_inside(&args, scenario) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => fail(FAILED, error),
    }
}

/// Whatever becomes of the lab inside, the machine's `core_pattern` is put back.
fn run_again_inside() -> io::Result<ExitStatus> {
    let status = sandbox::run_again_inside();
    if let Err(error) = core_pattern::put_back_left_over() {
        eprintln!("lab: {error}");
    }
    status
}

fn play_inside(args: &LabArgs, scenario: &Scenario) -> io::Result<bool> {
    sandbox::settle()?;
    // The first process of a PID namespace is deaf to signals it does not handle.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    if args.script.is_none() && !args.json && io::stdout().is_terminal() && io::stdin().is_terminal() {
        return show_live(args, &interrupted).map(|()| true);
    }
    let order = report::Order {
        timeout_s: args.timeout,
        seconds: args.seconds,
        seed: args.seed,
        rounds: args.rounds,
        runs: args.runs,
        json: args.json,
    };
    report::play(scenario, &order, &interrupted)
}

/// The live picture.
fn show_live(args: &LabArgs, interrupted: &Arc<AtomicBool>) -> io::Result<()> {
    let timeout_s = args.timeout.unwrap_or(report::USUAL_TIMEOUT_S);
    let settings = Settings { timeout_s, fast_failover: true, gateway: true };
    let lab = Lab::build(&LabOptions { settings, relays: false, keyed: false }, Timeline::begin(false))?;
    let course = Course::new(lab, Duration::from_secs(timeout_s.into()), Arc::clone(interrupted));
    ui::run(course, interrupted)
}

fn passed_on(status: ExitStatus) -> ExitCode {
    const KILLED_BY: i32 = 128;
    let code = status.code().or(status.signal().map(|signal| KILLED_BY + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// One line on stderr, and the exit code.
fn fail(code: u8, message: impl fmt::Display) -> ExitCode {
    eprintln!("ucm-ha-lab: {message}");
    ExitCode::from(code)
}
