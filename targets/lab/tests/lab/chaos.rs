//! What can go wrong around a pair, one after the other, on the kernel's own network.
//!
//! Each scenario checks what it is about. After each the lab also makes everything good again and checks that there is
//! one active, that the cluster IP is on it and was never on both, and that both nodes could start from their files.

use super::{alone, figure, play};

#[track_caller]
fn survives(scenario: &str) {
    let _alone = alone();
    assert_eq!(figure(&play(scenario), "both_bound_ms"), 0.0);
}

#[test]
fn kill_9_of_the_active() {
    survives("crash");
}

#[test]
fn death_of_the_standby() {
    survives("standby-death");
}

#[test]
fn daemons_frozen_and_thawed_at_random() {
    survives("freezes");
}

#[test]
fn a_cable_that_is_pulled() {
    survives("cable-cut");
}

#[test]
fn a_cable_that_carries_one_direction_only() {
    survives("one-way-cable");
}

#[test]
fn a_lan_port_of_the_active_that_is_silently_dead() {
    survives("lan-cut-active");
}

#[test]
fn a_lan_port_of_the_active_that_receives_nothing() {
    survives("deaf-lan");
}

#[test]
fn a_lan_port_of_the_standby_that_is_dead() {
    survives("lan-cut-standby");
}

#[test]
fn a_lan_that_splits_with_the_gateway_on_either_side() {
    survives("lan-split");
}

#[test]
fn a_gateway_that_dies() {
    survives("gateway-death");
}

#[test]
fn heartbeats_filtered_while_arp_passes() {
    survives("filtered");
}

#[test]
fn both_nodes_rebooted_while_only_arp_passes() {
    survives("reboot-filtered");
}

#[test]
fn two_actives_that_meet_again() {
    let _alone = alone();
    // The scenario checks S5; that both were active is S2.
    assert!(figure(&play("split-heal"), "both_bound_ms") > 0.0);
}

#[test]
fn loss_of_30_percent() {
    survives("loss");
}

#[test]
fn frames_that_come_twice() {
    survives("duplicates");
}

#[test]
fn jitter_of_200_ms() {
    survives("jitter");
}

#[test]
fn frames_that_overtake_each_other() {
    survives("reordered");
}

#[test]
fn two_busy_loops_on_every_processor() {
    survives("starvation");
}

#[test]
fn disks_that_are_full() {
    survives("disk-full");
}

#[test]
fn disks_that_hang() {
    survives("disk-hangs");
}

#[test]
fn events_of_the_interfaces_that_are_lost() {
    survives("events-lost");
}

#[test]
fn a_cluster_ip_that_somebody_removes() {
    survives("address-removed");
}

#[test]
fn a_static_address_that_somebody_removes_for_a_moment() {
    survives("own-address-removed");
}

#[test]
fn a_standby_that_only_arp_holds_back() {
    survives("own-address-and-cable");
}

#[test]
fn a_lan_interface_that_is_deleted_and_made_again() {
    survives("lan-deleted");
}

#[test]
fn a_heartbeat_port_that_is_deleted_and_made_again() {
    survives("cable-deleted");
}

#[test]
fn a_foreign_host_that_takes_the_cluster_ip() {
    survives("foreign-host");
}

#[test]
fn a_foreign_host_that_has_the_cluster_ip_when_the_active_dies() {
    survives("foreign-takeover");
}

#[test]
fn a_node_without_power_whose_peer_keeps_its_carrier() {
    survives("power-loss-silent");
}

#[test]
fn a_switch_of_the_lan_that_reboots() {
    survives("switch-reboot");
}

#[test]
fn configurations_that_are_read_again() {
    survives("reload");
}

#[test]
fn all_ports_bounced_together() {
    survives("ports-bounced");
}

#[test]
fn both_nodes_rebooted_together() {
    survives("reboot-both");
}

#[test]
fn ten_thousand_forged_frames_a_second() {
    for scenario in ["storm-lan", "storm-cable", "strangers-lan", "strangers-cable"] {
        survives(scenario);
    }
}
