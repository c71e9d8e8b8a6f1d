//! What must happen, beyond the invariants, when exactly one thing goes wrong in a healthy pair.

use super::faults::{Fault, Kind};
use super::plan::Plan;
use super::stations::{GATEWAY, PHONE};
use super::world::{RoleChange, World, name};
use super::{A, B, MS, SEC, Us};
use ucm_ha::role::Role;
use ucm_ha::types::NetworkMethod;

/// L2: release, one trip, address add, announcement, and the adapters' latencies.
const HANDOVER_GAP_US: Us = 20 * MS;
/// L1 and L3 are promises about the node; the address add and the timers of this adapter come on top.
const ADAPTER_US: Us = 10 * MS;
/// L3.
const FAST_US: Us = 500 * MS;
/// A node without gateway for 2.5 s hands over; detection of the last answer and the handover come on top.
const GATEWAY_LOST_US: Us = 3 * SEC;

/// What a fault may do to a healthy pair.
enum Expected {
    /// L4, L5, L6, L7, S6: nothing at all. Which promise, and whether the kernel may have dropped the address meanwhile.
    NoRoleChange { promise: &'static str, service_too: bool },
    /// L1: the other takes over T after the last frame.
    TakeoverAfterTimeout,
    /// L3: the other takes over within 500 ms.
    FastTakeover,
    /// L2: the role moves with hardly a gap.
    Handover { gap_us: Us, within_us: Us },
    /// No promise beyond the invariants.
    Any,
}

impl Plan {
    /// Checks a finished run with a single fault.
    pub(crate) fn check_single(&self, world: &mut World) {
        let [fault] = self.faults.as_slice() else { return };
        if self.switch_at.is_some() || self.settings_differ() || world.watch.broken.is_some() {
            return;
        }
        let Some(active) = active_at(&world.log.roles, fault.from) else { return };
        let after: Vec<RoleChange> = world.log.roles.iter().filter(|change| change.at >= fault.from).copied().collect();
        match self.expected(fault, active) {
            Expected::NoRoleChange { promise, service_too } => {
                self.no_role_change(world, promise, fault, active, &after, service_too);
            }
            Expected::TakeoverAfterTimeout => self.takeover_after_timeout(world, 1 - active, &after),
            Expected::FastTakeover => self.fast_takeover(world, fault, 1 - active, &after),
            Expected::Handover { gap_us, within_us } => handover(world, fault, 1 - active, &after, gap_us, within_us),
            Expected::Any => {}
        }
    }

    fn expected(&self, fault: &Fault, active: usize) -> Expected {
        let span = fault.to - fault.from;
        let timeout = self.settings.timeout_us();
        let gateway = self.settings.gateway == [true, true];
        let nothing = |promise| Expected::NoRoleChange { promise, service_too: true };
        match &fault.kind {
            Kind::CableCut { .. } | Kind::OwnAddressLost { .. } | Kind::GatewayDead => nothing("L4"),
            Kind::DaemonKilled { node } | Kind::DaemonFrozen { node } | Kind::PowerLost { node } if *node != active => {
                nothing("L4")
            }
            Kind::DaemonFrozen { .. } => {
                // The lease counts from the send time of the newest echoed frame, two trips and an interval ago.
                if span + 2 * self.settings.rest_us() + 150 * MS < timeout {
                    Expected::NoRoleChange { promise: "L7", service_too: span + 2500 * MS < timeout }
                } else if span > timeout + SEC && self.settings.expiry_late_us <= 100 * MS {
                    Expected::TakeoverAfterTimeout
                } else {
                    Expected::Any
                }
            }
            Kind::PowerLost { .. } if self.settings.fast == [true, true] && gateway && span > SEC => {
                Expected::FastTakeover
            }
            Kind::PowerLost { .. } | Kind::DaemonKilled { .. } if span > timeout + SEC => {
                if self.settings.expiry_late_us <= 100 * MS { Expected::TakeoverAfterTimeout } else { Expected::Any }
            }
            Kind::PowerLost { .. } | Kind::DaemonKilled { .. } => Expected::Any,
            Kind::UdpFiltered { .. } | Kind::CableBad(_) | Kind::PersistFails { .. } | Kind::BindFails { .. } => {
                nothing("L5")
            }
            // More loss than this is a bad LAN port: 8 gateway probes in 2.5 s may all be lost, and a handover is right.
            Kind::LanBad { how, .. } if how.delay_max_us == 0 && how.loss_percent <= 5 => nothing("L5"),
            Kind::LanBad { .. } => Expected::Any,
            Kind::Attack | Kind::AnotherPair(_) => nothing("S6"),
            Kind::Misset { node, .. } if *node != active => nothing("L4"),
            Kind::Misset { .. } => Expected::Any,
            Kind::ForeignHolder => Expected::Any,
            Kind::Recorder(tactic) => Expected::NoRoleChange { promise: "S6", service_too: !tactic.is_cluster },
            Kind::SelfFault { node, .. } if *node == active => {
                Expected::Handover { gap_us: HANDOVER_GAP_US, within_us: 50 * MS }
            }
            Kind::WanDown { node } if *node == active && self.settings.method == NetworkMethod::Router => {
                let raised = Us::from(self.settings.policy.link_raise_ms) * MS;
                if span > raised + 20 * MS {
                    Expected::Handover { gap_us: HANDOVER_GAP_US, within_us: raised + 60 * MS }
                } else {
                    Expected::Any
                }
            }
            Kind::SelfFault { .. } | Kind::WanDown { .. } => nothing("L4"),
            Kind::LanPortDead { node, .. } if *node != active => nothing("L4"),
            Kind::LanPortDead { carrier_lost: true, .. } if span > 100 * MS => {
                Expected::Handover { gap_us: 200 * MS, within_us: 200 * MS }
            }
            Kind::LanPortDead { send, receive, carrier_lost: false, .. }
                if gateway && span > 4 * SEC && (*send || *receive) =>
            {
                Expected::Handover { gap_us: GATEWAY_LOST_US + SEC, within_us: GATEWAY_LOST_US }
            }
            Kind::LanPortDead { .. } => Expected::Any,
            Kind::LanCut { pairs } => {
                let touches_active = pairs.iter().any(|&(from, to)| {
                    [(active, GATEWAY), (active, PHONE)]
                        .iter()
                        .any(|&(a, b)| (from, to) == (a, b) || (to, from) == (a, b))
                });
                if !touches_active {
                    nothing("L4")
                } else if gateway && span > 4 * SEC {
                    Expected::Handover { gap_us: GATEWAY_LOST_US + SEC, within_us: GATEWAY_LOST_US }
                } else {
                    Expected::Any
                }
            }
        }
    }

    fn no_role_change(
        &self,
        world: &mut World,
        promise: &'static str,
        fault: &Fault,
        active: usize,
        after: &[RoleChange],
        service_too: bool,
    ) {
        // A node that restarts goes through its own first roles.
        let restarts = |node: usize| matches!(fault.kind, Kind::DaemonKilled { node: other } | Kind::PowerLost { node: other } | Kind::Misset { node: other, .. } if other == node);
        if let Some(change) = after.iter().find(|change| !restarts(change.node)) {
            let change = *change;
            world.breaks(promise, || format!("{} alone changed a role: {change:?}", fault.kind.class()));
        } else if world
            .log
            .roles
            .iter()
            .any(|change| change.node != active && change.to == Role::Active && change.at >= fault.from)
        {
            world.breaks(promise, || format!("{} alone moved the role", fault.kind.class()));
        }
        if service_too && let Some(&(from, to)) = world.watch.outages.iter().find(|(_, to)| *to >= fault.from) {
            let gap = to - from;
            world.breaks(promise, || format!("{} alone interrupted service for {gap} us", fault.kind.class()));
        }
    }

    fn takeover_after_timeout(&self, world: &mut World, heir: usize, after: &[RoleChange]) {
        let timeout = self.settings.timeout_us();
        match after.iter().find(|change| change.node == heir && change.to == Role::Active).copied() {
            None => world.breaks("L1", || format!("{} never became active", name(heir))),
            Some(change) if change.silence_us > timeout + timeout / 100 + ADAPTER_US => {
                world.breaks("L1", || format!("active only {} us after the last frame", change.silence_us));
            }
            Some(change) if change.silence_us < timeout - timeout / 500 => {
                world.breaks("S4", || format!("active already {} us after the last frame", change.silence_us));
            }
            Some(_) => {}
        }
    }

    fn fast_takeover(&self, world: &mut World, fault: &Fault, heir: usize, after: &[RoleChange]) {
        match after.iter().find(|change| change.node == heir && change.to == Role::Active).copied() {
            None => world.breaks("L3", || format!("{} never became active", name(heir))),
            Some(change) if change.at - fault.from > FAST_US => {
                world.breaks("L3", || format!("active only {} us after the power loss", change.at - fault.from));
            }
            Some(_) => {}
        }
    }
}

fn handover(world: &mut World, fault: &Fault, heir: usize, after: &[RoleChange], gap_us: Us, within_us: Us) {
    // A standby that has not judged its own ports yet is not handed the role.
    let judged_at = world.settings.boot_at[heir] + world.settings.fxo_known_us;
    let Some(change) = after.iter().find(|change| change.node == heir && change.to == Role::Active).copied() else {
        if fault.to > judged_at + within_us {
            world.breaks("L2", || format!("{} alone moved no role", fault.kind.class()));
        }
        return;
    };
    let took = change.at.saturating_sub(fault.from.max(judged_at));
    if took > within_us {
        world.breaks("L2", || format!("{} became active only {took} us after the fault", name(heir)));
    }
    let longest = world.watch.outages.iter().filter(|(_, to)| *to >= fault.from).map(|(from, to)| to - from).max();
    if let Some(gap) = longest.filter(|gap| *gap > gap_us) {
        world.breaks("L2", || format!("service gap of {gap} us"));
    }
}

/// The active node at a moment, if the other one was standby.
fn active_at(roles: &[RoleChange], when: Us) -> Option<usize> {
    let role = |node: usize| {
        roles.iter().rev().find(|change| change.node == node && change.at < when).map_or(Role::Init, |change| change.to)
    };
    match (role(A), role(B)) {
        (Role::Active, Role::Standby) => Some(A),
        (Role::Standby, Role::Active) => Some(B),
        _ => None,
    }
}
