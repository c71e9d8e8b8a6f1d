//! The lab as a test uses it: a pair of nodes, everything that can happen to it, and what was seen of it.

use crate::capture::Capture;
use crate::daemon::{self, Daemon, Settings, Usage};
use crate::disk::Disk;
use crate::echo;
use crate::frames::FrameSocket;
use crate::load::Load;
use crate::neighbour::Keyed;
use crate::network::{Cut, Network, Station};
use crate::observer::{Observer, Sightings};
use crate::overrun::overrun;
use crate::paths;
use crate::phone::{Phone, PhoneView};
use crate::plan::{CLUSTER_IP, Node, Port, Wire};
use crate::recorder::{Recorder, Tape};
use crate::relay::Impairment;
use crate::storm::Storm;
use crate::stranger::Claim;
use crate::timeline::Timeline;
use crate::worker::Worker;
use std::io;
use std::time::Instant;
use ucm_ha_control::Report;

/// The FXO port that a key of the live picture kills.
pub(crate) const KEY_FXO_PORT: u8 = 1;

/// How a lab is built.
#[derive(Clone, Copy, Debug)]
pub struct LabOptions {
    /// What the daemons are told.
    pub settings: Settings,
    /// Whether the nodes are wired through relays, which one-way cuts, loss, delay and filters need.
    pub relays: bool,
    /// Whether the daemons have a key.
    pub keyed: bool,
}

/// The lab. Everything in it ends when this is dropped, and also when the process dies.
pub struct Lab {
    // Dropped in this order: those who watch first, the network last.
    phone: Phone,
    observer: Observer,
    load: Option<Load>,
    storm: Option<Storm>,
    recorder: Option<Recorder>,
    daemons: [Daemon; 2],
    disks: [Disk; 2],
    _services: [Worker; 2],
    network: Network,
    keyed: bool,
    /// What happened.
    pub timeline: Timeline,
}

impl Lab {
    /// Builds the network and starts phone and observer. The daemons are not started.
    pub fn build(options: &LabOptions, timeline: Timeline) -> io::Result<Self> {
        let mut network = Network::build(options.relays)?;
        let services =
            [echo::start(Node::A, &network.node(Node::A).netns)?, echo::start(Node::B, &network.node(Node::B).netns)?];
        let configure = |node| Daemon::configure(node, &options.settings, &paths::program_of(node));
        let daemons = [configure(Node::A)?, configure(Node::B)?];
        // An older daemon does not know the setting that does without a key.
        let keyed = options.keyed || paths::is_mixed();
        if keyed {
            Node::ALL.into_iter().try_for_each(daemon::add_key)?;
        }
        let disks = [Disk::mount(Node::A)?, Disk::mount(Node::B)?];
        let observer = Observer::start(&mut network)?;
        let phone = Phone::start(&network.phone.netns)?;
        Ok(Self {
            phone,
            observer,
            load: None,
            storm: None,
            recorder: None,
            daemons,
            disks,
            _services: services,
            network,
            keyed,
            timeline,
        })
    }

    /// Whether the nodes are wired through relays.
    pub fn has_relays(&self) -> bool {
        self.network.has_relays()
    }

    /// Whether the daemons have a key.
    pub fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// Starts the daemon of a node.
    pub fn start(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("daemon of {node} started"));
        self.daemons[node.index()].start(&self.network.node(node).netns)
    }

    /// Kills the daemon of a node with SIGKILL. Its kernel goes on.
    pub fn kill(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("daemon of {node} killed"));
        self.daemons[node.index()].kill()
    }

    /// Stops the daemon of a node with SIGSTOP.
    pub fn freeze(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("daemon of {node} frozen"));
        self.daemons[node.index()].set_frozen(true)
    }

    /// Lets a frozen daemon go on.
    pub fn thaw(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("daemon of {node} thawed"));
        self.daemons[node.index()].set_frozen(false)
    }

    /// Takes the power from a node: the daemon dies, the kernel answers nothing, the peer's cable loses its carrier.
    pub fn power_off(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("power of {node} lost"));
        // The daemon first: it must not see its own links go.
        self.daemons[node.index()].kill()?;
        self.network.set_powered(node, false)
    }

    /// Gives a node its power back, and starts its daemon.
    pub fn power_on(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("power of {node} back"));
        self.network.set_powered(node, true)?;
        self.start(node)
    }

    /// Takes the power from a node whose peer keeps its carrier: nothing passes any more.
    pub fn power_off_silently(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("power of {node} lost, the peer's carrier stays"));
        self.network.cut(Port::lan(node), Cut::Silent)?;
        self.network.cut(Port::cable(node), Cut::Silent)?;
        self.daemons[node.index()].kill()?;
        let lan = self.network.interface(Port::lan(node));
        self.network.node(node).links.remove_address(lan, CLUSTER_IP)
    }

    /// Tells a daemon to read its configuration again.
    pub fn reload(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("daemon of {node} reads its configuration again"));
        self.daemons[node.index()].reload()
    }

    /// Pulls the heartbeat cable: both nodes lose the carrier.
    pub fn pull_cable(&mut self) -> io::Result<()> {
        for node in Node::ALL {
            self.cut(Port::cable(node), Cut::Carrier)?;
        }
        Ok(())
    }

    /// Puts the heartbeat cable back.
    pub fn restore_cable(&mut self) -> io::Result<()> {
        for node in Node::ALL {
            self.mend(Port::cable(node))?;
        }
        Ok(())
    }

    /// Cuts the WAN port of a node off: a fault that the node finds in itself while the phone is still served.
    pub fn cut_wan(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("WAN port of {node} cut off"));
        self.network.set_wan(node, false)
    }

    /// Undoes [`cut_wan`](Self::cut_wan).
    pub fn mend_wan(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("WAN port of {node} restored"));
        self.network.set_wan(node, true)
    }

    /// Makes a simulated FXO port of a node `ok`, `dead`, `unplugged` or `ringing`. Ports count from 1.
    pub(crate) fn set_fxo(&mut self, node: Node, port: u8, state: &str) -> io::Result<()> {
        self.timeline.note(format_args!("FXO{port} of {node} {state}"));
        daemon::set_fxo(node, port, state)
    }

    /// Whether a simulated FXO port of a node is dead.
    pub(crate) fn fxo_is_dead(&self, node: Node, port: u8) -> bool {
        daemon::fxo(node, port) == "dead"
    }

    /// Whether the log of a node's daemon has this text.
    pub(crate) fn logged(&self, node: Node, text: &str) -> bool {
        daemon::logged(node, text)
    }

    /// How often the log of a node's daemon has this text.
    pub(crate) fn times_logged(&self, node: Node, text: &str) -> usize {
        daemon::times_logged(node, text)
    }

    /// Cuts one port off.
    pub fn cut(&mut self, port: Port, how: Cut) -> io::Result<()> {
        self.timeline.note(match how {
            Cut::Carrier => format!("{port} cut off"),
            Cut::Silent => format!("{port} cut off, carrier stays"),
        });
        self.network.cut(port, how)
    }

    /// Makes the cable at one port a bad one. The lab must be built with relays.
    pub fn impair(&mut self, port: Port, impairment: Impairment) -> io::Result<()> {
        self.timeline.note(format_args!("{port} impaired: {}", impairment.describe()));
        self.network.impair(port, impairment)
    }

    /// Makes one port good again.
    pub fn mend(&mut self, port: Port) -> io::Result<()> {
        self.timeline.note(format_args!("{port} restored"));
        self.network.mend(port)
    }

    /// Whether a port is cut off.
    pub fn is_cut(&self, port: Port) -> bool {
        self.network.is_cut(port)
    }

    /// Whether a node has power.
    pub fn is_powered(&self, node: Node) -> bool {
        self.network.is_powered(node)
    }

    /// Whether the gateway is there.
    pub fn gateway_is_on(&self) -> bool {
        self.network.gateway_is_on()
    }

    /// Splits the LAN in two: these stations, and the others.
    pub fn split_lan(&mut self, side: &[Station]) -> io::Result<()> {
        let names: Vec<String> = side.iter().map(Station::to_string).collect();
        self.timeline.note(format_args!("LAN split, on one side: {}", names.join(", ")));
        self.network.split(side)
    }

    /// Cuts the LAN between the nodes; each still reaches the gateway and the phone.
    pub fn separate_nodes(&mut self) -> io::Result<()> {
        self.timeline.note("LAN cut between the nodes");
        self.network.separate_nodes(true)
    }

    /// Undoes [`split_lan`](Self::split_lan) and [`separate_nodes`](Self::separate_nodes).
    pub fn heal_lan(&mut self) -> io::Result<()> {
        self.timeline.note("LAN healed");
        self.network.heal()
    }

    /// Stops or starts the gateway.
    pub fn set_gateway(&mut self, on: bool) -> io::Result<()> {
        self.timeline.note(if on { "gateway back" } else { "gateway dead" });
        self.network.set_gateway(on)
    }

    /// Lets the processors have no time for anything else, or ends that.
    pub(crate) fn set_load(&mut self, on: bool) {
        self.load = on.then(Load::start);
        match &self.load {
            Some(load) => self.timeline.note(format_args!("{} busy loops", load.loops())),
            None => self.timeline.note("no more busy loops"),
        }
    }

    /// Leaves no room on the disk of a node.
    pub(crate) fn fill_disk(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("disk of {node} full"));
        self.disks[node.index()].fill()
    }

    /// Makes the disk of a node hang.
    pub(crate) fn stall_disk(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("disk of {node} hangs"));
        self.disks[node.index()].stall()
    }

    /// Makes the disk of a node good again.
    pub(crate) fn repair_disk(&mut self, node: Node) -> io::Result<()> {
        self.timeline.note(format_args!("disk of {node} good"));
        self.disks[node.index()].repair()
    }

    /// Lets a node of another pair come to the heartbeat segment, or go.
    pub(crate) fn set_neighbour(&mut self, keyed: Option<Keyed>) -> io::Result<()> {
        let what = if keyed.is_some() { "plugged into the heartbeat segment" } else { "gone" };
        self.timeline.note(format_args!("a node of another pair {what}"));
        self.network.set_neighbour(keyed)
    }

    /// Lets a foreign host take addresses, or leave.
    pub(crate) fn set_stranger(&mut self, claim: Option<Claim>) -> io::Result<()> {
        self.timeline.note(match claim {
            Some(Claim::ClusterIp) => "a foreign host takes the cluster IP",
            Some(Claim::NodeAddresses) => "a foreign host says to each node that it is the peer",
            Some(Claim::Everything) => "a foreign host says that it is the peer and takes the cluster IP",
            None => "the foreign host leaves",
        });
        self.network.set_stranger(claim)
    }

    /// Begins to record the heartbeats on the LAN.
    pub(crate) fn record_heartbeats(&mut self) -> io::Result<()> {
        self.recorder = Some(Recorder::listen(self.listen_on_lan()?)?);
        Ok(())
    }

    /// Plays what was recorded, so many frames a second to each node.
    pub(crate) fn replay_heartbeats(&mut self, tape: Tape, rate: u32) -> io::Result<()> {
        self.timeline.note(format_args!("recorded heartbeats, {tape:?}, {rate} a second to each node"));
        let ports = self.listen_on_lan()?;
        let recorder = self.recorder.as_mut().ok_or_else(|| io::Error::other("nobody has listened"))?;
        recorder.play(ports, tape, rate)
    }

    fn listen_on_lan(&mut self) -> io::Result<[FrameSocket; 2]> {
        Ok([self.network.listen(Port::lan(Node::A))?, self.network.listen(Port::lan(Node::B))?])
    }

    /// Begins to listen on a wire of both nodes, for a storm of forged and replayed frames.
    pub(crate) fn gather_storm(&mut self, wire: Wire) -> io::Result<()> {
        let mut ports = Vec::new();
        for port in Node::ALL.map(|node| Port { node, wire }) {
            if self.network.exists(port) {
                ports.push((port, self.network.listen(port)?));
            }
        }
        self.storm = Some(Storm::gather(ports, self.keyed)?);
        Ok(())
    }

    /// Lets the storm rage.
    pub(crate) fn let_storm_rage(&mut self) {
        self.timeline.note("forged, replayed, truncated and foreign frames");
        self.storm.iter_mut().for_each(Storm::rage);
    }

    /// Ends the storm. Gives how many frames a second there were at each port.
    pub(crate) fn end_storm(&mut self) -> f64 {
        let rate = self.storm.take().map_or(0.0, |storm| storm.rate());
        self.timeline.note(format_args!("no more forged frames; there were {rate:.0} a second at each port"));
        rate
    }

    /// Freezes the daemon of a node and makes more events of its interfaces than its subscription has room for.
    pub(crate) fn overrun_events(&mut self, node: Node) -> io::Result<()> {
        self.freeze(node)?;
        let lost = overrun(self.network.node(node))?;
        self.timeline.note(format_args!("{lost} events of {node}'s interfaces lost"));
        Ok(())
    }

    /// Deletes an interface of a node.
    pub(crate) fn delete_interface(&mut self, port: Port) -> io::Result<()> {
        self.timeline.note(format_args!("{port} deleted"));
        self.network.delete_interface(port)
    }

    /// Makes a deleted interface of a node again.
    pub(crate) fn recreate_interface(&mut self, port: Port) -> io::Result<()> {
        self.timeline.note(format_args!("{port} made again"));
        self.network.recreate_interface(port)
    }

    /// Gives an interface of a node another name, or its own one back.
    pub(crate) fn rename_interface(&mut self, port: Port, renamed: bool) -> io::Result<()> {
        self.timeline.note(format_args!("{port} {}", if renamed { "renamed" } else { "has its name back" }));
        self.network.rename_interface(port, renamed)
    }

    /// Takes the static address from a node by hand, or gives it back.
    pub(crate) fn set_own_address(&mut self, node: Node, there: bool) -> io::Result<()> {
        self.timeline.note(format_args!("static address of {node} {}", if there { "back" } else { "removed" }));
        if !self.network.exists(Port::lan(node)) {
            return Ok(());
        }
        let lan = self.network.interface(Port::lan(node));
        let links = &mut self.network.node(node).links;
        if there { links.add_address(lan, node.address()) } else { links.remove_address(lan, node.address()) }
    }

    /// Whether a node has its static address.
    pub(crate) fn has_own_address(&mut self, node: Node) -> io::Result<bool> {
        let lan = self.network.interface(Port::lan(node));
        self.network.node(node).links.has_address(lan, node.address())
    }

    /// Makes everything good again and starts every daemon that does not run.
    pub fn restore(&mut self) -> io::Result<()> {
        self.timeline.note("everything restored");
        self.load = None;
        self.storm = None;
        self.recorder = None;
        self.network.set_stranger(None)?;
        self.network.set_neighbour(None)?;
        for node in Node::ALL {
            self.disks[node.index()].repair()?;
            for port in [Port::lan(node), Port::cable(node)] {
                self.network.recreate_interface(port)?;
                self.network.rename_interface(port, false)?;
            }
            self.network.set_wan(node, true)?;
            if self.daemons[node.index()].is_frozen() {
                self.thaw(node)?;
            }
            self.network.set_powered(node, true)?;
            for port in [Port::lan(node), Port::cable(node)] {
                self.network.mend(port)?;
            }
            daemon::set_fxo(node, KEY_FXO_PORT, "ok")?;
        }
        self.network.set_gateway(true)?;
        self.network.heal()?;
        for node in Node::ALL {
            if !self.is_running(node) {
                self.start(node)?;
            }
        }
        Ok(())
    }

    /// Binds the cluster IP on a node by hand, without a daemon and without an announcement.
    pub fn bind_by_hand(&mut self, node: Node) -> io::Result<()> {
        let lan = self.network.interface(Port::lan(node));
        self.network.node(node).links.add_address(lan, CLUSTER_IP)
    }

    /// Removes the cluster IP from a node by hand.
    pub fn release_by_hand(&mut self, node: Node) -> io::Result<()> {
        if !self.network.exists(Port::lan(node)) {
            return Ok(());
        }
        self.timeline.note(format_args!("cluster IP removed from {node}"));
        let lan = self.network.interface(Port::lan(node));
        self.network.node(node).links.remove_address(lan, CLUSTER_IP)
    }

    /// Records what a node sends and receives at a port.
    pub fn capture(&mut self, port: Port) -> io::Result<Capture> {
        Capture::start(self.network.listen(port)?)
    }

    /// Whether the daemon of a node runs, or is frozen.
    pub fn is_running(&mut self, node: Node) -> bool {
        self.daemons[node.index()].is_running()
    }

    /// Whether the daemon of a node is frozen.
    pub fn is_frozen(&self, node: Node) -> bool {
        self.daemons[node.index()].is_frozen()
    }

    /// What the daemon of a node says of itself; `None` when there is nobody to ask.
    pub fn status(&mut self, node: Node) -> Option<Report> {
        let daemon = &mut self.daemons[node.index()];
        if daemon.is_frozen() || !daemon.is_running() {
            return None;
        }
        daemon::status(node).ok()
    }

    /// Memory and processor time of the daemon of a node.
    pub fn usage(&self, node: Node) -> io::Result<Usage> {
        self.daemons[node.index()].usage()
    }

    /// Asks a node to hand over.
    pub fn force_switch(&mut self, node: Node) -> Result<(), String> {
        self.timeline.note(format_args!("force switch on {node}"));
        daemon::force_switch(node)
    }

    /// What the phone saw since `since`.
    pub fn phone_view(&self, since: Instant) -> PhoneView {
        self.phone.view_since(since)
    }

    /// What the observer saw.
    pub fn sightings(&self) -> Sightings {
        self.observer.sightings()
    }
}
