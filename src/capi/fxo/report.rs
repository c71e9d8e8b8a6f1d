//! What is told of FXO ports.

use super::callback::spi_number;
use crate::capi::memory::Plain;
use crate::capi::numbered::{Numbered, numbered};
use crate::capi::texts::{Names, names};
use crate::debounce::{Counters, Edge};
use crate::fault::Faults;
use crate::fxo::{FaultKind, Observation, Report, Update, Verdict};

/// Not looked at yet.
pub const UCM_HA_FXO_UNKNOWN: u8 = 0;
/// Chip, link and line are as they should be.
pub const UCM_HA_FXO_HEALTHY: u8 = 1;
/// Not a fault: the chip is being set up for the first time.
pub const UCM_HA_FXO_STARTING: u8 = 2;
/// Not a fault: something is not as it should be, and is being watched or remedied before it is judged.
pub const UCM_HA_FXO_SETTLING: u8 = 3;
/// Not a fault: the line rings.
pub const UCM_HA_FXO_RINGING: u8 = 4;
/// Not a fault: too much signal, current or voltage on the line.
pub const UCM_HA_FXO_OVERLOAD: u8 = 5;
/// Not a fault: the line fed no current during a call; the port was put on-hook.
pub const UCM_HA_FXO_LINE_POWER_LOST: u8 = 6;
/// Not a fault: no voltage on the line, cord unplugged or no battery from the exchange.
pub const UCM_HA_FXO_UNPLUGGED: u8 = 7;
/// Not a fault: the voltage is that of a line on which another phone is off-hook.
pub const UCM_HA_FXO_PARALLEL_PHONE: u8 = 8;
/// Fault: the SPI bus reports an error. The detail is UCM_HA_SPI_*.
pub const UCM_HA_FXO_FAULT_BUS: u8 = 16;
/// Fault: nothing answers on the bus.
pub const UCM_HA_FXO_FAULT_NO_ANSWER: u8 = 17;
/// Fault: a register does not read as it was written. The detail is its address.
pub const UCM_HA_FXO_FAULT_MISCONFIGURED: u8 = 18;
/// Fault: the chip reset itself, and did so again after it was set up anew.
pub const UCM_HA_FXO_FAULT_RESET_ITSELF: u8 = 19;
/// Fault: the isolation link to the line side is down, and powering the line side down and up did not cure it.
pub const UCM_HA_FXO_FAULT_ISOLATION_LINK: u8 = 20;
/// Fault: the fault line of the port is asserted.
pub const UCM_HA_FXO_FAULT_LINE: u8 = 21;
/// Fault: the fault line of the port cannot be read.
pub const UCM_HA_FXO_FAULT_LINE_UNREADABLE: u8 = 22;
/// Fault: what leads to the port is not there.
pub const UCM_HA_FXO_FAULT_MISSING: u8 = 23;

/// The names of what is no fault.
pub(in crate::capi) const STATE_NAMES: Names = names! { "UCM_HA_FXO_":
    UCM_HA_FXO_UNKNOWN,
    UCM_HA_FXO_HEALTHY,
    UCM_HA_FXO_STARTING,
    UCM_HA_FXO_SETTLING,
    UCM_HA_FXO_RINGING,
    UCM_HA_FXO_OVERLOAD,
    UCM_HA_FXO_LINE_POWER_LOST,
    UCM_HA_FXO_UNPLUGGED,
    UCM_HA_FXO_PARALLEL_PHONE,
};
/// The names of what is one.
pub(in crate::capi) const FAULT_NAMES: Names = names! { "UCM_HA_FXO_":
    UCM_HA_FXO_FAULT_BUS,
    UCM_HA_FXO_FAULT_NO_ANSWER,
    UCM_HA_FXO_FAULT_MISCONFIGURED,
    UCM_HA_FXO_FAULT_RESET_ITSELF,
    UCM_HA_FXO_FAULT_ISOLATION_LINK,
    UCM_HA_FXO_FAULT_LINE,
    UCM_HA_FXO_FAULT_LINE_UNREADABLE,
    UCM_HA_FXO_FAULT_MISSING,
};

/// Notice: too much signal, current or voltage on the line, now or within the last seconds.
pub const UCM_HA_FXO_NOTICE_OVERLOAD: u8 = 1 << 0;
/// Notice: the chip reset itself and was set up anew within the last minute.
pub const UCM_HA_FXO_NOTICE_CHIP_RESET: u8 = 1 << 1;
/// Notice: the isolation link was lost and its line side restarted within the last minute.
pub const UCM_HA_FXO_NOTICE_LINK_RESTARTED: u8 = 1 << 2;

/// The debounced fault did not change.
pub const UCM_HA_EDGE_NONE: u8 = 0;
/// The debounced fault was raised.
pub const UCM_HA_EDGE_RAISED: u8 = 1;
/// The debounced fault was cleared.
pub const UCM_HA_EDGE_CLEARED: u8 = 2;

/// What a visit to a port showed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_fxo_update {
    /// The fault bit of the port.
    pub faults: u32,
    /// Whether anything is different since the last visit. If 0, the other fields are 0 too.
    pub changed: u8,
    /// The port, counted from 0 over the whole machine.
    pub port: u8,
    /// What was seen, before debouncing: UCM_HA_FXO_HEALTHY, another state, or UCM_HA_FXO_FAULT_*.
    pub seen: u8,
    /// Detail of what was seen, for the faults that have one.
    pub detail: u8,
    /// UCM_HA_EDGE_*: what the node is to be told.
    pub fault_edge: u8,
    /// UCM_HA_FXO_NOTICE_* now.
    pub notices: u8,
    /// Notices that are new.
    pub notices_raised: u8,
    /// Notices that are gone.
    pub notices_cleared: u8,
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_fxo_update {}
const _: () = assert!(size_of::<ucm_ha_fxo_update>() == 12, "as in cbindgen.toml");

/// What is known of a port.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_fxo_port {
    /// Bad samples, also those that raised nothing. Counters stop at their maximum.
    pub bad_samples: u32,
    /// Times the fault was raised.
    pub times_raised: u32,
    /// Times the fault was cleared.
    pub times_cleared: u32,
    /// What was seen last, before debouncing: UCM_HA_FXO_*.
    pub seen: u8,
    /// Detail of it.
    pub detail: u8,
    /// UCM_HA_FXO_NOTICE_* at the last visit.
    pub notices: u8,
    /// 1 while the debounced fault is raised.
    pub raised: u8,
    /// What was wrong when the fault was raised, UCM_HA_FXO_FAULT_*; 0 while none is.
    pub fault: u8,
    /// Detail of it.
    pub fault_detail: u8,
    /// 0.
    pub reserved: [u8; 2],
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_fxo_port {}
const _: () = assert!(size_of::<ucm_ha_fxo_port>() == 20, "as in cbindgen.toml");

/// Faults of ports counted from 0, as those of the ports from `first` on.
pub(super) fn from_port(faults: Faults, first: u8) -> Faults {
    let moved = faults.bits().checked_shl(first.into()).unwrap_or(0);
    Faults::from_bits_truncate(moved) & Faults::FXO
}

impl ucm_ha_fxo_update {
    pub(super) fn from_core(update: &Update, first_port: u8) -> Self {
        let (seen, detail) = verdict(update.report.verdict);
        Self {
            faults: from_port(update.faults(), first_port).bits(),
            changed: 1,
            port: first_port.saturating_add(update.port),
            seen,
            detail,
            fault_edge: update.fault.map_or(UCM_HA_EDGE_NONE, Numbered::number),
            notices: update.report.notices.bits(),
            notices_raised: update.notices_raised.bits(),
            notices_cleared: update.notices_cleared.bits(),
        }
    }
}

impl ucm_ha_fxo_port {
    pub(super) fn from_core(report: Option<Report>, fault: Option<FaultKind>, counters: Counters) -> Self {
        let (seen, detail) = report.map_or((UCM_HA_FXO_UNKNOWN, 0), |report| verdict(report.verdict));
        let (fault, fault_detail) = fault.map_or((UCM_HA_FXO_UNKNOWN, 0), fault_kind);
        Self {
            bad_samples: counters.bad_samples,
            times_raised: counters.raised,
            times_cleared: counters.cleared,
            seen,
            detail,
            notices: report.map_or(0, |report| report.notices.bits()),
            raised: (fault != UCM_HA_FXO_UNKNOWN).into(),
            fault,
            fault_detail,
            reserved: [0; 2],
        }
    }
}

numbered! { Edge as u8:
    Raised = UCM_HA_EDGE_RAISED,
    Cleared = UCM_HA_EDGE_CLEARED,
}

numbered! { Observation as u8:
    Starting = UCM_HA_FXO_STARTING,
    Settling = UCM_HA_FXO_SETTLING,
    Ringing = UCM_HA_FXO_RINGING,
    Overload = UCM_HA_FXO_OVERLOAD,
    LinePowerLost = UCM_HA_FXO_LINE_POWER_LOST,
    Unplugged = UCM_HA_FXO_UNPLUGGED,
    ParallelPhone = UCM_HA_FXO_PARALLEL_PHONE,
}

/// The number of a verdict and its detail.
fn verdict(verdict: Verdict) -> (u8, u8) {
    match verdict {
        Verdict::Healthy => (UCM_HA_FXO_HEALTHY, 0),
        Verdict::NotAFault(observation) => (observation.number(), 0),
        Verdict::Fault(kind) => fault_kind(kind),
    }
}

const fn fault_kind(kind: FaultKind) -> (u8, u8) {
    match kind {
        FaultKind::Bus(kind) => (UCM_HA_FXO_FAULT_BUS, spi_number(kind)),
        FaultKind::NoAnswer => (UCM_HA_FXO_FAULT_NO_ANSWER, 0),
        FaultKind::Misconfigured { register } => (UCM_HA_FXO_FAULT_MISCONFIGURED, register),
        FaultKind::ResetItself => (UCM_HA_FXO_FAULT_RESET_ITSELF, 0),
        FaultKind::IsolationLink => (UCM_HA_FXO_FAULT_ISOLATION_LINK, 0),
        FaultKind::FaultLine => (UCM_HA_FXO_FAULT_LINE, 0),
        FaultKind::FaultLineUnreadable => (UCM_HA_FXO_FAULT_LINE_UNREADABLE, 0),
        FaultKind::Missing => (UCM_HA_FXO_FAULT_MISSING, 0),
    }
}
