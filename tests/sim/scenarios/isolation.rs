//! Splits: who may serve alone, and what happens when the parts meet again. S1, S2, S5.

use super::lab::{
    cable_cut_silently, cable_out, given_pair, lan_dead_silently, lan_out, lan_split_between_nodes, slow,
    without_gateway,
};
use crate::sim::faults::Kind;
use crate::sim::link::Impairment;
use crate::sim::settings::Settings;
use crate::sim::stations::{GATEWAY, NODE_MAC, PHONE};
use crate::sim::{MS, SEC, Us};
use ucm_ha::event::{Alert, RoleReason};
use ucm_ha::io::Command;
use ucm_ha::role::Role;

#[test]
fn an_isolated_active_steps_down_before_the_standby_claims() {
    for cable in [cable_out(), cable_cut_silently()] {
        for lan in [lan_dead_silently as fn(usize) -> Kind, lan_out] {
            for settings in [Settings::default(), slow()] {
                given_pair(&settings, |lab| {
                    let old = lab.active();
                    lab.begin(cable.clone());
                    lab.begin(lan(old));
                    lab.run(8 * SEC);
                    lab.ensure(lab.active() == 1 - old && !lab.bound(old), "the reachable one serves");
                });
            }
        }
    }
}

#[test]
fn an_isolated_standby_claims_nothing() {
    for lan in [lan_dead_silently as fn(usize) -> Kind, lan_out] {
        for settings in [Settings::default(), slow(), Settings { timeout_s: [10, 10], ..Settings::default() }] {
            given_pair(&settings, |lab| {
                let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
                lab.begin(cable_out());
                lab.begin(lan(standby));
                lab.run(15 * SEC);
                lab.then_no_role_change(start);
                lab.ensure(lab.world.server() == Some(active), "the active serves on");
            });
        }
    }
}

#[test]
fn an_isolated_active_whose_peer_knows_no_gateway_steps_down_too() {
    // Found by the random runs: a peer that never sees a gateway passed for one that agrees on its death.
    for fast in [true, false] {
        let settings = Settings { gateway: [true, false], fast: [fast; 2], ..Settings::default() };
        given_pair(&settings, |lab| {
            let old = lab.active();
            lab.ensure(old == 0, "the one that knows the gateway is active");
            lab.begin(lan_dead_silently(old));
            lab.run(1500 * MS);
            lab.begin(cable_cut_silently());
            lab.run(8 * SEC);
            lab.ensure(lab.active() == 1 - old && !lab.bound(old), "the reachable one serves");
        });
    }
}

#[test]
fn an_active_lets_go_in_time_though_what_it_hears_of_its_peer_is_late() {
    // Found by the random runs: the age of contact was counted from the arrival of a frame that had been under way for long.
    let late = Impairment { delay_min_us: 150 * MS, delay_max_us: 160 * MS, ..Impairment::default() };
    given_pair(&Settings::default(), |lab| {
        let (active, standby) = (lab.active(), lab.standby());
        lab.begin(cable_out());
        lab.run(2 * SEC);
        lab.begin(Kind::LanBad { node: active, how: late });
        lab.begin(Kind::LanCut { pairs: vec![(active, standby)] });
        // The standby claims 450 ms after the last frame that reached it.
        lab.run(390 * MS);
        lab.ensure(!lab.bound(active), "the old active has let go");
    });
}

#[test]
fn an_active_that_is_deaf_on_the_lan_with_the_cable_lost_gives_way() {
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let old = lab.active();
            lab.begin(cable_out());
            lab.begin(Kind::LanPortDead { node: old, send: false, receive: true, carrier_lost: false });
            lab.run(12 * SEC);
            lab.ensure(!lab.bound(old), "who cannot be reached does not serve");
            lab.ensure(lab.active() == 1 - old, "the other one does");
        });
    }
}

#[test]
fn with_datagrams_filtered_and_the_cable_cut_arp_still_shows_who_serves() {
    for from in [[true, true], [true, false], [false, true]] {
        for settings in [Settings::default(), slow(), without_gateway()] {
            given_pair(&settings, |lab| {
                let standby = lab.standby();
                lab.begin(cable_out());
                lab.begin(Kind::UdpFiltered { from });
                lab.run(20 * SEC);
                lab.ensure(lab.world.watch.exempt_splits == 0, "never two holders");
                lab.active();
                if from == [true, true] {
                    lab.then_alert(standby, Alert::PeerHoldsAddress);
                }
            });
        }
    }
}

#[test]
fn a_standby_without_its_static_address_claims_nothing_even_where_arp_answers_come_late() {
    let late = Impairment { delay_min_us: 300 * MS, delay_max_us: 300 * MS, ..Impairment::default() };
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
            lab.begin(Kind::OwnAddressLost { node: standby });
            lab.run(160 * MS);
            let cut = lab.begin(cable_out());
            lab.begin(Kind::LanBad { node: active, how: late });
            lab.run(20 * SEC);
            lab.ensure(!lab.bound(standby), "nothing is claimed");
            lab.ensure(lab.changes_since(start).all(|change| change.node == active), "the standby stays what it is");
            lab.end(cut);
        });
    }
}

#[test]
fn an_active_keeps_its_role_without_its_static_address_and_a_standby_may_claim_once_it_has_its_own_again() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
            lab.begin(Kind::OwnAddressLost { node: active });
            let lost = lab.begin(Kind::OwnAddressLost { node: standby });
            lab.run(10 * SEC);
            lab.then_no_role_change(start);
            lab.begin(Kind::PowerLost { node: active });
            lab.run(10 * SEC);
            lab.ensure(lab.role(standby) == Role::Standby, "without its address it claims nothing");
            lab.end(lost);
            lab.run_timeout_and(SEC);
            lab.ensure(lab.active() == standby, "with its address it does, after T");
        });
    }
}

#[test]
fn the_provable_split_gives_two_and_its_end_gives_one_that_is_announced() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        for cable_first in [true, false] {
            given_pair(&settings, |lab| {
                let faults = [lab.begin(cable_out()), lab.begin(lan_split_between_nodes())];
                lab.run(12 * SEC);
                lab.ensure(lab.bound(0) && lab.bound(1), "both serve: nothing could tell them");
                let (first, second) = if cable_first { (faults[0], faults[1]) } else { (faults[1], faults[0]) };
                lab.end(first);
                lab.run(2 * lab.world.settings.interval_us() + 100 * MS);
                let winner = lab.active();
                lab.ensure(!lab.bound(1 - winner), "the loser has released");
                lab.end(second);
                lab.run(10 * SEC);
                lab.ensure(lab.active() == winner && lab.role(1 - winner) == Role::Standby, "no more changes");
                lab.ensure(lab.world.phone.cluster_mac == Some(NODE_MAC[winner]), "phones know the winner");
                lab.ensure(lab.world.log.syncs.iter().any(|sync| sync.1 == 1 - winner), "the loser synchronises");
            });
        }
    }
}

#[test]
fn a_split_with_the_gateway_on_one_side_has_one_holder_on_that_side() {
    for gateway_with_active in [true, false] {
        for settings in [Settings::default(), slow()] {
            given_pair(&settings, |lab| {
                let outcast = if gateway_with_active { lab.standby() } else { lab.active() };
                let pairs =
                    [1 - outcast, GATEWAY, PHONE].into_iter().flat_map(|other| [(outcast, other), (other, outcast)]);
                lab.begin(Kind::LanCut { pairs: pairs.collect() });
                lab.begin(cable_out());
                lab.run(10 * SEC);
                lab.ensure(lab.active() == 1 - outcast && !lab.bound(outcast), "the side with the gateway serves");
                lab.ensure(lab.world.server() == Some(1 - outcast), "phones reach it");
            });
        }
    }
}

#[test]
fn a_lan_split_with_a_fine_cable_moves_no_role() {
    for settings in [Settings::default(), slow(), without_gateway()] {
        given_pair(&settings, |lab| {
            let start = lab.now();
            lab.begin(lan_split_between_nodes());
            lab.run(12 * SEC);
            lab.then_no_role_change(start);
            lab.then_no_outage(start);
            lab.then_alert(0, Alert::LanPathLost);
        });
    }
}

#[test]
fn no_loop_of_claims_while_a_node_can_send_but_not_receive() {
    for deaf_is_active in [true, false] {
        for settings in [Settings::default(), slow(), without_gateway()] {
            given_pair(&settings, |lab| {
                let deaf = if deaf_is_active { lab.active() } else { lab.standby() };
                let start = lab.now();
                lab.begin(Kind::LanPortDead { node: deaf, send: false, receive: true, carrier_lost: false });
                let mut from = [false, false];
                from[1 - deaf] = true;
                lab.begin(Kind::CableCut { from, carrier_lost: [false, false] });
                lab.run(30 * SEC);
                let changes = lab.changes_since(start).count();
                lab.ensure(changes <= 8, &format!("a few role changes, but {changes}"));
            });
        }
    }
}

#[test]
fn an_active_re_announces_when_its_lan_heals() {
    // Nobody took over (no gateway tells anything), but the phones may have forgotten.
    given_pair(&without_gateway(), |lab| {
        let active = lab.active();
        let fault = lab.begin(lan_dead_silently(active));
        lab.run(20 * SEC);
        lab.world.phone.cluster_mac = None;
        lab.end(fault);
        lab.run(2 * lab.world.settings.interval_us() + 100 * MS);
        lab.ensure(lab.world.server() == Some(active), "announced again as soon as the LAN is back");
    });
}

#[test]
fn the_rest_after_a_false_alarm_ends_on_time() {
    // The rules of fast failover hold again from then on: an active that is isolated just before has 350 ms from its last word,
    // and no more until it happens to be called.
    let late = Impairment { delay_min_us: 500 * MS, delay_max_us: 500 * MS, ..Impairment::default() };
    given_pair(&Settings::default(), |lab| {
        let (node, start) = (lab.active(), lab.now());
        let faults = [lab.begin(cable_cut_silently()), lab.begin(Kind::LanBad { node, how: late })];
        lab.run(2 * SEC);
        lab.then_left(node, start, RoleReason::LeaseExpired);
        let left = lab.changes_since(start).find(|change| change.from == Role::Active).map_or(0, |change| change.at);
        for fault in faults {
            lab.end(fault);
        }
        lab.run(5 * SEC);
        if lab.standby() == node {
            lab.command(1 - node, Command::ForceSwitch);
            lab.run(SEC);
        }
        let over = left + 60 * SEC * 1_000_000 / (1_000_000 + lab.world.settings.rate_ppm[node]) as Us;
        lab.run(over - 500 * MS - lab.now());
        let isolated = lab.now();
        lab.begin(cable_cut_silently());
        lab.begin(lan_dead_silently(node));
        lab.run(SEC);
        lab.then_left(node, isolated, RoleReason::LeaseExpired);
        let left = lab.changes_since(isolated).find(|change| change.node == node).map_or(0, |change| change.at);
        lab.ensure(left.abs_diff(over) <= MS, &format!("it leaves when the rest is over, at {over}, not at {left}"));
    });
}
