//! Registers of the LAN9118 (Microchip LAN9118 data sheet DS00002266), each once. LAN9220 and LAN9221 have the same.

/// Received data, a word at a time.
pub(super) const RX_DATA: usize = 0x00;
/// Data to send, a word at a time, behind two command words.
pub(super) const TX_DATA: usize = 0x20;
/// Status of the next received frame; reading takes it.
pub(super) const RX_STATUS: usize = 0x40;
/// Status of the oldest sent frame; reading takes it.
pub(super) const TX_STATUS: usize = 0x48;
/// Chip id and revision.
pub(super) const ID_REV: usize = 0x50;
/// How the interrupt line works.
pub(super) const IRQ_CFG: usize = 0x54;
/// Interrupts that are asserted; writing a bit clears it.
pub(super) const INT_STS: usize = 0x58;
/// Interrupts that reach the line.
pub(super) const INT_EN: usize = 0x5c;
/// Reads as [`BYTE_ORDER`] when chip and bus agree on the order of bytes.
pub(super) const BYTE_TEST: usize = 0x64;
/// Levels of the queues at which interrupts come.
pub(super) const FIFO_INT: usize = 0x68;
/// Alignment and offset of received data.
pub(super) const RX_CFG: usize = 0x6c;
/// Transmitter on and off.
pub(super) const TX_CFG: usize = 0x70;
/// Reset, and how the memory is shared out.
pub(super) const HW_CFG: usize = 0x74;
/// What waits in the receive queues.
pub(super) const RX_FIFO_INF: usize = 0x7c;
/// What waits in the transmit queues.
pub(super) const TX_FIFO_INF: usize = 0x80;
/// Power management; says when the chip is ready.
pub(super) const PMT_CTRL: usize = 0x84;
/// Access to the registers of the MAC: command …
pub(super) const MAC_CSR_CMD: usize = 0xa4;
/// … and data.
pub(super) const MAC_CSR_DATA: usize = 0xa8;
/// State of the EEPROM that holds the MAC address.
pub(super) const E2P_CMD: usize = 0xb0;

/// Upper half of [`ID_REV`].
pub(super) const CHIP_ID: u32 = 0x0118;
pub(super) const BYTE_ORDER: u32 = 0x8765_4321;
/// Line driven, active high, and enabled.
pub(super) const IRQ_CFG_ACTIVE_HIGH: u32 = 1 << 0 | 1 << 4 | 1 << 8;
/// More frames wait than [`FIFO_INT`] says.
pub(super) const INT_RX_STATUS_LEVEL: u32 = 1 << 3;
pub(super) const INT_ALL: u32 = u32::MAX;
/// Transmit interrupts never, receive interrupt from the first frame on.
pub(super) const FIFO_INT_FIRST_FRAME: u32 = 0xff << 24;
pub(super) const TX_CFG_ON: u32 = 1 << 1;
pub(super) const HW_CFG_RESET: u32 = 1 << 0;
/// A bit that must be set, and 5 KB for sending; the rest is for receiving.
pub(super) const HW_CFG_RUN: u32 = 1 << 20 | 5 << 16;
pub(super) const PMT_CTRL_READY: u32 = 1 << 0;
pub(super) const E2P_CMD_BUSY: u32 = 1 << 31;
pub(super) const MAC_CSR_BUSY: u32 = 1 << 31;
pub(super) const MAC_CSR_READ: u32 = 1 << 30;

/// Frames in the receive queue, in [`RX_FIFO_INF`].
pub(super) const fn frames_waiting(rx_fifo_inf: u32) -> u32 {
    rx_fifo_inf >> 16 & 0xff
}

/// Frames in the status queue of the transmitter, in [`TX_FIFO_INF`].
pub(super) const fn sent_statuses(tx_fifo_inf: u32) -> u32 {
    tx_fifo_inf >> 16 & 0xff
}

/// Free bytes for sending, in [`TX_FIFO_INF`].
pub(super) const fn free_to_send(tx_fifo_inf: u32) -> usize {
    (tx_fifo_inf & 0xffff) as usize
}

/// Length of a frame with its checksum, in its [`RX_STATUS`].
pub(super) const fn received_len(rx_status: u32) -> usize {
    (rx_status >> 16 & 0x3fff) as usize
}

/// The frame is damaged, in its [`RX_STATUS`].
pub(super) const RX_STATUS_ERROR: u32 = 1 << 15;
/// First command word of a frame that is in one buffer; its length is added.
pub(super) const TX_COMMAND_WHOLE: u32 = 1 << 13 | 1 << 12;
/// Mask of a length in both command words.
pub(super) const TX_COMMAND_LEN: u32 = 0x7ff;

/// Registers of the MAC, behind [`MAC_CSR_CMD`].
pub(super) mod mac {
    /// Control.
    pub(in super::super) const CONTROL: u32 = 1;
    /// Upper 16 bits of the own address.
    pub(in super::super) const ADDRESS_HIGH: u32 = 2;
    /// Lower 32 bits.
    pub(in super::super) const ADDRESS_LOW: u32 = 3;
    /// Access to the registers of the PHY: command …
    pub(in super::super) const MII_ACCESS: u32 = 6;
    /// … and data.
    pub(in super::super) const MII_DATA: u32 = 7;

    /// Full duplex, sender and receiver on; own address and broadcast only.
    pub(in super::super) const CONTROL_RUN: u32 = 1 << 20 | 1 << 3 | 1 << 2;
    pub(in super::super) const MII_BUSY: u32 = 1 << 0;
    pub(in super::super) const MII_WRITE: u32 = 1 << 1;
    /// The PHY inside the chip.
    pub(in super::super) const MII_OWN_PHY: u32 = 1 << 11;
    /// Place of the number of a PHY register.
    pub(in super::super) const MII_REGISTER_SHIFT: u32 = 6;
}

/// Registers of the PHY, behind [`mac::MII_ACCESS`] (IEEE 802.3 clause 22).
pub(super) mod phy {
    pub(in super::super) const CONTROL: u32 = 0;
    pub(in super::super) const STATUS: u32 = 1;
    /// Negotiate speed and duplex, from now on.
    pub(in super::super) const CONTROL_NEGOTIATE: u32 = 1 << 12 | 1 << 9;
    /// Cleared by a loss of the link until it is read.
    pub(in super::super) const STATUS_LINK: u32 = 1 << 2;
}
