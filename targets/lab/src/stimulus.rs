//! What can be done to a pair, as scenarios name it: to the node that was active when the scenario began, or to its peer.

use crate::network::{Cut, Station};
use crate::operations::Lab;
use crate::plan::{HEARTBEAT_PORT, Node, Port, Wire};
use crate::relay::Impairment;
use fastrand::Rng;
use std::io;
use std::time::Duration;

/// The longest delay of a slow wire, each way.
const SLOWEST: Duration = Duration::from_millis(1500);

/// A node by the role it had at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// It was active.
    Active,
    /// It was standby.
    Standby,
}

impl Who {
    /// Both.
    pub(crate) const BOTH: [Self; 2] = [Self::Active, Self::Standby];

    /// The node, given which one was active.
    pub(crate) const fn node(self, active: Node) -> Node {
        match self {
            Self::Active => active,
            Self::Standby => active.peer(),
        }
    }
}

/// Something that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stimulus {
    /// `kill -9` of a daemon.
    Kill(Who),
    /// SIGSTOP of a daemon.
    Freeze(Who),
    /// SIGCONT.
    Thaw(Who),
    /// A daemon is started.
    Start(Who),
    /// Power off.
    PowerLoss(Who),
    /// A port is cut off.
    Cut(Who, Wire, Cut),
    /// A port is impaired; the lab must be built with relays.
    Impair(Who, Wire, Impairment),
    /// A port is good again.
    Mend(Who, Wire),
    /// Every port of both nodes is cut off.
    CutAll(Cut),
    /// Every port of both nodes is impaired.
    ImpairAll(Impairment),
    /// Every port of both nodes is good again.
    MendAll,
    /// The heartbeat cable is pulled.
    CablePulled,
    /// The gateway dies.
    GatewayDead,
    /// The LAN splits: this node on one side, everybody else on the other.
    Split(Who),
    /// The processors have no time.
    Load(bool),
    /// The disk of a node is full.
    DiskFull(Who),
    /// The disk of a node hangs.
    DiskStalls(Who),
    /// The disk of a node is good again.
    DiskGood(Who),
    /// Somebody removes the cluster IP from a node.
    ClusterIpRemoved(Who),
    /// Somebody removes the static address from a node.
    OwnAddressRemoved(Who),
    /// Somebody gives it back.
    OwnAddressBack(Who),
    /// An interface of a node is deleted.
    InterfaceDeleted(Who, Wire),
    /// It is made again.
    InterfaceBack(Who, Wire),
    /// A daemon is frozen, and more happens to its interfaces than its subscription has room for.
    EventsLost(Who),
    /// A foreign host takes the cluster IP, or leaves.
    Stranger(bool),
    /// Somebody listens on a wire of both nodes.
    StormGathers(Wire),
    /// He sends what he heard, and worse, 10,000 times a second to each node.
    StormRages,
}

impl Stimulus {
    /// Does it. A daemon that is gone already can be neither killed nor frozen.
    pub(crate) fn happen(self, lab: &mut Lab, active: Node) -> io::Result<()> {
        let port = |who: Who, wire| Port { node: who.node(active), wire };
        let node = |who: Who| who.node(active);
        match self {
            Self::Kill(who) | Self::Freeze(who) | Self::PowerLoss(who) | Self::EventsLost(who)
                if !lab.is_running(node(who)) =>
            {
                Ok(())
            }
            Self::Kill(who) => lab.kill(node(who)),
            Self::Freeze(who) => lab.freeze(node(who)),
            Self::Thaw(who) => lab.thaw(node(who)),
            Self::Start(who) => lab.start(node(who)),
            Self::PowerLoss(who) => lab.power_off(node(who)),
            Self::Cut(who, wire, how) => lab.cut(port(who, wire), how),
            Self::Impair(who, wire, impairment) => lab.impair(port(who, wire), impairment),
            Self::Mend(who, wire) => lab.mend(port(who, wire)),
            Self::CutAll(how) => Port::all().try_for_each(|port| lab.cut(port, how)),
            Self::ImpairAll(impairment) => Port::all().try_for_each(|port| lab.impair(port, impairment)),
            Self::MendAll => Port::all().try_for_each(|port| lab.mend(port)),
            Self::CablePulled => lab.pull_cable(),
            Self::GatewayDead => lab.set_gateway(false),
            Self::Split(who) => lab.split_lan(&[Station::Node(node(who))]),
            Self::Load(on) => {
                lab.set_load(on);
                Ok(())
            }
            Self::DiskFull(who) => lab.fill_disk(node(who)),
            Self::DiskStalls(who) => lab.stall_disk(node(who)),
            Self::DiskGood(who) => lab.repair_disk(node(who)),
            Self::ClusterIpRemoved(who) => lab.release_by_hand(node(who)),
            Self::OwnAddressRemoved(who) => lab.set_own_address(node(who), false),
            Self::OwnAddressBack(who) => lab.set_own_address(node(who), true),
            Self::InterfaceDeleted(who, wire) => lab.delete_interface(port(who, wire)),
            Self::InterfaceBack(who, wire) => lab.recreate_interface(port(who, wire)),
            Self::EventsLost(who) => lab.overrun_events(node(who)),
            Self::Stranger(there) => lab.set_stranger(there),
            Self::StormGathers(wire) => lab.gather_storm(wire),
            Self::StormRages => {
                lab.let_storm_rage();
                Ok(())
            }
        }
    }

    /// One at random, of those that [`Lab::restore`] undoes. Cable and LAN are never both cut between nodes that
    /// both reach the gateway: S2 excepts that.
    pub(crate) fn any(rng: &mut Rng) -> Self {
        let who = if rng.bool() { Who::Active } else { Who::Standby };
        let wire = if rng.bool() { Wire::Lan } else { Wire::Cable };
        let good = Impairment::GOOD;
        match rng.u8(0..22) {
            0 => Self::Kill(who),
            1 => Self::Freeze(who),
            2 => Self::PowerLoss(who),
            3 => Self::Cut(who, wire, Cut::Carrier),
            4 => Self::Cut(who, wire, Cut::Silent),
            5 => Self::Impair(who, wire, Impairment { deaf: true, ..good }),
            6 => Self::Impair(who, wire, Impairment { mute: true, ..good }),
            7 => Self::Impair(who, wire, Impairment { loss_pct: 60, duplicate_pct: 20, ..good }),
            8 => Self::Impair(who, Wire::Lan, Impairment { filtered_udp_port: Some(HEARTBEAT_PORT), ..good }),
            9 => Self::CablePulled,
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
            20 => Self::Stranger(true),
            _ => Self::StormGathers(wire),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Stimulus> {
        let mut rng = Rng::with_seed(seed);
        std::iter::repeat_with(|| Stimulus::any(&mut rng)).take(500).collect()
    }

    #[test]
    fn a_seed_gives_the_same_stimuli_again_and_another_one_others() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }
}
