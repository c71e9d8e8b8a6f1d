//! What can go wrong around a pair, one after the other, on the kernel's own network, and how a lab ends:
//! `cargo test --test scenarios`
//!
//! Each scenario checks what it is about, in the program. After each the lab also makes everything good again and checks that there
//! is one active, that the cluster IP is on it and was never on both, and that both nodes could start from their files.

mod ending;
mod program;
mod room;

use program::{figure, lab, play, played};
use room::Room;
use std::fs;

/// Tests that play scenarios, in the room that they need.
macro_rules! plays {
    ($room:ident, $($test:ident: $($scenario:literal)+)+) => {
        $(
            #[test]
            fn $test() {
                for scenario in [$($scenario),+] {
                    let _room = Room::$room();
                    assert_eq!(figure(&play(scenario), "both_bound_ms"), 0.0);
                }
            }
        )+
    };
}

plays! { beside_others,
    one_node_boots_alone: "boot-alone"
    a_tour: "tour"
    both_configurations_read_again: "reload"

    a_dead_fxo_port_hands_over_when_its_raise_time_is_over: "fxo-dead"
    a_dead_fxo_port_without_its_switch_moves_nothing: "fxo-switch-off" "fxo-unplugged"
    two_dead_fxo_ports_move_the_role_once: "fxo-both"
    a_dead_fxo_port_moves_the_role_as_often_as_the_budget_has_it: "fxo-budget"
    a_lan_port_without_carrier_hands_over_when_its_raise_time_is_over: "lan-unplugged"
    a_service_that_crashes_or_hangs_hands_the_role_over: "service-crash" "service-deadlock"
    a_service_without_the_fault_switch_may_crash: "service-switch-off"

    a_wan_port_without_carrier_hands_over: "self-fault"
    a_node_without_power_is_replaced_within_half_a_second: "power-loss"
    a_node_that_is_silent_is_replaced_after_the_timeout: "power-loss-silent"
    kill_9_of_the_active: "crash"
    death_of_the_standby: "standby-death"
    a_thawed_daemon_claims_nothing: "freeze"
    daemons_frozen_and_thawed_at_random: "freezes"
    both_nodes_rebooted_together: "reboot-both"

    a_cable_that_is_pulled: "cable-cut"
    a_cable_that_carries_one_direction_only: "one-way-cable"
    a_lan_port_of_the_active_that_is_silently_dead: "lan-cut-active"
    a_lan_port_of_the_active_that_receives_nothing: "deaf-lan"
    a_lan_port_of_the_active_that_sends_nothing: "mute-lan"
    a_lan_port_of_the_standby_that_is_dead: "lan-cut-standby"
    a_lan_that_splits_with_the_gateway_on_either_side: "lan-split"
    a_gateway_that_dies: "gateway-death"
    a_switch_that_reboots: "switch-reboot"
    all_ports_bounced_together: "ports-bounced"
    a_lan_interface_that_is_deleted_and_made_again: "lan-deleted"
    interfaces_that_are_renamed_under_both_nodes: "lan-renamed"
    a_heartbeat_port_that_is_deleted_and_made_again: "cable-deleted"
    events_of_the_interfaces_that_are_lost: "events-lost"

    heartbeats_filtered_while_arp_passes: "filtered"
    both_nodes_rebooted_while_only_arp_passes: "reboot-filtered"
    loss_of_30_percent: "loss"
    loss_doubles_and_delays_of_20_percent: "lossy"
    the_same_at_both_ends_never_makes_two_actives: "lossy-heavy"
    frames_that_come_twice: "duplicates"
    jitter_of_100_ms: "jitter"
    jitter_of_200_ms_never_makes_two_actives: "jitter-heavy"
    frames_that_overtake_each_other: "reordered"

    disks_that_are_full: "disk-full"
    disks_that_hang: "disk-hangs"

    a_cluster_ip_that_somebody_removes: "address-removed"
    a_static_address_that_somebody_removes_for_a_moment: "own-address-removed"
    a_standby_that_only_arp_holds_back: "own-address-and-cable"
    a_foreign_host_that_takes_the_cluster_ip: "foreign-host"
    a_foreign_host_that_has_the_cluster_ip_when_the_active_dies: "foreign-takeover"
    old_boots_replayed_while_the_standby_restarts_and_the_active_dies: "old-boots" "old-boots-slow" "all-boots"
    withheld_heartbeats_that_are_played_when_a_node_has_died: "withheld-active" "withheld-standby"
    a_host_that_says_by_arp_that_it_is_the_peer: "arp-peer" "arp-theft"
    another_pair_on_the_heartbeat_segment: "foreign-pair"
    another_pair_with_keys_on_the_heartbeat_segment: "foreign-pair-keys"
}

plays! { alone,
    two_busy_loops_on_every_processor: "starvation"
    ten_thousand_forged_frames_a_second: "storm-lan" "storm-cable" "strangers-lan" "strangers-cable"
}

#[test]
fn the_lab_measures_what_it_was_told_to() {
    let _room = Room::beside_others();
    // Given an address that is moved by hand, then phone and observer see what was done; the scenario checks it.
    let result = play("calibration");
    assert!(figure(&result, "gap_seen_ms") > 250.0);
    assert!(figure(&result, "overlap_seen_ms") > 150.0);
}

#[test]
fn two_actives_that_meet_again() {
    let _room = Room::beside_others();
    // The scenario checks S5; that both were active is S2.
    assert!(figure(&play("split-heal"), "both_bound_ms") > 0.0);
}

#[test]
fn the_standby_serves_before_the_dump_of_the_crashed_service_is_written() {
    // core_pattern is the whole machine's.
    let _room = Room::alone();
    let core_pattern = || fs::read_to_string("/proc/sys/kernel/core_pattern").expect("Linux has it");
    let before = core_pattern();
    let output = lab(&["--script", "core-dump", "--json"]).output().expect("the lab starts");
    let result = played(&output);
    assert_eq!(core_pattern(), before, "core_pattern is put back");
    let stderr = String::from_utf8_lossy(&output.stderr);
    if let Some(skipped) = stderr.lines().find(|line| line.starts_with("skipped: ")) {
        println!("{skipped}");
        return;
    }
    assert!(figure(&result, "dump_mib") >= 500.0);
}

#[test]
fn every_scenario_is_played_here() {
    let list = lab(&["--list"]).output().expect("the lab starts").stdout;
    let list = String::from_utf8(list).expect("the list is text");
    // Those that only measure, or go on for as long as they are told to, have commands of their own (docs/performance.md).
    let elsewhere = ["forced-switch", "silent-death", "idle", "chaos"];
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let missing: Vec<&str> = names
        .filter(|name| !elsewhere.contains(name) && !include_str!("main.rs").contains(&format!("\"{name}\"")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn labs_stand_side_by_side() {
    let _room = [(); 2].map(|()| Room::beside_others());
    let labs = [(); 2].map(|()| lab(&["--script", "boot-pair", "--json"]).spawn().expect("the lab starts"));
    for lab in labs {
        let result = played(&lab.wait_with_output().expect("the lab ends"));
        assert_eq!(figure(&result, "both_bound_ms"), 0.0);
    }
}
