//! The rig: scenarios written once, played on emulated ARM machines or on a real bench.
//!
//! `cargo run -p hil-tests -- --backend qemu` plays them all. Everything but a bench happens in a sandbox of the kernel's,
//! as the lab does: whatever becomes of this program, nothing of it is left.
#![forbid(unsafe_code)]

mod alerts;
mod bench;
mod capture;
mod course;
mod holder;
mod limits;
mod line;
mod names;
mod prepare;
mod qemu;
mod realtime;
mod report;
mod rig;
mod scenarios;
mod serve;
mod solo;
mod summary;

use clap::{Args, Parser, Subcommand, ValueEnum};
use course::Stage;
use lab::{priority, sandbox};
use report::Order;
use scenarios::Scenario;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Play scenarios on a pair and check what came of them.
#[derive(Debug, Parser)]
#[command(name = "hil-tests", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    play: PlayArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct PlayArgs {
    /// What the pair is
    #[arg(long, value_enum, default_value_t = Backend::Qemu)]
    backend: Backend,
    /// Only this scenario; may be given more than once
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// List the scenarios
    #[arg(long)]
    list: bool,
    /// Play them this often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How often a scenario repeats what it does, where that is free to choose
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// The commands of the bench
    #[arg(long, value_name = "FILE", required_if_eq("backend", "bench"))]
    bench: Option<PathBuf>,
    /// Keep the captures of what passed, too
    #[arg(long)]
    keep: bool,
    /// Take the parts as the last `hil-tests/prepare` left them
    #[arg(long)]
    prepared: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a rig, run a command beside it, and let it control the rig by `ask`
    Serve(serve::ServeArgs),
    /// Control the rig that this runs beside: a stimulus, `run NODE` with the command on stdin, or `console NODE`
    Ask(serve::AskArgs),
    /// Run one emulated 64-bit machine in this network namespace, controlled by requests on standard input
    Machine(solo::MachineArgs),
}

/// What the pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// Two emulated 64-bit ARM machines
    Qemu,
    /// An emulated 64-bit and an emulated 32-bit ARM machine
    QemuMixed,
    /// A real pair, controlled by commands
    Bench,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Ask(args)) => serve::ask(&args),
        Some(Command::Machine(args)) => solo::run(&args),
        Some(Command::Serve(args)) => in_sandbox(args.backend, args.prepared, || serve::serve(&args)),
        None if cli.play.list => {
            scenarios::ALL.iter().for_each(|scenario| println!("{:<20}{}", scenario.name, scenario.about));
            Ok(ExitCode::SUCCESS)
        }
        None => prepare_and_play(&cli.play),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("hil-tests: {error}");
        ExitCode::FAILURE
    })
}

/// A bench is outside; everything else is made in a sandbox, after what needs the outside was done.
fn in_sandbox(backend: Backend, prepared: bool, task: impl FnOnce() -> io::Result<ExitCode>) -> io::Result<ExitCode> {
    if backend == Backend::Bench {
        return task();
    }
    if !sandbox::is_inside() {
        if !prepared {
            prepare::prepare(backend)?;
        }
        let status = sandbox::run_again_inside()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    sandbox::settle()?;
    if let Err(error) = priority::take() {
        eprintln!("hil-tests: no priority over other programs ({error}); a busy machine may disturb the measuring");
    }
    task()
}

fn prepare_and_play(args: &PlayArgs) -> io::Result<ExitCode> {
    let scenarios = chosen(&args.scenario)?;
    in_sandbox(args.backend, args.prepared, || play(args, scenarios))
}

fn play(args: &PlayArgs, scenarios: Vec<&'static Scenario>) -> io::Result<ExitCode> {
    // The first process of a PID namespace is deaf to signals it does not handle.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let name = args.backend.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let build = || stage(args);
    let order = Order {
        scenarios,
        runs: args.runs,
        rounds: args.rounds,
        folder: prepare::output().join("report").join(&name),
        backend: name,
        keep: args.keep,
        build: &build,
    };
    let good = report::play(&order, &interrupted)?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> io::Result<Vec<&'static Scenario>> {
    if names.is_empty() {
        return Ok(scenarios::ALL.iter().collect());
    }
    let found = names.iter().map(|name| {
        let unknown = || io::Error::other(format!("there is no scenario {name}; `hil-tests --list` names them all"));
        scenarios::find(name).ok_or_else(unknown)
    });
    found.collect()
}

fn stage(args: &PlayArgs) -> io::Result<Stage> {
    match (args.backend, &args.bench) {
        (Backend::Bench, Some(file)) => {
            let bench = bench::Bench::open(file)?;
            let address = bench.phone_address();
            Stage::set(Box::new(bench), Some(address))
        }
        (backend, _) => Stage::set(prepare::build(backend)?, None),
    }
}
