//! A node that its operator keeps out of the active role.

use super::lab::{Lab, given_pair, slow, without_gateway};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, SEC};
use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::io::Command;
use ucm_ha::role::Role;

/// Given a pair whose standby has been put into maintenance.
fn given_a_standby_in_maintenance(settings: &Settings, scenario: impl Fn(&mut Lab, usize)) {
    given_pair(settings, |lab| {
        let standby = lab.standby();
        lab.world.watch.expects_service = false;
        lab.command(standby, Command::EnterMaintenance);
        lab.run(SEC);
        lab.ensure(lab.switch_result() == Some(Ok(())), "the operator is told that it has begun");
        scenario(lab, standby);
    });
}

#[test]
fn an_active_put_into_maintenance_hands_over_first() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
            lab.command(old, Command::EnterMaintenance);
            lab.run(500 * MS);
            lab.then_active(heir, start, RoleReason::ForcedSwitch);
            lab.ensure(lab.switch_result() == Some(Ok(())), "the operator is told");
            lab.then_outage_within(start, 20 * MS);
            lab.command(heir, Command::ForceSwitch);
            lab.run(MS);
            lab.then_refused(SwitchRefusal::PeerInMaintenance);
        });
    }
}

#[test]
fn a_node_in_maintenance_claims_nothing_when_its_peer_dies_and_serves_when_it_ends() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_a_standby_in_maintenance(&settings, |lab, kept_out| {
            lab.begin(Kind::PowerLost { node: 1 - kept_out });
            lab.run_timeout_and(10 * SEC);
            lab.ensure(lab.role(kept_out) == Role::Standby && !lab.bound(kept_out), "it holds nothing");
            lab.then_alert(kept_out, Alert::Maintenance);
            lab.command(kept_out, Command::LeaveMaintenance);
            lab.run(SEC);
            lab.ensure(lab.role(kept_out) == Role::Active && lab.bound(kept_out), "it serves at once");
            lab.ensure(!lab.alert(kept_out, Alert::Maintenance), "the alert is over");
        });
    }
}

#[test]
fn maintenance_outlives_a_restart_and_a_power_cut() {
    for restart in [|node| Kind::DaemonKilled { node }, |node| Kind::PowerLost { node }] {
        given_a_standby_in_maintenance(&Settings::default(), |lab, kept_out| {
            lab.plan(0, SEC, restart(kept_out));
            lab.run(5 * SEC);
            lab.begin(Kind::PowerLost { node: 1 - kept_out });
            lab.run_timeout_and(10 * SEC);
            lab.ensure(lab.world.machines[kept_out].running() && !lab.bound(kept_out), "it is still kept out");
        });
    }
}

#[test]
fn of_two_nodes_that_boot_the_one_in_maintenance_leaves_the_role_to_the_other() {
    // An old node does not know the word, and ranks by who is willing.
    for old in [[false; 2], [true, false], [false, true]] {
        given_pair(&Settings { old, ..Settings::default() }, |lab| {
            let kept_out = if old[A] { B } else { A };
            lab.world.watch.expects_service = false;
            lab.command(kept_out, Command::EnterMaintenance);
            lab.run(SEC);
            let cuts = [A, B].map(|node| lab.begin(Kind::PowerLost { node }));
            lab.run(SEC);
            cuts.into_iter().for_each(|cut| lab.end(cut));
            lab.run_timeout_and(10 * SEC);
            lab.ensure(lab.active() == 1 - kept_out, "the other one serves");
        });
    }
}

#[test]
fn an_active_without_a_peer_is_kept_out_only_by_force() {
    given_pair(&Settings::default(), |lab| {
        let (active, start) = (lab.active(), lab.now());
        lab.world.watch.expects_service = false;
        lab.begin(Kind::DaemonKilled { node: lab.standby() });
        lab.run(2 * SEC);
        lab.command(active, Command::EnterMaintenance);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::PeerNotSeen);
        lab.then_no_role_change_of(active, start);
        lab.command(active, Command::ForceMaintenance);
        lab.run(SEC);
        lab.ensure(lab.switch_result() == Some(Ok(())), "the operator is told");
        lab.then_left(active, start, RoleReason::Maintenance);
        lab.ensure(!lab.bound(active), "the cluster IP is gone");
    });
}

#[test]
fn not_both_are_kept_out_but_by_force() {
    given_a_standby_in_maintenance(&Settings::default(), |lab, kept_out| {
        let (active, start) = (1 - kept_out, lab.now());
        lab.command(active, Command::EnterMaintenance);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::PeerInMaintenance);
        lab.then_no_role_change(start);
        lab.then_no_outage(start);
    });
}

#[test]
fn a_peer_that_gives_the_role_back_leaves_the_active_out_of_maintenance() {
    given_pair(&Settings::default(), |lab| {
        let active = lab.active();
        let fault = lab.begin(Kind::BindFails { node: lab.standby() });
        lab.command(active, Command::EnterMaintenance);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::PeerRefused);
        lab.ensure(lab.active() == active && lab.bound(active), "the active serves on");
        lab.end(fault);
        lab.run_timeout_and(2 * SEC);
        lab.ensure(lab.active() == active, "and goes on");
    });
}

#[test]
fn maintenance_in_the_middle_of_a_handover_is_refused_even_by_force() {
    given_pair(&Settings::default(), |lab| {
        let active = lab.active();
        lab.command(active, Command::ForceSwitch);
        lab.command(active, Command::ForceMaintenance);
        lab.then_refused(SwitchRefusal::InProgress);
        lab.run(SEC);
        lab.ensure(lab.switch_result() == Some(Ok(())), "the switch goes through");
    });
}
