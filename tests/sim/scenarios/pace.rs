//! How often heartbeats go out.

use super::lab::{Lab, cable_out, given_pair, slow};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, SEC};
use ucm_ha::wire::Path;

/// Heartbeats a second that `node` sends on `path`.
fn rate(lab: &mut Lab, node: usize, path: Path) -> u32 {
    const SECONDS: u64 = 10;
    let sent = |lab: &Lab| lab.world.machines[node].heartbeats[usize::from(path == Path::Lan)];
    let before = sent(lab);
    lab.run(SECONDS * SEC);
    (sent(lab) - before).div_ceil(SECONDS as u32)
}

#[test]
fn while_the_cable_works_both_ways_both_paths_rest() {
    given_pair(&Settings::default(), |lab| {
        for node in [A, B] {
            let (cable, lan) = (rate(lab, node, Path::Cable), rate(lab, node, Path::Lan));
            lab.ensure((9..=10).contains(&cable), &format!("10 a second on the cable, not {cable}"));
            lab.ensure((4..=6).contains(&lan), &format!("5 a second on the LAN, not {lan}"));
        }
    });
}

#[test]
fn without_the_cable_even_in_one_direction_both_use_the_lan_at_the_full_rate() {
    let cuts = [[true, true], [true, false], [false, true]];
    for cut in cuts.map(|from| Kind::CableCut { from, carrier_lost: [false; 2] }).into_iter().chain([cable_out()]) {
        given_pair(&Settings::default(), |lab| {
            lab.begin(cut.clone());
            lab.run(SEC);
            for node in [A, B] {
                let lan = rate(lab, node, Path::Lan);
                lab.ensure(lan >= 17, &format!("20 a second on the LAN, not {lan}"));
            }
        });
    }
}

#[test]
fn contact_is_kept_at_whatever_moment_the_cable_goes() {
    for phase in 0..20 {
        given_pair(&Settings::default(), |lab| {
            lab.run(phase * 11 * MS);
            let start = lab.now();
            lab.begin(Kind::CableCut { from: [true, true], carrier_lost: [false; 2] });
            lab.run(5 * SEC);
            lab.then_no_role_change(start);
            lab.then_no_outage(start);
        });
    }
}

#[test]
fn a_pair_without_fast_failover_sends_as_rarely_on_both_paths() {
    given_pair(&slow(), |lab| {
        let timeout_ms = u32::from(Settings::default().timeout_s[A]) * 1000;
        for path in [Path::Cable, Path::Lan] {
            let rate = rate(lab, A, path);
            lab.ensure(rate <= 1000 / (timeout_ms / 20) + 1, &format!("one frame each T/20, not {rate} a second"));
        }
    });
}
