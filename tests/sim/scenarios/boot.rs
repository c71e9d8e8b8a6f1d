//! Starting the pair: in every order, with every path missing, with a record from before.

use super::lab::{
    cable_cut_silently, cable_out, given_machines, given_pair, lan_split_between_nodes, slow, without_gateway,
};
use crate::sim::faults::{Fault, Kind};
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, SEC, Us};
use ucm_ha::role::Role;

fn boots(boot_at: [Us; 2]) -> Settings {
    Settings { boot_at, ..Settings::default() }
}

#[test]
fn booting_together_in_any_order_gives_one_active_within_the_timeout_and_a_second() {
    for boot_at in [[0, 0], [0, 40 * MS], [40 * MS, 0], [0, 700 * MS], [700 * MS, 0], [0, 2900 * MS], [3010 * MS, 0]] {
        for settings in [boots(boot_at), Settings { boot_at, ..slow() }, Settings { boot_at, ..without_gateway() }] {
            given_machines(&settings, |lab| {
                lab.run(boot_at[A].max(boot_at[B]) + 4 * SEC);
                lab.ensure(lab.role(lab.standby()) == Role::Standby, "the other is standby");
            });
        }
    }
}

#[test]
fn booting_together_the_primary_becomes_active_well_before_the_timeout() {
    given_machines(&boots([0, 0]), |lab| {
        lab.run(1500 * MS);
        lab.ensure(lab.active() == A, "the primary is active");
    });
}

#[test]
fn a_node_alone_becomes_active_after_the_timeout() {
    given_machines(&boots([0, 600 * SEC]), |lab| {
        lab.run(2900 * MS);
        lab.ensure(!lab.bound(A), "nothing claimed before T");
        lab.run(1100 * MS);
        lab.ensure(lab.active() == A, "active within T + 1 s");
    });
}

#[test]
fn a_node_that_joins_an_active_becomes_standby_and_asks_for_a_full_sync() {
    given_machines(&boots([20 * SEC, 0]), |lab| {
        lab.run(24 * SEC);
        lab.ensure(lab.active() == B, "the secondary that came first stays active");
        lab.ensure(lab.world.log.syncs.iter().any(|sync| sync.1 == A), "the joiner asks for a full sync");
    });
}

#[test]
fn a_pair_boots_over_the_cable_alone_and_over_the_lan_alone() {
    for path in [Kind::UdpFiltered { from: [true, true] }, cable_out(), cable_cut_silently()] {
        given_machines(&boots([0, 200 * MS]), |lab| {
            lab.plan(0, Us::MAX, path.clone());
            lab.run(5 * SEC);
            lab.ensure(lab.role(lab.standby()) == Role::Standby, "one active, one standby");
        });
    }
}

#[test]
fn two_nodes_that_only_see_each_others_arp_boot_to_one_active() {
    for delay in [0, 20, 50, 90, 130, 180, 230, 270, 330, 400, 1500] {
        for boot_at in [[0, delay * MS], [delay * MS, 0]] {
            for settings in [boots(boot_at), Settings { boot_at, ..slow() }, Settings { boot_at, ..without_gateway() }]
            {
                given_machines(&settings, |lab| {
                    lab.plan(0, Us::MAX, cable_out());
                    lab.plan(0, Us::MAX, Kind::UdpFiltered { from: [true, true] });
                    lab.run(delay * MS + 4 * SEC);
                    let active = lab.active();
                    lab.run(10 * SEC);
                    lab.ensure(lab.active() == active, "and that is that");
                });
            }
        }
    }
}

#[test]
fn a_pair_in_which_one_hears_and_the_other_does_not_still_gets_an_active() {
    // "A frame counts only if it echoes" must not keep both waiting for ever.
    for deaf in [A, B] {
        given_machines(&boots([0, 100 * MS]), |lab| {
            let mut from = [false, false];
            from[1 - deaf] = true;
            lab.plan(0, Us::MAX, Kind::CableCut { from, carrier_lost: [false, false] });
            lab.plan(0, Us::MAX, Kind::UdpFiltered { from });
            lab.run(10 * SEC);
            lab.active();
        });
    }
}

#[test]
fn a_pair_with_a_dead_gateway_boots() {
    given_machines(&boots([0, 100 * MS]), |lab| {
        lab.plan(0, Us::MAX, Kind::GatewayDead);
        lab.run(5 * SEC);
        lab.ensure(lab.role(lab.standby()) == Role::Standby, "one active, one standby");
    });
}

#[test]
fn a_lone_node_with_a_dead_gateway_waits_for_it() {
    given_machines(&boots([0, 600 * SEC]), |lab| {
        lab.plan(0, 10 * SEC, Kind::GatewayDead);
        lab.run(9 * SEC);
        lab.ensure(!lab.bound(A), "nothing claimed while isolated");
        lab.run(6 * SEC);
        lab.ensure(lab.active() == A, "active once the gateway answers");
    });
}

#[test]
fn a_restarted_active_comes_back_as_standby_with_the_newer_term() {
    given_pair(&Settings::default(), |lab| {
        let (old, heir) = (lab.active(), lab.standby());
        lab.plan(0, 6 * SEC, Kind::DaemonKilled { node: old });
        lab.run(12 * SEC);
        lab.ensure(lab.active() == heir && lab.role(old) == Role::Standby, "no preemption");
        // The next takeover must use a term above all that were used before.
        let before = lab.world.machines[heir].term;
        lab.plan(0, 6 * SEC, Kind::DaemonKilled { node: heir });
        lab.run(12 * SEC);
        lab.ensure(lab.active() == old && lab.world.machines[old].term > before, "the term rises");
    });
}

#[test]
fn a_term_is_never_used_again_after_power_was_lost_on_both() {
    given_pair(&Settings::default(), |lab| {
        let before = lab.world.machines[lab.active()].term;
        for node in [A, B] {
            lab.plan(0, SEC, Kind::PowerLost { node });
        }
        lab.run(12 * SEC);
        lab.ensure(lab.world.machines[lab.active()].term > before, "the term rises");
    });
}

#[test]
fn the_last_active_is_active_again_after_power_was_lost_on_both() {
    given_pair(&Settings::default(), |lab| {
        let old = lab.active();
        lab.plan(0, 8 * SEC, Kind::DaemonKilled { node: old });
        lab.run(14 * SEC);
        let newer = lab.active();
        lab.ensure(newer != old, "the role moved");
        for node in [A, B] {
            lab.plan(0, SEC, Kind::PowerLost { node });
        }
        lab.run(12 * SEC);
        lab.ensure(lab.active() == newer, "who has the newer data serves");
    });
}

#[test]
fn a_restarted_daemon_removes_the_address_that_was_left_over() {
    given_pair(&slow(), |lab| {
        let old = lab.active();
        lab.plan(0, 200 * MS, Kind::DaemonKilled { node: old });
        lab.run(190 * MS);
        lab.ensure(lab.bound(old), "the kernel keeps the address of a killed daemon");
        lab.run(60 * MS);
        lab.ensure(!lab.bound(old), "the new daemon removes it");
        lab.run(10 * SEC);
        lab.active();
    });
}

#[test]
fn split_at_boot_gives_at_most_the_provable_exception_and_heals() {
    given_machines(&without_gateway(), |lab| {
        let split = [cable_out(), lan_split_between_nodes()];
        for kind in split {
            lab.world.plan(Fault { kind, from: 0, to: 9 * SEC });
        }
        lab.run(20 * SEC);
        lab.ensure(lab.world.watch.serves_for_good(), "one active serves after the split");
    });
}
