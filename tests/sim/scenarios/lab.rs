//! The words in which scenarios are told.

use crate::sim::dice::Dice;
use crate::sim::faults::{Fault, Kind};
use crate::sim::settings::Settings;
use crate::sim::stations::{GATEWAY, PHONE};
use crate::sim::trace::Trace;
use crate::sim::world::{Event, RoleChange, World, name};
use crate::sim::{A, B, SEC, Us};
use core::net::Ipv4Addr;
use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::io::Command;
use ucm_ha::role::Role;
use ucm_ha::types::MacAddr;

/// Seeds each scenario is run from.
const SEEDS: u64 = 12;

/// A world with words for it.
pub(crate) struct Lab {
    pub(crate) world: World,
}

/// Given a pair of powered machines whose daemons start at `settings.boot_at`; nothing has happened yet.
pub(crate) fn given_machines(settings: &Settings, scenario: impl Fn(&mut Lab)) {
    for seed in 1..=SEEDS {
        let mut dice = Dice::new(seed, 2);
        let settings =
            Settings { rate_ppm: [dice.below(2001) as i64 - 1000, dice.below(2001) as i64 - 1000], ..settings.clone() };
        let mut lab = Lab { world: World::new(seed, settings, Vec::new(), Trace::new(true, false)) };
        scenario(&mut lab);
        lab.no_promise_broken();
    }
}

/// Given a pair that has booted: one active, one standby, synchronised, for a few seconds.
pub(crate) fn given_pair(settings: &Settings, scenario: impl Fn(&mut Lab)) {
    given_machines(settings, |lab| {
        lab.boot();
        scenario(lab);
    });
}

/// The cable out of both sockets.
pub(crate) fn cable_out() -> Kind {
    Kind::CableCut { from: [true, true], carrier_lost: [true, true] }
}

/// The cable broken so that both ports keep carrier.
pub(crate) fn cable_cut_silently() -> Kind {
    Kind::CableCut { from: [true, true], carrier_lost: [false, false] }
}

/// A LAN port that passes nothing and keeps its carrier.
pub(crate) fn lan_dead_silently(node: usize) -> Kind {
    Kind::LanPortDead { node, send: true, receive: true, carrier_lost: false }
}

/// The LAN cable out of a node.
pub(crate) fn lan_out(node: usize) -> Kind {
    Kind::LanPortDead { node, send: true, receive: true, carrier_lost: true }
}

/// The nodes cannot reach each other on the LAN; both reach all others.
pub(crate) fn lan_split_between_nodes() -> Kind {
    Kind::LanCut { pairs: vec![(A, B), (B, A)] }
}

/// A node cannot reach the gateway and the phone, nor they it; the peer can.
pub(crate) fn gateway_lost_for(node: usize) -> Kind {
    Kind::LanCut { pairs: vec![(node, GATEWAY), (node, PHONE), (GATEWAY, node), (PHONE, node)] }
}

/// Fast failover off.
pub(crate) fn slow() -> Settings {
    Settings { fast: [false, false], ..Settings::default() }
}

/// Neither gateway nor fast failover.
pub(crate) fn without_gateway() -> Settings {
    Settings { gateway: [false, false], ..slow() }
}

impl Lab {
    /// Runs until one node is active and the other standby, and some seconds more.
    fn boot(&mut self) {
        let end = self.world.settings.timeout_us() + 5 * SEC;
        let dual = self.world.run_until_that(end, |world| {
            let roles = [world.machines[A].role, world.machines[B].role];
            roles == [Role::Active, Role::Standby] || roles == [Role::Standby, Role::Active]
        });
        self.ensure(dual, "the pair boots");
        let phase = self.world.dice.below(SEC);
        self.run(self.world.settings.timeout_us() + SEC + phase);
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Us) {
        self.world.run_for(span);
        self.no_promise_broken();
    }

    /// Lets time pass until T and `more` have gone by.
    pub(crate) fn run_timeout_and(&mut self, more: Us) {
        self.run(self.world.settings.timeout_us() + more);
    }

    pub(crate) fn now(&self) -> Us {
        self.world.now
    }

    /// A fault begins now and lasts.
    pub(crate) fn begin(&mut self, kind: Kind) -> usize {
        self.world.plan(Fault { kind, from: self.world.now, to: Us::MAX });
        self.world.run_for(0);
        self.world.faults.len() - 1
    }

    /// A fault ends now.
    pub(crate) fn end(&mut self, index: usize) {
        self.world.faults[index].to = self.world.now;
        self.world.after(0, Event::Fault { index, on: false });
        self.world.run_for(0);
    }

    /// A fault begins after `delay` and lasts for `span`.
    pub(crate) fn plan(&mut self, delay: Us, span: Us, kind: Kind) {
        let from = self.world.now + delay;
        self.world.plan(Fault { kind, from, to: from.saturating_add(span) });
    }

    /// The operator acts now.
    pub(crate) fn command(&mut self, node: usize, command: Command) {
        self.world.command(node, command);
    }

    pub(crate) fn role(&self, node: usize) -> Role {
        self.world.machines[node].role
    }

    /// The one active node.
    pub(crate) fn active(&self) -> usize {
        let is_active = |node: usize| self.world.machines[node].running() && self.role(node) == Role::Active;
        self.ensure(is_active(A) != is_active(B), "exactly one node is active");
        if is_active(A) { A } else { B }
    }

    /// The one that is not.
    pub(crate) fn standby(&self) -> usize {
        1 - self.active()
    }

    pub(crate) fn changes_since(&self, since: Us) -> impl Iterator<Item = &RoleChange> {
        self.world.log.roles.iter().filter(move |change| change.at >= since)
    }

    /// The first time since then that a node became active.
    pub(crate) fn activation(&self, node: usize, since: Us) -> Option<RoleChange> {
        self.changes_since(since).find(|change| change.node == node && change.to == Role::Active).copied()
    }

    /// Then the node became active, with this reason. Returns when.
    pub(crate) fn then_active(&self, node: usize, since: Us, reason: RoleReason) -> RoleChange {
        let change = self.activation(node, since);
        self.ensure(change.is_some_and(|c| c.reason == reason), &format!("{} active by {reason:?}", name(node)));
        change.unwrap_or_else(|| unreachable!("just checked"))
    }

    /// Then a node left the active role, with this reason.
    pub(crate) fn then_left(&self, node: usize, since: Us, reason: RoleReason) {
        let left = self.changes_since(since).find(|change| change.node == node && change.from == Role::Active);
        self.ensure(left.is_some_and(|c| c.reason == reason), &format!("{} leaves by {reason:?}", name(node)));
    }

    /// Then no node's role has changed since.
    pub(crate) fn then_no_role_change(&self, since: Us) {
        self.ensure(self.changes_since(since).next().is_none(), "no role changes");
    }

    /// Then the phone has reached the cluster IP all the time since.
    pub(crate) fn then_no_outage(&self, since: Us) {
        let outage = self.longest_outage(since);
        self.ensure(outage == 0, &format!("no outage, but {outage} us"));
    }

    /// Then no outage since was longer than this, and service is there now.
    pub(crate) fn then_outage_within(&self, since: Us, limit: Us) {
        let outage = self.longest_outage(since);
        self.ensure(self.world.watch.serving(), "service is there");
        self.ensure(outage <= limit, &format!("no outage longer than {limit} us, but {outage} us"));
    }

    fn longest_outage(&self, since: Us) -> Us {
        let past = self.world.watch.outages.iter().filter(|(_, to)| *to >= since).map(|(from, to)| to - from).max();
        let current = if self.world.watch.serving() { 0 } else { self.world.now - since };
        past.unwrap_or(0).max(current)
    }

    /// Whether an alert is raised now, as the node told.
    pub(crate) fn alert(&self, node: usize, alert: Alert) -> bool {
        let newest = self.world.log.alerts.iter().rev().find(|entry| entry.1 == node && entry.2 == alert);
        newest.is_some_and(|entry| entry.3)
    }

    /// Then an alert is raised.
    pub(crate) fn then_alert(&self, node: usize, alert: Alert) {
        self.ensure(self.alert(node, alert), &format!("{} alerts {alert:?}", name(node)));
    }

    /// Then an alert stands that was raised once, with this station and this address.
    pub(crate) fn then_told(&self, node: usize, alert: Alert, mac: MacAddr, ip: Ipv4Addr) {
        self.then_alert(node, alert);
        let told = self.world.log.named.iter().filter(|named| (named.0, named.1) == (node, alert));
        let told: Vec<_> = told.map(|named| (named.2, named.3)).collect();
        self.ensure(told == [(mac, ip)], &format!("{} names {mac} and {ip} once, but {told:?}", name(node)));
    }

    /// The newest answer to a force switch.
    pub(crate) fn switch_result(&self) -> Option<Result<(), SwitchRefusal>> {
        self.world.log.switches.last().map(|entry| entry.2)
    }

    /// Then the newest force switch was refused for this reason.
    pub(crate) fn then_refused(&self, refusal: SwitchRefusal) {
        let result = self.switch_result();
        self.ensure(result == Some(Err(refusal)), &format!("force switch refused by {refusal:?}, but {result:?}"));
    }

    /// Whether a kernel holds the cluster IP.
    pub(crate) fn bound(&self, node: usize) -> bool {
        self.world.machines[node].kernel.bound()
    }

    /// Fails the scenario with the whole story unless `truth`.
    pub(crate) fn ensure(&self, truth: bool, what: &str) {
        assert!(truth, "{}", self.world.report(&format!("expected: {what}")));
    }

    fn no_promise_broken(&self) {
        if let Some((_, text)) = &self.world.watch.broken {
            panic!("{}", self.world.report(text));
        }
    }
}

impl Lab {
    /// Then one node's role has not changed since.
    pub(crate) fn then_no_role_change_of(&self, node: usize, since: Us) {
        let same = self.changes_since(since).all(|change| change.node != node);
        self.ensure(same, &format!("{} keeps its role", name(node)));
    }
}
