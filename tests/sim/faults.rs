//! What can go wrong in the world, and how it begins and ends.

use super::link::{Impairment, Net};
use super::misset::Setting;
use super::recorder::Tactic;
use super::stations::{FOREIGN, FOREIGN_MAC};
use super::third::Neighbour;
use super::world::World;
use super::{Us, trace};
use ucm_ha::fault::Faults;

/// A kind of fault (or of disturbance by people).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The cable loses frames from the marked nodes; the marked ports lose carrier.
    CableCut { from: [bool; 2], carrier_lost: [bool; 2] },
    /// A node's LAN port is dead: to send, to receive, or both; with or without loss of carrier.
    LanPortDead { node: usize, send: bool, receive: bool, carrier_lost: bool },
    /// The LAN passes nothing between these stations (from, to).
    LanCut { pairs: Vec<(usize, usize)> },
    /// Somebody removes a node's static address; it is back when the fault ends.
    OwnAddressLost { node: usize },
    /// Heartbeat datagrams from the marked nodes are filtered on the LAN; ARP passes.
    UdpFiltered { from: [bool; 2] },
    /// The gateway is dead.
    GatewayDead,
    /// The daemon was killed; it starts again when the fault ends.
    DaemonKilled { node: usize },
    /// The daemon is not scheduled; it goes on when the fault ends.
    DaemonFrozen { node: usize },
    /// The machine has no power; it boots when the fault ends.
    PowerLost { node: usize },
    /// The cable loses, duplicates, delays or reorders.
    CableBad(Impairment),
    /// A node's LAN port loses, duplicates, delays or reorders.
    LanBad { node: usize, how: Impairment },
    /// Addresses cannot be added on this machine.
    BindFails { node: usize },
    /// Nothing can be stored on this machine.
    PersistFails { node: usize },
    /// A fault the node finds in itself.
    SelfFault { node: usize, faults: Faults },
    /// The WAN port has no carrier.
    WanDown { node: usize },
    /// Somebody replays, forges and garbles frames on both paths.
    Attack,
    /// A stranger on the LAN took the cluster IP.
    ForeignHolder,
    /// A host on the LAN records, withholds and replays heartbeats, and lies by ARP.
    Recorder(Tactic),
    /// A node of another pair is on the heartbeat segment: two cables in one switch, or a cable in a third unit.
    AnotherPair(Neighbour),
    /// A daemon is restarted with a setting that its peer does not have; when the fault ends, with the right one.
    Misset { node: usize, setting: Setting },
}

/// A fault with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What.
    pub(crate) kind: Kind,
    /// When it begins.
    pub(crate) from: Us,
    /// When it ends.
    pub(crate) to: Us,
}

impl Kind {
    /// Name of the class that runs are counted by.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::CableCut { from: [true, true], .. } => "cable cut",
            Self::CableCut { from: [false, false], .. } => "cable carrier only",
            Self::CableCut { .. } => "cable cut one way",
            Self::LanPortDead { carrier_lost: true, .. } => "LAN port dead, no carrier",
            Self::LanPortDead { send: true, receive: true, .. } => "LAN port dead silently",
            Self::LanPortDead { .. } => "LAN port dead one way",
            Self::LanCut { .. } => "LAN split",
            Self::OwnAddressLost { .. } => "static address lost",
            Self::UdpFiltered { .. } => "UDP filtered",
            Self::GatewayDead => "gateway dead",
            Self::DaemonKilled { .. } => "daemon killed",
            Self::DaemonFrozen { .. } => "daemon frozen",
            Self::PowerLost { .. } => "power lost",
            Self::CableBad(_) => "cable bad",
            Self::LanBad { how, .. } if how.delay_max_us > 0 => "LAN delayed",
            Self::LanBad { .. } => "LAN bad",
            Self::BindFails { .. } => "bind fails",
            Self::PersistFails { .. } => "persist fails",
            Self::SelfFault { .. } => "self-fault",
            Self::WanDown { .. } => "WAN down",
            Self::Attack => "attack",
            Self::ForeignHolder => "foreign holder",
            Self::Recorder(_) => "recorder on the LAN",
            Self::AnotherPair(_) => "another pair",
            Self::Misset { setting: Setting::ClusterIp, .. } => "cluster IP differs",
            Self::Misset { setting: Setting::Key, .. } => "key differs",
        }
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let to = if self.to == Us::MAX { "the end".into() } else { trace::moment(self.to) };
        write!(f, "{} to {to}  {}: {:?}", trace::moment(self.from), self.kind.class(), self.kind)
    }
}

/// One more reason, or one less.
fn count(reasons: &mut u8, on: bool) {
    *reasons = if on { *reasons + 1 } else { reasons.checked_sub(1).expect("a fault ends once") };
}

impl World {
    /// Begins (`on`) or ends a fault.
    pub(crate) fn set_fault(&mut self, kind: &Kind, on: bool) {
        self.net.set(kind, on);
        match *kind {
            Kind::DaemonKilled { node } => self.set_killed(node, on),
            Kind::DaemonFrozen { node } => self.set_frozen(node, on),
            Kind::PowerLost { node } => self.set_power_off(node, on),
            Kind::BindFails { node } => count(&mut self.machines[node].bind_fails, on),
            Kind::PersistFails { node } => count(&mut self.machines[node].persist_fails, on),
            Kind::SelfFault { node, faults } => self.set_self_fault(node, faults, on),
            Kind::Attack => self.set_attack(on),
            Kind::Recorder(tactic) => self.set_recorder(tactic, on),
            Kind::AnotherPair(neighbour) => self.set_third(neighbour, on),
            Kind::Misset { node, setting } => self.set_misset(node, setting, on),
            Kind::ForeignHolder => {
                self.foreign = on;
                if on {
                    self.announce(FOREIGN, FOREIGN_MAC);
                }
            }
            Kind::LanCut { ref pairs } => self.phone_was_hidden(pairs),
            Kind::CableCut { .. }
            | Kind::LanPortDead { .. }
            | Kind::OwnAddressLost { .. }
            | Kind::UdpFiltered { .. }
            | Kind::GatewayDead
            | Kind::CableBad(_)
            | Kind::LanBad { .. }
            | Kind::WanDown { .. } => {}
        }
        self.tell_carriers();
        self.topology_changed();
    }
}

impl Net {
    /// The part of a fault that lies in the paths.
    pub(crate) fn set(&mut self, kind: &Kind, on: bool) {
        let net = self;
        match kind {
            Kind::CableCut { from, carrier_lost } => {
                for node in [super::A, super::B] {
                    if from[node] {
                        count(&mut net.cable_cut_from[node], on);
                    }
                    if carrier_lost[node] {
                        count(&mut net.cable_carrier_lost[node], on);
                    }
                }
            }
            Kind::LanPortDead { node, send, receive, carrier_lost } => {
                if *send {
                    count(&mut net.lan_send_dead[*node], on);
                }
                if *receive {
                    count(&mut net.lan_receive_dead[*node], on);
                }
                if *carrier_lost {
                    count(&mut net.lan_carrier_lost[*node], on);
                }
            }
            Kind::LanCut { pairs } => {
                for &(from, to) in pairs {
                    count(&mut net.lan_cut[from][to], on);
                }
            }
            Kind::UdpFiltered { from } => {
                for node in [super::A, super::B] {
                    if from[node] {
                        count(&mut net.udp_filtered_from[node], on);
                    }
                }
            }
            Kind::OwnAddressLost { node } => count(&mut net.own_address_lost[*node], on),
            Kind::GatewayDead => count(&mut net.gateway_dead, on),
            Kind::CableBad(how) => set_impairment(&mut net.cable_impaired, *how, on),
            Kind::LanBad { node, how } => set_impairment(&mut net.lan_impaired[*node], *how, on),
            Kind::WanDown { node } => count(&mut net.wan_carrier_lost[*node], on),
            Kind::DaemonKilled { .. }
            | Kind::DaemonFrozen { .. }
            | Kind::PowerLost { .. }
            | Kind::BindFails { .. }
            | Kind::PersistFails { .. }
            | Kind::SelfFault { .. }
            | Kind::Attack
            | Kind::Recorder(_)
            | Kind::AnotherPair(_)
            | Kind::Misset { .. }
            | Kind::ForeignHolder => {}
        }
    }
}

fn set_impairment(impairments: &mut Vec<Impairment>, how: Impairment, on: bool) {
    if on {
        impairments.push(how);
    } else {
        let index = impairments.iter().position(|other| *other == how).expect("an impairment ends once");
        impairments.remove(index);
    }
}
