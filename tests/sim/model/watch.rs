//! What must hold in every state.

use super::pair::Pair;
use crate::sim::settings::Settings;
use crate::sim::stations::GATEWAY;
use crate::sim::{A, B, MS, SEC, Us};
use ucm_ha::io::Port;
use ucm_ha::role::Role;

/// One release is on top of S5's time.
const ADAPTER_US: Us = 5 * MS;

/// What has been seen on the way to a state.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    pub(super) broken: Option<&'static str>,
    /// Since when nothing has been wrong with the world.
    calm_since: Option<Us>,
    dual_at_calm: bool,
    provable: bool,
    exempt_until: Us,
    pub(super) two_actives: bool,
    pub(super) taken_over: bool,
    pub(super) handed_over: bool,
    pub(super) came_back: bool,
}

impl Watch {
    /// The part on which the future depends.
    pub(super) fn relative(&self, now: Us) -> impl core::fmt::Debug + use<> {
        let exempt = self.exempt_until.saturating_sub(now);
        (self.broken, self.calm_since.map(|since| now - since), self.dual_at_calm, self.provable, exempt)
    }
}

impl Pair {
    pub(super) fn breaks(&mut self, promise: &'static str) {
        self.watch.broken.get_or_insert(promise);
    }

    /// S2's formula: frames fail on the cable in at least one direction, AND on the LAN between the nodes in at least one
    /// direction, AND each node's LAN has carrier and reaches the gateway both ways, if it knows one.
    fn split_is_provable(&self, settings: &Settings) -> bool {
        let net = &self.net;
        let cable_fails = !net.cable_passes(A) || !net.cable_passes(B);
        let lan_fails = !net.lan_passes(A, B) || !net.lan_passes(B, A);
        let alone = |node: usize| {
            let reaches = net.lan_passes(node, GATEWAY) && net.lan_passes(GATEWAY, node);
            net.carrier(node, Port::Lan) && (reaches || !settings.gateway[node])
        };
        cable_fails && lan_fails && alone(A) && alone(B)
    }

    /// A machine is about to bind the cluster IP.
    pub(super) fn binds(&mut self, node: usize) {
        if !self.bound(1 - node) {
            return;
        }
        if self.machines[node].by_handover && !self.bound(node) {
            self.breaks("S3");
        } else if !self.machines[1 - node].running() {
            self.breaks("S4");
        }
    }

    /// Looks at the state after each event.
    pub(super) fn check(&mut self, settings: &Settings) {
        let settle = 2 * settings.interval_us() + 100 * MS + ADAPTER_US;
        let provable = self.split_is_provable(settings);
        if self.watch.provable && !provable {
            self.watch.exempt_until = self.now + settle;
        }
        self.watch.provable = provable;
        if self.bound(A) && self.bound(B) {
            self.watch.two_actives = true;
            if !provable && self.now >= self.watch.exempt_until {
                self.breaks("S1");
            }
        }
        if !self.lasting.is_empty() || !self.machines.iter().all(|machine| machine.running()) {
            self.watch.calm_since = None;
            return;
        }
        let dual = self.active(A) && self.active(B);
        let since = *self.watch.calm_since.get_or_insert_with(|| {
            self.watch.dual_at_calm = dual;
            self.now
        });
        if self.now >= since + settle && self.watch.dual_at_calm && self.active(A) == self.active(B) {
            self.breaks("S5");
        }
        if self.is_over(settings) && !self.serves() {
            self.breaks("L6");
        }
    }

    /// Long enough without a fault that exactly one must serve.
    pub(super) fn is_over(&self, settings: &Settings) -> bool {
        let calm = settings.timeout_us() + 2 * SEC;
        self.watch.calm_since.is_some_and(|since| self.now >= since.max(self.since) + calm)
    }

    fn serves(&self) -> bool {
        [A, B].into_iter().any(|node| {
            self.active(node)
                && self.bound(node)
                && !self.bound(1 - node)
                && self.machines[1 - node].role == Role::Standby
        })
    }
}
