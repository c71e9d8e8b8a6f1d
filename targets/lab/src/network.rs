//! The lab's network: two nodes, the cable between them, the LAN with its switch, the gateway and the phone.
//!
//! Every station is a network namespace. The switch is one more: it holds the LAN's two bridges (they are one LAN until
//! it is split) and the bridge that is the heartbeat cable. A node's port can be wired through a [`Relay`].

use crate::frames::FrameSocket;
use crate::links::End;
use crate::neighbour::{Keyed, Neighbour};
use crate::plan::{CABLE, CLUSTER_IP, GATEWAY, LAN, Node, PHONE, Port, WAN, Wire};
use crate::relay::{Impairment, Relay};
use crate::site::{CABLE_BRIDGE, LAN_BRIDGE, Site, attach};
use crate::stranger::{Claim, Stranger};
use std::fmt;
use std::io;

/// The other part of the LAN while it is split.
const SPLIT_BRIDGE: &str = "lan-split";

/// A station on the LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    /// A node.
    Node(Node),
    /// The gateway.
    Gateway,
    /// The phone.
    Phone,
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Gateway => f.write_str("gateway"),
            Self::Phone => f.write_str("phone"),
        }
    }
}

/// How a port of a node is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The node sees that it has no carrier.
    Carrier,
    /// The carrier stays, but nothing passes.
    Silent,
}

/// The socket on the switch's side that a node's port is wired to.
struct Outlet {
    /// The interface at the other end of the node's cable; its carrier is the node's.
    socket: String,
    /// The interface that is a port of the bridge: the same one, or the far end of the relay.
    bridge_port: String,
    relay: Option<Relay>,
    cut: Option<Cut>,
    /// Whether the node's interface exists.
    exists: bool,
    /// Whether somebody gave it another name.
    renamed: bool,
}

/// The network.
pub struct Network {
    nodes: [Site; 2],
    /// The gateway.
    pub gateway: Site,
    /// The phone.
    pub phone: Site,
    /// The switch.
    pub switch: Site,
    outlets: [[Outlet; 2]; 2],
    powered: [bool; 2],
    gateway_on: bool,
    split: Vec<Station>,
    stranger: Option<Stranger>,
    neighbour: Option<Neighbour>,
    relays: bool,
}

impl Network {
    /// Builds it. With `relays`, the ports of the nodes can be impaired.
    pub fn build(relays: bool) -> io::Result<Self> {
        let mut nodes = [Site::create()?, Site::create()?];
        let mut gateway = Site::create()?;
        let mut phone = Site::create()?;
        let mut switch = Site::create()?;
        for bridge in [LAN_BRIDGE, SPLIT_BRIDGE, CABLE_BRIDGE] {
            switch.links.add_bridge(bridge)?;
        }
        attach(&mut switch, &mut gateway, "gateway", GATEWAY)?;
        attach(&mut switch, &mut phone, "phone", PHONE)?;
        let [a, b] = &mut nodes;
        let outlets = [wire_node(&mut switch, a, Node::A, relays)?, wire_node(&mut switch, b, Node::B, relays)?];
        Ok(Self {
            nodes,
            gateway,
            phone,
            switch,
            outlets,
            powered: [true; 2],
            gateway_on: true,
            split: Vec::new(),
            stranger: None,
            neighbour: None,
            relays,
        })
    }

    /// Whether the ports of the nodes can be impaired.
    pub fn has_relays(&self) -> bool {
        self.relays
    }

    /// The node's end.
    pub fn node(&mut self, node: Node) -> &mut Site {
        &mut self.nodes[node.index()]
    }

    /// Cuts a port off.
    pub fn cut(&mut self, port: Port, how: Cut) -> io::Result<()> {
        self.outlet(port).cut = Some(how);
        self.apply(port)
    }

    /// Undoes [`cut`](Self::cut) and [`impair`](Self::impair).
    pub fn mend(&mut self, port: Port) -> io::Result<()> {
        let outlet = self.outlet(port);
        outlet.cut = None;
        if let Some(relay) = &outlet.relay {
            relay.impair(Impairment::default());
        }
        self.apply(port)
    }

    /// Whether a port is cut off.
    pub fn is_cut(&self, port: Port) -> bool {
        self.outlets[port.node.index()][port.wire.index()].cut.is_some()
    }

    /// Makes the cable at a port a bad one.
    pub fn impair(&mut self, port: Port, impairment: Impairment) -> io::Result<()> {
        let relays = self.relays;
        match &self.outlet(port).relay {
            Some(relay) => {
                relay.impair(impairment);
                Ok(())
            }
            None if !relays => Err(io::Error::other(format!("the {port} is not wired through a relay"))),
            // An interface that does not exist cannot get worse.
            None => Ok(()),
        }
    }

    /// Power on or off as the network sees it: a node without power has no addresses, and gives no carrier.
    pub fn set_powered(&mut self, node: Node, powered: bool) -> io::Result<()> {
        self.powered[node.index()] = powered;
        let peers_cable = Port::cable(node.peer());
        if !powered {
            // First what the peer sees of it at once: every change waits for the kernel's lock, and others may hold that for long.
            self.apply(peers_cable)?;
        }
        let lan = self.interface(Port::lan(node));
        let interfaces = Wire::ALL.map(|wire| (wire, self.interface(Port { node, wire })));
        let links = &mut self.nodes[node.index()].links;
        for (wire, interface) in interfaces {
            if self.outlets[node.index()][wire.index()].exists {
                links.set_up(interface, powered)?;
            }
        }
        match (self.outlets[node.index()][Wire::Lan.index()].exists, powered) {
            (false, _) => {}
            (true, true) => links.add_address(lan, node.address())?,
            (true, false) => {
                links.remove_address(lan, CLUSTER_IP)?;
                links.remove_address(lan, node.address())?;
            }
        }
        if powered { self.apply(peers_cable) } else { Ok(()) }
    }

    /// Deletes a node's interface, with all that is wired to it.
    pub fn delete_interface(&mut self, port: Port) -> io::Result<()> {
        let interface = self.interface(port);
        let outlet = self.outlet(port);
        if !std::mem::take(&mut outlet.exists) {
            return Ok(());
        }
        let relayed = outlet.relay.take().is_some().then(|| outlet.bridge_port.clone());
        if let Some(far) = relayed {
            self.switch.links.delete(&far)?;
        }
        self.node(port.node).links.delete(interface)
    }

    /// Gives a node's interface another name, or its own one back.
    pub fn rename_interface(&mut self, port: Port, renamed: bool) -> io::Result<()> {
        let old = self.interface(port);
        let outlet = self.outlet(port);
        if !outlet.exists || outlet.renamed == renamed {
            return Ok(());
        }
        outlet.renamed = renamed;
        let new = self.interface(port);
        self.node(port.node).links.rename(old, new)
    }

    /// What a node's interface is called now.
    pub fn interface(&self, port: Port) -> &'static str {
        let renamed = self.outlets[port.node.index()][port.wire.index()].renamed;
        if renamed { port.wire.other_name() } else { port.wire.interface() }
    }

    /// Makes a deleted interface again. It is a new one with the same MAC address.
    pub fn recreate_interface(&mut self, port: Port) -> io::Result<()> {
        if self.outlet(port).exists {
            return Ok(());
        }
        let site = &mut self.nodes[port.node.index()];
        let bridge = match port.wire {
            Wire::Lan => LAN_BRIDGE,
            Wire::Cable => CABLE_BRIDGE,
        };
        let outlet = wire_port(&mut self.switch, site, port, bridge, self.relays)?;
        self.outlets[port.node.index()][port.wire.index()] = outlet;
        self.set_powered(port.node, self.powered[port.node.index()])?;
        self.apply(port)
    }

    /// Lets a foreign host come to the LAN and take addresses, take more, or go.
    pub fn set_stranger(&mut self, claim: Option<Claim>) -> io::Result<()> {
        match (claim, &mut self.stranger) {
            (Some(claim), Some(stranger)) => stranger.take(claim),
            (Some(claim), None) => {
                self.stranger = Some(Stranger::arrive(&mut self.switch, claim)?);
                Ok(())
            }
            (None, stranger) => stranger.take().map_or(Ok(()), |stranger| stranger.leave(&mut self.switch)),
        }
    }

    /// Lets a node of another pair come to the heartbeat segment, or go.
    pub(crate) fn set_neighbour(&mut self, keyed: Option<Keyed>) -> io::Result<()> {
        if let Some(neighbour) = self.neighbour.take() {
            neighbour.leave(&mut self.switch)?;
        }
        self.neighbour = keyed.map(|keyed| Neighbour::arrive(&mut self.switch, keyed)).transpose()?;
        Ok(())
    }

    /// Gives a node's WAN port its carrier, or takes it.
    pub fn set_wan(&mut self, node: Node, up: bool) -> io::Result<()> {
        self.switch.links.set_up(&wan_socket(node), up)
    }

    /// Splits the LAN: these stations on one side, the others on the other.
    pub fn split(&mut self, side: &[Station]) -> io::Result<()> {
        self.split = side.to_vec();
        for station in [Station::Gateway, Station::Phone, Station::Node(Node::A), Station::Node(Node::B)] {
            match station {
                Station::Node(node) => self.apply(Port::lan(node))?,
                Station::Gateway => self.switch.links.plug("gateway", Some(lan_bridge(side, station)))?,
                Station::Phone => self.switch.links.plug("phone", Some(lan_bridge(side, station)))?,
            }
        }
        Ok(())
    }

    /// Cuts the LAN between the nodes only: both still reach everybody else.
    pub fn separate_nodes(&mut self, separated: bool) -> io::Result<()> {
        for node in Node::ALL {
            let outlet = &self.outlets[node.index()][Wire::Lan.index()];
            if outlet.exists {
                self.switch.links.set_isolated(&outlet.bridge_port, separated)?;
            }
        }
        Ok(())
    }

    /// Makes the LAN whole again.
    pub fn heal(&mut self) -> io::Result<()> {
        self.separate_nodes(false)?;
        self.split(&[])
    }

    /// Turns the gateway on or off. The switch stays, so the nodes keep their carrier.
    pub fn set_gateway(&mut self, on: bool) -> io::Result<()> {
        self.gateway_on = on;
        self.gateway.links.set_up(LAN, on)
    }

    /// Whether the gateway is on.
    pub fn gateway_is_on(&self) -> bool {
        self.gateway_on
    }

    /// Whether a node has power.
    pub fn is_powered(&self, node: Node) -> bool {
        self.powered[node.index()]
    }

    /// Whether a node's interface exists.
    pub fn exists(&self, port: Port) -> bool {
        self.outlets[port.node.index()][port.wire.index()].exists
    }

    /// Listens to everything that passes between a node's port and the network; what the node sends comes in.
    pub fn listen(&mut self, port: Port) -> io::Result<FrameSocket> {
        let socket = self.outlet(port).socket.clone();
        FrameSocket::open(&self.switch.netns, &mut self.switch.links, &socket)
    }

    fn outlet(&mut self, port: Port) -> &mut Outlet {
        &mut self.outlets[port.node.index()][port.wire.index()]
    }

    /// Makes the wiring of a port as it should be now.
    fn apply(&mut self, port: Port) -> io::Result<()> {
        let outlet = &self.outlets[port.node.index()][port.wire.index()];
        let far_end_dead = port.wire == Wire::Cable && !self.powered[port.node.peer().index()];
        let bridge = match port.wire {
            Wire::Cable => CABLE_BRIDGE,
            Wire::Lan => lan_bridge(&self.split, Station::Node(port.node)),
        };
        if !outlet.exists {
            return Ok(());
        }
        let connected = (outlet.cut != Some(Cut::Silent)).then_some(bridge);
        let links = &mut self.switch.links;
        links.set_up(&outlet.socket, outlet.cut != Some(Cut::Carrier) && !far_end_dead)?;
        links.plug(&outlet.bridge_port, connected)
    }
}

fn lan_bridge(split: &[Station], station: Station) -> &'static str {
    if split.contains(&station) { SPLIT_BRIDGE } else { LAN_BRIDGE }
}

fn wire_node(switch: &mut Site, site: &mut Site, node: Node, relays: bool) -> io::Result<[Outlet; 2]> {
    let lan = wire_port(switch, site, Port::lan(node), LAN_BRIDGE, relays)?;
    let cable = wire_port(switch, site, Port::cable(node), CABLE_BRIDGE, relays)?;
    let wan = End { name: WAN, netns: &site.netns, mac: None };
    switch.links.add_veth(&End { name: &wan_socket(node), netns: &switch.netns, mac: None }, &wan)?;
    switch.links.set_up(&wan_socket(node), true)?;
    site.links.add_address(LAN, node.address())?;
    for interface in [LAN, CABLE, WAN] {
        site.links.set_up(interface, true)?;
    }
    Ok([lan, cable])
}

/// The other end of a node's WAN port.
fn wan_socket(node: Node) -> String {
    format!("wan-{}", node.to_string().to_lowercase())
}

fn wire_port(switch: &mut Site, site: &Site, port: Port, bridge: &str, relayed: bool) -> io::Result<Outlet> {
    let socket = format!("{bridge}-{}", port.node.to_string().to_lowercase());
    let node_end = End { name: port.wire.interface(), netns: &site.netns, mac: Some(port.node.mac(port.wire)) };
    switch.links.add_veth(&End { name: &socket, netns: &switch.netns, mac: None }, &node_end)?;
    let mut outlet =
        Outlet { bridge_port: socket.clone(), socket, relay: None, cut: None, exists: true, renamed: false };
    if relayed {
        let (near, far) = (format!("{}-near", outlet.socket), format!("{}-far", outlet.socket));
        switch.links.add_veth(
            &End { name: &near, netns: &switch.netns, mac: None },
            &End { name: &far, netns: &switch.netns, mac: None },
        )?;
        switch.links.set_up(&near, true)?;
        switch.links.set_up(&far, true)?;
        let node_side = FrameSocket::open(&switch.netns, &mut switch.links, &outlet.socket)?;
        let network_side = FrameSocket::open(&switch.netns, &mut switch.links, &near)?;
        outlet.relay = Some(Relay::start(node_side, network_side)?);
        outlet.bridge_port = far;
    }
    switch.links.plug(&outlet.bridge_port, Some(bridge))?;
    switch.links.set_up(&outlet.socket, true)?;
    Ok(outlet)
}
