//! The faults of the grid: every kind, in every variant that the pair can tell apart.

use crate::sim::faults::Kind;
use crate::sim::link::Impairment;
use crate::sim::misset::Setting;
use crate::sim::recorder::{Tactic, Tape};
use crate::sim::stations::{GATEWAY, PHONE};
use crate::sim::third::Neighbour;
use crate::sim::{A, B, MS, SEC};
use ucm_ha::fault::Faults;

/// A fault of the grid, relative to the roles at the moment it begins.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// The row of the first table of `docs/safety.md`.
    pub(crate) row: &'static str,
    /// What happens.
    pub(crate) kind: Kind,
}

fn variant(row: &'static str, kind: Kind) -> Variant {
    Variant { row, kind }
}

/// All variants, for a pair in which `active` is active.
pub(crate) fn variants(active: usize) -> Vec<Variant> {
    let standby = 1 - active;
    let mut all = machines(active, standby);
    all.extend(cable(active, standby));
    all.extend(lan_ports(active, "active's LAN without carrier", "active's LAN silently dead"));
    all.extend(lan_ports(standby, "standby's LAN dead", "standby's LAN dead"));
    all.extend(lan(active, standby));
    all.extend(impairments(active, standby));
    all.extend(recorders());
    all
}

/// A host on the LAN that does what it can: by old boots, and by what a node said last.
fn recorders() -> Vec<Variant> {
    let withholds = Tactic { withholds: true, is_peer: true, ..Tactic::NOTHING };
    let recorder = |tactic| variant("recorder on the LAN", Kind::Recorder(tactic));
    vec![
        recorder(Tactic { plays: Tape::Old, rate: 300, is_gateway: true, ..withholds }),
        recorder(Tactic { plays: Tape::Last(20 * SEC), rate: 20, ..withholds }),
    ]
}

fn machines(active: usize, standby: usize) -> Vec<Variant> {
    let standby_gone = "standby's daemon or power lost";
    vec![
        variant("active's daemon killed", Kind::DaemonKilled { node: active }),
        variant("active's daemon frozen", Kind::DaemonFrozen { node: active }),
        variant("active's power lost", Kind::PowerLost { node: active }),
        variant(standby_gone, Kind::DaemonKilled { node: standby }),
        variant(standby_gone, Kind::DaemonFrozen { node: standby }),
        variant(standby_gone, Kind::PowerLost { node: standby }),
        variant("active finds a fault, switch on", Kind::SelfFault { node: active, faults: Faults::FXO1 }),
        variant("standby finds a fault", Kind::SelfFault { node: standby, faults: Faults::FXO1 }),
        variant("bind fails at the standby", Kind::BindFails { node: standby }),
        variant("state cannot be stored", Kind::PersistFails { node: active }),
        variant("state cannot be stored", Kind::PersistFails { node: standby }),
        variant("standby's cluster IP differs", Kind::Misset { node: standby, setting: Setting::ClusterIp }),
        variant("standby's key differs", Kind::Misset { node: standby, setting: Setting::Key }),
    ]
}

fn cable(active: usize, standby: usize) -> Vec<Variant> {
    let one = |node: usize| core::array::from_fn(|other| other == node);
    let cut = |from, carrier_lost| variant("cable cut", Kind::CableCut { from, carrier_lost });
    vec![
        cut([true; 2], [true; 2]),
        cut([true; 2], [false; 2]),
        cut([true; 2], one(active)),
        cut([true; 2], one(standby)),
        cut(one(active), [false; 2]),
        cut(one(standby), [false; 2]),
        // The end that loses carrier receives nothing.
        cut(one(active), one(standby)),
        cut(one(standby), one(active)),
    ]
}

fn lan_ports(node: usize, without_carrier: &'static str, silently: &'static str) -> Vec<Variant> {
    let port = |send, receive, carrier_lost| Kind::LanPortDead { node, send, receive, carrier_lost };
    vec![
        variant(without_carrier, port(true, true, true)),
        variant(silently, port(true, true, false)),
        variant(silently, port(true, false, false)),
        variant(silently, port(false, true, false)),
        variant(silently, both_ways(&[(node, GATEWAY), (node, PHONE)])),
    ]
}

fn both_ways(pairs: &[(usize, usize)]) -> Kind {
    Kind::LanCut { pairs: pairs.iter().flat_map(|&(from, to)| [(from, to), (to, from)]).collect() }
}

fn lan(active: usize, standby: usize) -> Vec<Variant> {
    let split = "LAN split between the nodes";
    let filtered = |from| variant("UDP filtered on the LAN", Kind::UdpFiltered { from });
    vec![
        variant(split, both_ways(&[(A, B)])),
        variant(split, Kind::LanCut { pairs: vec![(active, standby)] }),
        variant(split, Kind::LanCut { pairs: vec![(standby, active)] }),
        filtered([true; 2]),
        filtered(core::array::from_fn(|node| node == active)),
        filtered(core::array::from_fn(|node| node == standby)),
        variant("gateway dead", Kind::GatewayDead),
    ]
}

fn impairments(active: usize, standby: usize) -> Vec<Variant> {
    let bad = Impairment { loss_percent: 5, duplicate_percent: 30, reorder_percent: 50, ..Impairment::default() };
    let late = Impairment { delay_min_us: 100 * MS, delay_max_us: 400 * MS, ..bad };
    vec![
        variant("cable bad", Kind::CableBad(Impairment { loss_percent: 40, ..bad })),
        variant("cable bad", Kind::CableBad(late)),
        variant("LAN bad", Kind::LanBad { node: active, how: bad }),
        variant("LAN bad", Kind::LanBad { node: standby, how: bad }),
        variant("LAN delayed", Kind::LanBad { node: active, how: late }),
        variant("LAN delayed", Kind::LanBad { node: standby, how: late }),
        variant("forged and replayed frames", Kind::Attack),
        variant("another pair on the cable", Kind::AnotherPair(Neighbour::Plain)),
        variant("another pair on the cable", Kind::AnotherPair(Neighbour::Keyed)),
    ]
}
