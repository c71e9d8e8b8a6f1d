//! Self-faults and what becomes of them: L2, L5, S3.

use super::lab::{
    cable_out, gateway_lost_for, given_pair, lan_dead_silently, lan_out, lan_split_between_nodes, slow, without_gateway,
};
use crate::sim::faults::Kind;
use crate::sim::link::Impairment;
use crate::sim::settings::Settings;
use crate::sim::{MS, SEC};
use ucm_ha::config::FaultPolicy;
use ucm_ha::event::{Alert, RoleReason};
use ucm_ha::fault::Faults;
use ucm_ha::io::Command;
use ucm_ha::role::Role;
use ucm_ha::types::NetworkMethod;

fn service_fault(node: usize) -> Kind {
    Kind::SelfFault { node, faults: Faults::SERVICE }
}

#[test]
fn a_fault_of_the_active_hands_over_within_milliseconds_and_reboots_it() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        for faults in [Faults::SERVICE, Faults::FXO1] {
            given_pair(&settings, |lab| {
                let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
                let fault = lab.begin(Kind::SelfFault { node: old, faults });
                lab.run(100 * MS);
                lab.then_active(heir, start, RoleReason::SelfFault);
                lab.then_outage_within(start, 20 * MS);
                lab.ensure(lab.world.log.reboots.iter().any(|reboot| reboot.1 == old), "the old active reboots");
                lab.end(fault);
                lab.run(20 * SEC);
                lab.ensure(lab.active() == heir && lab.role(old) == Role::Standby, "it returns as standby");
            });
        }
    }
}

#[test]
fn the_old_active_releases_before_the_new_one_binds() {
    given_pair(&Settings::default(), |lab| {
        let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(service_fault(old));
        lab.run(SEC);
        let moved = |node: usize, held: bool| {
            lab.world.log.addresses.iter().find(|entry| entry.0 >= start && (entry.1, entry.2) == (node, held))
        };
        let (gone, bound) = (moved(old, false), moved(heir, true));
        lab.ensure(gone.zip(bound).is_some_and(|(gone, bound)| gone.0 < bound.0), "released, then bound");
    });
}

#[test]
fn a_handover_during_which_only_arp_is_left_ends_with_one_active() {
    // Found by the search of the states: both had let go, and both claimed T after the last frame that they heard.
    for settings in [Settings::default(), slow(), without_gateway()] {
        for after_us in (0..2000).step_by(100) {
            given_pair(&settings, |lab| {
                lab.command(lab.active(), Command::ForceSwitch);
                lab.run(after_us);
                lab.begin(cable_out());
                lab.begin(Kind::UdpFiltered { from: [true, true] });
                lab.run_timeout_and(1500 * MS);
                let active = lab.active();
                lab.run(10 * SEC);
                lab.ensure(lab.active() == active, "and stays it");
            });
        }
    }
}

#[test]
fn a_fault_whose_switch_is_off_moves_no_role() {
    let policy = FaultPolicy::default();
    given_pair(&Settings { policy, ..Settings::default() }, |lab| {
        let start = lab.now();
        lab.begin(service_fault(lab.active()));
        lab.run(5 * SEC);
        lab.then_no_role_change(start);
    });
}

#[test]
fn the_lan_cable_out_of_the_active_hands_over_at_once() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
            lab.begin(lan_out(old));
            lab.run(200 * MS);
            lab.then_active(heir, start, RoleReason::SelfFault);
            lab.then_outage_within(start, 150 * MS);
        });
    }
}

#[test]
fn the_wan_cable_out_of_the_active_hands_over_in_the_router_method() {
    given_pair(&Settings { method: NetworkMethod::Router, ..Settings::default() }, |lab| {
        let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(Kind::WanDown { node: old });
        lab.run(200 * MS);
        lab.then_active(heir, start, RoleReason::SelfFault);
        lab.then_outage_within(start, 20 * MS);
    });
}

#[test]
fn a_standby_as_unhealthy_as_the_active_is_never_handed_the_role() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(service_fault(standby));
        lab.run(SEC);
        let own = lab.begin(service_fault(active));
        lab.run(10 * SEC);
        lab.then_no_role_change(start);
        lab.then_alert(active, Alert::HandoverFailed);
        lab.end(own);
        lab.run(SEC);
        lab.ensure(!lab.alert(active, Alert::HandoverFailed), "restored to normal");
    });
}

#[test]
fn a_role_that_could_not_be_handed_over_goes_as_soon_as_the_standby_is_well() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        let other = lab.begin(service_fault(standby));
        lab.run(SEC);
        lab.begin(service_fault(active));
        lab.run(5 * SEC);
        lab.end(other);
        lab.run(SEC);
        lab.then_active(standby, start, RoleReason::SelfFault);
    });
}

#[test]
fn an_offer_that_was_refused_is_made_again_as_soon_as_the_standby_is_well() {
    // Both lose their LAN, and the standby does not say so in time: it refuses. The next offer waits for its LAN and not for T.
    for settings in [Settings::default(), slow(), without_gateway()] {
        for later_ms in [0, 15, 30] {
            given_pair(&Settings { timeout_s: [10; 2], ..settings.clone() }, |lab| {
                let (old, heir) = (lab.active(), lab.standby());
                lab.begin(lan_out(old));
                lab.run(later_ms * MS);
                let other = lab.begin(lan_out(heir));
                lab.run(SEC);
                lab.ensure(lab.active() == old, "neither can serve");
                let healed = lab.now();
                lab.end(other);
                // Its carrier counts as back after a second.
                lab.run(1300 * MS);
                lab.then_active(heir, healed, RoleReason::SelfFault);
            });
        }
    }
}

#[test]
fn a_node_that_has_used_its_budget_holds_the_role_and_alerts() {
    let policy = FaultPolicy { handover_budget: 1, ..Settings::default().policy };
    // No reboot: what counts is the budget, also across the standby's own handovers.
    given_pair(&Settings { policy, reboot_us: None, ..Settings::default() }, |lab| {
        let first = lab.active();
        for node in [first, 1 - first] {
            lab.plan(0, 2 * SEC, service_fault(node));
            lab.run(4 * SEC);
            lab.ensure(lab.active() == 1 - node, "the first fault hands over");
        }
        let start = lab.now();
        lab.begin(service_fault(first));
        lab.run(4 * SEC);
        lab.then_no_role_change(start);
        lab.then_alert(first, Alert::BudgetUsed);
    });
}

#[test]
fn the_budget_survives_the_reboot_that_follows_a_handover() {
    let policy = FaultPolicy { handover_budget: 1, ..Settings::default().policy };
    given_pair(&Settings { policy, ..Settings::default() }, |lab| {
        let first = lab.active();
        for node in [first, 1 - first] {
            lab.plan(0, 2 * SEC, service_fault(node));
            lab.run(20 * SEC);
            lab.ensure(lab.active() == 1 - node, "the first fault hands over");
        }
        let start = lab.now();
        lab.begin(service_fault(first));
        lab.run(4 * SEC);
        lab.then_no_role_change(start);
    });
}

#[test]
fn a_successor_that_cannot_bind_gives_the_role_back() {
    given_pair(&Settings::default(), |lab| {
        let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(Kind::BindFails { node: heir });
        lab.begin(service_fault(old));
        lab.run(2 * SEC);
        lab.ensure(lab.active() == old, "the old active serves on");
        lab.ensure(lab.world.server() == Some(old), "phones reach it");
        lab.then_outage_within(start, 500 * MS);
        lab.then_alert(heir, Alert::AddressFailed);
        lab.run(10 * SEC);
        let changes = lab.changes_since(start).count();
        lab.ensure(changes <= 10, &format!("no loop, but {changes} role changes"));
    });
}

#[test]
fn a_release_that_never_reaches_the_successor_leaves_one_active_in_the_end() {
    for delay_us in [0, 300, 700, 1200, 2000, 3000, 5000] {
        for cable in [cable_out(), Kind::CableCut { from: [true, false], carrier_lost: [false; 2] }] {
            given_pair(&Settings::default(), |lab| {
                let old = lab.active();
                lab.begin(service_fault(old));
                lab.run(delay_us);
                let cuts = [lab.begin(cable.clone()), lab.begin(lan_split_between_nodes())];
                lab.run(2 * SEC);
                for cut in cuts {
                    lab.end(cut);
                }
                lab.run(12 * SEC);
                lab.active();
            });
        }
    }
}

#[test]
fn a_release_followed_by_a_partition_leaves_one_holder() {
    for delay_us in [0, 500, 1000, 1500, 2500, 4000] {
        for outcast_is_old in [true, false] {
            given_pair(&Settings::default(), |lab| {
                let old = lab.active();
                let outcast = if outcast_is_old { old } else { 1 - old };
                lab.begin(service_fault(old));
                lab.run(delay_us);
                lab.begin(cable_out());
                lab.begin(lan_out(outcast));
                lab.run(10 * SEC);
                lab.ensure(!lab.bound(outcast), "the outcast holds nothing");
                lab.ensure(lab.bound(1 - outcast) || !outcast_is_old, "the healthy one serves");
            });
        }
    }
}

#[test]
fn an_active_without_lan_lets_go_when_nobody_answers_its_offer() {
    given_pair(&without_gateway(), |lab| {
        let old = lab.active();
        lab.begin(cable_out());
        lab.begin(lan_out(old));
        lab.run(SEC);
        lab.ensure(!lab.bound(old), "released");
        lab.run(4 * SEC);
        lab.ensure(lab.active() == 1 - old, "the other one takes over after its timeout");
    });
}

#[test]
fn a_standby_that_has_just_lost_the_gateway_is_not_handed_the_role() {
    // Found by the grid of double faults: its own fault of the gateway is not raised yet, and the phones would have lost a
    // node that reaches them to one that does not.
    given_pair(&Settings::default(), |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        lab.begin(gateway_lost_for(standby));
        lab.run(1500 * MS);
        lab.ensure(!lab.alert(standby, Alert::HeartbeatLost), "the pair hears each other");
        lab.begin(service_fault(active));
        lab.run(10 * SEC);
        lab.then_no_role_change(start);
        lab.then_no_outage(start);
        lab.then_alert(active, Alert::HandoverFailed);
    });
}

#[test]
fn a_handover_over_a_cable_that_is_slow_gets_its_time() {
    // Found by the grid of double faults: the active took an answer that was under way for none, each time anew.
    let late = Impairment { loss_percent: 5, delay_min_us: 100 * MS, delay_max_us: 400 * MS, ..Impairment::default() };
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let (old, heir) = (lab.active(), lab.standby());
            lab.begin(Kind::CableBad(late));
            lab.begin(lan_dead_silently(old));
            lab.run(6 * SEC);
            lab.ensure(lab.active() == heir, "the node whose LAN works serves");
        });
    }
}
