//! The scenarios: what happens, what must come of it, what is measured. They know nothing of the rig they are played on.

mod boot;
mod cable;
mod clock;
mod fxo;
mod lan;
mod machine;
mod own_fault;
mod power;
mod upkeep;

use crate::course::Stage;
use lab::pair::Ability;
use lab::plan::Node;
use lab::scenario;
use lab::stimulus::{FxoPort, Stimulus};

/// A scenario of the rigs.
pub(crate) type Scenario = scenario::Scenario<Stage>;

const POWER: &[Ability] = &[Ability::Give(Stimulus::PowerOn(Node::A)), Ability::Give(Stimulus::PowerOff(Node::A))];
const SILENT_POWER: &[Ability] =
    &[Ability::Give(Stimulus::PowerOn(Node::A)), Ability::Give(Stimulus::PowerOffSilently(Node::A))];
const CABLE: &[Ability] = &[Ability::Give(Stimulus::CablePull), Ability::Give(Stimulus::CablePlug)];
const LAN_PORT: &[Ability] = &[Ability::Give(Stimulus::lan_pull(Node::A)), Ability::Give(Stimulus::lan_plug(Node::A))];
const SWITCH: &[Ability] = &[Ability::Give(Stimulus::SwitchOff), Ability::Give(Stimulus::SwitchOn)];
const FXO: &[Ability] = &[
    Ability::Give(Stimulus::FxoFault(Node::A, FxoPort::Switching)),
    Ability::Give(Stimulus::FxoClear(Node::A, FxoPort::Switching)),
];
const FXO_ALERTING: &[Ability] = &[
    Ability::Give(Stimulus::FxoFault(Node::A, FxoPort::Alerting)),
    Ability::Give(Stimulus::FxoClear(Node::A, FxoPort::Alerting)),
];
const OWN_KERNEL: &[Ability] = &[Ability::OwnKernel];
const UPGRADE: &[Ability] = &[
    Ability::Give(Stimulus::PowerOn(Node::A)),
    Ability::Give(Stimulus::PowerOff(Node::A)),
    Ability::Give(Stimulus::Upgrade(Node::A)),
];
const REPLACE: &[Ability] = &[
    Ability::Give(Stimulus::PowerOn(Node::A)),
    Ability::Give(Stimulus::PowerOff(Node::A)),
    Ability::Give(Stimulus::Replace(Node::A)),
];
const RELOAD: &[Ability] = &[Ability::Give(Stimulus::Reload(Node::A))];

/// All of them.
pub(crate) static ALL: &[Scenario] = &[
    Scenario::settled("boot-together", "cold boot of both at once: one active, one standby", boot::together)
        .needing(POWER),
    Scenario::settled("boot-a-first", "cold boot of A, then of B: A stays active", boot::a_first).needing(POWER),
    Scenario::settled("boot-b-first", "cold boot of B, then of A: B stays active", boot::b_first).needing(POWER),
    Scenario::settled("power-cut-active", "power cut of the active: gap ≤ 1 s", power::cut_active).needing(POWER),
    Scenario::settled(
        "power-cut-silent",
        "power cut of the active, the cable's carrier stays: gap ≤ T + 1 s",
        power::cut_active_silently,
    )
    .needing(SILENT_POWER),
    Scenario::settled("power-cut-standby", "power cut of the standby: no gap", power::cut_standby).needing(POWER),
    Scenario::settled("power-cut-both", "power cut of both, power back: one active, one standby", power::cut_both)
        .needing(POWER),
    Scenario::settled("cable-pull", "heartbeat cable pulled and put back: no gap, no change", cable::pull)
        .needing(CABLE),
    Scenario::settled("lan-pull-active", "the active's LAN port unplugged: the standby serves", lan::pull_active)
        .needing(LAN_PORT),
    Scenario::settled("lan-pull-standby", "the standby's LAN port unplugged: no gap", lan::pull_standby)
        .needing(LAN_PORT),
    Scenario::settled("switch-reboot", "the LAN's switch reboots: one active afterwards", lan::switch_reboot)
        .needing(SWITCH),
    Scenario::settled("fxo-fault", "an FXO port of the active fails: the standby serves", fxo::fault).needing(FXO),
    Scenario::settled(
        "fxo-fault-alerting",
        "an FXO port without fault switch fails: alert, no change",
        fxo::fault_without_switch,
    )
    .needing(FXO_ALERTING),
    Scenario::settled("kernel-panic", "the active's kernel panics: gap ≤ T + 1 s", machine::kernel_panic)
        .needing(OWN_KERNEL),
    Scenario::settled(
        "wedged",
        "the active spins with real-time priority: its watchdog resets it, the standby serves",
        machine::wedged,
    )
    .needing(OWN_KERNEL),
    Scenario::settled(
        "wall-clock",
        "the wall clock of either node stepped by a day, to and fro: no gap, no change",
        clock::steps,
    )
    .needing(OWN_KERNEL),
    Scenario::settled("forced-switch", "a forced switch there and back: no gap to notice", upkeep::forced_switch),
    Scenario::settled("power-cycles", "power cuts in a row: state files stay whole", power::cycles).needing(POWER),
    Scenario::settled("ha-disabled", "high availability turned off on the active", upkeep::disabled)
        .needing(RELOAD)
        .changing_pair(),
    Scenario::settled("upgrade", "firmware upgrade as the guide tells it", upkeep::upgrade)
        .needing(UPGRADE)
        .changing_pair(),
    Scenario::settled("replace-unit", "the standby replaced by a new unit", upkeep::replace)
        .needing(REPLACE)
        .changing_pair(),
];

/// The scenario of this name.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_each_is_found() {
        let names: HashSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|scenario| find(scenario.name).is_some()));
        assert!(find("no-such").is_none());
    }
}
