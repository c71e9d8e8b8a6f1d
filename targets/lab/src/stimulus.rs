//! What can be done to a pair. A table of a scenario names the nodes by their roles at its beginning ([`Who`]), a rig by
//! themselves.

use crate::neighbour::Keyed;
use crate::network::Cut;
use crate::plan::{HEARTBEAT_PORT, Node, Wire};
use crate::recorder::Tape;
use crate::relay::Impairment;
use crate::stranger::Claim;
use fastrand::Rng;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The longest delay of a slow wire, each way.
const SLOWEST: Duration = Duration::from_millis(1500);

/// A node by the role it had at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// It was active.
    Active,
    /// It was standby.
    Standby,
}

impl Who {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Active, Self::Standby];

    /// The node, given which one was active.
    pub const fn node(self, active: Node) -> Node {
        match self {
            Self::Active => active,
            Self::Standby => active.peer(),
        }
    }
}

/// An FXO port of a node, by what its fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FxoPort {
    /// The first one: its box of the hardware fault switch is ticked, so its fault hands over.
    Switching,
    /// The last one: its box is not ticked, so its fault only alerts.
    Alerting,
}

impl FxoPort {
    /// Its number. The nodes have four ports.
    pub const fn number(self) -> u8 {
        match self {
            Self::Switching => 1,
            Self::Alerting => 4,
        }
    }
}

/// Something that is done to the pair from outside. Not every pair can have all of it done: see [`Ability`](crate::pair::Ability).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stimulus<N = Node> {
    /// Power on.
    PowerOn(N),
    /// Power off; the other end of the heartbeat cable loses its carrier.
    PowerOff(N),
    /// Power off, but something between the nodes (a media converter) keeps the other end's carrier up.
    PowerOffSilently(N),
    /// The heartbeat cable is pulled.
    CablePull,
    /// The heartbeat cable is put back.
    CablePlug,
    /// A port is cut off.
    Cut(N, Wire, Cut),
    /// A port is impaired.
    Impair(N, Wire, Impairment),
    /// A port is good again.
    Mend(N, Wire),
    /// Every port of both nodes is cut off.
    CutAll(Cut),
    /// Every port of both nodes is impaired.
    ImpairAll(Impairment),
    /// Every port of both nodes is good again.
    MendAll,
    /// The LAN's switch loses its power.
    SwitchOff,
    /// The LAN's switch works again.
    SwitchOn,
    /// The LAN is cut between the nodes; each still reaches everybody else.
    Separate,
    /// The LAN splits: this node on one side, everybody else on the other.
    Split(N),
    /// The gateway dies.
    GatewayDead,
    /// An FXO port of a node reports a hardware fault.
    FxoFault(N, FxoPort),
    /// An FXO port of a node works again.
    FxoClear(N, FxoPort),
    /// `kill -9` of a daemon.
    Kill(N),
    /// SIGSTOP of a daemon.
    Freeze(N),
    /// SIGCONT.
    Thaw(N),
    /// A daemon is started.
    Start(N),
    /// The daemon reads its configuration again.
    Reload(N),
    /// A node that is off gets the next firmware.
    Upgrade(N),
    /// A node that is off is replaced by a new unit: same address and station type, new MAC, empty state.
    Replace(N),
    /// The processors have no time.
    Load(bool),
    /// The disk of a node is full.
    DiskFull(N),
    /// The disk of a node hangs.
    DiskStalls(N),
    /// The disk of a node is good again.
    DiskGood(N),
    /// Somebody removes the cluster IP from a node.
    ClusterIpRemoved(N),
    /// Somebody removes the static address from a node.
    OwnAddressRemoved(N),
    /// Somebody gives it back.
    OwnAddressBack(N),
    /// An interface of a node is deleted.
    InterfaceDeleted(N, Wire),
    /// It is made again.
    InterfaceBack(N, Wire),
    /// An interface of a node is given another name.
    InterfaceRenamed(N, Wire),
    /// It has its name back.
    InterfaceNamedBack(N, Wire),
    /// A daemon is frozen, and more happens to its interfaces than its subscription has room for.
    EventsLost(N),
    /// A foreign host takes addresses, beside what it has already, or leaves.
    Stranger(Option<Claim>),
    /// A node of another pair is plugged into the heartbeat segment, with a key of its own or none, or leaves.
    Neighbour(Option<Keyed>),
    /// Somebody listens on a wire of both nodes.
    StormGathers(Wire),
    /// He sends what he heard, and worse, 10,000 times a second to each node.
    StormRages,
    /// Somebody without the key records all heartbeats on the LAN from now on.
    RecorderListens,
    /// He plays a tape of them to each node, so many frames a second.
    RecorderPlays(Tape, u32),
}

impl<N: Copy> Stimulus<N> {
    /// The same, done to the nodes that `which` names.
    fn to<M>(self, which: impl Fn(N) -> M) -> Stimulus<M> {
        match self {
            Self::PowerOn(n) => Stimulus::PowerOn(which(n)),
            Self::PowerOff(n) => Stimulus::PowerOff(which(n)),
            Self::PowerOffSilently(n) => Stimulus::PowerOffSilently(which(n)),
            Self::CablePull => Stimulus::CablePull,
            Self::CablePlug => Stimulus::CablePlug,
            Self::Cut(n, wire, how) => Stimulus::Cut(which(n), wire, how),
            Self::Impair(n, wire, how) => Stimulus::Impair(which(n), wire, how),
            Self::Mend(n, what) => Stimulus::Mend(which(n), what),
            Self::CutAll(what) => Stimulus::CutAll(what),
            Self::ImpairAll(what) => Stimulus::ImpairAll(what),
            Self::MendAll => Stimulus::MendAll,
            Self::SwitchOff => Stimulus::SwitchOff,
            Self::SwitchOn => Stimulus::SwitchOn,
            Self::Separate => Stimulus::Separate,
            Self::Split(n) => Stimulus::Split(which(n)),
            Self::GatewayDead => Stimulus::GatewayDead,
            Self::FxoFault(n, what) => Stimulus::FxoFault(which(n), what),
            Self::FxoClear(n, what) => Stimulus::FxoClear(which(n), what),
            Self::Kill(n) => Stimulus::Kill(which(n)),
            Self::Freeze(n) => Stimulus::Freeze(which(n)),
            Self::Thaw(n) => Stimulus::Thaw(which(n)),
            Self::Start(n) => Stimulus::Start(which(n)),
            Self::Reload(n) => Stimulus::Reload(which(n)),
            Self::Upgrade(n) => Stimulus::Upgrade(which(n)),
            Self::Replace(n) => Stimulus::Replace(which(n)),
            Self::Load(what) => Stimulus::Load(what),
            Self::DiskFull(n) => Stimulus::DiskFull(which(n)),
            Self::DiskStalls(n) => Stimulus::DiskStalls(which(n)),
            Self::DiskGood(n) => Stimulus::DiskGood(which(n)),
            Self::ClusterIpRemoved(n) => Stimulus::ClusterIpRemoved(which(n)),
            Self::OwnAddressRemoved(n) => Stimulus::OwnAddressRemoved(which(n)),
            Self::OwnAddressBack(n) => Stimulus::OwnAddressBack(which(n)),
            Self::InterfaceDeleted(n, what) => Stimulus::InterfaceDeleted(which(n), what),
            Self::InterfaceBack(n, what) => Stimulus::InterfaceBack(which(n), what),
            Self::InterfaceRenamed(n, what) => Stimulus::InterfaceRenamed(which(n), what),
            Self::InterfaceNamedBack(n, what) => Stimulus::InterfaceNamedBack(which(n), what),
            Self::EventsLost(n) => Stimulus::EventsLost(which(n)),
            Self::Stranger(what) => Stimulus::Stranger(what),
            Self::Neighbour(what) => Stimulus::Neighbour(what),
            Self::StormGathers(what) => Stimulus::StormGathers(what),
            Self::StormRages => Stimulus::StormRages,
            Self::RecorderListens => Stimulus::RecorderListens,
            Self::RecorderPlays(what, rate) => Stimulus::RecorderPlays(what, rate),
        }
    }

    /// The node it is done to; `None` when it is done to both.
    pub fn node(self) -> Option<N> {
        match self {
            Self::PowerOn(node)
            | Self::PowerOff(node)
            | Self::PowerOffSilently(node)
            | Self::Cut(node, ..)
            | Self::Impair(node, ..)
            | Self::Mend(node, ..)
            | Self::Split(node)
            | Self::FxoFault(node, ..)
            | Self::FxoClear(node, ..)
            | Self::Kill(node)
            | Self::Freeze(node)
            | Self::Thaw(node)
            | Self::Start(node)
            | Self::Reload(node)
            | Self::Upgrade(node)
            | Self::Replace(node)
            | Self::DiskFull(node)
            | Self::DiskStalls(node)
            | Self::DiskGood(node)
            | Self::ClusterIpRemoved(node)
            | Self::OwnAddressRemoved(node)
            | Self::OwnAddressBack(node)
            | Self::InterfaceDeleted(node, ..)
            | Self::InterfaceBack(node, ..)
            | Self::InterfaceRenamed(node, ..)
            | Self::InterfaceNamedBack(node, ..)
            | Self::EventsLost(node) => Some(node),
            Self::CablePull
            | Self::CablePlug
            | Self::CutAll(_)
            | Self::ImpairAll(_)
            | Self::MendAll
            | Self::SwitchOff
            | Self::SwitchOn
            | Self::Separate
            | Self::GatewayDead
            | Self::Load(_)
            | Self::Stranger(_)
            | Self::Neighbour(_)
            | Self::StormGathers(_)
            | Self::StormRages
            | Self::RecorderListens
            | Self::RecorderPlays(..) => None,
        }
    }
}

/// The stimuli that have a name, as a bench file and the rig's socket say it.
const NAMES: [(&str, Shape); 16] = [
    ("power-on", Shape::OfNode(Stimulus::PowerOn)),
    ("power-off", Shape::OfNode(Stimulus::PowerOff)),
    ("power-off-silently", Shape::OfNode(Stimulus::PowerOffSilently)),
    ("cable-pull", Shape::OfPair(Stimulus::CablePull)),
    ("cable-plug", Shape::OfPair(Stimulus::CablePlug)),
    ("lan-pull", Shape::OfNode(Stimulus::lan_pull)),
    ("lan-plug", Shape::OfNode(Stimulus::lan_plug)),
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
    /// A node's LAN port is unplugged.
    pub const fn lan_pull(node: Node) -> Self {
        Self::Cut(node, Wire::Lan, Cut::Carrier)
    }

    /// A node's LAN port is plugged in again.
    pub const fn lan_plug(node: Node) -> Self {
        Self::Mend(node, Wire::Lan)
    }

    /// The name of its kind, where it has one.
    pub fn name(self) -> Option<&'static str> {
        let found = NAMES.iter().find(|(_, shape)| match shape {
            Shape::OfNode(of) => Node::ALL.into_iter().any(|node| of(node) == self),
            Shape::OfPair(stimulus) => *stimulus == self,
        });
        found.map(|(name, _)| *name)
    }

    /// Whether there is a kind of this name.
    pub fn is_name(name: &str) -> bool {
        NAMES.iter().any(|(known, _)| *known == name)
    }
}

impl fmt::Display for Stimulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.node()) {
            (Some(name), Some(node)) => write!(f, "{name} {}", node.letter()),
            (Some(name), None) => f.write_str(name),
            (None, _) => write!(f, "{self:?}"),
        }
    }
}

impl FromStr for Stimulus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, node) = text.split_once(' ').map_or((text, None), |(name, node)| (name, Some(node)));
        let shape = NAMES.iter().find(|(known, _)| *known == name);
        match (shape.map(|(_, shape)| shape), node.map(str::parse).transpose()?) {
            (Some(Shape::OfNode(of)), Some(node)) => Ok(of(node)),
            (Some(Shape::OfPair(stimulus)), None) => Ok(*stimulus),
            (Some(Shape::OfNode(_)), None) => Err(format!("{name} needs a node, a or b")),
            (Some(Shape::OfPair(_)), Some(_)) => Err(format!("{name} is done to the pair; leave the node out")),
            (None, _) => Err(format!("there is no stimulus {name}")),
        }
    }
}

impl Stimulus<Who> {
    /// The same, given which node was active.
    pub fn on(self, active: Node) -> Stimulus {
        self.to(|who| who.node(active))
    }

    /// One at random, of those that the lab's `restore` undoes. Cable and LAN are never both cut between nodes that
    /// both reach the gateway: S2 excepts that.
    pub fn any(rng: &mut Rng) -> Self {
        let who = if rng.bool() { Who::Active } else { Who::Standby };
        let wire = if rng.bool() { Wire::Lan } else { Wire::Cable };
        let good = Impairment::GOOD;
        match rng.u8(0..24) {
            0 => Self::Kill(who),
            1 => Self::Freeze(who),
            2 => Self::PowerOff(who),
            3 => Self::Cut(who, wire, Cut::Carrier),
            4 => Self::Cut(who, wire, Cut::Silent),
            5 => Self::Impair(who, wire, Impairment { deaf: true, ..good }),
            6 => Self::Impair(who, wire, Impairment { mute: true, ..good }),
            7 => Self::Impair(who, wire, Impairment { loss_pct: 60, duplicate_pct: 20, ..good }),
            8 => Self::Impair(who, Wire::Lan, Impairment { filtered_udp_port: Some(HEARTBEAT_PORT), ..good }),
            9 => Self::CablePull,
            10 => Self::GatewayDead,
            11 => {
                let delay = SLOWEST.mul_f64(rng.f64());
                Self::Impair(who, wire, Impairment { delay, jitter: delay / 2, ..good })
            }
            12 => Self::Split(who),
            13 => Self::Load(true),
            14 => Self::DiskFull(who),
            15 => Self::DiskStalls(who),
            16 => Self::ClusterIpRemoved(who),
            17 => Self::OwnAddressRemoved(who),
            18 => Self::InterfaceDeleted(who, wire),
            19 => Self::EventsLost(who),
            20 => Self::Stranger(Some(Claim::ClusterIp)),
            21 => Self::InterfaceRenamed(who, wire),
            22 => Self::Neighbour(Some(if rng.bool() { Keyed::Yes } else { Keyed::No })),
            _ => Self::StormGathers(wire),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Stimulus<Who>> {
        let mut rng = Rng::with_seed(seed);
        std::iter::repeat_with(|| Stimulus::any(&mut rng)).take(500).collect()
    }

    #[test]
    fn a_seed_gives_the_same_stimuli_again_and_another_one_others() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn every_stimulus_is_read_as_it_is_written() {
        for (name, shape) in NAMES {
            let all = match shape {
                Shape::OfNode(of) => vec![of(Node::A), of(Node::B)],
                Shape::OfPair(stimulus) => vec![stimulus],
            };
            for stimulus in all {
                assert_eq!(stimulus.name(), Some(name));
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
