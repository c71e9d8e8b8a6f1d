//! Whose frames are on the cable: a node of another pair, a peer with another cluster IP, a peer with another key.

use super::lab::{
    Lab, cable_out, given_machines, given_pair, lan_dead_silently, lan_split_between_nodes, slow, without_gateway,
};
use crate::sim::faults::Kind;
use crate::sim::misset::Setting;
use crate::sim::settings::Settings;
use crate::sim::stations::OTHER_CLUSTER_IP;
use crate::sim::third::{Neighbour, THIRD_IP, THIRD_MAC};
use crate::sim::{A, B, MS, SEC, Us};
use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::fault::Faults;
use ucm_ha::io::Command;
use ucm_ha::role::Role;
use ucm_ha::types::MacAddr;

const NEIGHBOURS: [Neighbour; 2] = [Neighbour::Plain, Neighbour::Keyed];

/// Keys and `peer_mac` as they come: shipped, with either, with both.
fn pairs() -> impl Iterator<Item = Settings> {
    [(false, false), (true, false), (false, true), (true, true)].into_iter().map(|(key, peer_mac)| Settings {
        key,
        peer_mac,
        ..Settings::default()
    })
}

/// The other pair's node is plugged in and becomes active in its own pair.
fn beside(lab: &mut Lab, neighbour: Neighbour) -> usize {
    let index = lab.begin(Kind::AnotherPair(neighbour));
    lab.run(6 * SEC);
    lab.ensure(lab.world.third_is_active(), "the other pair's node serves its own address");
    index
}

fn misset(node: usize, setting: Setting) -> Kind {
    Kind::Misset { node, setting }
}

#[test]
fn a_stall_of_the_active_beside_another_pair_costs_no_role() {
    for settings in pairs() {
        for neighbour in NEIGHBOURS {
            given_pair(&settings, |lab| {
                beside(lab, neighbour);
                let (active, start) = (lab.active(), lab.now());
                lab.plan(0, 1600 * MS, Kind::DaemonFrozen { node: active });
                lab.run(8 * SEC);
                lab.then_no_role_change(start);
            });
        }
    }
}

#[test]
fn a_dead_active_is_taken_over_from_beside_another_pair() {
    for settings in pairs().chain([slow(), without_gateway()]) {
        for neighbour in NEIGHBOURS {
            given_pair(&settings, |lab| {
                beside(lab, neighbour);
                let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
                lab.plan(0, 20 * SEC, Kind::DaemonKilled { node: old });
                lab.run_timeout_and(100 * MS);
                lab.then_active(heir, start, RoleReason::PeerSilent);
                lab.run(30 * SEC);
                lab.ensure(lab.role(old) == Role::Standby, "and the old one comes back to its pair");
            });
        }
    }
}

#[test]
fn three_nodes_that_boot_in_any_order_pair_as_they_are_set() {
    for settings in pairs() {
        for neighbour in NEIGHBOURS {
            for (boot_at, third_at) in [([0, 0], 0), ([0, 2], 1), ([2, 0], 1), ([1, 2], 0), ([0, 1], 2), ([0, 9], 1)] {
                let boot_at: [Us; 2] = boot_at.map(|second: Us| second * SEC);
                given_machines(&Settings { boot_at, ..settings.clone() }, |lab| {
                    lab.plan(third_at * SEC, Us::MAX, Kind::AnotherPair(neighbour));
                    lab.run(boot_at[A].max(boot_at[B]) + 5 * SEC);
                    lab.ensure(lab.role(lab.standby()) == Role::Standby, "one active, one standby");
                });
            }
        }
    }
}

#[test]
fn another_pair_is_told_of_once_with_its_addresses_for_as_long_as_it_is_there() {
    for settings in pairs() {
        for neighbour in NEIGHBOURS {
            given_pair(&settings, |lab| {
                let third = beside(lab, neighbour);
                lab.run(20 * SEC);
                for node in [A, B] {
                    lab.then_told(node, Alert::ForeignPair, THIRD_MAC, THIRD_IP);
                    for other in [Alert::PeerIncompatible, Alert::PeerMacMismatch, Alert::SettingsDiffer] {
                        lab.ensure(!lab.alert(node, other), &format!("nothing is wrong with the peer: {other:?}"));
                    }
                }
                lab.end(third);
                lab.run(11 * SEC);
                lab.ensure(!lab.alert(A, Alert::ForeignPair) && !lab.alert(B, Alert::ForeignPair), "it is gone");
            });
        }
    }
}

#[test]
fn a_peer_with_another_cluster_ip_is_named_with_it_and_is_not_handed_the_role() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let (active, standby) = (lab.active(), lab.standby());
            let wrong = lab.begin(misset(standby, Setting::ClusterIp));
            lab.run(5 * SEC);
            let start = lab.now();
            let right = lab.world.settings.config(active).cluster_ip.address;
            lab.then_told(active, Alert::ClusterIpDiffers, lab.mac(standby), OTHER_CLUSTER_IP);
            lab.then_told(standby, Alert::ClusterIpDiffers, lab.mac(active), right);
            lab.command(active, Command::ForceSwitch);
            lab.run(SEC);
            lab.then_refused(SwitchRefusal::ClusterIpDiffers);
            lab.begin(Kind::SelfFault { node: active, faults: Faults::FXO1 });
            lab.begin(Kind::GatewayDead);
            lab.run(20 * SEC);
            lab.then_no_role_change(start);
            lab.then_no_outage(start);
            lab.end(wrong);
            lab.run(4 * SEC);
            lab.ensure(!lab.alert(active, Alert::ClusterIpDiffers), "and is one of the pair again");
        });
    }
}

#[test]
fn an_active_that_restarts_beside_a_peer_with_another_cluster_ip_serves_again() {
    for (settings, span) in [(Settings::default(), 30 * MS), (slow(), 30 * MS), (Settings::default(), 2 * SEC)] {
        given_pair(&settings, |lab| {
            let (active, standby) = (lab.active(), lab.standby());
            lab.begin(misset(standby, Setting::ClusterIp));
            lab.run(5 * SEC);
            lab.plan(0, span, Kind::DaemonKilled { node: active });
            lab.run(span + 5 * SEC);
            lab.ensure(lab.active() == active && lab.bound(active), "it has the address that phones use");
        });
    }
}

#[test]
fn two_nodes_that_first_meet_with_different_cluster_ips_claim_nothing_until_it_is_mended() {
    given_machines(&Settings::default(), |lab| {
        let wrong = lab.begin(misset(B, Setting::ClusterIp));
        lab.run(15 * SEC);
        lab.ensure([A, B].iter().all(|&node| lab.role(node) != Role::Active), "which one is right nobody knows");
        lab.then_told(A, Alert::ClusterIpDiffers, lab.mac(B), OTHER_CLUSTER_IP);
        lab.end(wrong);
        lab.run(5 * SEC);
        lab.ensure(lab.role(lab.standby()) == Role::Standby, "one active, one standby");
    });
}

#[test]
fn a_node_alone_with_another_cluster_ip_leaves_the_role_when_its_peer_is_right_again() {
    given_pair(&Settings::default(), |lab| {
        let (old, heir) = (lab.active(), lab.standby());
        let wrong = lab.begin(misset(heir, Setting::ClusterIp));
        lab.run(5 * SEC);
        lab.plan(0, 10 * SEC, Kind::DaemonKilled { node: old });
        lab.run(15 * SEC);
        lab.ensure(lab.active() == heir && !lab.bound(heir), "it serves the address that it knows");
        lab.ensure(lab.role(old) == Role::Standby, "beside it nobody claims");
        lab.end(wrong);
        lab.run(6 * SEC);
        lab.ensure(lab.bound(lab.active()), "mended");
    });
}

#[test]
fn a_standby_with_another_key_takes_over_from_a_dead_active_only() {
    for settings in [Settings { key: true, ..Settings::default() }, Settings::default()] {
        given_pair(&settings, |lab| {
            let (old, heir) = (lab.active(), lab.standby());
            lab.begin(misset(heir, Setting::Key));
            lab.run(3 * SEC);
            let start = lab.now();
            lab.run(20 * SEC);
            lab.then_no_role_change(start);
            lab.then_alert(old, Alert::PeerIncompatible);
            lab.then_alert(heir, Alert::PeerIncompatible);
            lab.begin(Kind::DaemonKilled { node: old });
            lab.run_timeout_and(SEC);
            lab.ensure(lab.bound(heir), "nobody speaks any more");
        });
    }
}

#[test]
fn two_nodes_with_different_keys_that_boot_together_claim_nothing() {
    given_machines(&Settings { key: true, ..Settings::default() }, |lab| {
        lab.begin(misset(B, Setting::Key));
        lab.run(15 * SEC);
        lab.ensure([A, B].iter().all(|&node| lab.role(node) != Role::Active), "either may be the other's peer");
    });
}

#[test]
fn a_standby_whose_lan_fails_does_not_claim_beside_a_peer_with_another_key() {
    given_pair(&Settings { key: true, ..Settings::default() }, |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.begin(misset(standby, Setting::Key));
        lab.run(5 * SEC);
        let start = lab.now();
        let dead = lab.begin(lan_dead_silently(standby));
        lab.run(10 * SEC);
        lab.end(dead);
        lab.run(10 * SEC);
        lab.then_no_role_change_of(active, start);
        lab.then_no_outage(start);
    });
}

#[test]
fn a_node_that_boots_alone_beside_another_pair_serves_after_the_timeout() {
    for settings in pairs() {
        for neighbour in NEIGHBOURS {
            given_machines(&Settings { boot_at: [SEC, 600 * SEC], ..settings.clone() }, |lab| {
                lab.plan(0, Us::MAX, Kind::AnotherPair(neighbour));
                lab.run(SEC + 4 * SEC);
                lab.ensure(lab.bound(A), "what another pair says holds nothing back");
            });
        }
    }
}

#[test]
fn two_actives_with_different_cluster_ips_both_stay() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.begin(misset(standby, Setting::ClusterIp));
        lab.run(5 * SEC);
        let split = [lab.begin(cable_out()), lab.begin(lan_split_between_nodes())];
        lab.run(5 * SEC);
        lab.ensure(lab.role(standby) == Role::Active, "the other one serves the address that it knows");
        let start = lab.now();
        split.into_iter().for_each(|fault| lab.end(fault));
        lab.run(10 * SEC);
        lab.then_no_role_change(start);
        lab.ensure(lab.bound(active), "phones have their PBX");
    });
}

impl Lab {
    fn mac(&self, node: usize) -> MacAddr {
        self.world.machines[node].config.mac
    }
}

#[test]
fn a_peer_that_restarts_with_another_cluster_ip_in_a_handover_gives_nothing_back() {
    // It may have bound the address that it was handed, and knows nothing of that any more.
    for after in (0..8 * MS).step_by(MS as usize / 4) {
        given_pair(&Settings::default(), |lab| {
            let (active, standby) = (lab.active(), lab.standby());
            lab.world.watch.expects_service = false;
            lab.plan(after, 10 * SEC, Kind::Misset { node: standby, setting: Setting::ClusterIp });
            lab.command(active, Command::ForceSwitch);
            lab.run_timeout_and(10 * SEC);
        });
    }
}

#[test]
fn what_an_old_peer_with_other_settings_agrees_to_does_not_count_before_its_kernel_has_let_go() {
    // Found by the million random runs: version 0.1 does not say which cluster IP it has, and may have left the former one bound.
    for old in [[true, false], [false, true]] {
        for after in [0, MS, 300 * MS] {
            given_pair(&Settings { old, ..Settings::default() }, |lab| {
                let old_node = if old[A] { A } else { B };
                if lab.active() != old_node {
                    lab.command(lab.active(), Command::ForceSwitch);
                    lab.run(3 * SEC);
                }
                lab.world.watch.expects_service = false;
                lab.begin(lan_dead_silently(old_node));
                lab.run(after);
                lab.plan(0, 15 * SEC, misset(old_node, Setting::ClusterIp));
                lab.run_timeout_and(15 * SEC);
            });
        }
    }
}
