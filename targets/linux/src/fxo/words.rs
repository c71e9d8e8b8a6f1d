//! What a port shows, in words.

use ucm_ha::fxo::{FaultKind, Notices, Observation, Verdict};

/// The state of a port, for the status.
pub(super) fn state(verdict: Verdict) -> String {
    match verdict {
        Verdict::Healthy => "ok".to_owned(),
        Verdict::NotAFault(observation) => observed(observation).to_owned(),
        Verdict::Fault(kind) => fault(kind),
    }
}

const fn observed(observation: Observation) -> &'static str {
    match observation {
        Observation::Starting => "starting",
        Observation::Settling => "settling",
        Observation::Ringing => "ringing",
        Observation::Overload => "overload",
        Observation::LinePowerLost => "line power lost",
        Observation::Unplugged => "unplugged",
        Observation::ParallelPhone => "another phone is off-hook",
    }
}

/// What is wrong with a port.
pub(super) fn fault(kind: FaultKind) -> String {
    match kind {
        FaultKind::Bus(kind) => format!("the bus fails ({kind})"),
        FaultKind::NoAnswer => "the chip does not answer".to_owned(),
        FaultKind::Misconfigured { register } => format!("register {register} does not read as written"),
        FaultKind::ResetItself => "the chip resets itself again and again".to_owned(),
        FaultKind::IsolationLink => "the isolation link is dead".to_owned(),
        FaultKind::FaultLine => "the fault line is asserted".to_owned(),
        FaultKind::FaultLineUnreadable => "the fault line cannot be read".to_owned(),
        FaultKind::Missing => "its device, driver or channel is missing".to_owned(),
    }
}

/// Conditions that are worth an alert, one by one.
pub(super) fn notices(notices: Notices) -> impl Iterator<Item = &'static str> {
    notices.iter().map(|notice| match notice {
        Notices::OVERLOAD => "too much signal, current or voltage on the line",
        Notices::CHIP_RESET => "the chip reset itself and was set up anew",
        Notices::LINK_RESTARTED => "the isolation link was lost and its line side restarted",
        _ => "a condition that this version has no name for",
    })
}
