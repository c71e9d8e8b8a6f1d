//! Two emulated ARM machines with the real kernel, the cross-built daemon and its real configuration file.
//!
//! Each machine's LAN and heartbeat port is a tap interface in a network namespace, plugged into the bridge that is the
//! LAN or the cable. Power is the emulator's process: it is killed, nothing is shut down.

mod board;
mod disk;
mod image;
mod machine;
mod qmp;
mod qtest;
mod shell;

pub(crate) use board::Board;
pub(crate) use machine::{Links, Machine};

use crate::rig::{Answer, Facts, Rig, Tap};
use board::WATCHDOG;
use lab::error::Context;
use lab::frames::FrameSocket;
use lab::network::Cut;
use lab::pair::Ability;
use lab::paths::ROOT;
use lab::plan::{GATEWAY, LAN, Node, PHONE, Wire};
use lab::site::{CABLE_BRIDGE, LAN_BRIDGE, Site, attach};
use lab::stimulus::Stimulus;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// An emulated machine on a busy host takes this long to boot, at most.
const BOOT_LIMIT: Duration = Duration::from_secs(120);
/// The pair.
pub(crate) struct Qemu {
    // Dropped before the network.
    machines: [Machine; 2],
    switch: Site,
    phone: Site,
    _gateway: Site,
    cable_connected: bool,
    lan_connected: [bool; 2],
    switch_on: bool,
    facts: Facts,
}

impl Qemu {
    /// Builds the network and configures the machines; both are off. `parts` is the folder of each machine's parts.
    pub(crate) fn build(boards: [Board; 2], parts: &Path) -> io::Result<Self> {
        let mut switch = Site::create()?;
        for bridge in [LAN_BRIDGE, CABLE_BRIDGE] {
            switch.links.add_bridge(bridge)?;
        }
        let (mut phone, mut gateway) = (Site::create()?, Site::create()?);
        attach(&mut switch, &mut phone, "phone", PHONE)?;
        attach(&mut switch, &mut gateway, "gateway", GATEWAY)?;
        for node in Node::ALL {
            for (wire, bridge) in [(Wire::Lan, LAN_BRIDGE), (Wire::Cable, CABLE_BRIDGE)] {
                add_tap(&mut switch, &tap_name(node, wire), bridge)?;
            }
        }
        let machine = |node: Node| {
            let board = boards[node.index()];
            Machine::assemble(node, board, &parts.join(board.name()), &work_folder(node))
        };
        let machines = [machine(Node::A)?, machine(Node::B)?];
        Ok(Self {
            machines,
            switch,
            phone,
            _gateway: gateway,
            cable_connected: true,
            lan_connected: [true; 2],
            switch_on: true,
            facts: Facts::of_built(BOOT_LIMIT, WATCHDOG),
        })
    }

    fn machine(&mut self, node: Node) -> &mut Machine {
        &mut self.machines[node.index()]
    }

    fn power_on(&mut self, node: Node) -> io::Result<()> {
        let links = self.links(node, true);
        let netns = &self.switch.netns;
        self.machines[node.index()].power_on(netns, links)?;
        self.wire_up()
    }

    fn power_off(&mut self, node: Node, silently: bool) -> io::Result<()> {
        self.machine(node).power_off()?;
        if silently { Ok(()) } else { self.wire_up() }
    }

    /// What carrier the ports of a node have; `peer_on` stands for the peer's power.
    fn links(&self, node: Node, peer_on: bool) -> Links {
        Links { lan: self.switch_on && self.lan_connected[node.index()], cable: self.cable_connected && peer_on }
    }

    /// Gives every running machine the carriers it should have.
    fn wire_up(&mut self) -> io::Result<()> {
        let on = [self.machines[0].is_on(), self.machines[1].is_on()];
        for node in Node::ALL {
            let links = self.links(node, on[node.peer().index()]);
            self.machine(node).set_links(links)?;
        }
        self.switch.links.set_up(LAN_BRIDGE, self.switch_on)
    }

    /// A new unit with the same address and station type.
    fn replace(&mut self, node: Node) -> io::Result<()> {
        let mac = self.facts.replace_unit(node);
        self.machine(node).replace(mac)
    }
}

impl Rig for Qemu {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn has(&self, ability: Ability) -> Result<(), String> {
        match ability {
            Ability::Give(stimulus) if stimulus.name().is_none() => Err(cannot(stimulus)),
            Ability::Give(_) | Ability::OwnKernel => Ok(()),
            Ability::BadWires => Err("the machines' wires are good".to_owned()),
            Ability::Key => Err("the machines have no key".to_owned()),
        }
    }

    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()> {
        match stimulus {
            Stimulus::PowerOn(node) => self.power_on(node),
            Stimulus::PowerOff(node) => self.power_off(node, false),
            Stimulus::PowerOffSilently(node) => self.power_off(node, true),
            Stimulus::CablePull => self.set(|rig| rig.cable_connected = false),
            Stimulus::CablePlug => self.set(|rig| rig.cable_connected = true),
            Stimulus::Cut(node, Wire::Lan, Cut::Carrier) => self.set(|rig| rig.lan_connected[node.index()] = false),
            Stimulus::Mend(node, Wire::Lan) => self.set(|rig| rig.lan_connected[node.index()] = true),
            Stimulus::SwitchOff => self.set(|rig| rig.switch_on = false),
            Stimulus::SwitchOn => self.set(|rig| rig.switch_on = true),
            Stimulus::FxoFault(node, port) => self.machine(node).set_fxo_fault(port, true),
            Stimulus::FxoClear(node, port) => self.machine(node).set_fxo_fault(port, false),
            Stimulus::Reload(node) => self.machine(node).reload(),
            Stimulus::Upgrade(node) => self.machine(node).upgrade(),
            Stimulus::Replace(node) => self.replace(node),
            _ => Err(io::Error::other(cannot(stimulus))),
        }
    }

    fn run(&mut self, node: Node, command: &str) -> io::Result<Answer> {
        self.machine(node).run(command)
    }

    fn console(&mut self, node: Node) -> io::Result<String> {
        self.machine(node).console()
    }

    fn seat(&mut self) -> (&mut Site, &str) {
        (&mut self.phone, LAN)
    }

    fn taps(&mut self) -> io::Result<Vec<Tap>> {
        let mut taps = Vec::new();
        for node in Node::ALL {
            for wire in Wire::ALL {
                let name = tap_name(node, wire);
                let socket = FrameSocket::open(&self.switch.netns, &mut self.switch.links, &name)?;
                taps.push(Tap { name, socket });
            }
        }
        Ok(taps)
    }
}

impl Qemu {
    fn set(&mut self, change: impl FnOnce(&mut Self)) -> io::Result<()> {
        change(self);
        self.wire_up()
    }
}

fn cannot(stimulus: Stimulus) -> String {
    format!("nobody does this to emulated machines: {stimulus}")
}

fn work_folder(node: Node) -> PathBuf {
    Path::new(ROOT).join(format!("machine-{}", node.letter()))
}

pub(crate) fn tap_name(node: Node, wire: Wire) -> String {
    let wire = match wire {
        Wire::Lan => "lan",
        Wire::Cable => "cable",
    };
    format!("{wire}-{}", node.letter())
}

/// A tap that stays while no emulator uses it.
fn add_tap(switch: &mut Site, name: &str, bridge: &str) -> io::Result<()> {
    let mut command = Command::new("ip");
    command.args(["tuntap", "add", "dev", name, "mode", "tap"]);
    let output = switch.netns.run(|| command.output()).context("cannot run ip (package iproute2)")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("cannot make the interface {name}: {}", reason.trim())));
    }
    switch.links.plug(name, Some(bridge))?;
    switch.links.set_up(name, true)
}
