//! What the operator is told of the heartbeat, long before T, and of roles that meet.

use super::lab::{Lab, cable_cut_silently, cable_out, given_pair, lan_split_between_nodes, slow, without_gateway};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{MS, SEC, Us};
use ucm_ha::event::{Alert, RoleReason};
use ucm_ha::role::Role;

const HEARTBEAT: [Alert; 3] = [Alert::HeartbeatLost, Alert::CableLost, Alert::LanPathLost];

fn all_settings() -> [Settings; 4] {
    let slowest = Settings { timeout_s: [10, 10], ..slow() };
    [Settings::default(), slow(), slowest, without_gateway()]
}

impl Lab {
    /// The heartbeat alerts of a node since then, in their order.
    fn heartbeat_alerts(&self, node: usize, since: Us) -> Vec<(Alert, bool)> {
        let all = self.world.log.alerts.iter().filter(|entry| entry.0 >= since && entry.1 == node);
        all.map(|entry| (entry.2, entry.3)).filter(|(alert, _)| HEARTBEAT.contains(alert)).collect()
    }

    fn then_told_of_the_heartbeat(&self, node: usize, since: Us, expected: &[(Alert, bool)]) {
        let told = self.heartbeat_alerts(node, since);
        self.ensure(told == expected, &format!("node {node} tells {expected:?}, but {told:?}"));
    }
}

#[test]
fn a_cable_pulled_for_a_second_or_more_is_alerted_once_and_cleared_once() {
    // At T = 10 s without fast failover a frame comes every 500 ms: a second may look like a lost frame.
    let shortest = |settings: &Settings| if settings.timeout_s == [10, 10] { 1200 * MS } else { SEC };
    for settings in all_settings() {
        for cut in [shortest(&settings), 2 * SEC, 5 * SEC] {
            for cable in [cable_out(), cable_cut_silently()] {
                given_pair(&settings, |lab| {
                    let start = lab.now();
                    lab.plan(0, cut, cable.clone());
                    lab.run(cut + 5 * SEC);
                    for node in [0, 1] {
                        let expected = [(Alert::CableLost, true), (Alert::CableLost, false)];
                        lab.then_told_of_the_heartbeat(node, start, &expected);
                    }
                });
            }
        }
    }
}

#[test]
fn a_cable_alert_is_raised_long_before_the_timeout() {
    for settings in all_settings() {
        given_pair(&settings, |lab| {
            lab.begin(cable_out());
            // At T = 10 s without fast failover; otherwise within 1.3 s.
            lab.run(if settings.timeout_s == [10, 10] { 1700 * MS } else { 1300 * MS });
            lab.then_alert(0, Alert::CableLost);
            lab.then_alert(1, Alert::CableLost);
        });
    }
}

#[test]
fn a_shorter_silence_is_no_alert() {
    for settings in all_settings() {
        for blip in [50 * MS, 300 * MS, 500 * MS] {
            given_pair(&settings, |lab| {
                let start = lab.now();
                lab.plan(0, blip, cable_out());
                lab.plan(2 * SEC, blip, cable_cut_silently());
                lab.run(6 * SEC);
                for node in [0, 1] {
                    lab.then_told_of_the_heartbeat(node, start, &[]);
                }
            });
        }
    }
}

#[test]
fn a_flapping_cable_is_one_alert_until_it_holds() {
    for settings in all_settings() {
        given_pair(&settings, |lab| {
            let start = lab.now();
            for flap in 0..6 {
                lab.plan(flap * 2100 * MS, 1500 * MS, cable_out());
            }
            lab.run(6 * 2100 * MS + 4 * SEC);
            for node in [0, 1] {
                let expected = [(Alert::CableLost, true), (Alert::CableLost, false)];
                lab.then_told_of_the_heartbeat(node, start, &expected);
            }
        });
    }
}

#[test]
fn the_death_of_the_peer_is_one_alert() {
    for settings in all_settings() {
        for kind in [|node| Kind::DaemonKilled { node }, |node| Kind::PowerLost { node }] {
            given_pair(&settings, |lab| {
                let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
                lab.begin(kind(standby));
                lab.run(4 * SEC);
                lab.then_told_of_the_heartbeat(active, start, &[(Alert::HeartbeatLost, true)]);
            });
        }
    }
}

#[test]
fn a_node_that_stood_still_itself_does_not_blame_the_heartbeat() {
    for settings in all_settings() {
        given_pair(&settings, |lab| {
            let (standby, start) = (lab.standby(), lab.now());
            lab.plan(0, 2 * SEC, Kind::DaemonFrozen { node: standby });
            lab.run(6 * SEC);
            lab.then_told_of_the_heartbeat(standby, start, &[]);
            let expected = [(Alert::HeartbeatLost, true), (Alert::HeartbeatLost, false)];
            lab.then_told_of_the_heartbeat(1 - standby, start, &expected);
        });
    }
}

#[test]
fn a_peer_that_comes_back_over_the_lan_only_is_told_as_such() {
    for settings in all_settings() {
        given_pair(&settings, |lab| {
            let (active, start) = (lab.active(), lab.now());
            let faults = [lab.begin(cable_out()), lab.begin(lan_split_between_nodes())];
            lab.run(1800 * MS);
            lab.end(faults[1]);
            lab.run(4 * SEC);
            let raised = |alert| lab.alert(active, alert);
            lab.ensure(raised(Alert::CableLost) && !raised(Alert::HeartbeatLost), "only the cable is lost");
            lab.end(faults[0]);
            lab.run(4 * SEC);
            lab.ensure(!lab.alert(active, Alert::CableLost), "restored to normal");
            // At no moment in between was neither raised: the cable was not back.
            let mut held = Vec::new();
            let mut restored = 0;
            for (alert, raised) in lab.heartbeat_alerts(active, start) {
                held.retain(|other| *other != alert);
                if raised && alert != Alert::LanPathLost {
                    held.push(alert);
                }
                restored += usize::from(held.is_empty() && !raised && alert != Alert::LanPathLost);
            }
            lab.ensure(restored == 1, &format!("restored once, but {restored} times"));
        });
    }
}

#[test]
fn the_survivor_of_a_healed_split_tells_its_role_again() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let faults = [lab.begin(cable_out()), lab.begin(lan_split_between_nodes())];
            lab.run(12 * SEC);
            lab.ensure(lab.bound(0) && lab.bound(1), "both serve: nothing could tell them");
            let healed = lab.now();
            lab.end(faults[0]);
            lab.run(SEC);
            lab.end(faults[1]);
            lab.run(5 * SEC);
            let winner = lab.active();
            lab.then_left(1 - winner, healed, RoleReason::PeerPrecedes);
            let told: Vec<_> =
                lab.world.log.retold.iter().map(|change| (change.node, change.to, change.reason)).collect();
            lab.ensure(told == [(winner, Role::Active, RoleReason::PeerGaveWay)], &format!("told once, but {told:?}"));
            lab.then_no_role_change_of(winner, healed);
        });
    }
}

#[test]
fn the_successor_of_a_frozen_active_tells_its_role_again_when_that_one_thaws() {
    given_pair(&Settings::default(), |lab| {
        let old = lab.active();
        lab.plan(0, 8 * SEC, Kind::DaemonFrozen { node: old });
        lab.run(12 * SEC);
        let told: Vec<_> = lab.world.log.retold.iter().map(|change| change.node).collect();
        lab.ensure(told == [1 - old], &format!("told once, but {told:?}"));
    });
}

#[test]
fn where_no_other_active_was_lost_sight_of_nothing_is_told_again() {
    given_pair(&Settings::default(), |lab| {
        for _ in 0..3 {
            lab.command(lab.active(), ucm_ha::io::Command::ForceSwitch);
            lab.run(3 * SEC);
        }
        lab.plan(0, 5 * SEC, Kind::DaemonFrozen { node: lab.standby() });
        lab.plan(8 * SEC, 6 * SEC, Kind::DaemonKilled { node: lab.active() });
        lab.run(20 * SEC);
        lab.ensure(lab.world.log.retold.is_empty(), "nobody tells a role again");
    });
}
