//! Register accesses over SPI.

use super::registers::{READ, WRITE};
use crate::fxo::FaultKind;
use embedded_hal::spi::{Error, SpiDevice};

/// What the host sends while the chip answers.
const FILLER: u8 = 0xff;

/// How the three bytes of an access lie in chip select pulses. A property of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Framing {
    /// One pulse per byte: three `SpiDevice` transactions per access.
    Byte,
    /// One pulse per access: one `SpiDevice` transaction. ⚠ The framing of such boards is not confirmed.
    Word,
}

impl Framing {
    /// `SpiDevice` transactions per register access.
    pub const fn transactions_per_access(self) -> u32 {
        match self {
            Self::Byte => 3,
            Self::Word => 1,
        }
    }
}

/// The bus with its framing. An error of the bus is evidence about the port, so it comes as a [`FaultKind`].
#[derive(Debug)]
pub(super) struct Bus<S> {
    pub(super) spi: S,
    pub(super) framing: Framing,
}

impl<S: SpiDevice> Bus<S> {
    /// Reads a register of the chip with this id.
    pub(super) fn read(&mut self, chip: u8, register: u8) -> Result<u8, FaultKind> {
        self.access(READ | chip, register, FILLER)
    }

    /// Writes a register of the chip with this id.
    pub(super) fn write(&mut self, chip: u8, register: u8, value: u8) -> Result<(), FaultKind> {
        self.access(WRITE | chip, register, value).map(|_| ())
    }

    /// Sends one byte that belongs to no access.
    pub(super) fn slip(&mut self) -> Result<(), FaultKind> {
        self.spi.write(&[FILLER]).map_err(|error| FaultKind::Bus(error.kind()))
    }

    fn access(&mut self, control: u8, register: u8, data: u8) -> Result<u8, FaultKind> {
        let mut bytes = [control, register, data];
        let done = match self.framing {
            Framing::Word => self.spi.transfer_in_place(&mut bytes),
            Framing::Byte => bytes.chunks_exact_mut(1).try_for_each(|byte| self.spi.transfer_in_place(byte)),
        };
        let [_, _, answer] = bytes;
        done.map(|()| answer).map_err(|error| FaultKind::Bus(error.kind()))
    }
}
