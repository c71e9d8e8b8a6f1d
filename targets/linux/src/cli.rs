//! The command line.

use crate::exit::{self, fail};
use crate::helper::{self, Helper};
use crate::journal::{self, EventsForm};
use crate::net::netlink::Netlink;
use crate::settings::{self, DEFAULT_CONFIG_FILE, Problem};
use crate::{core_helper, daemon, fxo, lock, sub_program};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use ucm_ha_control::{self as control, Conversation, Log, Reply, Report, Request};

/// Who follows the status hears from the daemon every second.
const STATUS_PATIENCE: Duration = Duration::from_secs(5);

/// High availability for a pair of IP-PBX appliances.
#[derive(Debug, Parser)]
#[command(name = "ucm-ha", version)]
struct Cli {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_CONFIG_FILE)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon in the foreground
    Run(RunArgs),
    /// Check the configuration; every problem is one line
    Check(CheckArgs),
    /// Show the HA status of this node
    Status(StatusArgs),
    /// Force switch: hand the active role to the peer
    Switch,
    /// Keep this node out of the active role, also over reboots, or let it take the role again
    ///
    /// An active node hands over first. It is refused where the peer could not take the role, or is in maintenance itself.
    Maintenance(MaintenanceArgs),
    /// Show the system alert events, newest first
    ///
    /// One a line: time, event name, type and content, separated by tabs. They are read from the files in
    /// paths.state_dir, with or without a daemon.
    Events(EventsArgs),
    /// Show an HA log, newest first, or clean it
    ///
    /// The logs are read from the files in paths.state_dir, with or without a daemon. A running daemon cleans them itself.
    Log(LogArgs),
    /// Report a critical fault of a service of the PBX
    Fault(FaultArgs),
    /// Give a service's sign of life
    Kick(KickArgs),
    /// Report a crash and store its core dump; for core_pattern
    CoreHelper(core_helper::CoreHelperArgs),
    /// Do what the daemon has no rights for; for ucm-ha-helper.socket
    ///
    /// The connection is stdin and stdout: one request, one answer. A program is run that a [[notify]] names, or a process of
    /// this program gets real-time priority; nothing else, and for root only.
    Helper,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// How much to log
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: log::LevelFilter,
    /// Socket of the helper that runs the programs of [[notify]] and gives real-time priority; without it the daemon does
    /// so itself
    #[arg(long, value_name = "SOCKET")]
    helper: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Print the settings that must match, a line for each, to be compared with those of the other node
    #[arg(long)]
    shared: bool,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// As one JSON object
    #[arg(long)]
    json: bool,
    /// Again at each change and at least every second, until interrupted
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Position {
    /// Keep it out
    On,
    /// Let it take the role again
    Off,
}

#[derive(Debug, Args)]
struct MaintenanceArgs {
    /// On or off
    position: Position,
    /// Whether or not somebody else can serve: the phones may be without service then
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct EventsArgs {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Oldest first, then wait for more, until interrupted
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HaLog {
    /// Changes of the role of this node
    Failover,
    /// Full backups
    Backup,
}

impl From<HaLog> for Log {
    fn from(log: HaLog) -> Self {
        match log {
            HaLog::Failover => Self::Failover,
            HaLog::Backup => Self::Backup,
        }
    }
}

#[derive(Debug, Args)]
struct LogArgs {
    /// Which log
    log: HaLog,
    /// Clean the log
    #[arg(long)]
    clear: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FaultChange {
    /// It stands
    Raise,
    /// It is over
    Clear,
}

impl From<FaultChange> for control::FaultChange {
    fn from(change: FaultChange) -> Self {
        match change {
            FaultChange::Raise => Self::Raise,
            FaultChange::Clear => Self::Clear,
        }
    }
}

#[derive(Debug, Args)]
struct FaultArgs {
    /// Raised or cleared
    change: FaultChange,
    /// The service's name
    name: String,
}

#[derive(Debug, Args)]
struct KickArgs {
    /// The service's name
    name: String,
}

/// Runs the command line of this process.
pub(crate) fn run() -> ExitCode {
    let matches = command().get_matches_from(core_helper::separated(std::env::args_os().collect()));
    if let Some(chosen) = sub_program::chosen(&matches) {
        return chosen.run();
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Run(args) => daemon::run(&cli.config, args.log_level, args.helper.map(Helper::new).as_ref()),
        Command::Check(args) => check(&cli.config, args.shared),
        Command::Status(args) if args.follow => follow_status(&cli.config, args.json),
        Command::Status(args) => status(&cli.config, args.json),
        Command::Switch => switch(&cli.config),
        Command::Maintenance(args) => maintenance(&cli.config, args),
        Command::Events(args) => events(&cli.config, EventsForm { json: args.json, follow: args.follow }),
        Command::Log(args) if args.clear => clear_log(&cli.config, args.log.into()),
        Command::Log(args) => log(&cli.config, args.log.into()),
        Command::Fault(FaultArgs { change, name }) => {
            tell_of_service(&cli.config, &name, |name| Request::Fault { name, change: change.into() })
        }
        Command::Kick(KickArgs { name }) => tell_of_service(&cli.config, &name, |name| Request::Kick { name }),
        // A dump is stored also where the configuration cannot be read, which was said then.
        Command::CoreHelper(args) => core_helper::run(&args, paths(&cli.config).unwrap_or_default()),
        Command::Helper => helper::serve(&cli.config),
    }
}

/// The command line itself.
pub(crate) fn command() -> clap::Command {
    Cli::command().subcommands(sub_program::commands())
}

/// Prints a line on stdout; that its reader went away is no fault of the command.
fn print(line: impl fmt::Display) -> ExitCode {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(exit::REFUSED, error),
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}

fn check(file: &Path, shared: bool) -> ExitCode {
    let mut problems = Vec::new();
    let sections = settings::read(file, &mut problems);
    let mut missing = sections.as_ref().and_then(|sections| sections.fxo.as_ref()).map_or_else(Vec::new, fxo::missing);
    missing.extend(sections.as_ref().map_or_else(Vec::new, settings::missing_programs));
    let resolved = match Netlink::open().and_then(|mut netlink| netlink.interfaces()) {
        Ok(interfaces) => sections.and_then(|sections| settings::resolve(&sections, &interfaces, &mut problems)),
        Err(error) => return fail(exit::REFUSED, format_args!("the network interfaces cannot be read: {error}")),
    };
    for problem in &problems {
        eprintln!("{problem}");
    }
    let Some(resolved) = resolved.filter(|_| problems.is_empty()) else { return ExitCode::from(exit::REFUSED) };
    if shared {
        return print(settings::shared(&resolved.config).join("\n"));
    }
    for note in resolved.notes.iter().chain(&missing) {
        eprintln!("note: {note}");
    }
    print(format_args!("{}: ok", file.display()))
}

/// `[paths]` of a configuration that may have problems elsewhere. The default file need not exist.
fn paths(file: &Path) -> Result<settings::Paths, ExitCode> {
    if file == Path::new(DEFAULT_CONFIG_FILE) && !file.exists() {
        return Ok(settings::Paths::default());
    }
    let mut problems: Vec<Problem> = Vec::new();
    let sections = settings::read(file, &mut problems);
    let of_paths = |problem: &&Problem| problem.key.starts_with("paths.");
    match (sections, problems.iter().find(of_paths).or(problems.first())) {
        (Some(_), Some(problem)) if of_paths(&problem) => Err(fail(exit::UNUSABLE, problem)),
        (Some(sections), _) => Ok(sections.paths),
        (None, Some(problem)) => Err(fail(exit::UNUSABLE, problem)),
        (None, None) => Ok(settings::Paths::default()),
    }
}

fn ask(file: &Path, request: Request) -> Result<Reply, ExitCode> {
    control::ask(&paths(file)?.run_dir, request).map_err(|failure| fail(exit::NO_DAEMON, failure))
}

fn status(file: &Path, json: bool) -> ExitCode {
    match ask(file, Request::Status) {
        Ok(Reply::Status { status }) => print_status(&status, json),
        Ok(reply) => answered(&reply),
        Err(code) => code,
    }
}

fn print_status(status: &Report, json: bool) -> ExitCode {
    match text_of(status, json) {
        Ok(text) => print(text),
        Err(error) => fail(exit::REFUSED, error),
    }
}

fn text_of(status: &Report, json: bool) -> serde_json::Result<String> {
    if json { serde_json::to_string(status) } else { Ok(status.to_string()) }
}

/// Each status stands for itself; without JSON a blank line follows it. Ends with the daemon, or with whoever reads.
fn follow_status(file: &Path, json: bool) -> ExitCode {
    let run_dir = match paths(file) {
        Ok(paths) => paths.run_dir,
        Err(code) => return code,
    };
    let mut daemon = match Conversation::begin(&run_dir, &Request::Subscribe) {
        Ok(daemon) => daemon,
        Err(failure) => return fail(exit::NO_DAEMON, failure),
    };
    loop {
        let status = match daemon.next(STATUS_PATIENCE) {
            Ok(Some(Reply::Status { status })) => status,
            Ok(Some(reply)) => return answered(&reply),
            Ok(None) => return fail(exit::NO_DAEMON, "the daemon says nothing any more; see its log"),
            Err(failure) => return fail(exit::NO_DAEMON, failure),
        };
        let written = text_of(&status, json)
            .map_err(io::Error::from)
            .and_then(|text| writeln!(io::stdout(), "{text}{}", if json { "" } else { "\n" }));
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Err(error) => return fail(exit::REFUSED, error),
        }
    }
}

fn switch(file: &Path) -> ExitCode {
    match ask(file, Request::Switch) {
        Ok(Reply::Done) => switched(file),
        Ok(reply) => answered(&reply),
        Err(code) => code,
    }
}

/// Says what a switch has led to. It is done, whether that can be asked for or not.
fn switched(file: &Path) -> ExitCode {
    // The error is none of the switch's.
    let asked = paths(file).ok().and_then(|paths| control::ask(&paths.run_dir, Request::Status).ok());
    match asked {
        Some(Reply::Status { status }) => print(format_args!(
            "switched: the peer {} is active now, this node is {} (term {})",
            status.peer.ip,
            status.role.to_lowercase(),
            status.term
        )),
        _ => print("switched: the peer is active now"),
    }
}

fn maintenance(file: &Path, args: MaintenanceArgs) -> ExitCode {
    let on = args.position == Position::On;
    match ask(file, Request::Maintenance { on, force: args.force }) {
        Ok(Reply::Done) if on && args.force => {
            print("in maintenance: this node does not take the active role, also where nobody else can serve")
        }
        Ok(Reply::Done) if on => {
            print("in maintenance: this node does not take the active role; the peer serves alone")
        }
        Ok(Reply::Done) => print("out of maintenance: this node may take the active role"),
        Ok(reply) => answered(&reply),
        Err(code) => code,
    }
}

fn tell_of_service(file: &Path, name: &str, request: impl FnOnce(String) -> Request) -> ExitCode {
    if let Err(reason) = settings::check_service_name(name) {
        return fail(exit::UNUSABLE, format_args!("{name:?}: the name of a service {reason}"));
    }
    match ask(file, request(name.to_owned())) {
        Ok(reply) => answered(&reply),
        Err(code) => code,
    }
}

fn events(file: &Path, form: EventsForm) -> ExitCode {
    match paths(file) {
        Ok(paths) => done(journal::events(&paths.state_dir, form)),
        Err(code) => code,
    }
}

fn log(file: &Path, log: Log) -> ExitCode {
    match paths(file) {
        Ok(paths) => done(journal::log(&paths.state_dir, log)),
        Err(code) => code,
    }
}

/// Lets the daemon clear a log; where none runs, does so itself and keeps daemons from starting meanwhile.
fn clear_log(file: &Path, log: Log) -> ExitCode {
    let paths = match paths(file) {
        Ok(paths) => paths,
        Err(code) => return code,
    };
    match control::ask(&paths.run_dir, Request::ClearLog { log }) {
        Ok(reply) => answered(&reply),
        Err(control::Failure::NoDaemon(_)) => {
            let held =
                daemon::make_dir(&paths.run_dir, "run_dir", daemon::OF_ALL).and_then(|()| lock::lock(&paths.run_dir));
            done(held.and_then(|_held| journal::clear(&paths.state_dir, log)))
        }
        Err(failure) => fail(exit::NO_DAEMON, failure),
    }
}

fn done(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(exit::REFUSED, reason),
    }
}

fn answered(reply: &Reply) -> ExitCode {
    match reply {
        Reply::Done | Reply::Status { .. } | Reply::Part { .. } => ExitCode::SUCCESS,
        Reply::Refused { reason } => fail(exit::REFUSED, format_args!("refused: {reason}")),
        Reply::Error { reason } => fail(exit::REFUSED, format_args!("the daemon reports: {reason}")),
    }
}
