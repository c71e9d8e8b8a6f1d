//! FXO ports on Silicon Labs Si3050-class DAAs (telephone line chips), one per port, alone or daisy-chained on one SPI
//! chip select.
//!
//! A chip is two halves: the one on the SPI bus, and the line side behind an isolation barrier. Registers are explained
//! in `registers.rs`, the states a chip goes through in `chip.rs`. This driver owns R1, R2, R6, R33 and the country
//! registers; call control may set and clear R5 b0 (off-hook) as long as it sets b3 (line monitor) on-hook.
//!
//! SPI mode 3, most significant bit first.

mod bus;
mod chip;
mod line;
mod link;
mod registers;
mod sample;

pub use bus::Framing;

use crate::fxo::{FaultKind, LineInterface, MAX_PORTS, Report};
use crate::time::{Duration, Instant};
use bus::Bus;
use chip::Chip;
use core::fmt;
use embedded_hal::spi::SpiDevice;
use heapless::Vec;
use registers::*;

/// Most register accesses one poll makes, whatever the state of the chip. One access is
/// [`Framing::transactions_per_access`] `SpiDevice` transactions of 3 bytes together.
pub const MAX_ACCESSES_PER_POLL: u32 = 12;
/// A chip that fails is left alone for this long, then set up anew, and twice as long after each further failure …
pub const FIRST_RETRY: Duration = Duration::from_s(5);
/// … up to this long.
pub const LAST_RETRY: Duration = Duration::from_s(60);
/// After this long without an incident, a chip may reset itself, or lose its link, once more without being faulty.
pub const QUIET: Duration = Duration::from_s(60);

/// Looks in a row that must agree before anything is done to a chip: a bit flip is one look.
const STABLE_LOOKS: u8 = 3;

/// Companding of the voice on the PCM bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Companding {
    /// A-law.
    ALaw,
    /// µ-law.
    MuLaw,
}

/// What the national telephone network demands, as register values. Bits that the chip does not have must be 0, because
/// the registers are read back and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Country {
    /// R16, international control 1.
    pub international_1: u8,
    /// R26, DC termination.
    pub dc_termination: u8,
    /// R30, AC termination.
    pub ac_termination: u8,
    /// R31, DAA control 3. Bit 0 must be 0, or an unplugged cord does not show.
    pub control_3: u8,
}

impl Country {
    /// North America: 600 Ω, no current limit. ⚠ Gathered from drivers, not confirmed for the exact part.
    pub const FCC: Self = Self { international_1: 0x00, dc_termination: 0xc0, ac_termination: 0x00, control_3: 0x20 };
    /// Europe (TBR 21): complex impedance, current limit 60 mA. ⚠ As above.
    pub const TBR21: Self = Self { international_1: 0x00, dc_termination: 0xc2, ac_termination: 0x02, control_3: 0x20 };

    /// The registers and their values.
    const fn registers(&self) -> [(u8, u8); 4] {
        [
            (R16_INTERNATIONAL_1, self.international_1),
            (R26_DC_TERMINATION, self.dc_termination),
            (R30_AC_TERMINATION, self.ac_termination),
            (R31_CONTROL_3, self.control_3),
        ]
    }
}

/// How the chips of a chain are wired and set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Settings {
    /// Chip select pulses.
    pub framing: Framing,
    /// Companding.
    pub companding: Companding,
    /// Country.
    pub country: Country,
}

impl Settings {
    /// R33 as configured.
    const fn pcm(&self) -> u8 {
        R33_PCM_ON
            | match self.companding {
                Companding::ALaw => R33_A_LAW,
                Companding::MuLaw => R33_MU_LAW,
            }
    }
}

/// Why a chain cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ChainError {
    /// There are no chips, or more than [`MAX_PORTS`].
    ChipCount(u8),
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::ChipCount(chips) = self;
        write!(f, "a chain of {chips} chips is not possible; give 1 to {MAX_PORTS}, the FXO ports of this chip select")
    }
}

impl core::error::Error for ChainError {}

/// The chips of one chip select, in port order.
#[derive(Debug)]
pub struct Chain<S> {
    bus: Bus<S>,
    chips: Vec<Chip, MAX_PORTS>,
    settings: Settings,
}

impl<S: SpiDevice> Chain<S> {
    /// A chain of `chips` chips behind `spi`. Nothing is sent before the first poll.
    pub fn new(spi: S, chips: u8, settings: Settings) -> Result<Self, ChainError> {
        let mut chain = Self::without_chips(spi, settings);
        chain.add_chips(chips)?;
        Ok(chain)
    }

    /// A chain that is still empty. The C ABI makes it where it stays and adds the chips there: it is large.
    pub(crate) const fn without_chips(spi: S, settings: Settings) -> Self {
        Self { bus: Bus { spi, framing: settings.framing }, chips: Vec::new(), settings }
    }

    /// Takes `chips` chips into the empty chain.
    pub(crate) fn add_chips(&mut self, chips: u8) -> Result<(), ChainError> {
        let error = ChainError::ChipCount(chips);
        for place in 0..chips {
            self.chips.push(Chip::new(chip_id(place))).map_err(|_| error)?;
        }
        if self.chips.is_empty() { Err(error) } else { Ok(()) }
    }

    /// Finds the start of an access again, for [`Framing::Byte`]: a program that was killed within one has left the chips
    /// waiting for its rest. To be called once, before the first poll; it makes at most three accesses per chip. Says
    /// whether a chip answers. ⚠ That chips wait for so long is not confirmed; where they do not, nothing is changed.
    pub fn align(&mut self) -> Result<bool, FaultKind> {
        for _ in 0..self.bus.framing.transactions_per_access() {
            for chip in &self.chips {
                if chip.answers(&mut self.bus)? {
                    return Ok(true);
                }
            }
            if self.bus.framing == Framing::Byte {
                self.bus.slip()?;
            }
        }
        Ok(false)
    }
}

impl<S: SpiDevice> LineInterface for Chain<S> {
    fn ports(&self) -> u8 {
        u8::try_from(self.chips.len()).unwrap_or(u8::MAX)
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        let chip = self.chips.get_mut(usize::from(port))?;
        Some(chip.poll(&mut self.bus, &self.settings, now))
    }
}
