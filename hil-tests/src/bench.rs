//! A real pair on a bench: every stimulus is a command that a file gives.

use crate::rig::{Answer, Facts, Rig, Tap};
use lab::error::Context;
use lab::frames::FrameSocket;
use lab::netns::Netns;
use lab::pair::Ability;
use lab::plan::Node;
use lab::site::Site;
use lab::stimulus::Stimulus;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use ucm_ha::types::{Cidr, MacAddr};

/// The namespace of this process, in which a bench's phone sits unless the file says otherwise.
const OWN_NAMESPACE: &str = "/proc/self/ns/net";

/// The file. `{node}` in a command is `a` or `b`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BenchFile {
    pair: Pair,
    phone: Phone,
    nodes: Nodes,
    stimuli: BTreeMap<String, String>,
}

/// What the scenarios must know of the pair.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    cluster_ip: Ipv4Addr,
    heartbeat_timeout: u64,
    boot_limit_s: u64,
    /// 0 where the machines have no watchdog, or must not be broken.
    watchdog_s: u64,
}

/// Where this machine is connected to the pair's LAN.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phone {
    interface: String,
    address: String,
    namespace: Option<PathBuf>,
}

/// How to talk to a node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nodes {
    /// Runs the shell command on its stdin on the node, and ends with its exit code.
    run: String,
    /// Prints what the node has written on its console.
    console: String,
    /// Prints the MAC address of the node's LAN port.
    mac: String,
}

/// The bench.
pub(crate) struct Bench {
    file: BenchFile,
    phone_address: Cidr,
    macs: [MacAddr; 2],
    seat: Site,
}

impl Bench {
    /// Reads the file and asks who is there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).context(format_args!("cannot read {shown}"))?;
        let file = read(&text).map_err(|reason| io::Error::other(format!("{shown}: {reason}")))?;
        let phone_address =
            parse_cidr(&file.phone.address).map_err(|reason| io::Error::other(format!("{shown}: {reason}")))?;
        let namespace = file.phone.namespace.as_deref().unwrap_or(Path::new(OWN_NAMESPACE));
        let seat = Site::of(Netns::at(namespace)?)?;
        let macs = [ask_mac(&file.nodes.mac, Node::A)?, ask_mac(&file.nodes.mac, Node::B)?];
        Ok(Self { file, phone_address, macs, seat })
    }

    /// The command for a stimulus.
    fn command(&self, stimulus: Stimulus) -> Result<&str, String> {
        let name = stimulus.name().map_or_else(|| stimulus.to_string(), str::to_owned);
        let command = self.file.stimuli.get(&name);
        command.map(String::as_str).ok_or_else(|| format!("the bench has no command for {name}"))
    }

    /// The address of this machine on the pair's LAN.
    pub(crate) fn phone_address(&self) -> Cidr {
        self.phone_address
    }
}

/// Reads the file's text; an error is one line that says what to do.
fn read(text: &str) -> Result<BenchFile, String> {
    let file: BenchFile = toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "))?;
    match file.stimuli.keys().find(|name| !Stimulus::is_name(name)) {
        Some(name) => Err(format!("stimuli.{name}: there is no stimulus of this name")),
        None => Ok(file),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, String> {
    let wrong = || format!("phone.address = {text}: not an address with its prefix, as in 192.168.129.100/24");
    let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
    let prefix_len = prefix.parse().ok().filter(|len| *len <= 32).ok_or_else(wrong)?;
    Ok(Cidr { address: address.parse().map_err(|_| wrong())?, prefix_len })
}

fn parse_mac(text: &str) -> Option<MacAddr> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(MacAddr(bytes))
}

fn ask_mac(command: &str, node: Node) -> io::Result<MacAddr> {
    let output = execute(command, node, None)?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_mac(text.trim())
        .ok_or_else(|| io::Error::other(format!("`{command}` gives no MAC address but '{}'", text.trim())))
}

/// Runs a command of the file for a node.
fn execute(command: &str, node: Node, stdin: Option<&str>) -> io::Result<Output> {
    let command = command.replace("{node}", node.letter());
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().context("cannot run a shell")?;
    if let Some(mut pipe) = child.stdin.take() {
        // A command that does not read its input may close it.
        match pipe.write_all(stdin.unwrap_or_default().as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    child.wait_with_output().context(format_args!("cannot run `{command}`"))
}

impl Rig for Bench {
    fn facts(&self) -> Facts {
        let pair = &self.file.pair;
        Facts {
            cluster_ip: pair.cluster_ip,
            macs: self.macs,
            timeout: Duration::from_secs(pair.heartbeat_timeout),
            boot_limit: Duration::from_secs(pair.boot_limit_s),
            watchdog: Duration::from_secs(pair.watchdog_s),
        }
    }

    fn has(&self, ability: Ability) -> Result<(), String> {
        match ability {
            Ability::Give(stimulus) => self.command(stimulus).map(drop),
            Ability::OwnKernel if self.file.pair.watchdog_s == 0 => Err("the bench has no watchdog".to_owned()),
            Ability::OwnKernel => Ok(()),
            Ability::BadWires => Err("the bench's wires are good".to_owned()),
            Ability::Key => Err("nobody knows whether the bench's nodes have a key".to_owned()),
        }
    }

    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()> {
        let command = self.command(stimulus).map_err(io::Error::other)?;
        let node = stimulus.node().unwrap_or(Node::A);
        let output = execute(command, node, None)?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("`{command}` failed for {stimulus}: {}", reason.trim())));
        }
        if let Stimulus::Replace(node) = stimulus {
            self.macs[node.index()] = ask_mac(&self.file.nodes.mac, node)?;
        }
        Ok(())
    }

    fn run(&mut self, node: Node, command: &str) -> io::Result<Answer> {
        let output = execute(&self.file.nodes.run, node, Some(command))?;
        let text = [output.stdout, output.stderr].concat();
        Ok(Answer { code: output.status.code().unwrap_or(-1), text: String::from_utf8_lossy(&text).into_owned() })
    }

    fn console(&mut self, node: Node) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&execute(&self.file.nodes.console, node, None)?.stdout).into_owned())
    }

    fn seat(&mut self) -> (&mut Site, &str) {
        (&mut self.seat, &self.file.phone.interface)
    }

    /// Only what reaches this machine; the nodes' own ports and the cable are not seen from here.
    fn taps(&mut self) -> io::Result<Vec<Tap>> {
        let name = self.file.phone.interface.clone();
        let socket = FrameSocket::open(&self.seat.netns, &mut self.seat.links, &name)?;
        Ok(vec![Tap { name, socket }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMULATED: &str = include_str!("../bench/emulated.toml");

    #[test]
    fn the_example_is_a_bench_with_every_stimulus() {
        let file = read(EMULATED).expect("the example can be read");
        for stimulus in [Stimulus::PowerOn(Node::A), Stimulus::CablePull, Stimulus::Replace(Node::B)] {
            assert!(stimulus.name().is_some_and(|name| file.stimuli.contains_key(name)), "{stimulus}");
        }
    }

    #[test]
    fn a_misspelt_stimulus_is_named() {
        let text = EMULATED.replace("cable-pull", "cable-pul");
        assert_eq!(read(&text).err(), Some("stimuli.cable-pul: there is no stimulus of this name".to_owned()));
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        assert!(parse_cidr("192.168.129.100").is_err());
        assert!(parse_cidr("192.168.129.100/33").is_err());
        assert_eq!(parse_mac("c0:74:ad:53:73"), None);
        assert_eq!(parse_mac("c0:74:ad:53:73:72"), Some(MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x72])));
    }
}
