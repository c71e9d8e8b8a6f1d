//! The scenarios: what happens, what must come of it, what is measured.

mod boot;
mod cases;
mod chaos;
mod fxo;
mod interference;
mod loss_of_active;
mod no_interruption;
mod partition;
mod services;
mod tour;
mod upkeep;

use crate::scenario::Scenario;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    ACTED.iter().chain(cases::ALL)
}

static ACTED: &[Scenario] = &[
    Scenario::new(
        "tour",
        "boot, forced switch, crash, return, cable pulled, power lost: in less than a minute",
        tour::tour,
    ),
    Scenario::new("boot-pair", "both nodes boot together: one becomes active within T + 1 s", boot::pair),
    Scenario::new(
        "reboot-both",
        "both nodes lose their power together, 5 times: one active each time",
        boot::both_again,
    ),
    Scenario::new(
        "reboot-filtered",
        "the same, 5 times, with the heartbeats filtered and the cable pulled, ARP passes: one active each time",
        boot::both_by_arp,
    )
    .with_relays(),
    Scenario::new("freezes", "daemons frozen and thawed at random: never two holders, always back", chaos::freezes),
    Scenario::new("boot-alone", "one node boots alone: active within T + 1 s", boot::alone),
    Scenario::new("forced-switch", "the operator switches: the gap the phone notices", loss_of_active::forced_switch),
    Scenario::new("self-fault", "the active's WAN port loses its carrier: handover", loss_of_active::self_fault),
    Scenario::new("lan-unplugged", "the active's LAN port loses its carrier: handover", loss_of_active::lan_unplugged),
    Scenario::new("fxo-dead", "an FXO port of the active dies: handover; works again: no preemption", fxo::dead),
    Scenario::new("fxo-switch-off", "an FXO port without its switch dies: an alert only", fxo::switch_off),
    Scenario::new("fxo-unplugged", "cord unplugged, ringing, bad for moments: nothing", fxo::unplugged),
    Scenario::new("fxo-both", "the same FXO port dies on both nodes: no ping-pong, also after a restart", fxo::both),
    Scenario::new("fxo-budget", "an FXO port dies too often: the role is kept, with an alert", fxo::budget),
    Scenario::new("crash", "kill -9 of the active daemon: takeover after T, never two holders", loss_of_active::crash),
    Scenario::new(
        "freeze",
        "the active frozen for 3 T, then resumed: it steps down in silence",
        loss_of_active::freeze,
    ),
    Scenario::new("power-loss", "the active loses its power: takeover within 500 ms", loss_of_active::power_loss),
    Scenario::new(
        "silent-death",
        "time from the dead active's last frame to the takeover",
        loss_of_active::silent_death,
    )
    .at_timeouts(&[3, 5, 7, 10]),
    Scenario::new(
        "cable-cut",
        "the heartbeat cable is pulled and put back: no interruption",
        no_interruption::cable_cut,
    ),
    Scenario::new(
        "lan-cut-active",
        "the active's LAN dies, its carrier stays: the standby serves",
        interference::lan_cut_active,
    ),
    Scenario::new("lan-cut-standby", "the standby's LAN port dies: no interruption", no_interruption::lan_cut_standby),
    Scenario::new("gateway-death", "the gateway dies and returns: no interruption", no_interruption::gateway_death),
    Scenario::new(
        "standby-death",
        "the standby crashes, then loses its power: no interruption",
        no_interruption::standby_death,
    ),
    Scenario::new(
        "split-heal",
        "cable and LAN cut between the nodes, then healed: one active soon",
        partition::split_heal,
    )
    .allowing_two(),
    Scenario::new(
        "lan-split",
        "LAN split, gateway and phone with the standby: the active hands over",
        partition::lan_split,
    ),
    Scenario::new(
        "one-way-cable",
        "the cable carries only one direction, then only the other: nothing",
        interference::one_way_cable,
    )
    .with_relays(),
    Scenario::new("deaf-lan", "the active's LAN only sends: the standby serves", interference::deaf_lan).with_relays(),
    Scenario::new("mute-lan", "the active's LAN only receives: the standby serves", interference::mute_lan)
        .with_relays(),
    Scenario::new(
        "filtered",
        "heartbeats on the LAN filtered and the cable pulled, ARP passes: never two",
        interference::filtered,
    )
    .with_relays(),
    Scenario::new("lossy", "20 % loss, doubled and delayed frames on every wire: no role change", interference::lossy)
        .with_relays(),
    Scenario::new("chaos", "one or two faults at a time, at random: never two holders, always back", chaos::chaos)
        .with_relays(),
    Scenario::new(
        "starvation",
        "2 busy loops a core, also with the cable pulled: no role change",
        no_interruption::starvation,
    ),
    Scenario::new("service-crash", "a service of the active crashes: handover within 10 ms", services::crash),
    Scenario::new(
        "service-deadlock",
        "a service of the active stops kicking: handover at the deadline",
        services::deadlock,
    ),
    Scenario::new("service-switch-off", "the same with the fault switch off: an alert only", services::switch_off),
    Scenario::new(
        "core-dump",
        "a crash with a dump of 500 MB: the standby serves before it is written",
        services::core_dump,
    ),
    Scenario::new("idle", "memory and processor time of each daemon at rest", upkeep::idle),
    Scenario::new(
        "calibration",
        "the address moved by hand: the lab measures what it was told to",
        upkeep::calibration,
    )
    .allowing_two(),
];

/// The scenario of this name.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_each_is_found() {
        let names: HashSet<_> = all().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(all().all(|scenario| find(scenario.name).is_some()));
        assert!(find("no-such").is_none());
    }
}
