//! Two nodes that do not fit each other.

use super::lab::{cable_out, given_machines, given_pair, lan_dead_silently};
use crate::sim::faults::Kind;
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, SEC};
use ucm_ha::event::{Alert, RoleReason};
use ucm_ha::io::Command;
use ucm_ha::role::Role;
use ucm_ha::types::{Firmware, Model, StationType};

#[test]
fn the_same_station_type_is_alerted_on_both_and_the_lower_mac_serves() {
    for station in [StationType::Primary, StationType::Secondary] {
        given_pair(&Settings { station: [station; 2], ..Settings::default() }, |lab| {
            lab.then_alert(A, Alert::SameStationType);
            lab.then_alert(B, Alert::SameStationType);
            lab.ensure(lab.active() == A, "the lower MAC decides");
        });
    }
}

#[test]
fn a_joiner_of_the_same_station_type_leaves_the_incumbent() {
    let settings = Settings { station: [StationType::Primary; 2], boot_at: [12 * SEC, 0], ..Settings::default() };
    given_machines(&settings, |lab| {
        lab.run(20 * SEC);
        lab.ensure(lab.active() == B, "the incumbent stays");
    });
}

#[test]
fn a_pair_with_different_timeouts_works_and_alerts() {
    for timeout_s in [[3, 10], [10, 3], [3, 7]] {
        given_pair(&Settings { timeout_s, ..Settings::default() }, |lab| {
            lab.then_alert(A, Alert::SettingsDiffer);
            lab.then_alert(B, Alert::SettingsDiffer);
            let (old, heir) = (lab.active(), lab.standby());
            lab.begin(cable_out());
            lab.begin(lan_dead_silently(old));
            lab.run(13 * SEC);
            lab.ensure(lab.active() == heir && !lab.bound(old), "the isolated one is replaced");
        });
    }
}

#[test]
fn fast_failover_on_one_side_only_still_has_one_holder() {
    for fast in [[true, false], [false, true]] {
        for timeout in [3, 7] {
            given_pair(&Settings { fast, timeout_s: [timeout; 2], ..Settings::default() }, |lab| {
                lab.then_alert(A, Alert::SettingsDiffer);
                let (old, heir) = (lab.active(), lab.standby());
                let start = lab.now();
                lab.run(5 * SEC);
                lab.then_no_role_change(start);
                lab.begin(Kind::PowerLost { node: old });
                lab.run_timeout_and(SEC);
                lab.ensure(lab.active() == heir, "taken over");
            });
        }
    }
}

#[test]
fn a_gateway_on_one_side_only_still_has_one_holder() {
    for gateway in [[true, false], [false, true]] {
        given_pair(&Settings { gateway, ..Settings::default() }, |lab| {
            lab.then_alert(A, Alert::SettingsDiffer);
            let (old, heir) = (lab.active(), lab.standby());
            lab.begin(Kind::PowerLost { node: old });
            lab.run_timeout_and(SEC);
            lab.ensure(lab.active() == heir, "taken over");
        });
    }
}

#[test]
fn a_forced_switch_works_across_firmware_for_an_upgrade() {
    let firmware = [Firmware([1, 0, 10, 2]), Firmware([1, 0, 11, 0])];
    given_pair(&Settings { firmware, ..Settings::default() }, |lab| {
        lab.then_alert(A, Alert::FirmwareDiffers);
        lab.then_alert(B, Alert::FirmwareDiffers);
        let (old, heir, start) = (lab.active(), lab.standby(), lab.now());
        lab.command(old, Command::ForceSwitch);
        lab.run(SEC);
        lab.then_active(heir, start, RoleReason::ForcedSwitch);
        lab.then_outage_within(start, 20 * MS);
    });
}

#[test]
fn different_models_are_alerted_and_fail_over() {
    let model = [Model::Ucm6304A, Model::Ucm6302];
    given_pair(&Settings { model, ..Settings::default() }, |lab| {
        lab.then_alert(A, Alert::ModelDiffers);
        lab.then_alert(B, Alert::ModelDiffers);
        let (old, heir) = (lab.active(), lab.standby());
        lab.begin(Kind::PowerLost { node: old });
        lab.run(SEC);
        lab.ensure(lab.active() == heir, "taken over");
    });
}

#[test]
fn a_full_disk_is_alerted_and_stops_no_takeover() {
    given_pair(&Settings::default(), |lab| {
        let (old, heir) = (lab.active(), lab.standby());
        lab.begin(Kind::PersistFails { node: heir });
        lab.begin(Kind::PowerLost { node: old });
        lab.run(SEC);
        lab.ensure(lab.active() == heir && lab.role(heir) == Role::Active, "taken over");
        lab.run(2 * SEC);
        lab.then_alert(heir, Alert::NotPersisted);
    });
}
