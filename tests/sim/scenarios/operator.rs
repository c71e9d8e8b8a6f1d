//! What people do: switch, disable, enable, shut down.

use super::lab::{given_machines, given_pair, lan_out, slow, without_gateway};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, SEC};
use ucm_ha::event::{Alert, RoleReason, SwitchRefusal};
use ucm_ha::fault::Faults;
use ucm_ha::io::Command;
use ucm_ha::role::Role;

#[test]
fn a_forced_switch_exchanges_the_roles_within_milliseconds() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            for _ in 0..4 {
                let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
                lab.command(old, Command::ForceSwitch);
                lab.run(100 * MS);
                lab.then_active(heir, start, RoleReason::ForcedSwitch);
                lab.ensure(lab.switch_result() == Some(Ok(())), "the operator is told");
                lab.then_outage_within(start, 20 * MS);
                lab.ensure(lab.world.log.reboots.is_empty(), "nobody reboots");
                lab.run(3 * SEC);
            }
        });
    }
}

#[test]
fn a_forced_switch_at_any_moment_of_a_join_works_or_is_refused() {
    const JOIN: u64 = 10 * SEC;
    for after_join in (0..2 * SEC).step_by(40 * MS as usize) {
        given_machines(&Settings { boot_at: [0, JOIN], ..Settings::default() }, |lab| {
            lab.run(JOIN + after_join);
            let start = lab.now();
            lab.command(A, Command::ForceSwitch);
            lab.run(SEC);
            match lab.switch_result() {
                Some(Ok(())) => lab.ensure(lab.role(B) == Role::Active && lab.bound(B), "the joiner serves"),
                Some(Err(_)) => lab.ensure(lab.role(A) == Role::Active && lab.bound(A), "the active goes on"),
                None => lab.ensure(false, "the operator is told within a second"),
            }
            lab.then_outage_within(start, 20 * MS);
        });
    }
}

#[test]
fn a_forced_switch_on_the_standby_is_refused() {
    given_pair(&Settings::default(), |lab| {
        let start = lab.now();
        lab.command(lab.standby(), Command::ForceSwitch);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::NotActive);
        lab.then_no_role_change(start);
    });
}

#[test]
fn a_forced_switch_without_peer_is_refused() {
    given_pair(&Settings::default(), |lab| {
        let active = lab.active();
        lab.begin(Kind::DaemonKilled { node: lab.standby() });
        lab.run(2 * SEC);
        lab.command(active, Command::ForceSwitch);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::PeerNotSeen);
    });
}

#[test]
fn a_forced_switch_to_a_peer_that_cannot_bind_is_refused_and_undone() {
    given_pair(&Settings::default(), |lab| {
        let (active, start) = (lab.active(), lab.now());
        lab.begin(Kind::BindFails { node: lab.standby() });
        lab.command(active, Command::ForceSwitch);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::PeerRefused);
        lab.ensure(lab.active() == active && lab.bound(active), "the active serves on");
        lab.then_outage_within(start, 500 * MS);
    });
}

#[test]
fn a_forced_switch_to_a_faulty_peer_is_refused() {
    for kind in [|node| Kind::SelfFault { node, faults: Faults::SERVICE }, lan_out] {
        given_pair(&Settings::default(), |lab| {
            let active = lab.active();
            lab.begin(kind(lab.standby()));
            lab.run(SEC);
            lab.command(active, Command::ForceSwitch);
            lab.run(SEC);
            lab.then_refused(SwitchRefusal::PeerUnhealthy);
        });
    }
}

#[test]
fn a_second_forced_switch_during_the_first_is_refused() {
    given_pair(&Settings::default(), |lab| {
        let active = lab.active();
        lab.command(active, Command::ForceSwitch);
        lab.command(active, Command::ForceSwitch);
        lab.then_refused(SwitchRefusal::InProgress);
        lab.run(SEC);
        lab.ensure(lab.switch_result() == Some(Ok(())), "the first one goes through");
    });
}

#[test]
fn a_forced_switch_to_a_peer_that_is_off_is_refused() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.world.watch.expects_service = false;
        lab.command(standby, Command::Disable);
        lab.run(SEC);
        lab.command(active, Command::ForceSwitch);
        lab.run(SEC);
        lab.then_refused(SwitchRefusal::PeerNotStandby);
    });
}

#[test]
fn a_forced_switch_in_the_middle_of_a_full_sync_is_refused() {
    given_machines(&Settings { boot_at: [0, 10 * SEC], sync_us: 4 * SEC, ..Settings::default() }, |lab| {
        let syncing = lab.world.run_until_that(15 * SEC, |world| !world.log.syncs.is_empty());
        lab.ensure(syncing, "the joiner asks for a full sync");
        // The standby says so in its next frame; the copy takes seconds.
        lab.run(60 * MS);
        lab.command(A, Command::ForceSwitch);
        lab.run(5 * MS);
        lab.then_refused(SwitchRefusal::PeerSyncing);
    });
}

#[test]
fn a_forced_switch_that_the_standby_cannot_hear_is_refused_and_service_goes_on() {
    given_pair(&slow(), |lab| {
        let (active, start) = (lab.active(), lab.now());
        // Within the intervals in which the peer still counts as heard.
        lab.begin(Kind::DaemonFrozen { node: lab.standby() });
        lab.command(active, Command::ForceSwitch);
        lab.run(2 * SEC);
        lab.then_refused(SwitchRefusal::PeerUnanswered);
        lab.then_no_role_change(start);
        lab.then_no_outage(start);
    });
}

#[test]
fn disabling_on_the_active_turns_the_pair_off_and_enabling_both_turns_it_on() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.world.watch.expects_service = false;
        lab.command(active, Command::Disable);
        lab.run(8 * SEC);
        lab.ensure(
            [A, B].iter().all(|&node| lab.role(node) == Role::Off && !lab.bound(node)),
            "both off, nothing held",
        );
        lab.then_alert(standby, Alert::DisabledByPeer);
        lab.command(active, Command::Enable);
        lab.command(standby, Command::Enable);
        lab.run(8 * SEC);
        lab.ensure(lab.role(lab.standby()) == Role::Standby, "the pair is back");
    });
}

#[test]
fn a_node_that_was_turned_off_by_its_peer_remembers_it_across_a_restart() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.world.watch.expects_service = false;
        lab.command(active, Command::Disable);
        lab.run(3 * SEC);
        lab.begin(Kind::PowerLost { node: active });
        lab.plan(0, SEC, Kind::DaemonKilled { node: standby });
        lab.run(15 * SEC);
        lab.ensure(lab.role(standby) == Role::Off && !lab.bound(standby), "still off, though nobody is heard");
    });
}

#[test]
fn disabling_on_the_standby_leaves_the_active_serving() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        lab.world.watch.expects_service = false;
        lab.command(standby, Command::Disable);
        lab.run(10 * SEC);
        lab.ensure(lab.role(standby) == Role::Off, "the standby is off");
        lab.then_no_role_change_of(active, start);
        lab.then_no_outage(start);
    });
}

#[test]
fn a_pair_that_starts_disabled_holds_nothing() {
    given_machines(&Settings { enabled: [false, false], ..Settings::default() }, |lab| {
        lab.run(15 * SEC);
        lab.ensure([A, B].iter().all(|&node| lab.role(node) == Role::Off && !lab.bound(node)), "both off");
    });
}

#[test]
fn shutting_down_the_active_hands_over_first() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
            lab.command(old, Command::Shutdown);
            lab.run(2500 * MS);
            lab.then_active(heir, start, RoleReason::Shutdown);
            lab.then_outage_within(start, 20 * MS);
            lab.ensure(lab.world.log.stopped.iter().any(|entry| entry.1 == old), "the program may end");
            lab.ensure(!lab.bound(old), "nothing left behind");
        });
    }
}

#[test]
fn shutting_down_the_standby_or_a_lone_active_ends_at_once() {
    given_pair(&Settings::default(), |lab| {
        let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
        lab.command(standby, Command::Shutdown);
        lab.run(SEC);
        lab.ensure(lab.world.log.stopped.iter().any(|entry| entry.1 == standby), "the standby may end");
        lab.then_no_role_change_of(active, start);
        lab.then_no_outage(start);
        lab.run(4 * SEC);
        lab.command(active, Command::Shutdown);
        lab.run(2500 * MS);
        lab.ensure(lab.world.log.stopped.iter().any(|entry| entry.1 == active), "so may the active");
        lab.ensure(!lab.bound(active), "nothing left behind");
    });
}

#[test]
fn a_successor_that_gives_the_role_back_does_not_take_it_again_when_its_fault_clears() {
    // Found by the grid (cell 4823): the old active was about to take back what had been refused, and both claimed.
    for settings in [Settings::default(), slow(), without_gateway()] {
        for fault_after in [500, 800, 1000, 1500, 2500] {
            for fault_lasts in [MS, 5 * MS, 20 * MS, 40 * MS] {
                given_pair(&settings, |lab| {
                    let (active, standby) = (lab.active(), lab.standby());
                    lab.command(active, Command::ForceSwitch);
                    lab.run(fault_after);
                    let fault = lab.begin(Kind::SelfFault { node: standby, faults: Faults::FXO1 });
                    lab.run(fault_lasts);
                    lab.end(fault);
                    lab.run_timeout_and(2 * SEC);
                    lab.ensure(lab.role(lab.active()) == Role::Active, "one serves");
                });
            }
        }
    }
}
