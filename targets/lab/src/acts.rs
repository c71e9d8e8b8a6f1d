//! What the lab does for each stimulus, and what it has not.

use crate::network::{Cut, Station};
use crate::operations::Lab;
use crate::pair::{Ability, Pair};
use crate::phone::PhoneView;
use crate::plan::{Node, Port};
use crate::stimulus::Stimulus;
use crate::timeline::Timeline;
use std::io;
use std::time::{Duration, Instant};
use ucm_ha_control::Report;

/// Time in which a pair that came up settles: both paths heard, synchronised, ready to switch.
const SETTLE_TIME: Duration = Duration::from_secs(6);

impl Pair for Lab {
    const LOOK_PERIOD: Duration = Duration::from_millis(10);
    const CHEAP_STATUS: bool = true;

    fn has(&self, ability: Ability) -> Result<(), String> {
        match ability {
            Ability::Give(stimulus @ (Stimulus::Upgrade(_) | Stimulus::Replace(_))) => Err(cannot(stimulus)),
            Ability::Give(_) => Ok(()),
            Ability::OwnKernel => Err("a namespace has no kernel and no watchdog of its own".to_owned()),
            Ability::BadWires => self.has_relays().then_some(()).ok_or_else(|| "the lab has no relays".to_owned()),
            Ability::Key => self.is_keyed().then_some(()).ok_or_else(|| "the lab's nodes have no key".to_owned()),
        }
    }

    /// A daemon that is gone already can be neither killed nor frozen.
    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()> {
        match stimulus {
            Stimulus::Kill(node) | Stimulus::Freeze(node) | Stimulus::PowerOff(node) | Stimulus::EventsLost(node)
                if !self.is_running(node) =>
            {
                Ok(())
            }
            Stimulus::PowerOn(node) => self.power_on(node),
            Stimulus::PowerOff(node) => self.power_off(node),
            Stimulus::PowerOffSilently(node) => self.power_off_silently(node),
            Stimulus::CablePull => self.pull_cable(),
            Stimulus::CablePlug => self.restore_cable(),
            Stimulus::Cut(node, wire, how) => self.cut(Port { node, wire }, how),
            Stimulus::Impair(node, wire, impairment) => self.impair(Port { node, wire }, impairment),
            Stimulus::Mend(node, wire) => self.mend(Port { node, wire }),
            Stimulus::CutAll(how) => Port::all().try_for_each(|port| self.cut(port, how)),
            Stimulus::ImpairAll(impairment) => Port::all().try_for_each(|port| self.impair(port, impairment)),
            Stimulus::MendAll => Port::all().try_for_each(|port| self.mend(port)),
            Stimulus::SwitchOff => Node::ALL.into_iter().try_for_each(|node| self.cut(Port::lan(node), Cut::Carrier)),
            Stimulus::SwitchOn => Node::ALL.into_iter().try_for_each(|node| self.mend(Port::lan(node))),
            Stimulus::Separate => self.separate_nodes(),
            Stimulus::Split(node) => self.split_lan(&[Station::Node(node)]),
            Stimulus::GatewayDead => self.set_gateway(false),
            Stimulus::FxoFault(node, port) => self.set_fxo(node, port.number(), "dead"),
            Stimulus::FxoClear(node, port) => self.set_fxo(node, port.number(), "ok"),
            Stimulus::Kill(node) => self.kill(node),
            Stimulus::Freeze(node) => self.freeze(node),
            Stimulus::Thaw(node) => self.thaw(node),
            Stimulus::Start(node) => self.start(node),
            Stimulus::Reload(node) => self.reload(node),
            Stimulus::Upgrade(_) | Stimulus::Replace(_) => Err(io::Error::other(cannot(stimulus))),
            Stimulus::Load(on) => {
                self.set_load(on);
                Ok(())
            }
            Stimulus::DiskFull(node) => self.fill_disk(node),
            Stimulus::DiskStalls(node) => self.stall_disk(node),
            Stimulus::DiskGood(node) => self.repair_disk(node),
            Stimulus::ClusterIpRemoved(node) => self.release_by_hand(node),
            Stimulus::OwnAddressRemoved(node) => self.set_own_address(node, false),
            Stimulus::OwnAddressBack(node) => self.set_own_address(node, true),
            Stimulus::InterfaceDeleted(node, wire) => self.delete_interface(Port { node, wire }),
            Stimulus::InterfaceBack(node, wire) => self.recreate_interface(Port { node, wire }),
            Stimulus::InterfaceRenamed(node, wire) => self.rename_interface(Port { node, wire }, true),
            Stimulus::InterfaceNamedBack(node, wire) => self.rename_interface(Port { node, wire }, false),
            Stimulus::EventsLost(node) => self.overrun_events(node),
            Stimulus::Stranger(claim) => self.set_stranger(claim),
            Stimulus::Neighbour(keyed) => self.set_neighbour(keyed),
            Stimulus::StormGathers(wire) => self.gather_storm(wire),
            Stimulus::StormRages => {
                self.let_storm_rage();
                Ok(())
            }
            Stimulus::RecorderListens => self.record_heartbeats(),
            Stimulus::RecorderPlays(tape, rate) => self.replay_heartbeats(tape, rate),
        }
    }

    fn status(&mut self, node: Node) -> Option<Report> {
        self.status(node)
    }

    fn phone(&mut self, since: Instant) -> PhoneView {
        self.phone_view(since)
    }

    fn is_served_by(&mut self, node: Node) -> bool {
        self.phone_view(Instant::now()).served_by == Some(node)
    }

    fn two_holders(&self) -> Option<String> {
        self.sightings().two_holders()
    }

    fn settle_limit(&self, timeout: Duration) -> Duration {
        timeout + SETTLE_TIME
    }

    fn timeline(&mut self) -> &mut Timeline {
        &mut self.timeline
    }
}

fn cannot(stimulus: Stimulus) -> String {
    format!("the lab has no second build and no spare unit: {stimulus}")
}
