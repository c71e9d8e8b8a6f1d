//! Two daemons in network namespaces of this machine, as in the lab. They share its kernel.

use crate::rig::{Ability, Answer, Facts, Rig, Stimulus, TIMEOUT_S, Tap, letter};
use lab::daemon::{self, Daemon, Settings};
use lab::error::Context;
use lab::network::{Cut, Network};
use lab::paths;
use lab::plan::{CLUSTER_IP, LAN, Node, Port};
use lab::site::Site;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const BOOT_LIMIT: Duration = Duration::from_secs(5);
/// The firmware that an upgrade brings.
const NEXT_FIRMWARE: &str = "1.0.11.0";

/// The pair.
pub(crate) struct Namespaces {
    // Dropped before the network.
    daemons: [Daemon; 2],
    network: Network,
    parts: PathBuf,
    facts: Facts,
}

impl Namespaces {
    /// Builds the network and configures the daemons, which do not run yet. `parts` is the folder with the two builds.
    pub(crate) fn build(parts: &Path) -> io::Result<Self> {
        let network = Network::build(false)?;
        let settings = Settings { timeout_s: TIMEOUT_S, fast_failover: true, gateway: true };
        let daemons = [
            Daemon::configure(Node::A, &settings, &parts.join("ucm-ha"))?,
            Daemon::configure(Node::B, &settings, &parts.join("ucm-ha"))?,
        ];
        let facts = Facts::of_built(BOOT_LIMIT, Duration::ZERO);
        let mut rig = Self { daemons, network, parts: parts.to_owned(), facts };
        for node in Node::ALL {
            fs::create_dir_all(bin_folder(node)).context("cannot make a folder for the daemon")?;
            rig.install(node, "ucm-ha")?;
            rig.network.set_powered(node, false)?;
        }
        Ok(rig)
    }

    fn install(&mut self, node: Node, build: &str) -> io::Result<()> {
        let program = self.parts.join(build);
        let link = bin_folder(node).join("ucm-ha");
        if link.is_symlink() {
            fs::remove_file(&link)?;
        }
        symlink(&program, &link).context("cannot install the daemon")?;
        self.daemons[node.index()].set_program(&program);
        Ok(())
    }

    fn power_on(&mut self, node: Node) -> io::Result<()> {
        for port in [Port::lan(node), Port::cable(node)] {
            if self.network.is_silent(port) {
                self.network.mend(port)?;
            }
        }
        self.network.set_powered(node, true)?;
        let netns = &self.network.node(node).netns;
        self.daemons[node.index()].start(netns)
    }

    fn power_off(&mut self, node: Node) -> io::Result<()> {
        // The daemon first: it must not see its own links go.
        self.daemons[node.index()].kill()?;
        self.network.set_powered(node, false)
    }

    /// Nothing passes any more, while the peer keeps its carrier.
    fn power_off_silently(&mut self, node: Node) -> io::Result<()> {
        self.network.cut(Port::lan(node), Cut::Silent)?;
        self.network.cut(Port::cable(node), Cut::Silent)?;
        self.daemons[node.index()].kill()?;
        self.network.node(node).links.remove_address(LAN, CLUSTER_IP)
    }

    fn each_port(&mut self, port: fn(Node) -> Port, cut: bool) -> io::Result<()> {
        for node in Node::ALL {
            self.one_port(port(node), cut)?;
        }
        Ok(())
    }

    fn one_port(&mut self, port: Port, cut: bool) -> io::Result<()> {
        if cut { self.network.cut(port, Cut::Carrier) } else { self.network.mend(port) }
    }

    fn upgrade(&mut self, node: Node) -> io::Result<()> {
        self.install(node, "ucm-ha-next")?;
        let file = paths::config_file(node);
        let config = fs::read_to_string(&file).context("cannot read the configuration")?;
        let lines = config.lines().map(|line| {
            if line.starts_with("firmware = ") {
                format!("firmware = \"{NEXT_FIRMWARE}\"\n")
            } else {
                format!("{line}\n")
            }
        });
        fs::write(&file, lines.collect::<String>()).context("cannot write the configuration")
    }

    fn replace(&mut self, node: Node) -> io::Result<()> {
        let state = state_folder(node);
        if state.exists() {
            fs::remove_dir_all(&state).context("cannot empty the state directory")?;
        }
        let mac = self.facts.replace_unit(node);
        self.network.node(node).links.set_mac(LAN, mac)
    }
}

impl Rig for Namespaces {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn has(&self, ability: Ability) -> Result<(), String> {
        match ability {
            Ability::OwnKernel => Err("a namespace has no kernel and no watchdog of its own".to_owned()),
            Ability::Give(_) => Ok(()),
        }
    }

    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()> {
        match stimulus {
            Stimulus::PowerOn(node) => self.power_on(node),
            Stimulus::PowerOff(node) => self.power_off(node),
            Stimulus::PowerOffSilently(node) => self.power_off_silently(node),
            Stimulus::CablePull => self.each_port(Port::cable, true),
            Stimulus::CablePlug => self.each_port(Port::cable, false),
            Stimulus::LanPull(node) => self.one_port(Port::lan(node), true),
            Stimulus::LanPlug(node) => self.one_port(Port::lan(node), false),
            Stimulus::SwitchOff => self.each_port(Port::lan, true),
            Stimulus::SwitchOn => self.each_port(Port::lan, false),
            Stimulus::FxoFault(node, port) => daemon::set_fxo(node, port.number(), "dead"),
            Stimulus::FxoClear(node, port) => daemon::set_fxo(node, port.number(), "ok"),
            Stimulus::Reload(node) => self.daemons[node.index()].reload(),
            Stimulus::Upgrade(node) => self.upgrade(node),
            Stimulus::Replace(node) => self.replace(node),
        }
    }

    fn run(&mut self, node: Node, command: &str) -> io::Result<Answer> {
        let bin = bin_folder(node);
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::null());
        shell.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default()));
        shell.env("CONFIG", paths::config_file(node)).env("STATE", state_folder(node));
        let netns = &self.network.node(node).netns;
        let output = netns.run(|| shell.output()).context("cannot run a shell")?;
        let text = [output.stdout, output.stderr].concat();
        Ok(Answer { code: output.status.code().unwrap_or(-1), text: String::from_utf8_lossy(&text).into_owned() })
    }

    fn console(&mut self, node: Node) -> io::Result<String> {
        Ok(daemon::log_tail(node, usize::MAX).join("\n"))
    }

    fn seat(&mut self) -> (&mut Site, &str) {
        (&mut self.network.phone, LAN)
    }

    fn taps(&mut self) -> io::Result<Vec<Tap>> {
        let mut taps = Vec::new();
        for node in Node::ALL {
            for (name, port) in [("lan", Port::lan(node)), ("cable", Port::cable(node))] {
                taps.push(Tap { name: format!("{name}-{}", letter(node)), socket: self.network.listen(port)? });
            }
        }
        Ok(taps)
    }
}

fn bin_folder(node: Node) -> PathBuf {
    paths::directory(node).join("bin")
}

fn state_folder(node: Node) -> PathBuf {
    paths::directory(node).join("state")
}
