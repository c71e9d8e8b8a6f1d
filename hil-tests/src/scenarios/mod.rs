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

use crate::course::{Course, Step};
use crate::rig::{Ability, FxoPort, Stimulus};
use lab::plan::Node;
use std::time::Duration;

/// Longest gap that nobody on a call would notice.
const UNNOTICED: Duration = Duration::from_millis(100);

/// A scenario. It begins and ends with a settled pair.
pub(crate) struct Scenario {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it shows, in one line.
    pub(crate) about: &'static str,
    /// What it needs of a rig.
    pub(crate) needs: &'static [Ability],
    /// Whether the pair is another one afterwards: the next scenario gets a new rig.
    pub(crate) changes_pair: bool,
    /// The play; the node is the active of the settled pair.
    pub(crate) play: fn(&mut Course<'_>, Node) -> Step,
}

const POWER: &[Ability] = &[Ability::Give(Stimulus::PowerOn(Node::A)), Ability::Give(Stimulus::PowerOff(Node::A))];
const SILENT_POWER: &[Ability] =
    &[Ability::Give(Stimulus::PowerOn(Node::A)), Ability::Give(Stimulus::PowerOffSilently(Node::A))];
const CABLE: &[Ability] = &[Ability::Give(Stimulus::CablePull), Ability::Give(Stimulus::CablePlug)];
const LAN_PORT: &[Ability] = &[Ability::Give(Stimulus::LanPull(Node::A)), Ability::Give(Stimulus::LanPlug(Node::A))];
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

impl Scenario {
    const fn new(
        name: &'static str,
        about: &'static str,
        needs: &'static [Ability],
        play: fn(&mut Course<'_>, Node) -> Step,
    ) -> Self {
        Self { name, about, needs, changes_pair: false, play }
    }

    const fn changing_pair(mut self) -> Self {
        self.changes_pair = true;
        self
    }
}

/// All of them.
pub(crate) static ALL: &[Scenario] = &[
    Scenario::new("boot-together", "cold boot of both at once: one active, one standby", POWER, boot::together),
    Scenario::new("boot-a-first", "cold boot of A, then of B: A stays active", POWER, boot::a_first),
    Scenario::new("boot-b-first", "cold boot of B, then of A: B stays active", POWER, boot::b_first),
    Scenario::new("power-cut-active", "power cut of the active: gap ≤ 1 s", POWER, power::cut_active),
    Scenario::new(
        "power-cut-silent",
        "power cut of the active, the cable's carrier stays: gap ≤ T + 1 s",
        SILENT_POWER,
        power::cut_active_silently,
    ),
    Scenario::new("power-cut-standby", "power cut of the standby: no gap", POWER, power::cut_standby),
    Scenario::new("power-cut-both", "power cut of both, power back: one active, one standby", POWER, power::cut_both),
    Scenario::new("cable-pull", "heartbeat cable pulled and put back: no gap, no change", CABLE, cable::pull),
    Scenario::new("lan-pull-active", "the active's LAN port unplugged: the standby serves", LAN_PORT, lan::pull_active),
    Scenario::new("lan-pull-standby", "the standby's LAN port unplugged: no gap", LAN_PORT, lan::pull_standby),
    Scenario::new("switch-reboot", "the LAN's switch reboots: one active afterwards", SWITCH, lan::switch_reboot),
    Scenario::new("fxo-fault", "an FXO port of the active fails: the standby serves", FXO, fxo::fault),
    Scenario::new(
        "fxo-fault-alerting",
        "an FXO port without fault switch fails: alert, no change",
        FXO_ALERTING,
        fxo::fault_without_switch,
    ),
    Scenario::new("kernel-panic", "the active's kernel panics: gap ≤ T + 1 s", OWN_KERNEL, machine::kernel_panic),
    Scenario::new(
        "wedged",
        "the active spins with real-time priority: its watchdog resets it, the standby serves",
        OWN_KERNEL,
        machine::wedged,
    ),
    Scenario::new(
        "wall-clock",
        "the wall clock of either node stepped by a day, to and fro: no gap, no change",
        OWN_KERNEL,
        clock::steps,
    ),
    Scenario::new("forced-switch", "a forced switch there and back: no gap to notice", &[], upkeep::forced_switch),
    Scenario::new("power-cycles", "20 power cuts in a row: state files stay whole", POWER, power::cycles),
    Scenario::new("ha-disabled", "high availability turned off on the active", RELOAD, upkeep::disabled)
        .changing_pair(),
    Scenario::new("upgrade", "firmware upgrade as the guide tells it", UPGRADE, upkeep::upgrade).changing_pair(),
    Scenario::new("replace-unit", "the standby replaced by a new unit", REPLACE, upkeep::replace).changing_pair(),
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
