//! Daemons that sleep and wake: S4, L7, and old frames in full sockets.

use super::lab::{cable_out, given_pair, slow, without_gateway};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{MS, SEC};
use ucm_ha::event::RoleReason;
use ucm_ha::role::Role;

#[test]
fn an_active_that_wakes_after_its_successor_took_over_becomes_standby() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        for asleep_ms in [3100, 4000, 9000, 25_000] {
            given_pair(&settings, |lab| {
                let (old, heir) = (lab.active(), lab.standby());
                lab.plan(0, asleep_ms * MS, Kind::DaemonFrozen { node: old });
                lab.run(asleep_ms * MS + 8 * SEC);
                lab.ensure(lab.active() == heir, "the heir keeps the role");
                lab.ensure(lab.role(old) == Role::Standby, "the woken one is standby");
            });
        }
    }
}

#[test]
fn an_active_that_slept_longer_than_its_address_but_not_its_lease_binds_it_again() {
    given_pair(&Settings { timeout_s: [7, 7], ..Settings::default() }, |lab| {
        let (active, start) = (lab.active(), lab.now());
        lab.plan(0, 6400 * MS, Kind::DaemonFrozen { node: active });
        lab.run(6300 * MS);
        lab.ensure(!lab.bound(active), "the kernel dropped the address");
        lab.run(SEC);
        lab.then_no_role_change(start);
        lab.ensure(lab.world.server() == Some(active), "bound and announced again");
    });
}

#[test]
fn a_standby_that_wakes_does_not_take_its_own_sleep_for_the_actives_silence() {
    for frames in [16, 277] {
        for settings in [Settings::default(), slow(), without_gateway()] {
            for asleep_ms in [900, 2900, 5000, 30_000] {
                given_pair(&Settings { socket_frames: frames, ..settings.clone() }, |lab| {
                    let (standby, start) = (lab.standby(), lab.now());
                    lab.plan(0, asleep_ms * MS, Kind::DaemonFrozen { node: standby });
                    lab.run(asleep_ms * MS + 6 * SEC);
                    lab.then_no_role_change(start);
                    lab.then_no_outage(start);
                });
            }
        }
    }
}

#[test]
fn a_thawed_standbys_old_echo_does_not_unseat_the_active() {
    // Its first frames after the thaw echo what was sent before it slept: it is not deaf, only behind.
    for cable_too in [false, true] {
        given_pair(&Settings { socket_frames: 16, ..Settings::default() }, |lab| {
            let (standby, start) = (lab.standby(), lab.now());
            if cable_too {
                lab.begin(cable_out());
            }
            for nap in 0..4 {
                lab.plan(nap * 8 * SEC, 5 * SEC, Kind::DaemonFrozen { node: standby });
            }
            lab.run(36 * SEC);
            lab.then_no_role_change(start);
            lab.then_no_outage(start);
        });
    }
}

#[test]
fn both_daemons_asleep_at_once_wake_to_one_active() {
    for settings in [Settings::default(), without_gateway()] {
        for (first_ms, second_ms) in [(5000, 5000), (5000, 8000), (8000, 5000), (2000, 9000)] {
            given_pair(&settings, |lab| {
                let active = lab.active();
                lab.plan(0, first_ms * MS, Kind::DaemonFrozen { node: active });
                lab.plan(0, second_ms * MS, Kind::DaemonFrozen { node: 1 - active });
                lab.run(20 * SEC);
                lab.active();
            });
        }
    }
}

#[test]
fn a_frozen_active_that_wakes_into_a_split_does_not_go_on_by_its_old_licence() {
    given_pair(&without_gateway(), |lab| {
        let (old, start) = (lab.active(), lab.now());
        lab.plan(0, 6 * SEC, Kind::DaemonFrozen { node: old });
        lab.run(5900 * MS);
        lab.begin(cable_out());
        lab.run(400 * MS);
        lab.then_left(old, start, RoleReason::WokeFromFreeze);
        lab.run(5 * SEC);
        lab.ensure(lab.active() == 1 - old, "the heir serves");
    });
}
