//! What must hold at every moment of every run.
//!
//! - S1/S4: the cluster IP is never bound on both machines, whatever state their daemons are in. The kernel's table is
//!   what is looked at, which is stricter than roles.
//! - S2, the exception: see [`World::split_is_provable`].
//! - S5: two actives at the moment everything is healed are one active 2 intervals + 100 ms later.
//! - L6: T + 2 s after everything is healed there is exactly one active with the address, the phone reaches it, and the
//!   other is standby; and it stays like that. T + 2 s is the longest legal way back: a standby that has just begun
//!   its silence timer waits T, and 1 s is for the ranking, the probes and the boot of a daemon. (T: the longer one.)
//! - L6, while faults last: 3 T + 3 s after the last change, the phone reaches the cluster IP if a node could serve it: its
//!   daemon runs and its LAN is sound, and both nodes know a gateway, so that a node whose LAN is dead can tell. 3 T + 3 s
//!   is the longest legal way: T for a promise to another node, 2 T for a peer that is heard and does not hear.
//!   The phone only believes announcements and never asks by itself, which is stricter than real ones. Where that asks too
//!   much, it does not count: see [`World::phone_was_hidden`].
//! - A node asks to be woken in time: see [`wakes`](super::wakes).
//! - L5: without a new disturbance roles change a bounded number of times.

use super::faults::Kind;
use super::machine::Daemon;
use super::settings::Settings;
use super::stations::{GATEWAY, NODE_MAC, PHONE};
use super::world::{Event, World};
use super::{A, B, MS, SEC, Us};
use ucm_ha::io::Port;
use ucm_ha::role::Role;

/// What the adapters' own latencies may add to S5: one release.
const ADAPTER_US: Us = 5 * MS;
/// Most times nodes become active between two disturbances.
const MAX_ACTIVATIONS: u32 = 4;
/// Most role changes between two disturbances.
const MAX_ROLE_CHANGES: u32 = 24;

/// The watch over one run.
pub(crate) struct Watch {
    /// The first broken promise, and how.
    pub(crate) broken: Option<(&'static str, String)>,
    /// Something changed that the invariants look at.
    pub(crate) dirty: bool,
    /// Moments in which both machines had the address under S2's exception.
    pub(crate) exempt_splits: u32,
    /// Times in which the phone did not reach the cluster IP, from and to, since it first did.
    pub(crate) outages: Vec<(Us, Us)>,
    /// Whether the pair is expected to serve at all (not with high availability off).
    pub(crate) expects_service: bool,
    settle_us: Us,
    serve_us: Us,
    available_us: Us,
    faults: i32,
    changes: u32,
    exempt_until: Us,
    split_is_provable: bool,
    phone_hidden: bool,
    both_bound: bool,
    calm: u32,
    calm_since: Option<Us>,
    dual_at_calm: bool,
    must_serve: bool,
    down_since: Option<Us>,
    served: bool,
    activations: u32,
    role_changes: u32,
}

impl Watch {
    /// A watch over a pair with these settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            broken: None,
            dirty: true,
            exempt_splits: 0,
            outages: Vec::new(),
            expects_service: settings.enabled == [true, true],
            settle_us: 2 * settings.interval_us() + 100 * MS + ADAPTER_US,
            serve_us: settings.timeout_us() + 2 * SEC,
            available_us: 3 * settings.timeout_us() + 3 * SEC,
            faults: 0,
            changes: 0,
            exempt_until: 0,
            split_is_provable: false,
            phone_hidden: false,
            both_bound: false,
            calm: 0,
            calm_since: None,
            dual_at_calm: false,
            must_serve: false,
            down_since: None,
            served: false,
            activations: 0,
            role_changes: 0,
        }
    }

    /// A fault begins (1) or ends (-1), or somebody commands (0).
    pub(crate) fn disturbed(&mut self, faults: i32) {
        self.faults += faults;
        self.calm_since = None;
        self.must_serve = false;
        self.activations = 0;
        self.role_changes = 0;
        self.dirty = true;
    }

    /// A node's role changed.
    /// A node's role changed.
    pub(crate) fn role_changed(&mut self, to: Role) {
        self.dirty = true;
        self.role_changes += 1;
        self.activations += u32::from(to == Role::Active);
    }

    /// Since when everything has been healed and both daemons have been running.
    pub(crate) fn calm_since(&self) -> Option<Us> {
        self.calm_since
    }

    /// Whether the pair has been checked to serve since it was last disturbed.
    pub(crate) fn serves_for_good(&self) -> bool {
        self.must_serve
    }

    /// How long the pair may take to serve once everything is healed.
    pub(crate) fn serve_us(&self) -> Us {
        self.serve_us
    }

    /// Whether the phone reaches the cluster IP now.
    pub(crate) fn serving(&self) -> bool {
        self.served && self.down_since.is_none()
    }
}

impl World {
    /// S2's exception, exactly: frames do not pass the cable in at least one direction, AND frames do not pass the LAN
    /// between the nodes in at least one direction, AND each node may still believe itself on the right side: its LAN
    /// port has carrier, and the gateway, if it knows one, answers it (both directions pass).
    ///
    /// A one-way cut counts as a cut: to the node that hears nothing it looks the same. A filter on UDP alone does not
    /// count, because ARP still shows who holds the address. Losses below 100 % and delays do not count either.
    fn split_is_provable(&self) -> bool {
        let net = &self.net;
        let cable_cut = !(net.cable_passes(A) && net.cable_passes(B));
        let lan_cut = !(net.lan_passes(A, B) && net.lan_passes(B, A));
        let alone = |node: usize| {
            net.carrier(node, Port::Lan)
                && (self.machines[node].config.gateway.is_none()
                    || (net.lan_passes(node, GATEWAY) && net.lan_passes(GATEWAY, node)))
        };
        cable_cut && lan_cut && alone(A) && alone(B)
    }

    /// Paths, power or daemons changed.
    pub(crate) fn topology_changed(&mut self) {
        let provable = self.split_is_provable();
        if self.watch.split_is_provable && !provable {
            // The exception ends with the split plus the time S5 gives the nodes to see it.
            self.watch.exempt_until = self.now + self.watch.settle_us;
        }
        self.watch.split_is_provable = provable;
        self.watch.dirty = true;
        self.watch.changes += 1;
        let changes = self.watch.changes;
        self.after(self.watch.available_us, Event::AvailableAgain { changes });
    }

    fn could_serve(&self, node: usize) -> bool {
        let (net, machine) = (&self.net, &self.machines[node]);
        let sound = |station: usize| net.lan_passes(node, station) && net.lan_passes(station, node);
        machine.running()
            && machine.role != Role::Off
            && machine.bind_fails == 0
            && net.own_address(node)
            && sound(GATEWAY)
            && sound(PHONE)
            && net.lan_impaired[node].is_empty()
    }

    /// Nothing has changed for long: somebody must serve, if anybody could.
    pub(crate) fn available_again(&mut self, changes: u32) {
        let disturbed = self.attacker.is_active() || self.recorder.is_active() || self.foreign || self.is_misset();
        let tellable = self.settings.gateway == [true, true] && !disturbed;
        if changes != self.watch.changes || !tellable || !self.watch.expects_service {
            return;
        }
        if let Some(node) = [A, B].into_iter().find(|&node| self.could_serve(node))
            && self.server().is_none()
        {
            let node = super::world::name(node);
            self.breaks("L6", || format!("{node} could serve, but for 3 T + 3 s nobody does"));
        }
    }

    fn active(&self, node: usize) -> bool {
        let machine = &self.machines[node];
        machine.running() && machine.role == Role::Active
    }

    /// Looks at every invariant, if anything changed.
    pub(crate) fn check(&mut self) {
        if !self.watch.dirty && !self.watch.both_bound {
            return;
        }
        self.watch.dirty = false;
        self.check_one_holder();
        self.check_flapping();
        self.measure_service();
        self.notice_calm();
        if self.watch.must_serve && self.watch.expects_service {
            self.check_served();
        }
    }

    fn check_one_holder(&mut self) {
        let both = self.machines[A].kernel.bound() && self.machines[B].kernel.bound();
        let exempt = self.watch.split_is_provable || self.now <= self.watch.exempt_until;
        if both && !exempt {
            let promise = if self.active(A) && self.active(B) { "S1" } else { "S1/S4" };
            self.breaks(promise, || "the cluster IP is bound on both machines".into());
        }
        if both && !self.watch.both_bound {
            self.watch.exempt_splits += 1;
        }
        self.watch.both_bound = both;
    }

    fn check_flapping(&mut self) {
        if self.watch.activations > MAX_ACTIVATIONS || self.watch.role_changes > MAX_ROLE_CHANGES {
            let (activations, changes) = (self.watch.activations, self.watch.role_changes);
            self.breaks("L5", || {
                format!("{activations} activations, {changes} role changes since the last disturbance")
            });
        }
    }

    /// The node whose machine the phone's frames to the cluster IP reach, with the answers coming back.
    pub(crate) fn server(&self) -> Option<usize> {
        [A, B].into_iter().find(|&node| {
            self.phone.cluster_mac == Some(NODE_MAC[node])
                && self.machines[node].kernel.bound()
                && self.net.lan_passes(PHONE, node)
                && self.net.lan_passes(node, PHONE)
        })
    }

    fn measure_service(&mut self) {
        let up = self.server().is_some();
        let watch = &mut self.watch;
        watch.served |= up;
        match watch.down_since {
            None if !up && watch.served => watch.down_since = Some(self.now),
            Some(since) if up => {
                watch.outages.push((since, self.now));
                watch.down_since = None;
                self.trace.story(self.now, || format!("service back after {} us", self.now - since));
            }
            None | Some(_) => {}
        }
    }

    /// Notices when everything is healed, and sets the deadlines that follow from it.
    fn notice_calm(&mut self) {
        let calm = self.watch.faults == 0 && self.machines.iter().all(|machine| machine.daemon == Daemon::Running);
        if !calm {
            self.watch.calm_since = None;
            self.watch.must_serve = false;
        } else if self.watch.calm_since.is_none() {
            self.watch.calm_since = Some(self.now);
            self.watch.calm += 1;
            self.watch.dual_at_calm = self.active(A) && self.active(B);
            let calm = self.watch.calm;
            self.after(self.watch.settle_us, Event::Deadline { calm, serving: false });
            self.after(self.watch.serve_us, Event::Deadline { calm, serving: true });
        }
    }

    /// A deadline that was set when everything was healed.
    pub(crate) fn deadline(&mut self, calm: u32, serving: bool) {
        if self.watch.calm_since.is_none() || self.watch.calm != calm {
            return;
        }
        self.watch.dirty = true;
        if serving {
            self.watch.must_serve = true;
        } else if self.watch.dual_at_calm && self.active(A) == self.active(B) {
            self.breaks("S5", || "not exactly one active 2 intervals + 100 ms after the split healed".into());
        }
    }

    /// The LAN was cut between a node and the phone alone, in a pair without gateway or beside a host that answers for it: nothing
    /// tells the node, neither of the cut nor that it has healed, so that it cannot announce again. A real phone asks again after a
    /// while.
    pub(crate) fn phone_was_hidden(&mut self, pairs: &[(usize, usize)]) {
        let between_nodes = pairs.contains(&(A, B)) || pairs.contains(&(B, A));
        let pretended =
            self.faults.iter().any(|fault| matches!(fault.kind, Kind::Recorder(tactic) if tactic.is_gateway));
        self.watch.phone_hidden |= !between_nodes && (pretended || self.settings.gateway != [true, true]);
    }

    fn check_served(&mut self) {
        let server = self.server();
        let holder = [A, B].into_iter().find(|&node| self.machines[node].kernel.bound());
        let counted = if self.watch.phone_hidden { holder } else { server };
        let right = counted.is_some_and(|node| self.active(node) && self.machines[1 - node].role == Role::Standby);
        if !right {
            let since = self.now - self.watch.calm_since.unwrap_or(self.now);
            let reached = server.map(super::world::name);
            self.breaks("L6", || {
                format!("{since} us after all was healed: not one active that serves and one standby (phone reaches {reached:?})")
            });
        }
    }
}
