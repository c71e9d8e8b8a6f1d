//! Watching the FXO ports (the sockets for telephone lines) for hardware faults.
//!
//! A fault is a dead chip or a dead link to its line side. Whatever happens on the telephone line (cord unplugged, no
//! battery, ringing, a parallel phone, an overload) is an observation and never a fault. `docs/fxo.md` has the whole
//! table, the bounds, and how to wire and port a driver.
//!
//! [`LineInterface`] is the port trait a board implements, [`Poller`] visits its ports in turn and debounces what they
//! say, [`si3050`] and [`fault_line`] are the drivers.

pub mod fault_line;
mod poller;
pub mod si3050;

pub use poller::{Poller, PollerError, PollerSettings, Update};

use crate::debounce::Sample;
use crate::fault::Faults;
use crate::time::Instant;
use bitflags::bitflags;
use embedded_hal::spi;
use heapless::Vec;

/// Most FXO ports a model has.
pub const MAX_PORTS: usize = 8;

/// The fault bit of a port counted from 0 (port 0 is `FXO1`); empty for a port that cannot exist.
pub fn fault_of_port(port: u8) -> Faults {
    Faults::from_bits_truncate(1u32.checked_shl(port.into()).unwrap_or(0)) & Faults::FXO
}

/// One or more FXO ports behind one interface of the board. Ports are counted from 0.
pub trait LineInterface {
    /// Number of ports, at most [`MAX_PORTS`].
    fn ports(&self) -> u8;

    /// Looks at one port, once, and judges it. The work is bounded and nothing in it waits. `None` when there is no such
    /// port.
    fn poll(&mut self, port: u8, now: Instant) -> Option<Report>;
}

/// Several interfaces of one kind, e.g. one chip select per chip. Their ports count on from one to the next.
impl<L: LineInterface, const N: usize> LineInterface for Vec<L, N> {
    fn ports(&self) -> u8 {
        self.iter().fold(0, |ports, interface| ports.saturating_add(interface.ports()))
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        let mut port = port;
        for interface in self {
            match port.checked_sub(interface.ports()) {
                None => return interface.poll(port, now),
                Some(rest) => port = rest,
            }
        }
        None
    }
}

/// What one look at a port showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Report {
    /// The judgement.
    pub verdict: Verdict,
    /// Conditions that are worth an alert and never a fault.
    pub notices: Notices,
}

/// The judgement of one look at a port, before debouncing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// Chip, link and line are as they should be.
    Healthy,
    /// Something is to be seen that is not a fault of the hardware.
    NotAFault(Observation),
    /// The hardware is at fault.
    Fault(FaultKind),
}

impl Verdict {
    /// The verdict as evidence for or against a hardware fault.
    pub const fn sample(self) -> Sample {
        match self {
            Self::Fault(_) => Sample::Bad,
            Self::NotAFault(Observation::Starting | Observation::Settling) => Sample::Unknown,
            Self::Healthy
            | Self::NotAFault(
                Observation::Ringing
                | Observation::Overload
                | Observation::LinePowerLost
                | Observation::Unplugged
                | Observation::ParallelPhone,
            ) => Sample::Good,
        }
    }
}

/// Something to be seen at a port that is not a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Observation {
    /// The chip is being set up for the first time.
    Starting,
    /// Something is not as it should be, and is being watched or remedied before it is judged.
    Settling,
    /// The line rings.
    Ringing,
    /// Too much signal, current or voltage on the line.
    Overload,
    /// The line fed no current during a call; the port was put on-hook.
    LinePowerLost,
    /// No voltage on the line: cord unplugged, or no battery from the exchange.
    Unplugged,
    /// The voltage is that of a line on which another phone is off-hook.
    ParallelPhone,
}

/// What is wrong with the hardware of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FaultKind {
    /// The SPI bus reports an error.
    Bus(spi::ErrorKind),
    /// Nothing answers on the bus.
    NoAnswer,
    /// A register does not read as it was written.
    Misconfigured {
        /// Its address.
        register: u8,
    },
    /// The chip reset itself, and did so again after it was set up anew.
    ResetItself,
    /// The isolation link to the line side is down, and powering the line side down and up did not cure it.
    IsolationLink,
    /// The fault line of the port is asserted.
    FaultLine,
    /// The fault line of the port cannot be read.
    FaultLineUnreadable,
    /// What leads to the port is not there: no such device, driver or channel.
    Missing,
}

bitflags! {
    /// Conditions that are worth an alert and never a fault.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Notices: u8 {
        /// Too much signal, current or voltage on the line, now or within the last seconds.
        const OVERLOAD = 1 << 0;
        /// The chip reset itself and was set up anew within the last minute.
        const CHIP_RESET = 1 << 1;
        /// The isolation link was lost and its line side restarted within the last minute.
        const LINK_RESTARTED = 1 << 2;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Notices {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Notices({=u8:#x})", self.bits());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_0_to_7_are_fxo1_to_fxo8_and_no_other_port_has_a_fault_bit() {
        let all = (0..8).fold(Faults::empty(), |all, port| all | fault_of_port(port));
        assert_eq!(fault_of_port(0), Faults::FXO1);
        assert_eq!(fault_of_port(7), Faults::FXO8);
        assert_eq!(all, Faults::FXO);
        assert!((8..=255).all(|port| fault_of_port(port).is_empty()));
    }
}
