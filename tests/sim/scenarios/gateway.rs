//! The gateway as the third party: dead, dead for one, dead before something else.

use super::lab::{cable_cut_silently, cable_out, gateway_lost_for, given_pair, lan_dead_silently, slow};
use crate::sim::faults::Kind;
use crate::sim::link::Impairment;
use crate::sim::settings::Settings;
use crate::sim::{MS, SEC};
use ucm_ha::event::{Alert, RoleReason};
use ucm_ha::role::Role;

#[test]
fn a_dead_gateway_is_alerted_on_both() {
    given_pair(&Settings::default(), |lab| {
        let fault = lab.begin(Kind::GatewayDead);
        lab.run(5 * SEC);
        lab.then_alert(0, Alert::GatewayLost);
        lab.then_alert(1, Alert::GatewayLost);
        lab.end(fault);
        lab.run(5 * SEC);
        lab.ensure(!lab.alert(0, Alert::GatewayLost) && !lab.alert(1, Alert::GatewayLost), "restored to normal");
    });
}

#[test]
fn a_gateway_that_died_before_the_standby_takes_no_licence_away() {
    for death in
        [|node| Kind::PowerLost { node }, |node| Kind::DaemonKilled { node }, |node| Kind::DaemonFrozen { node }]
    {
        for settings in [Settings::default(), slow()] {
            given_pair(&settings, |lab| {
                let (active, standby, start) = (lab.active(), lab.standby(), lab.now());
                lab.begin(Kind::GatewayDead);
                lab.run(4 * SEC);
                lab.begin(death(standby));
                lab.run(10 * SEC);
                lab.then_no_role_change_of(active, start);
                lab.then_no_outage(start);
            });
        }
    }
}

#[test]
fn an_active_that_alone_loses_the_gateway_hands_over() {
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
            lab.begin(gateway_lost_for(old));
            lab.run(3 * SEC);
            lab.then_active(heir, start, RoleReason::SelfFault);
            lab.then_outage_within(start, 3 * SEC);
        });
    }
}

#[test]
fn an_active_whose_lan_dies_silently_hands_over_by_the_cable() {
    for settings in [Settings::default(), slow()] {
        for (send, receive) in [(true, true), (true, false), (false, true)] {
            given_pair(&settings, |lab| {
                let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
                lab.begin(Kind::LanPortDead { node: old, send, receive, carrier_lost: false });
                lab.run(3 * SEC);
                lab.then_active(heir, start, RoleReason::SelfFault);
            });
        }
    }
}

#[test]
fn a_cable_that_loses_many_frames_does_not_hide_that_the_lan_is_deaf() {
    // Found by the grid of double faults: each gap in the peer's frames had the time of the lost gateway begin anew.
    let lossy = Impairment { loss_percent: 40, ..Impairment::default() };
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let (old, heir) = (lab.active(), lab.standby());
            lab.begin(Kind::CableBad(lossy));
            lab.begin(Kind::LanPortDead { node: old, send: false, receive: true, carrier_lost: false });
            lab.run(6 * SEC);
            lab.ensure(lab.active() == heir, "the node that hears the gateway serves");
        });
    }
}

#[test]
fn an_active_alone_on_a_slow_lan_that_loses_frames_does_not_lose_its_gateway() {
    // Found by the grid of double faults: without fast failover it asked so rarely that answers were missing for a second.
    let late = Impairment { loss_percent: 5, delay_min_us: 100 * MS, delay_max_us: 400 * MS, ..Impairment::default() };
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let (active, standby) = (lab.active(), lab.standby());
            lab.begin(Kind::PowerLost { node: standby });
            lab.begin(Kind::LanBad { node: active, how: late });
            // Fast failover has its one interruption.
            lab.run(10 * SEC);
            let start = lab.now();
            lab.run(120 * SEC);
            lab.then_no_role_change_of(active, start);
        });
    }
}

#[test]
fn with_the_gateway_dead_no_standby_claims_and_the_active_stays() {
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let (active, start) = (lab.active(), lab.now());
            lab.begin(Kind::GatewayDead);
            lab.run(4 * SEC);
            let cable = lab.begin(cable_out());
            lab.run(6 * SEC);
            lab.end(cable);
            lab.run(4 * SEC);
            lab.then_no_role_change(start);
            lab.ensure(lab.active() == active, "the active serves on");
        });
    }
}

#[test]
fn when_the_gateway_heals_two_isolated_nodes_do_not_both_claim_on_what_they_last_heard() {
    // Cable cut, both LAN ports dead: nobody serves. Then both ports heal within moments of each other.
    for apart_ms in [0, 1, 30, 100, 250, 400, 800, 1500] {
        for settings in [Settings::default(), slow()] {
            given_pair(&settings, |lab| {
                lab.begin(cable_cut_silently());
                let first = lab.begin(lan_dead_silently(0));
                let second = lab.begin(lan_dead_silently(1));
                lab.run(8 * SEC);
                lab.ensure(!lab.bound(0) && !lab.bound(1), "isolated nodes hold nothing");
                lab.end(first);
                lab.run(apart_ms * MS);
                lab.end(second);
                lab.run(8 * SEC);
                lab.active();
            });
        }
    }
}

#[test]
fn when_a_dead_gateway_comes_back_two_standbys_agree() {
    for settings in [Settings::default(), slow()] {
        given_pair(&settings, |lab| {
            let gateway = lab.begin(Kind::GatewayDead);
            let silent = [lab.begin(cable_out()), lab.begin(Kind::UdpFiltered { from: [true, true] })];
            lab.run(9 * SEC);
            lab.end(gateway);
            lab.run(200 * MS);
            for fault in silent {
                lab.end(fault);
            }
            lab.run(8 * SEC);
            lab.ensure(lab.role(lab.standby()) == Role::Standby, "one active, one standby");
        });
    }
}
