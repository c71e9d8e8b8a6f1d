//! Other stations: one that took the cluster IP, and one that forges frames (S6).

use super::lab::{given_machines, given_pair, slow, without_gateway};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::stations::NODE_MAC;
use crate::sim::{A, B, MS, SEC, Us};
use ucm_ha::event::Alert;
use ucm_ha::role::Role;

#[test]
fn an_active_defends_the_cluster_ip_and_alerts() {
    given_pair(&Settings::default(), |lab| {
        let (active, start) = (lab.active(), lab.now());
        lab.begin(Kind::ForeignHolder);
        lab.run(100 * MS);
        lab.ensure(lab.world.phone.cluster_mac == Some(NODE_MAC[active]), "the phones are won back at once");
        lab.run(2 * SEC);
        lab.then_alert(active, Alert::ForeignHolder);
        lab.then_no_role_change(start);
    });
}

#[test]
fn a_foreign_holder_delays_no_takeover() {
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let (old, heir) = (lab.active(), lab.standby());
            lab.begin(Kind::DaemonKilled { node: old });
            lab.run(SEC);
            lab.begin(Kind::ForeignHolder);
            lab.run(lab.world.settings.timeout_us() - SEC + 100 * MS);
            lab.ensure(lab.bound(heir), "it is not the peer that has the cluster IP");
            lab.then_alert(heir, Alert::ForeignHolder);
        });
    }
}

#[test]
fn a_pair_boots_though_a_stranger_has_the_cluster_ip() {
    given_machines(&Settings::default(), |lab| {
        lab.plan(0, Us::MAX, Kind::ForeignHolder);
        lab.run(6 * SEC);
        lab.then_alert(lab.active(), Alert::ForeignHolder);
        lab.run(6 * SEC);
    });
}

#[test]
fn an_attacker_changes_no_role() {
    for key in [true, false] {
        for peer_mac in [true, false] {
            given_pair(&Settings { key, peer_mac, ..Settings::default() }, |lab| {
                lab.world.attacker.listen();
                lab.run(2 * SEC);
                let start = lab.now();
                lab.begin(Kind::Attack);
                lab.run(15 * SEC);
                lab.then_no_role_change(start);
                lab.then_no_outage(start);
            });
        }
    }
}

#[test]
fn forged_frames_do_not_prove_the_lan_of_a_node_alone() {
    for key in [true, false] {
        given_machines(&Settings { key, peer_mac: true, ..without_gateway() }, |lab| {
            lab.plan(0, 30 * SEC, Kind::PowerLost { node: B });
            lab.begin(Kind::Attack);
            lab.run(29 * SEC);
            lab.ensure(lab.role(A) == Role::Init, "nobody who is there has been heard");
            lab.run(11 * SEC);
            lab.ensure(lab.bound(lab.active()), "with the peer's first ARP packets it takes part");
        });
    }
}

#[test]
fn replayed_frames_of_a_dead_active_do_not_keep_its_successor_waiting() {
    given_pair(&Settings { key: true, ..Settings::default() }, |lab| {
        lab.world.attacker.listen();
        lab.run(3 * SEC);
        let (old, heir) = (lab.active(), lab.standby());
        lab.begin(Kind::DaemonKilled { node: old });
        lab.begin(Kind::Attack);
        lab.run_timeout_and(100 * MS);
        lab.ensure(
            lab.bound(heir),
            "neither what the dead one once said keeps it alive, nor what nobody can have said",
        );
    });
}

#[test]
fn frames_from_before_a_restart_do_not_count_after_it() {
    for key in [true, false] {
        given_pair(&Settings { key, peer_mac: true, ..Settings::default() }, |lab| {
            lab.world.attacker.listen();
            lab.run(3 * SEC);
            for node in [A, B] {
                lab.plan(0, 6 * SEC, Kind::DaemonKilled { node });
                lab.run(12 * SEC);
            }
            let start = lab.now();
            lab.begin(Kind::Attack);
            lab.run(12 * SEC);
            lab.then_no_role_change(start);
        });
    }
}
