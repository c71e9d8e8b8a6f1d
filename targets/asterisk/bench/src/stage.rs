//! The stage: two nodes, each with a real daemon and a real Asterisk, on the network of the lab.

use crate::ami::Manager;
use crate::asterisk::{Asterisk, pid_file};
use crate::host::Host;
use crate::phone::Phone;
use lab::daemon::{self, Daemon, Settings};
use lab::error::Context;
use lab::network::{Cut, Network};
use lab::observer::Observer;
use lab::paths;
use lab::plan::{LAN, Node, Port};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};
use ucm_ha_control::Report;

/// Heartbeat timeout.
pub(crate) const TIMEOUT_S: u8 = 3;
/// No kick for this long is a deadlock.
pub(crate) const KICK_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long anything may take that is not timed by the case itself. Asterisk gives up the priority it is started with, so on
/// a machine with much other work its start takes tens of seconds.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// What a case found wrong; any error of the stage is wrong, too.
pub(crate) type Step<T = ()> = io::Result<T>;

/// The case fails with `what` unless it is true.
pub(crate) fn expect(is_true: bool, what: impl FnOnce() -> String) -> Step {
    if is_true { Ok(()) } else { Err(io::Error::other(what())) }
}

/// What the stage is set with.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// The daemon.
    pub(crate) daemon: PathBuf,
    /// The program that embeds a node.
    pub(crate) host: PathBuf,
    /// The folder with Debian's Asterisk.
    pub(crate) root: PathBuf,
}

/// The pair. Everything in it ends when this is dropped, and also when the process dies.
pub(crate) struct Stage {
    // Dropped in this order, the network last.
    observer: Observer,
    asterisks: [Asterisk; 2],
    daemons: [Daemon; 2],
    network: Network,
    parts: Parts,
}

impl Stage {
    /// Sets it. Nothing runs yet.
    pub(crate) fn set(parts: &Parts) -> Step<Self> {
        let mut network = Network::build(false)?;
        let settings = Settings { timeout_s: TIMEOUT_S, fast_failover: true, gateway: true };
        let daemons = [
            Daemon::configure(Node::A, &settings, &parts.daemon)?,
            Daemon::configure(Node::B, &settings, &parts.daemon)?,
        ];
        for node in Node::ALL {
            watch_asterisk(node)?;
            // The standby's Asterisk waits at the cluster IP, so that it serves as soon as the address comes.
            let allow = || fs::write("/proc/sys/net/ipv4/ip_nonlocal_bind", "1");
            network.node(node).netns.run(allow).context("cannot allow sockets at the cluster IP")?;
        }
        let asterisks = [Asterisk::configure(Node::A, &parts.root)?, Asterisk::configure(Node::B, &parts.root)?];
        let observer = Observer::start(&mut network)?;
        Ok(Self { observer, asterisks, daemons, network, parts: parts.clone() })
    }

    /// Starts everything; the active, once both Asterisks run and the standby could take over.
    pub(crate) fn boot(&mut self) -> Step<Node> {
        for node in Node::ALL {
            self.start_daemon(node)?;
            self.start_asterisk(node)?;
        }
        self.wait_for("one active, both ready", Self::ready_active)
    }

    pub(crate) fn start_daemon(&mut self, node: Node) -> Step {
        self.daemons[node.index()].start(&self.network.node(node).netns)
    }

    pub(crate) fn daemon(&mut self, node: Node) -> &mut Daemon {
        &mut self.daemons[node.index()]
    }

    /// Starts the program that embeds a node, in the place of the daemon.
    pub(crate) fn start_host(&mut self, node: Node) -> Step<Host> {
        Host::start(&self.parts.host, node, &self.network.node(node).netns, TIMEOUT_S)
    }

    /// Takes a node's static address, or gives it back.
    pub(crate) fn set_own_address(&mut self, node: Node, there: bool) -> Step {
        let links = &mut self.network.node(node).links;
        if there { links.add_address(LAN, node.address()) } else { links.remove_address(LAN, node.address()) }
    }

    /// Pulls the heartbeat cable out of a node.
    pub(crate) fn pull_cable(&mut self, node: Node) -> Step {
        self.network.cut(Port::cable(node), Cut::Carrier)
    }

    /// Starts Asterisk and waits until it is up and the daemon gets its kicks. The kicks begin a moment before it is up, and a
    /// `core stop now` in that moment is lost.
    pub(crate) fn start_asterisk(&mut self, node: Node) -> Step {
        self.asterisks[node.index()].start(&self.network.node(node).netns)?;
        self.wait_for("Asterisk kicks", |stage| Ok(stage.kicks(node)?.filter(|kicks| *kicks > 0)))?;
        let answer = self.ask(node, "core waitfullybooted")?;
        expect(answer.contains("fully booted"), || format!("Asterisk of {node} is not up: {answer}"))?;
        self.asterisk(node).give_priority()
    }

    pub(crate) fn asterisk(&self, node: Node) -> &Asterisk {
        &self.asterisks[node.index()]
    }

    pub(crate) fn asterisk_mut(&mut self, node: Node) -> &mut Asterisk {
        &mut self.asterisks[node.index()]
    }

    /// A command line of a node's Asterisk.
    pub(crate) fn ask(&self, node: Node, words: &str) -> Step<String> {
        self.asterisk(node).ask(words)
    }

    pub(crate) fn manager(&mut self, node: Node) -> Step<Manager> {
        Manager::log_in(&self.network.node(node).netns)
    }

    pub(crate) fn phone(&self) -> Step<Phone> {
        Phone::new(&self.network.phone.netns)
    }

    /// How many kicks a node's Asterisk has sent; `None` while its command line does not answer.
    pub(crate) fn kicks(&self, node: Node) -> Step<Option<u32>> {
        let said = self.ask(node, "ha show status")?;
        let row = said.lines().find_map(|line| line.strip_prefix("Kicks "));
        Ok(row.and_then(|row| row.split_once("ms: ")?.1.split(' ').next()?.parse().ok()))
    }

    /// When a node was first seen with the cluster IP after `since`.
    pub(crate) fn wait_until_bound(&mut self, node: Node, since: Instant) -> Step<Instant> {
        self.wait_for("the other node has the cluster IP", |stage| Ok(stage.bound_since(node, since)))
    }

    /// The same, where that may still be to come.
    pub(crate) fn bound_since(&self, node: Node, since: Instant) -> Option<Instant> {
        self.observer.sightings().bound_after(node, since)
    }

    /// Whether the daemon sees a fault of Asterisk, and what it says about it.
    pub(crate) fn fault_of_asterisk(&mut self, node: Node) -> bool {
        let name = "SERVICE asterisk";
        daemon::status(node).is_ok_and(|status| status.faults.iter().any(|fault| fault.name == name && fault.raised))
    }

    /// What was seen of two nodes that had the cluster IP at one time.
    pub(crate) fn two_holders(&self) -> Option<String> {
        self.observer.sightings().two_holders()
    }

    /// Looks until there is something to see.
    pub(crate) fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Step<Option<T>>) -> Step<T> {
        let begun = Instant::now();
        loop {
            if let Some(seen) = look(self)? {
                return Ok(seen);
            }
            expect(begun.elapsed() < PATIENCE, || format!("not within {PATIENCE:?}: {what}"))?;
            sleep(LOOK_PERIOD);
        }
    }

    /// Waits until this text is in the log of a node's Asterisk, which writes it from a thread of its own; the line.
    pub(crate) fn wait_for_log(&mut self, node: Node, text: &str) -> Step<String> {
        self.wait_for(&format!("{text:?} in the log of Asterisk of {node}"), |stage| {
            Ok(stage.asterisk(node).log().lines().find(|line| line.contains(text)).map(str::to_owned))
        })
    }

    /// What everybody said, for the one who looks for a mistake.
    pub(crate) fn logs(&self) -> String {
        let of = |node: Node| {
            let daemon = daemon::log_tail(node, 40).join("\n");
            format!("--- daemon of {node}\n{daemon}\n--- Asterisk of {node}\n{}", self.asterisk(node).log())
        };
        format!("{}\n{}", of(Node::A), of(Node::B))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the form of a look")]
    fn ready_active(&mut self) -> Step<Option<Node>> {
        let ready = |status: &Report| status.role == "Active" && status.force_switch.available;
        let mut nodes = Node::ALL.into_iter();
        let active = nodes.find(|node| daemon::status(*node).is_ok_and(|status| ready(&status)));
        Ok(active.filter(|_| Node::ALL.into_iter().all(|node| !self.fault_of_asterisk(node))))
    }
}

/// Lets the daemon of a node, which does not run yet, watch its Asterisk.
fn watch_asterisk(node: Node) -> Step {
    let file = paths::config_file(node);
    let config = fs::read_to_string(&file).context("cannot read the configuration")?;
    let config = config.replacen("enable = true\n", "enable = true\nsoftware_fault_switch = true\n", 1);
    let service = format!(
        "[[service]]\nname = \"asterisk\"\npid_file = \"{}\"\nkick_timeout_ms = {}\nstart_timeout_ms = 60000\n",
        pid_file(node).display(),
        KICK_TIMEOUT.as_millis()
    );
    fs::write(file, config + &service).context("cannot write the configuration")
}
