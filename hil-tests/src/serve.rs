//! A rig that others control by commands. This is how the bench backend is tested without a bench.

use crate::Backend;
use crate::prepare;
use crate::rig::{Answer, Rig};
use clap::Args;
use lab::error::Context;
use lab::paths::ROOT;
use lab::plan::Node;
use lab::stimulus::Stimulus;
use serde::{Deserialize, Serialize};
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

/// The rig's socket, in its sandbox.
const SOCKET: &str = "rig.sock";
/// The network namespace of the rig's phone.
const PHONE_NAMESPACE: &str = "phone-namespace";
/// Time between two looks whether somebody asks.
const LOOK_PERIOD: Duration = Duration::from_millis(5);

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// What the pair is
    #[arg(long, value_enum, default_value_t = Backend::Qemu)]
    pub(crate) backend: Backend,
    /// Take the parts as the last `hil-tests/prepare` left them
    #[arg(long)]
    pub(crate) prepared: bool,
    /// The command; the rig lives as long as it runs
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<String>,
}

/// Arguments of `ask`.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// As in `power-off a`, `cable-pull`, `run a`, `console b`, `mac a`
    #[arg(required = true)]
    words: Vec<String>,
}

/// What somebody asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) words: String,
    /// Of `run` only: the command.
    #[serde(default)]
    pub(crate) stdin: String,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    code: i32,
    text: String,
}

impl Reply {
    /// It was done.
    pub(crate) fn done() -> Self {
        Self::said(String::new())
    }

    /// It was done, and this came of it.
    pub(crate) fn said(text: String) -> Self {
        Self { code: 0, text }
    }

    /// It could not be done.
    pub(crate) fn failed(error: &io::Error) -> Self {
        Self { code: 1, text: format!("{error}\n") }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { code: answer.code, text: answer.text }
    }
}

/// Runs the command beside the rig, and does what it asks for.
pub(crate) fn serve(args: &ServeArgs) -> io::Result<ExitCode> {
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(io::Error::other("serve needs a command"));
    };
    let mut rig = prepare::build(args.backend)?;
    let namespace = rig.seat().0.netns.as_raw_fd();
    symlink(format!("/proc/{}/fd/{namespace}", std::process::id()), Path::new(ROOT).join(PHONE_NAMESPACE))?;
    let listener = UnixListener::bind(Path::new(ROOT).join(SOCKET)).context("cannot open the rig's socket")?;
    listener.set_nonblocking(true)?;
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path_with_this_program()?);
    let mut child = command.spawn().context(format_args!("cannot run {program}"))?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => reply(rig.as_mut(), stream)?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_PERIOD),
            Err(error) => return Err(error),
        }
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
}

/// The search path, on which this program is found first.
fn path_with_this_program() -> io::Result<OsString> {
    let program = env::current_exe().context("cannot find this program")?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).map_err(io::Error::other)
}

fn reply(rig: &mut dyn Rig, stream: UnixStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut line = String::new();
    let mut stream = BufReader::new(stream);
    stream.read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    let reply = act(rig, &request).unwrap_or_else(|error| Reply::failed(&error));
    serde_json::to_writer(stream.get_mut(), &reply).map_err(io::Error::from)
}

fn act(rig: &mut dyn Rig, request: &Request) -> io::Result<Reply> {
    let node = |letter: &str| letter.parse::<Node>().map_err(io::Error::other);
    match request.words.split_once(' ') {
        Some(("run", letter)) => rig.run(node(letter)?, &request.stdin).map(Reply::from),
        Some(("console", letter)) => rig.console(node(letter)?).map(Reply::said),
        Some(("mac", letter)) => Ok(Reply::said(format!("{}\n", rig.facts().macs[node(letter)?.index()]))),
        _ => {
            let stimulus: Stimulus = request.words.parse().map_err(io::Error::other)?;
            rig.apply(stimulus).map(|()| Reply::done())
        }
    }
}

/// Asks the rig that this runs beside.
pub(crate) fn ask(args: &AskArgs) -> io::Result<ExitCode> {
    let socket = Path::new(ROOT).join(SOCKET);
    let mut stream = UnixStream::connect(&socket)
        .context(format_args!("no rig at {}; run this beside one, by `hil-tests serve`", socket.display()))?;
    let mut stdin = String::new();
    if args.words.first().is_some_and(|word| word == "run") {
        io::stdin().read_to_string(&mut stdin)?;
    }
    let request = Request { words: args.words.join(" "), stdin };
    serde_json::to_writer(&mut stream, &request)?;
    stream.write_all(b"\n")?;
    let reply: Reply = serde_json::from_reader(stream)?;
    print!("{}", reply.text);
    Ok(u8::try_from(reply.code).map_or(ExitCode::FAILURE, ExitCode::from))
}
