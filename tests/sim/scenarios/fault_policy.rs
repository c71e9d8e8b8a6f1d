//! Which faults hand over, to whom, and how often: L5.

use super::lab::{Lab, gateway_lost_for, given_pair, lan_dead_silently, lan_out};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{MS, SEC};
use ucm_ha::config::FaultPolicy;
use ucm_ha::event::{Alert, RoleReason};
use ucm_ha::fault::Faults;
use ucm_ha::io::Command;
use ucm_ha::role::Role;
use ucm_ha::types::{Model, NetworkMethod};

fn fault(node: usize, faults: Faults) -> Kind {
    Kind::SelfFault { node, faults }
}

/// Exactly these faults hand over.
fn switching(faults: Faults) -> Settings {
    Settings { policy: FaultPolicy { switching: faults, ..FaultPolicy::default() }, ..Settings::default() }
}

/// Whether the node told its operator of the fault since it was last well.
fn told(lab: &Lab, node: usize, faults: Faults) -> bool {
    let newest = lab.world.log.faults.iter().rev().find(|entry| entry.1 == node && entry.2 == faults);
    newest.is_some_and(|entry| entry.3)
}

#[test]
fn a_fault_hands_over_if_its_own_switch_is_on_and_is_told_either_way() {
    let classes = [Faults::FXO1, Faults::FXO2, Faults::FXO8, Faults::SERVICE];
    for on in classes {
        for faults in classes {
            let settings = Settings { model: [Model::Ucm6308A; 2], reboot_us: None, ..switching(on) };
            given_pair(&settings, |lab| {
                let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
                let index = lab.begin(fault(active, faults));
                lab.run(SEC);
                lab.ensure(told(lab, active, faults), "the fault is told");
                if on == faults {
                    lab.then_active(standby, start, RoleReason::SelfFault);
                } else {
                    lab.then_no_role_change(start);
                    lab.ensure(!lab.alert(active, Alert::HandoverFailed), "nothing was wanted");
                }
                lab.end(index);
                lab.run(20 * SEC);
                lab.ensure(!told(lab, active, faults), "and its end");
            });
        }
    }
}

#[test]
fn a_carrier_that_is_gone_for_less_than_the_raise_time_is_no_fault() {
    // The adapter learns of either change up to 10 ms late.
    for (gone_ms, hands_over) in [(38, false), (62, true)] {
        let settings = Settings { method: NetworkMethod::Router, ..Settings::default() };
        given_pair(&settings, |lab| {
            let (active, start) = (lab.active(), lab.now());
            lab.plan(0, gone_ms * MS, Kind::WanDown { node: active });
            lab.run(SEC);
            lab.ensure((lab.active() != active) == hands_over, "the raise time decides");
            lab.ensure(lab.changes_since(start).next().is_some() == hands_over, "and nothing else happens");
        });
    }
}

#[test]
fn the_raise_time_of_a_carrier_can_be_set() {
    let policy = FaultPolicy { link_raise_ms: 400, ..FaultPolicy::default() };
    let settings = Settings { policy, method: NetworkMethod::Router, ..Settings::default() };
    given_pair(&settings, |lab| {
        let (active, start) = (lab.active(), lab.now());
        lab.begin(Kind::WanDown { node: active });
        lab.run(380 * MS);
        lab.then_no_role_change(start);
        lab.run(100 * MS);
        lab.ensure(lab.active() != active, "handed over when it is over");
    });
}

#[test]
fn a_carrier_counts_as_back_only_after_the_clear_time() {
    let settings = Settings { method: NetworkMethod::Router, reboot_us: None, ..Settings::default() };
    given_pair(&settings, |lab| {
        let active = lab.active();
        let index = lab.begin(Kind::WanDown { node: active });
        lab.run(200 * MS);
        lab.ensure(told(lab, active, Faults::WAN), "raised");
        lab.end(index);
        lab.run(900 * MS);
        lab.ensure(told(lab, active, Faults::WAN), "not cleared yet");
        // A blip starts the clear time anew, and raises nothing again.
        lab.plan(0, 20 * MS, Kind::WanDown { node: active });
        lab.run(900 * MS);
        lab.ensure(told(lab, active, Faults::WAN), "not cleared yet");
        lab.run(300 * MS);
        lab.ensure(!told(lab, active, Faults::WAN), "cleared");
    });
}

#[test]
fn a_line_that_fails_on_both_nodes_moves_the_role_once_at_most() {
    // The reboot that follows a handover must not make the other one think that the rebooted node is well.
    for reboot_us in [None, Some(2 * SEC)] {
        for apart_ms in [0, 1, 3, 30, 100, 300, 1000, 4000] {
            for active_first in [true, false] {
                given_pair(&Settings { reboot_us, ..Settings::default() }, |lab| {
                    let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
                    let (first, second) = if active_first { (active, standby) } else { (standby, active) };
                    lab.begin(fault(first, Faults::FXO1));
                    lab.run(apart_ms * MS);
                    lab.begin(fault(second, Faults::FXO1));
                    lab.run(30 * SEC);
                    let moved = lab.changes_since(start).filter(|change| change.to == Role::Active).count();
                    lab.ensure(moved <= 1, &format!("no ping-pong, but {moved} handovers"));
                    lab.ensure(moved == 0 || active_first, "a standby that was faulty first is never handed the role");
                    lab.then_alert(lab.active(), Alert::HandoverFailed);
                });
            }
        }
    }
}

#[test]
fn a_standby_that_restarts_is_not_handed_the_role_for_a_line_it_has_not_looked_at() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(fault(standby, Faults::FXO1));
        lab.begin(fault(active, Faults::FXO1));
        lab.run(SEC);
        lab.plan(0, SEC, Kind::DaemonKilled { node: standby });
        lab.run(20 * SEC);
        lab.then_no_role_change_of(active, start);
    });
}

#[test]
fn a_standby_that_turns_out_well_after_its_restart_is_handed_the_role_then() {
    given_pair(&Settings { fxo_known_us: 2 * SEC, ..Settings::default() }, |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.plan(0, SEC, Kind::DaemonKilled { node: standby });
        lab.run(500 * MS);
        lab.begin(fault(active, Faults::FXO1));
        lab.run(2 * SEC);
        lab.ensure(lab.active() == active, "its ports are not known yet");
        let start = lab.now();
        lab.run(4 * SEC);
        lab.then_active(standby, start, RoleReason::SelfFault);
    });
}

#[test]
fn a_dead_lan_is_handed_over_to_a_standby_whose_ports_are_not_known() {
    let settings = Settings { fxo_known_us: 60 * SEC, ..Settings::default() };
    given_pair(&settings, |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(lan_out(active));
        lab.run(SEC);
        lab.then_active(standby, start, RoleReason::SelfFault);
    });
}

#[test]
fn a_fault_that_clears_preempts_nobody() {
    given_pair(&Settings { reboot_us: None, ..Settings::default() }, |lab| {
        let (old, heir) = (lab.active(), lab.standby());
        let index = lab.begin(fault(old, Faults::FXO1));
        lab.run(SEC);
        lab.ensure(lab.active() == heir, "handed over");
        let start = lab.now();
        lab.end(index);
        lab.run(20 * SEC);
        lab.then_no_role_change(start);
        lab.ensure(!told(lab, old, Faults::FXO1), "back to normal");
    });
}

#[test]
fn without_budget_no_fault_hands_over_and_the_operator_is_told_while_it_lasts() {
    let policy = FaultPolicy { handover_budget: 0, ..Settings::default().policy };
    given_pair(&Settings { policy, ..Settings::default() }, |lab| {
        let (active, start) = (lab.active(), lab.now());
        let index = lab.begin(fault(active, Faults::FXO1));
        lab.run(5 * SEC);
        lab.then_no_role_change(start);
        lab.then_alert(active, Alert::BudgetUsed);
        lab.end(index);
        lab.run(SEC);
        lab.ensure(!lab.alert(active, Alert::BudgetUsed), "restored to normal");
    });
}

#[test]
fn a_node_that_serves_nobody_hands_over_whatever_is_left_of_the_budget() {
    for handover_budget in [0, 1] {
        let policy = FaultPolicy { handover_budget, ..FaultPolicy::default() };
        for dead in [lan_out as fn(usize) -> Kind, lan_dead_silently, gateway_lost_for] {
            given_pair(&Settings { policy, ..Settings::default() }, |lab| {
                for _ in 0..3 {
                    let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
                    let fault = lab.begin(dead(old));
                    lab.run(3 * SEC);
                    lab.then_active(heir, start, RoleReason::SelfFault);
                    lab.ensure(!lab.alert(old, Alert::BudgetUsed), "nothing is held back");
                    lab.end(fault);
                    // Also the reboot of the first time is over.
                    lab.run(14 * SEC);
                }
                let reboots = lab.world.log.reboots.len();
                // One of each node; the third handover is the first node's second.
                lab.ensure(
                    reboots == 2 * usize::from(handover_budget),
                    &format!("the budget bounds {reboots} reboots"),
                );
            });
        }
    }
}

#[test]
fn what_is_spent_on_a_dead_lan_is_missing_for_a_fault_with_which_the_node_still_serves() {
    let policy = FaultPolicy { handover_budget: 1, ..Settings::default().policy };
    given_pair(&Settings { policy, reboot_us: None, ..Settings::default() }, |lab| {
        let first = lab.active();
        for node in [first, 1 - first] {
            lab.plan(0, 2 * SEC, lan_out(node));
            lab.run(5 * SEC);
            lab.ensure(lab.active() == 1 - node, "a dead LAN hands over");
        }
        let start = lab.now();
        lab.begin(fault(first, Faults::FXO1));
        lab.run(4 * SEC);
        lab.then_no_role_change(start);
        lab.then_alert(first, Alert::BudgetUsed);
        lab.begin(lan_out(first));
        lab.run(SEC);
        lab.ensure(lab.active() != first && !lab.alert(first, Alert::BudgetUsed), "until it serves nobody");
    });
}

#[test]
fn the_budget_is_whole_again_after_its_window() {
    let policy = FaultPolicy { handover_budget: 1, handover_window_s: 20, ..Settings::default().policy };
    given_pair(&Settings { policy, reboot_us: None, ..Settings::default() }, |lab| {
        let first = lab.active();
        for node in [first, 1 - first] {
            lab.plan(0, 2 * SEC, fault(node, Faults::FXO1));
            lab.run(4 * SEC);
        }
        lab.begin(fault(first, Faults::FXO1));
        lab.run(4 * SEC);
        lab.ensure(lab.active() == first, "the budget is used up");
        lab.run(10 * SEC);
        lab.ensure(lab.active() != first, "the window is over");
    });
}

#[test]
fn a_reboot_is_asked_for_after_an_own_fault_only_and_once_the_peer_serves() {
    given_pair(&Settings { reboot_us: None, ..Settings::default() }, |lab| {
        let (old, heir) = (lab.active(), lab.standby());
        lab.command(old, Command::ForceSwitch);
        lab.run(2 * SEC);
        lab.ensure(lab.active() == heir && lab.world.log.reboots.is_empty(), "no reboot after a forced switch");
        let start = lab.now();
        lab.begin(fault(heir, Faults::FXO1));
        lab.run(2 * SEC);
        let served = lab.then_active(old, start, RoleReason::SelfFault).at;
        let [(at, node)] = lab.world.log.reboots[..] else { return lab.ensure(false, "one reboot") };
        lab.ensure(node == heir && at >= served, "the one that had the fault, after its peer is active");
    });
}
