//! A rig that others control by commands. This is how the bench backend is tested without a bench.

use crate::Backend;
use crate::prepare;
use crate::rig::{Answer, Rig, Stimulus, parse_node};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;
use ucm_ha_linux::lab::error::Context;
use ucm_ha_linux::lab::sandbox::ROOT;

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

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    words: String,
    stdin: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    code: i32,
    text: String,
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
    let mut child = Command::new(program).args(arguments).spawn().context(format_args!("cannot run {program}"))?;
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

fn reply(rig: &mut dyn Rig, stream: UnixStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut line = String::new();
    let mut stream = BufReader::new(stream);
    stream.read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    let reply = match act(rig, &request) {
        Ok(answer) => Reply { code: answer.code, text: answer.text },
        Err(error) => Reply { code: 1, text: format!("{error}\n") },
    };
    serde_json::to_writer(stream.get_mut(), &reply).map_err(io::Error::from)
}

fn act(rig: &mut dyn Rig, request: &Request) -> io::Result<Answer> {
    let said = |text: String| Answer { code: 0, text };
    let node = |letter: &str| parse_node(letter).map_err(io::Error::other);
    match request.words.split_once(' ') {
        Some(("run", letter)) => rig.run(node(letter)?, &request.stdin),
        Some(("console", letter)) => rig.console(node(letter)?).map(said),
        Some(("mac", letter)) => Ok(said(format!("{}\n", rig.facts().macs[node(letter)?.index()]))),
        _ => {
            let stimulus: Stimulus = request.words.parse().map_err(io::Error::other)?;
            rig.apply(stimulus).map(|()| said(String::new()))
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
