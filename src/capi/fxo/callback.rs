//! `embedded_hal` over the caller's callbacks.

use core::ffi::c_void;
use embedded_hal::digital::{self, InputPin};
use embedded_hal::spi::{self, Operation, SpiDevice};

/// The transfer is done.
pub const UCM_HA_SPI_OK: i32 = 0;
/// The receive buffer was overrun.
pub const UCM_HA_SPI_OVERRUN: i32 = 1;
/// Several masters use the bus.
pub const UCM_HA_SPI_MODE_FAULT: i32 = 2;
/// A frame did not have the configured format.
pub const UCM_HA_SPI_FRAME_FORMAT: i32 = 3;
/// The chip select could not be set.
pub const UCM_HA_SPI_CHIP_SELECT_FAULT: i32 = 4;
/// Something else is wrong; any other number means this too.
pub const UCM_HA_SPI_OTHER: i32 = 5;

/// Sets chip select, sends the len (1 to 4) bytes at data while it replaces each with the byte received meanwhile, and
/// clears chip select. Returns UCM_HA_SPI_OK, or another UCM_HA_SPI_* value for what went wrong. It must not call into the
/// library with the storage it is polled from.
pub type ucm_ha_spi_transfer = Option<unsafe extern "C" fn(context: *mut c_void, data: *mut u8, len: usize) -> i32>;

/// Reads the fault line of a port, counted from 0 over the whole machine. Returns 0 for low, 1 for high, anything else if it
/// cannot be read. It must not call into the library with the storage it is polled from.
pub type ucm_ha_line_read = Option<unsafe extern "C" fn(context: *mut c_void, line: u8) -> i32>;

pub(super) type Transfer = unsafe extern "C" fn(context: *mut c_void, data: *mut u8, len: usize) -> i32;
pub(super) type LineRead = unsafe extern "C" fn(context: *mut c_void, line: u8) -> i32;

/// Most bytes of one transaction; a register access has three.
const MAX_TRANSFER_LEN: usize = 4;

/// One chip select of an SPI bus behind a callback.
pub(super) struct CallbackSpi {
    pub(super) transfer: Transfer,
    pub(super) context: *mut c_void,
}

impl spi::ErrorType for CallbackSpi {
    type Error = spi::ErrorKind;
}

impl SpiDevice for CallbackSpi {
    /// A call of the callback is one chip select pulse. The drivers of this library make one operation per pulse, of the two
    /// kinds here; others are an error.
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), spi::ErrorKind> {
        match operations {
            [Operation::TransferInPlace(bytes)] => self.pulse(bytes),
            [Operation::Write(bytes)] => {
                let mut buffer = [0; MAX_TRANSFER_LEN];
                let place = buffer.get_mut(..bytes.len()).ok_or(spi::ErrorKind::Other)?;
                for (to, from) in place.iter_mut().zip(*bytes) {
                    *to = *from;
                }
                self.pulse(place)
            }
            _ => Err(spi::ErrorKind::Other),
        }
    }
}

impl CallbackSpi {
    fn pulse(&mut self, bytes: &mut [u8]) -> Result<(), spi::ErrorKind> {
        // SAFETY: whoever gave the callback promised that it can be called so, and it keeps within the bytes.
        match unsafe { (self.transfer)(self.context, bytes.as_mut_ptr(), bytes.len()) } {
            UCM_HA_SPI_OK => Ok(()),
            UCM_HA_SPI_OVERRUN => Err(spi::ErrorKind::Overrun),
            UCM_HA_SPI_MODE_FAULT => Err(spi::ErrorKind::ModeFault),
            UCM_HA_SPI_FRAME_FORMAT => Err(spi::ErrorKind::FrameFormat),
            UCM_HA_SPI_CHIP_SELECT_FAULT => Err(spi::ErrorKind::ChipSelectFault),
            _ => Err(spi::ErrorKind::Other),
        }
    }
}

/// The number of a kind of bus error.
pub(super) const fn spi_number(kind: spi::ErrorKind) -> u8 {
    let number = match kind {
        spi::ErrorKind::Overrun => UCM_HA_SPI_OVERRUN,
        spi::ErrorKind::ModeFault => UCM_HA_SPI_MODE_FAULT,
        spi::ErrorKind::FrameFormat => UCM_HA_SPI_FRAME_FORMAT,
        spi::ErrorKind::ChipSelectFault => UCM_HA_SPI_CHIP_SELECT_FAULT,
        // The kinds are not closed: whatever is added is something else.
        spi::ErrorKind::Other | _ => UCM_HA_SPI_OTHER,
    };
    number as u8
}

/// One fault line behind a callback.
pub(super) struct CallbackPin {
    pub(super) read: LineRead,
    pub(super) context: *mut c_void,
    pub(super) line: u8,
}

/// A level that cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

impl digital::Error for Unreadable {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl digital::ErrorType for CallbackPin {
    type Error = Unreadable;
}

impl InputPin for CallbackPin {
    fn is_high(&mut self) -> Result<bool, Unreadable> {
        // SAFETY: whoever gave the callback promised that it can be called so.
        match unsafe { (self.read)(self.context, self.line) } {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable),
        }
    }

    fn is_low(&mut self) -> Result<bool, Unreadable> {
        self.is_high().map(|high| !high)
    }
}
