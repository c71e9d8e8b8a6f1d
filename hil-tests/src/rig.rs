//! What a rig can do. The scenarios know this and nothing else of it.

use lab::frames::FrameSocket;
use lab::plan::{CLUSTER_IP, Node, Wire};
use lab::site::Site;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;
use ucm_ha::config::MacAddr;

/// An FXO port of a node, by what its fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FxoPort {
    /// The first one: its box of the hardware fault switch is ticked, so its fault hands over.
    Switching,
    /// The last one: its box is not ticked, so its fault only alerts.
    Alerting,
}

impl FxoPort {
    /// Its number. The rigs' nodes have four ports.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Switching => 1,
            Self::Alerting => 4,
        }
    }
}

/// Something that is done to the pair from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stimulus {
    /// Power on.
    PowerOn(Node),
    /// Power off; the other end of the heartbeat cable loses its carrier.
    PowerOff(Node),
    /// Power off, but something between the nodes (a media converter) keeps the other end's carrier up.
    PowerOffSilently(Node),
    /// The heartbeat cable is pulled.
    CablePull,
    /// The heartbeat cable is put back.
    CablePlug,
    /// A node's LAN port is unplugged.
    LanPull(Node),
    /// A node's LAN port is plugged in again.
    LanPlug(Node),
    /// The LAN's switch loses its power.
    SwitchOff,
    /// The LAN's switch works again.
    SwitchOn,
    /// An FXO port of a node reports a hardware fault.
    FxoFault(Node, FxoPort),
    /// An FXO port of a node works again.
    FxoClear(Node, FxoPort),
    /// The daemon reads its configuration again.
    Reload(Node),
    /// A node that is off gets the next firmware.
    Upgrade(Node),
    /// A node that is off is replaced by a new unit: same address and station type, new MAC, empty state.
    Replace(Node),
}

/// Each kind of stimulus by its name, as a bench file and the rig's socket say it.
const NAMES: [(&str, Shape); 16] = [
    ("power-on", Shape::OfNode(Stimulus::PowerOn)),
    ("power-off", Shape::OfNode(Stimulus::PowerOff)),
    ("power-off-silently", Shape::OfNode(Stimulus::PowerOffSilently)),
    ("cable-pull", Shape::OfPair(Stimulus::CablePull)),
    ("cable-plug", Shape::OfPair(Stimulus::CablePlug)),
    ("lan-pull", Shape::OfNode(Stimulus::LanPull)),
    ("lan-plug", Shape::OfNode(Stimulus::LanPlug)),
    ("switch-off", Shape::OfPair(Stimulus::SwitchOff)),
    ("switch-on", Shape::OfPair(Stimulus::SwitchOn)),
    ("fxo-fault", Shape::OfNode(|node| Stimulus::FxoFault(node, FxoPort::Switching))),
    ("fxo-clear", Shape::OfNode(|node| Stimulus::FxoClear(node, FxoPort::Switching))),
    ("fxo-fault-alerting", Shape::OfNode(|node| Stimulus::FxoFault(node, FxoPort::Alerting))),
    ("fxo-clear-alerting", Shape::OfNode(|node| Stimulus::FxoClear(node, FxoPort::Alerting))),
    ("reload", Shape::OfNode(Stimulus::Reload)),
    ("upgrade", Shape::OfNode(Stimulus::Upgrade)),
    ("replace", Shape::OfNode(Stimulus::Replace)),
];

enum Shape {
    OfNode(fn(Node) -> Stimulus),
    OfPair(Stimulus),
}

impl Stimulus {
    /// The name of its kind.
    pub(crate) fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, shape)| match shape {
            Shape::OfNode(of) => Node::ALL.into_iter().any(|node| of(node) == self),
            Shape::OfPair(stimulus) => *stimulus == self,
        });
        found.map_or("", |(name, _)| name)
    }

    /// The node it is done to; `None` when it is done to both.
    pub(crate) fn node(self) -> Option<Node> {
        match self {
            Self::PowerOn(node)
            | Self::PowerOff(node)
            | Self::PowerOffSilently(node)
            | Self::LanPull(node)
            | Self::LanPlug(node)
            | Self::FxoFault(node, _)
            | Self::FxoClear(node, _)
            | Self::Reload(node)
            | Self::Upgrade(node)
            | Self::Replace(node) => Some(node),
            Self::CablePull | Self::CablePlug | Self::SwitchOff | Self::SwitchOn => None,
        }
    }

    /// Whether a bench file may give a command for a kind of this name.
    pub(crate) fn is_name(name: &str) -> bool {
        NAMES.iter().any(|(known, _)| *known == name)
    }
}

impl fmt::Display for Stimulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            Some(node) => write!(f, "{} {}", self.name(), letter(node)),
            None => f.write_str(self.name()),
        }
    }
}

impl FromStr for Stimulus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, node) = text.split_once(' ').map_or((text, None), |(name, node)| (name, Some(node)));
        let shape = NAMES.iter().find(|(known, _)| *known == name);
        match (shape.map(|(_, shape)| shape), node.map(parse_node).transpose()?) {
            (Some(Shape::OfNode(of)), Some(node)) => Ok(of(node)),
            (Some(Shape::OfPair(stimulus)), None) => Ok(*stimulus),
            (Some(Shape::OfNode(_)), None) => Err(format!("{name} needs a node, a or b")),
            (Some(Shape::OfPair(_)), Some(_)) => Err(format!("{name} is done to the pair; leave the node out")),
            (None, _) => Err(format!("there is no stimulus {name}")),
        }
    }
}

/// A node by its letter.
pub(crate) fn parse_node(text: &str) -> Result<Node, String> {
    match text {
        "a" => Ok(Node::A),
        "b" => Ok(Node::B),
        _ => Err(format!("there is no node '{text}'; use a or b")),
    }
}

/// The letter of a node.
pub(crate) fn letter(node: Node) -> &'static str {
    match node {
        Node::A => "a",
        Node::B => "b",
    }
}

/// What not every rig has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ability {
    /// A stimulus can be given.
    Give(Stimulus),
    /// Each node has a kernel and a watchdog of its own, which a scenario may break.
    OwnKernel,
}

/// What is known of a rig beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// The cluster IP.
    pub(crate) cluster_ip: Ipv4Addr,
    /// The MAC addresses of the nodes' LAN ports.
    pub(crate) macs: [MacAddr; 2],
    /// Heartbeat timeout T.
    pub(crate) timeout: Duration,
    /// How long a node may take from power on to a running daemon.
    pub(crate) boot_limit: Duration,
    /// Time after which a wedged node is reset by its watchdog.
    pub(crate) watchdog: Duration,
}

/// Heartbeat timeout T of the rigs that are built here, in seconds.
pub(crate) const TIMEOUT_S: u8 = 3;

impl Facts {
    /// Of a pair with the lab's addresses.
    pub(crate) fn of_built(boot_limit: Duration, watchdog: Duration) -> Self {
        Self {
            cluster_ip: CLUSTER_IP.address,
            macs: Node::ALL.map(|node| node.mac(Wire::Lan)),
            timeout: Duration::from_secs(TIMEOUT_S.into()),
            boot_limit,
            watchdog,
        }
    }

    /// Another unit takes the place of a node; gives its MAC address.
    pub(crate) fn replace_unit(&mut self, node: Node) -> MacAddr {
        let mac = &mut self.macs[node.index()];
        mac.0[4] ^= 0x80;
        *mac
    }
}

/// What a command on a node said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it wrote, errors included.
    pub(crate) text: String,
}

/// A place in the network where frames are seen.
pub(crate) struct Tap {
    /// Its name.
    pub(crate) name: String,
    /// The frames.
    pub(crate) socket: FrameSocket,
}

/// A pair on which scenarios are played. Everything ends when this is dropped.
pub(crate) trait Rig {
    /// What is known of it now.
    fn facts(&self) -> Facts;

    /// Whether it has an ability; otherwise why not.
    fn has(&self, ability: Ability) -> Result<(), String>;

    /// Does something to the pair.
    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()>;

    /// Runs a shell command on a node. `$CONFIG` and `$STATE` name the configuration file and the state directory.
    fn run(&mut self, node: Node, command: &str) -> io::Result<Answer>;

    /// What a node has written on its console since its first power on.
    fn console(&mut self, node: Node) -> io::Result<String>;

    /// Where the phone sits, and the interface it uses.
    fn seat(&mut self) -> (&mut Site, &str);

    /// Where frames can be seen.
    fn taps(&mut self) -> io::Result<Vec<Tap>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stimulus_is_read_as_it_is_written() {
        for (name, shape) in NAMES {
            let all = match shape {
                Shape::OfNode(of) => vec![of(Node::A), of(Node::B)],
                Shape::OfPair(stimulus) => vec![stimulus],
            };
            for stimulus in all {
                assert_eq!(stimulus.name(), name);
                assert_eq!(stimulus.to_string().parse(), Ok(stimulus));
            }
        }
    }

    #[test]
    fn what_is_no_stimulus_is_refused_with_a_reason() {
        assert_eq!("power-on".parse::<Stimulus>(), Err("power-on needs a node, a or b".to_owned()));
        assert_eq!("power-on c".parse::<Stimulus>(), Err("there is no node 'c'; use a or b".to_owned()));
        assert_eq!(
            "cable-pull a".parse::<Stimulus>(),
            Err("cable-pull is done to the pair; leave the node out".to_owned())
        );
        assert_eq!("explode".parse::<Stimulus>(), Err("there is no stimulus explode".to_owned()));
    }
}
