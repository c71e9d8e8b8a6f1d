//! I²C by hand: the board gives the two lines of the bus as register bits (Arm's two-wire serial bus interface,
//! "SBCon").

use crate::platform::CLOCK_HZ;
use crate::platform::mmio::Block;
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress};

/// Reads the levels of the lines; writing a bit lets its line go high.
const LINES_HIGH: usize = 0x0;
/// Writing a bit pulls its line low.
const LINES_LOW: usize = 0x4;
const SCL: u32 = 1 << 0;
const SDA: u32 = 1 << 1;

/// Half a period of a bus clock of 100 kHz, in ticks of the processor.
const HALF_PERIOD_TICKS: u32 = CLOCK_HZ / 200_000;

/// The master of one bus.
pub(crate) struct BitBangI2c {
    lines: Block,
}

impl BitBangI2c {
    /// A bus at rest.
    pub(crate) fn new(lines: Block) -> Self {
        lines.write(LINES_HIGH, SCL | SDA);
        Self { lines }
    }

    fn set(&self, line: u32, high: bool) {
        self.lines.write(if high { LINES_HIGH } else { LINES_LOW }, line);
        cortex_m::asm::delay(HALF_PERIOD_TICKS);
    }

    fn start(&self) {
        self.set(SDA, true);
        self.set(SCL, true);
        self.set(SDA, false);
        self.set(SCL, false);
    }

    fn stop(&self) {
        self.set(SDA, false);
        self.set(SCL, true);
        self.set(SDA, true);
    }

    /// Puts `bit` on the bus for one clock, and returns what was on it.
    fn clock(&self, bit: bool) -> bool {
        self.set(SDA, bit);
        self.set(SCL, true);
        let seen = self.lines.read(LINES_HIGH) & SDA != 0;
        self.set(SCL, false);
        seen
    }

    /// Sends a byte; whether it was acknowledged.
    fn send(&self, byte: u8) -> bool {
        for bit in (0..u8::BITS).rev() {
            self.clock(byte & 1 << bit != 0);
        }
        !self.clock(true)
    }

    fn receive(&self, acknowledge: bool) -> u8 {
        let byte = (0..u8::BITS).fold(0, |byte, _| byte << 1 | u8::from(self.clock(true)));
        self.clock(!acknowledge);
        byte
    }

    fn carry_out(&self, address: u8, operation: &mut Operation<'_>) -> Result<(), ErrorKind> {
        let reading = matches!(operation, Operation::Read(_));
        self.start();
        if !self.send(address << 1 | u8::from(reading)) {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        match operation {
            Operation::Read(buffer) => {
                let last = buffer.len().saturating_sub(1);
                for (at, byte) in buffer.iter_mut().enumerate() {
                    *byte = self.receive(at < last);
                }
            }
            Operation::Write(bytes) => {
                if !bytes.iter().all(|byte| self.send(*byte)) {
                    return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data));
                }
            }
        }
        Ok(())
    }
}

impl ErrorType for BitBangI2c {
    type Error = ErrorKind;
}

impl I2c<SevenBitAddress> for BitBangI2c {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let outcome = operations.iter_mut().try_for_each(|operation| self.carry_out(address, operation));
        self.stop();
        outcome
    }
}
