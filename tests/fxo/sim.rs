//! A register-level simulator of daisy-chained Si3050-class chips, their line sides and their telephone lines.
//!
//! It knows nothing of the driver: register numbers and bits are written out here a second time.

use embedded_hal::spi::{ErrorKind, ErrorType, Operation, SpiDevice};
use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use ucm_ha::fxo::si3050::Framing;

/// Writes are lost for this long after a soft reset.
const RESET_BUSY_MS: u64 = 90;

/// The state of the bus that all chips share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Fine,
    StuckHigh,
    StuckLow,
    /// The host's controller reports an error.
    Error,
}

/// A defect of one chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    None,
    /// Nothing answers.
    Vanished,
    /// Bits of a register that cannot be 1 (`and`) or 0 (`or`).
    StuckBits {
        register: u8,
        and: u8,
        or: u8,
    },
    /// The chip resets itself, once for each period.
    Resets {
        period_ms: u64,
    },
    /// The isolation link does not come up.
    LinkDead,
    /// The isolation link loses lock for a moment, once for each period.
    LinkFlaps {
        period_ms: u64,
    },
}

/// A telephone line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) plugged: bool,
    pub(crate) battery_v: i8,
    pub(crate) ringing: bool,
    pub(crate) overload: bool,
    pub(crate) parallel_phone: bool,
}

/// One chip with its line side and line.
#[derive(Debug)]
pub(crate) struct Chip {
    pub(crate) line: Line,
    /// How long the line side takes to lock.
    pub(crate) lock_delay_ms: u64,
    /// An off-hook line side without line power loses lock.
    pub(crate) starves: bool,
    registers: [u8; 64],
    sources: u8,
    defect: Defect,
    /// When the defect last acted.
    acted_ms: u64,
    busy_until_ms: u64,
    /// Since when the line side can lock.
    locking_since_ms: Option<u64>,
    identified: bool,
    /// When the driver last ended a call.
    pub(crate) hung_up_ms: Option<u64>,
    pub(crate) soft_resets: u32,
    pub(crate) power_downs: u32,
}

impl Chip {
    fn new() -> Self {
        let line = Line { plugged: true, battery_v: 48, ringing: false, overload: false, parallel_phone: false };
        let mut chip = Self {
            line,
            lock_delay_ms: 150,
            starves: false,
            registers: [0; 64],
            sources: 0,
            defect: Defect::None,
            acted_ms: 0,
            busy_until_ms: 0,
            locking_since_ms: None,
            identified: false,
            hung_up_ms: None,
            soft_resets: 0,
            power_downs: 0,
        };
        chip.reset();
        chip
    }

    /// All registers take their reset values, whatever caused it.
    pub(crate) fn reset(&mut self) {
        self.registers = [0; 64];
        self.registers[2] = 0x03;
        self.registers[6] = 0x10;
        self.registers[31] = 0x20;
        self.sources = 0;
        self.locking_since_ms = None;
        self.identified = false;
    }

    /// A register takes a value that nobody wrote.
    pub(crate) fn upset(&mut self, register: u8, value: u8) {
        self.registers[usize::from(register)] = value;
    }

    /// Call control seizes or releases the line.
    pub(crate) fn set_off_hook(&mut self, off_hook: bool) {
        self.registers[5] = if off_hook { 0x09 } else { 0x08 };
    }

    pub(crate) fn is_off_hook(&self) -> bool {
        self.registers[5] & 1 != 0
    }

    pub(crate) fn is_powered_down(&self) -> bool {
        self.registers[6] & 0x10 != 0
    }

    /// The line side is powered and locked.
    pub(crate) fn is_up(&self, now_ms: u64) -> bool {
        !self.is_powered_down() && self.locked(now_ms)
    }

    fn set_defect(&mut self, defect: Defect, now_ms: u64) {
        if self.defect == Defect::Vanished {
            self.reset();
        }
        self.defect = defect;
        self.acted_ms = now_ms;
    }

    fn line_power(&self) -> bool {
        self.line.plugged && self.line.battery_v != 0
    }

    fn locked(&self, now_ms: u64) -> bool {
        self.locking_since_ms.is_some_and(|since| now_ms >= since + self.lock_delay_ms)
    }

    /// What happens to the chip by itself.
    fn advance(&mut self, now_ms: u64) {
        if let Defect::Resets { period_ms } = self.defect
            && now_ms >= self.acted_ms + period_ms
        {
            self.acted_ms = now_ms;
            self.reset();
        }
        let starving = self.starves && self.is_off_hook() && !self.line_power();
        if self.is_powered_down() || self.defect == Defect::LinkDead || starving {
            self.locking_since_ms = None;
        } else {
            self.locking_since_ms.get_or_insert(now_ms);
        }
        if self.is_powered_down() {
            self.identified = false;
        } else if self.locked(now_ms) {
            if !self.identified {
                // Powering up the line side looks like a ring.
                self.sources |= 0x80;
            }
            self.identified = true;
        } else {
            self.sources |= 0x20;
        }
        if let Defect::LinkFlaps { period_ms } = self.defect
            && now_ms >= self.acted_ms + period_ms
        {
            self.acted_ms = now_ms;
            self.sources |= 0x20;
        }
        if self.locked(now_ms) {
            self.sources |= if self.line.ringing && self.line.plugged { 0x80 } else { 0 };
            self.sources |= if self.line.overload && self.line.plugged { 0x40 } else { 0 };
        }
    }

    fn read(&self, register: u8, now_ms: u64) -> u8 {
        let value = match register {
            4 => self.sources,
            5 => self.registers[5] | self.ring_bits(now_ms),
            11 => {
                if self.identified {
                    0x35
                } else {
                    0x05
                }
            }
            12 => u8::from(self.locked(now_ms)) << 6 | self.loop_current(now_ms),
            13 => 0x40,
            19 => self.line_alarms(now_ms),
            29 => self.loop_voltage(now_ms).cast_unsigned(),
            other => self.registers[usize::from(other) % 64],
        };
        match self.defect {
            Defect::StuckBits { register: stuck, and, or } if stuck == register => value & and | or,
            Defect::Vanished => 0xff,
            Defect::StuckBits { .. }
            | Defect::None
            | Defect::Resets { .. }
            | Defect::LinkDead
            | Defect::LinkFlaps { .. } => value,
        }
    }

    /// The ringing voltage: a square wave of 20 Hz with a gap at each crossing.
    fn ring_phase(&self, now_ms: u64) -> i8 {
        match (self.line.ringing && self.line.plugged, now_ms % 50) {
            (false, _) => 0,
            (true, 0..20) => 1,
            (true, 25..45) => -1,
            (true, _) => 0,
        }
    }

    fn ring_bits(&self, now_ms: u64) -> u8 {
        match (self.locked(now_ms), self.ring_phase(now_ms)) {
            (true, 1) => 0x20,
            (true, -1) => 0x40,
            _ => 0,
        }
    }

    fn loop_current(&self, now_ms: u64) -> u8 {
        match (self.locked(now_ms) && self.is_off_hook() && self.line_power(), self.line.overload) {
            (false, _) => 0,
            (true, false) => 7,
            (true, true) => 0x1f,
        }
    }

    fn line_alarms(&self, now_ms: u64) -> u8 {
        let overload = self.locked(now_ms) && self.line.overload && self.line.plugged;
        let dropout = self.is_off_hook() && !self.line_power();
        u8::from(overload) << 2 | u8::from(dropout) << 1
    }

    fn loop_voltage(&self, now_ms: u64) -> i8 {
        if !self.locked(now_ms) || !self.line.plugged {
            return 0;
        }
        let idle = self.line.battery_v;
        if self.line.ringing {
            // The crossings are near 0 V.
            return [2, 90, -90][self.ring_phase(now_ms).rem_euclid(3) as usize];
        }
        if self.is_off_hook() || self.line.parallel_phone { idle.signum() * 7 } else { idle }
    }

    fn write(&mut self, register: u8, value: u8, now_ms: u64) {
        if now_ms < self.busy_until_ms || self.defect == Defect::Vanished {
            return;
        }
        match register {
            1 if value & 0x80 != 0 => {
                self.reset();
                self.soft_resets += 1;
                self.busy_until_ms = now_ms + RESET_BUSY_MS;
            }
            // A 0 clears, a 1 leaves.
            4 => self.sources &= value,
            5 => {
                if self.is_off_hook() && value & 1 == 0 {
                    self.hung_up_ms = Some(now_ms);
                }
                self.registers[5] = value & 0x09;
            }
            6 => {
                self.power_downs += u32::from(value & 0x10 != 0 && !self.is_powered_down());
                self.registers[6] = value & 0x18;
            }
            2 | 3 | 16 | 26 | 30 | 31 | 33 => self.registers[usize::from(register)] = value,
            read_only => panic!("R{read_only} is not to be written"),
        }
        self.advance(now_ms);
    }
}

/// Everything behind the chip select.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) chips: Vec<Chip>,
    pub(crate) wire: Wire,
    /// Bits that the next reads get wrong, one entry per read.
    pub(crate) flips: Vec<u8>,
    pub(crate) accesses: u32,
    pub(crate) transactions: u32,
    now_ms: u64,
    framing: Framing,
    /// Bytes of the present access.
    bytes: Vec<u8>,
}

impl Board {
    /// Moves all chips to a point in time.
    pub(crate) fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.chips.iter_mut().for_each(|chip| chip.advance(now_ms));
    }

    pub(crate) fn set_defect(&mut self, chip: usize, defect: Defect) {
        self.chips[chip].set_defect(defect, self.now_ms);
    }

    /// One byte on the wire. Returns what the host receives.
    fn clock(&mut self, byte: u8) -> u8 {
        self.bytes.push(byte);
        let answer = match self.bytes[..] {
            [control, register, data] => {
                self.bytes.clear();
                self.access(control, register, data)
            }
            _ => 0xff,
        };
        match self.wire {
            Wire::StuckLow => 0x00,
            Wire::StuckHigh | Wire::Error => 0xff,
            Wire::Fine => answer,
        }
    }

    fn access(&mut self, control: u8, register: u8, data: u8) -> u8 {
        self.accesses += 1;
        let place = usize::from((control & 0x0f).reverse_bits() >> 4);
        let now_ms = self.now_ms;
        let Some(chip) = self.chips.get_mut(place) else { return 0xff };
        match control & 0xf0 {
            0x60 => chip.read(register, now_ms) ^ self.flips.pop().unwrap_or(0),
            0x20 => {
                chip.write(register, data, now_ms);
                0xff
            }
            // Out of step, a chip hears bytes that are no access.
            _ => 0xff,
        }
    }

    /// One chip select pulse.
    fn pulse(&mut self, bytes: &mut [u8]) {
        self.transactions += 1;
        // A board with one pulse per access starts anew at each pulse; one with a pulse per byte hears the first byte only.
        let heard = match self.framing {
            Framing::Word => {
                self.bytes.clear();
                usize::MAX
            }
            Framing::Byte => 1,
        };
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = if place < heard { self.clock(*byte) } else { 0xff };
        }
    }
}

/// A handle to the board.
#[derive(Clone, Debug)]
pub(crate) struct Spi(Rc<RefCell<Board>>);

impl Spi {
    pub(crate) fn new(chips: usize, framing: Framing) -> Self {
        Self(Rc::new(RefCell::new(Board {
            chips: (0..chips).map(|_| Chip::new()).collect(),
            wire: Wire::Fine,
            flips: vec![],
            accesses: 0,
            transactions: 0,
            now_ms: 0,
            framing,
            bytes: vec![],
        })))
    }

    pub(crate) fn board(&self) -> Ref<'_, Board> {
        self.0.borrow()
    }

    pub(crate) fn board_mut(&self) -> RefMut<'_, Board> {
        self.0.borrow_mut()
    }
}

impl ErrorType for Spi {
    type Error = ErrorKind;
}

impl SpiDevice for Spi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), ErrorKind> {
        let mut board = self.0.borrow_mut();
        if board.wire == Wire::Error {
            board.transactions += 1;
            return Err(ErrorKind::Other);
        }
        let sent = operations.iter().flat_map(|operation| match operation {
            Operation::TransferInPlace(word) => word.to_vec(),
            Operation::Write(word) => word.to_vec(),
            Operation::Read(_) | Operation::Transfer(..) | Operation::DelayNs(_) => {
                panic!("{operation:?} is not simulated")
            }
        });
        let mut bytes: Vec<u8> = sent.collect();
        board.pulse(&mut bytes);
        let mut received = bytes.into_iter();
        for operation in operations {
            if let Operation::TransferInPlace(word) = operation {
                word.iter_mut().zip(&mut received).for_each(|(byte, answer)| *byte = answer);
            }
        }
        Ok(())
    }
}
