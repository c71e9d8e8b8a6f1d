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

use crate::moves::{BAD_WIRES, Scenario};

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    ACTED.iter().chain(cases::ALL)
}

static ACTED: &[Scenario] = &[
    Scenario::acted(
        "tour",
        "boot, forced switch, crash, return, cable pulled, power lost: in less than a minute",
        tour::tour,
    ),
    Scenario::acted("boot-pair", "both nodes boot together: one becomes active within T + 1 s", boot::pair),
    Scenario::acted(
        "reboot-both",
        "both nodes lose their power together, 5 times: one active each time",
        boot::both_again,
    ),
    Scenario::acted(
        "reboot-filtered",
        "the same, 5 times, with the heartbeats filtered and the cable pulled, ARP passes: one active each time",
        boot::both_by_arp,
    )
    .needing(BAD_WIRES),
    Scenario::acted("freezes", "daemons frozen and thawed at random: never two holders, always back", chaos::freezes),
    Scenario::acted("boot-alone", "one node boots alone: active within T + 1 s", boot::alone),
    Scenario::acted("forced-switch", "the operator switches: the gap the phone notices", loss_of_active::forced_switch),
    Scenario::acted("self-fault", "the active's WAN port loses its carrier: handover", loss_of_active::self_fault),
    Scenario::acted(
        "lan-unplugged",
        "the active's LAN port loses its carrier: handover",
        loss_of_active::lan_unplugged,
    ),
    Scenario::acted("fxo-dead", "an FXO port of the active dies: handover; works again: no preemption", fxo::dead),
    Scenario::acted("fxo-switch-off", "an FXO port without its switch dies: an alert only", fxo::switch_off),
    Scenario::acted("fxo-unplugged", "cord unplugged, ringing, bad for moments: nothing", fxo::unplugged),
    Scenario::acted("fxo-both", "the same FXO port dies on both nodes: no ping-pong, also after a restart", fxo::both),
    Scenario::acted("fxo-budget", "an FXO port dies too often: the role is kept, with an alert", fxo::budget),
    Scenario::acted(
        "crash",
        "kill -9 of the active daemon: takeover after T, never two holders",
        loss_of_active::crash,
    ),
    Scenario::acted(
        "freeze",
        "the active frozen for 3 T, then resumed: it steps down in silence",
        loss_of_active::freeze,
    ),
    Scenario::acted("power-loss", "the active loses its power: takeover within 500 ms", loss_of_active::power_loss),
    Scenario::acted(
        "silent-death",
        "time from the dead active's last frame to the takeover",
        loss_of_active::silent_death,
    )
    .at_timeouts(&[3, 5, 7, 10]),
    Scenario::acted(
        "cable-cut",
        "the heartbeat cable is pulled and put back: no interruption",
        no_interruption::cable_cut,
    ),
    Scenario::acted(
        "lan-cut-active",
        "the active's LAN dies, its carrier stays: the standby serves",
        interference::lan_cut_active,
    ),
    Scenario::acted(
        "lan-cut-standby",
        "the standby's LAN port dies: no interruption",
        no_interruption::lan_cut_standby,
    ),
    Scenario::acted("gateway-death", "the gateway dies and returns: no interruption", no_interruption::gateway_death),
    Scenario::acted(
        "standby-death",
        "the standby crashes, then loses its power: no interruption",
        no_interruption::standby_death,
    ),
    Scenario::acted(
        "split-heal",
        "cable and LAN cut between the nodes, then healed: one active soon",
        partition::split_heal,
    )
    .allowing_two(),
    Scenario::acted(
        "lan-split",
        "LAN split, gateway and phone with the standby: the active hands over",
        partition::lan_split,
    ),
    Scenario::acted(
        "one-way-cable",
        "the cable carries only one direction, then only the other: nothing",
        interference::one_way_cable,
    )
    .needing(BAD_WIRES),
    Scenario::acted("deaf-lan", "the active's LAN only sends: the standby serves", interference::deaf_lan)
        .needing(BAD_WIRES),
    Scenario::acted("mute-lan", "the active's LAN only receives: the standby serves", interference::mute_lan)
        .needing(BAD_WIRES),
    Scenario::acted(
        "filtered",
        "heartbeats on the LAN filtered and the cable pulled, ARP passes: never two",
        interference::filtered,
    )
    .needing(BAD_WIRES),
    Scenario::acted(
        "lossy",
        "20 % loss, doubled and delayed frames on every wire: no role change",
        interference::lossy,
    )
    .needing(BAD_WIRES),
    Scenario::acted(
        "lossy-heavy",
        "the same at both ends of each wire: never two, and the pair is complete again",
        interference::lossy_heavy,
    )
    .needing(BAD_WIRES),
    Scenario::acted("chaos", "one or two faults at a time, at random: never two holders, always back", chaos::chaos)
        .needing(BAD_WIRES),
    Scenario::acted(
        "starvation",
        "2 busy loops a core, also with the cable pulled: no role change",
        no_interruption::starvation,
    ),
    Scenario::acted("service-crash", "a service of the active crashes: handover within 10 ms", services::crash),
    Scenario::acted(
        "service-deadlock",
        "a service of the active stops kicking: handover at the deadline",
        services::deadlock,
    ),
    Scenario::acted("service-switch-off", "the same with the fault switch off: an alert only", services::switch_off),
    Scenario::acted(
        "core-dump",
        "a crash with a dump of 500 MB: the standby serves before it is written",
        services::core_dump,
    ),
    Scenario::acted("idle", "memory and processor time of each daemon at rest", upkeep::idle),
    Scenario::acted(
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
