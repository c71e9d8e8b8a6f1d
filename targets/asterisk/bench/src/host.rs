//! `ucm-ha-host`, the C program that embeds a node, on a node of the pair.

use lab::error::Context;
use lab::netns::Netns;
use lab::paths::directory;
use lab::plan::{CABLE, CLUSTER_IP, GATEWAY, LAN, Node};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The running program. Dropping this kills it.
pub(crate) struct Host {
    process: Child,
    log: PathBuf,
}

impl Host {
    /// Starts it in `netns`, with the settings that the lab's daemons have.
    pub(crate) fn start(program: &Path, node: Node, netns: &Netns, timeout_s: u8) -> io::Result<Self> {
        let log = directory(node).join("host.log");
        let file = File::create(&log).context("cannot open its log")?;
        let mut command = Command::new(program);
        command.args(["--station", if node == Node::A { "primary" } else { "secondary" }]);
        command.args(["--lan", LAN, "--cable", CABLE, "--own", &node.address().to_string()]);
        command.args(["--peer", &address(node.peer().address().address), "--cluster", &CLUSTER_IP.to_string()]);
        command.args(["--gateway", &address(GATEWAY.address), "--timeout", &timeout_s.to_string()]);
        command.arg("--state").arg(directory(node).join("host.state"));
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let process = netns.run(|| command.spawn()).context(format_args!("cannot start {}", program.display()))?;
        Ok(Self { process, log })
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.process), signal).context("cannot signal the program")
    }

    /// The exit code once it has ended; -1 after a signal.
    pub(crate) fn ended(&mut self) -> io::Result<Option<i32>> {
        Ok(self.process.try_wait()?.map(|status| status.code().unwrap_or(-1)))
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("(no log: {error})"))
    }

    /// The newest role that it told.
    pub(crate) fn role(&self) -> Option<String> {
        let log = self.log();
        let line = log.lines().rfind(|line| line.contains(" -> "))?;
        Some(line.split_once(" -> ")?.1.split(',').next()?.to_owned())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.process.kill();
        if let Err(error) = self.process.wait() {
            eprintln!("asterisk-bench: the program cannot be waited for: {error}");
        }
    }
}

fn address(ip: Ipv4Addr) -> String {
    ip.to_string()
}
