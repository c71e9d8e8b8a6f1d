//! One look at a chip that is set up: its registers, and whether they are those of a working chip.

use super::Settings;
use super::bus::Bus;
use super::registers::*;
use crate::fxo::FaultKind;
use embedded_hal::spi::SpiDevice;

/// Why a look at a chip did not succeed. Bit flips happen, so nothing follows from one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It looks like this fault.
    Fault(FaultKind),
    /// The chip has values that it has after a reset.
    Reset,
}

impl From<FaultKind> for Trouble {
    fn from(kind: FaultKind) -> Self {
        Self::Fault(kind)
    }
}

/// `Ok` when a register has the value it was configured with.
fn expect(register: u8, value: u8, configured: u8) -> Result<(), FaultKind> {
    if value == configured { Ok(()) } else { Err(FaultKind::Misconfigured { register }) }
}

/// Whether the chip that should be here answers, and its identity register (R11).
pub(super) fn identify<S: SpiDevice>(bus: &mut Bus<S>, chip: u8) -> Result<u8, FaultKind> {
    let identity = bus.read(chip, R11_IDENTITY)?;
    if identity == NOBODY_HIGH {
        return Err(FaultKind::NoAnswer);
    }
    let control = bus.read(chip, R2_CONTROL_2)?;
    if identity == NOBODY_LOW && control == NOBODY_LOW {
        return Err(FaultKind::NoAnswer);
    }
    expect(R2_CONTROL_2, control, R2_CONFIGURED)?;
    Ok(identity)
}

/// Checks the power and PCM registers.
pub(super) fn check_running(power: u8, pcm: u8, settings: &Settings) -> Result<(), Trouble> {
    if power & R6_LINE_SIDE_DOWN != 0 || pcm & R33_PCM_ON == 0 {
        return Err(Trouble::Reset);
    }
    expect(R6_POWER, power, R6_ALL_UP)?;
    Ok(expect(R33_PCM, pcm, settings.pcm())?)
}

/// Checks one of the registers that the country decides.
pub(super) fn check_country<S: SpiDevice>(bus: &mut Bus<S>, chip: u8, setting: (u8, u8)) -> Result<(), FaultKind> {
    let (register, configured) = setting;
    expect(register, bus.read(chip, register)?, configured)
}

/// The registers that tell about the line, of a chip whose other registers are right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    hook: u8,
    line_status: u8,
    pub(super) sources: u8,
    line_alarms: u8,
    loop_voltage: u8,
}

impl Sample {
    /// Reads a chip, and one of its country registers. Stops at the first thing that is wrong.
    pub(super) fn read<S: SpiDevice>(
        bus: &mut Bus<S>,
        chip: u8,
        settings: &Settings,
        country: (u8, u8),
    ) -> Result<Self, Trouble> {
        identify(bus, chip)?;
        let hook = bus.read(chip, R5_HOOK)?;
        let power = bus.read(chip, R6_POWER)?;
        let pcm = bus.read(chip, R33_PCM)?;
        if hook & R5_ALWAYS_0 != 0 {
            return Err(FaultKind::Misconfigured { register: R5_HOOK }.into());
        }
        if hook & (R5_OFF_HOOK | R5_ON_HOOK_MONITOR) == 0 {
            return Err(Trouble::Reset);
        }
        check_running(power, pcm, settings)?;
        check_country(bus, chip, country)?;
        Ok(Self {
            hook,
            line_status: bus.read(chip, R12_LINE_STATUS)?,
            sources: bus.read(chip, R4_SOURCES)?,
            line_alarms: bus.read(chip, R19_LINE_ALARMS)?,
            loop_voltage: bus.read(chip, R29_LOOP_VOLTAGE)?,
        })
    }

    pub(super) const fn off_hook(&self) -> bool {
        self.hook & R5_OFF_HOOK != 0
    }

    pub(super) const fn frame_lock(&self) -> bool {
        self.line_status & R12_FRAME_LOCK != 0
    }

    /// Whether frame lock was lost since the sources were last cleared.
    pub(super) const fn frame_was_lost(&self) -> bool {
        self.sources & R4_FRAME_LOST != 0
    }

    /// Whether an off-hook line side gets no power from the line.
    pub(super) const fn dropout(&self) -> bool {
        self.off_hook() && self.line_alarms & R19_DROPOUT != 0
    }

    /// Ringing now, or since the sources were last cleared: R5 alone misses it between two half waves.
    pub(super) const fn ringing(&self) -> bool {
        self.hook & R5_RINGING != 0 || self.sources & R4_RING != 0
    }

    pub(super) const fn overload(&self) -> bool {
        self.sources & R4_OVERLOAD != 0
            || self.line_alarms & R19_OVERLOAD != 0
            || self.line_status & R12_LOOP_CURRENT == R12_CURRENT_OVERLOAD
    }

    pub(super) const fn battery(&self) -> bool {
        self.loop_volts() >= R29_BATTERY_V
    }

    /// Whether the voltage is that of a line in use, though not by this port.
    pub(super) const fn used_by_another(&self) -> bool {
        !self.off_hook() && self.battery() && self.loop_volts() < R29_IDLE_LINE_V
    }

    const fn loop_volts(&self) -> u8 {
        self.loop_voltage.cast_signed().unsigned_abs()
    }
}
