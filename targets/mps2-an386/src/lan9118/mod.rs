//! Driver of the board's Ethernet controller. Frames are copied by the processor: no memory is shared with the chip.

mod registers;

use crate::platform::mmio::Block;
use registers::{mac, phy};
use ucm_ha::types::MacAddr;

/// Longest Ethernet frame without its checksum, in bytes.
pub(crate) const MAX_FRAME_LEN: usize = 1514;
const CHECKSUM_LEN: usize = 4;
const WORD_LEN: usize = size_of::<u32>();
/// Free room in the chip that a frame is sent into: the longest one, its commands, and alignment.
const SEND_ROOM: usize = MAX_FRAME_LEN + 4 * WORD_LEN;
/// Reads of a register that the chip changes by itself, before the chip counts as broken. The slowest of them, the
/// loading of the EEPROM after a reset, takes some milliseconds.
const MAX_READS: u32 = 1_000_000;
/// The statuses of sent frames are thrown away when there are so many.
const MAX_SENT_STATUSES: u32 = 16;

/// What is wrong with the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Something else answers in its place, or nothing.
    NotFound,
    /// It did not do in time what it was told.
    Stuck,
}

/// The controller.
pub(crate) struct Lan9118 {
    chip: Block,
    damaged: u32,
}

impl Lan9118 {
    /// Finds the chip, resets it and sets it up.
    pub(crate) fn start(chip: Block) -> Result<Self, Fault> {
        let this = Self { chip, damaged: 0 };
        if chip.read(registers::BYTE_TEST) != registers::BYTE_ORDER
            || chip.read(registers::ID_REV) >> 16 != registers::CHIP_ID
        {
            return Err(Fault::NotFound);
        }
        chip.write(registers::HW_CFG, registers::HW_CFG_RESET);
        this.wait(registers::HW_CFG, registers::HW_CFG_RESET, 0)?;
        this.wait(registers::PMT_CTRL, registers::PMT_CTRL_READY, registers::PMT_CTRL_READY)?;
        this.wait(registers::E2P_CMD, registers::E2P_CMD_BUSY, 0)?;
        chip.write(registers::HW_CFG, registers::HW_CFG_RUN);
        chip.write(registers::RX_CFG, 0);
        this.write_phy(phy::CONTROL, phy::CONTROL_NEGOTIATE)?;
        this.write_mac(mac::CONTROL, mac::CONTROL_RUN)?;
        chip.write(registers::TX_CFG, registers::TX_CFG_ON);
        chip.write(registers::FIFO_INT, registers::FIFO_INT_FIRST_FRAME);
        chip.write(registers::IRQ_CFG, registers::IRQ_CFG_ACTIVE_HIGH);
        chip.write(registers::INT_STS, registers::INT_ALL);
        chip.write(registers::INT_EN, registers::INT_RX_STATUS_LEVEL);
        Ok(this)
    }

    /// The address that the chip has read from its EEPROM.
    pub(crate) fn mac(&self) -> Result<MacAddr, Fault> {
        let [a, b, c, d] = self.read_mac(mac::ADDRESS_LOW)?.to_le_bytes();
        let [e, f, ..] = self.read_mac(mac::ADDRESS_HIGH)?.to_le_bytes();
        Ok(MacAddr([a, b, c, d, e, f]))
    }

    /// Whether the port has carrier.
    pub(crate) fn has_link(&self) -> Result<bool, Fault> {
        Ok(self.read_phy(phy::STATUS)? & phy::STATUS_LINK != 0)
    }

    /// Frames that were received damaged.
    pub(crate) const fn damaged(&self) -> u32 {
        self.damaged
    }

    /// Whether frames wait.
    pub(crate) fn has_received(&self) -> bool {
        registers::frames_waiting(self.chip.read(registers::RX_FIFO_INF)) > 0
    }

    /// Lets the interrupt line go until the next frame comes.
    pub(crate) fn clear_interrupt(&self) {
        self.chip.write(registers::INT_STS, registers::INT_ALL);
    }

    /// Takes the next good frame into `buffer`; its length. A damaged one is taken and counted, and `None` is returned.
    pub(crate) fn receive(&mut self, buffer: &mut [u8; MAX_FRAME_LEN]) -> Option<usize> {
        if !self.has_received() {
            return None;
        }
        let status = self.chip.read(registers::RX_STATUS);
        let received = registers::received_len(status);
        let mut words = buffer.chunks_mut(WORD_LEN);
        for _ in 0..received.div_ceil(WORD_LEN) {
            let word = self.chip.read(registers::RX_DATA).to_le_bytes();
            // The checksum behind the longest frame finds no room, and needs none.
            if let Some(place) = words.next() {
                place.iter_mut().zip(word).for_each(|(place, byte)| *place = byte);
            }
        }
        let len = received.checked_sub(CHECKSUM_LEN).filter(|len| *len <= MAX_FRAME_LEN);
        let good = len.filter(|_| status & registers::RX_STATUS_ERROR == 0);
        if good.is_none() {
            self.damaged = self.damaged.saturating_add(1);
        }
        good
    }

    /// Whether a frame of any length can be sent.
    pub(crate) fn can_send(&self) -> bool {
        let state = self.chip.read(registers::TX_FIFO_INF);
        if registers::sent_statuses(state) > MAX_SENT_STATUSES {
            for _ in 0..registers::sent_statuses(state) {
                self.chip.read(registers::TX_STATUS);
            }
        }
        registers::free_to_send(state) >= SEND_ROOM
    }

    /// Sends `frame`; the chip pads it. `false` when it is too long or there is no room.
    pub(crate) fn send(&self, frame: &[u8]) -> bool {
        if frame.len() > MAX_FRAME_LEN || !self.can_send() {
            return false;
        }
        let len = frame.len() as u32 & registers::TX_COMMAND_LEN;
        self.chip.write(registers::TX_DATA, registers::TX_COMMAND_WHOLE | len);
        self.chip.write(registers::TX_DATA, len);
        for bytes in frame.chunks(WORD_LEN) {
            let mut word = [0; WORD_LEN];
            word.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
            self.chip.write(registers::TX_DATA, u32::from_le_bytes(word));
        }
        true
    }

    fn read_phy(&self, register: u32) -> Result<u32, Fault> {
        self.access_phy(register, 0)?;
        self.read_mac(mac::MII_DATA)
    }

    fn write_phy(&self, register: u32, value: u32) -> Result<(), Fault> {
        self.write_mac(mac::MII_DATA, value)?;
        self.access_phy(register, mac::MII_WRITE)
    }

    fn access_phy(&self, register: u32, direction: u32) -> Result<(), Fault> {
        let command = mac::MII_OWN_PHY | register << mac::MII_REGISTER_SHIFT | direction | mac::MII_BUSY;
        self.write_mac(mac::MII_ACCESS, command)?;
        for _ in 0..MAX_READS {
            if self.read_mac(mac::MII_ACCESS)? & mac::MII_BUSY == 0 {
                return Ok(());
            }
        }
        Err(Fault::Stuck)
    }

    fn read_mac(&self, register: u32) -> Result<u32, Fault> {
        self.chip.write(registers::MAC_CSR_CMD, registers::MAC_CSR_BUSY | registers::MAC_CSR_READ | register);
        self.wait(registers::MAC_CSR_CMD, registers::MAC_CSR_BUSY, 0)?;
        Ok(self.chip.read(registers::MAC_CSR_DATA))
    }

    fn write_mac(&self, register: u32, value: u32) -> Result<(), Fault> {
        self.wait(registers::MAC_CSR_CMD, registers::MAC_CSR_BUSY, 0)?;
        self.chip.write(registers::MAC_CSR_DATA, value);
        self.chip.write(registers::MAC_CSR_CMD, registers::MAC_CSR_BUSY | register);
        self.wait(registers::MAC_CSR_CMD, registers::MAC_CSR_BUSY, 0)
    }

    fn wait(&self, register: usize, mask: u32, value: u32) -> Result<(), Fault> {
        let done = (0..MAX_READS).any(|_| self.chip.read(register) & mask == value);
        if done { Ok(()) } else { Err(Fault::Stuck) }
    }
}
