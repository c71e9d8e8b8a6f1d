//! The board: what stands where, and the few accesses that the compiler cannot check. All `unsafe` of the image is here.
//!
//! Sources: Arm MPS2 and MPS2+ FPGA Prototyping Boards Technical Reference Manual (100112), Application Note 386.

mod handlers;
pub(crate) mod host;
pub(crate) mod irq;
pub(crate) mod mmio;

use mmio::Block;

/// Clock of the processor and of the serial lines, in Hz.
pub(crate) const CLOCK_HZ: u32 = 25_000_000;

/// The console.
pub(crate) const UART0: Block = Block::at(0x4000_4000, 0x1000);
/// The heartbeat cable.
pub(crate) const UART1: Block = Block::at(0x4000_5000, 0x1000);
/// Counters of the FPGA.
pub(crate) const FPGAIO: Block = Block::at(0x4002_8000, 0x1000);
/// I²C of the second Arduino shield: the fault lines of the FXO ports.
pub(crate) const SHIELD1_I2C: Block = Block::at(0x4002_a000, 0x1000);
/// The Ethernet controller.
pub(crate) const ETHERNET: Block = Block::at(0x4020_0000, 0x100);
