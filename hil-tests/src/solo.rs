//! One emulated machine alone, for a bench that brings the other ends of its cables.

use crate::prepare;
use crate::qemu::{Board, Links, Machine};
use crate::serve::{Reply, Request};
use clap::Args;
use lab::netns::Netns;
use lab::plan::Node;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The namespace of this process.
const OWN_NAMESPACE: &str = "/proc/self/ns/net";

/// Arguments of `machine`.
#[derive(Debug, Args)]
pub(crate) struct MachineArgs {
    /// Which node it is, a or b; its ports are the tap interfaces lan-NODE and cable-NODE of this namespace
    node: String,
    /// Where its disk and its console are
    folder: PathBuf,
}

/// Obeys one request a line of its standard input, each answered by a line, until that ends; with it ends the machine.
pub(crate) fn run(args: &MachineArgs) -> io::Result<ExitCode> {
    let node = args.node.parse::<Node>().map_err(io::Error::other)?;
    let parts = prepare::output().join(Board::Aarch64.name());
    let netns = Netns::at(Path::new(OWN_NAMESPACE))?;
    let mut machine = Machine::assemble(node, Board::Aarch64, &parts, &args.folder)?;
    for line in io::stdin().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let reply = obey(&mut machine, &netns, &request).unwrap_or_else(|error| Reply::failed(&error));
        println!("{}", serde_json::to_string(&reply)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn obey(machine: &mut Machine, netns: &Netns, request: &Request) -> io::Result<Reply> {
    match request.words.as_str() {
        "power-on" => machine.power_on(netns, Links { lan: true, cable: true }).map(|()| Reply::done()),
        "power-off" => machine.power_off().map(|()| Reply::done()),
        "run" => machine.run(&request.stdin).map(Reply::from),
        "console" => machine.console().map(Reply::said),
        other => Err(io::Error::other(format!("'{other}' is not power-on, power-off, run or console"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::qemu::tap_name;
    use lab::plan::{Node, Wire};

    #[test]
    fn the_ports_are_those_that_the_arguments_name() {
        assert_eq!(tap_name(Node::B, Wire::Lan), "lan-b");
        assert_eq!(tap_name(Node::A, Wire::Cable), "cable-a");
    }
}
