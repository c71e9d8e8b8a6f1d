//! What the registers of an Si3050-class DAA mean: the one file to change for another chip of the family.
//!
//! Items marked ⚠ were gathered from drivers and from data sheets of sibling chips (Si3056, Si306x) and are not confirmed
//! for the exact part. R17 (⚠ b1 ROV, b0 BTD) is not used: the receive overload is also in R4 b6, which is confirmed.

use crate::time::Duration;

// SPI access: control byte, register address, data.

/// Control byte of a read, without the chip id.
pub(super) const READ: u8 = 0x60;
/// Control byte of a write, without the chip id.
pub(super) const WRITE: u8 = 0x20;

/// The id of a chip in the control byte, by its place in the daisy chain: the place with its four bits in reverse order.
/// 00, 08, 04, 0C for the first four; ⚠ the others follow the same pattern.
pub(super) const fn chip_id(place: u8) -> u8 {
    place.reverse_bits() >> 4
}

/// R1, reset value 00⚠.
pub(super) const R1_CONTROL_1: u8 = 1;
/// R1 b7: soft reset.
pub(super) const R1_SOFT_RESET: u8 = 1 << 7;

/// R2, reset value 03: hybrid (b1) and receiver (b0 ⚠) on. b7 INTE and b6 INTP stay 0, since the chip is polled. b4, the
/// watchdog, stays 0 as well: it would drop a call because the program that polls was restarted.
pub(super) const R2_CONTROL_2: u8 = 2;
/// R2 as it is used, which is also its reset value.
pub(super) const R2_CONFIGURED: u8 = 0x03;

/// R4, interrupt sources: sticky, a 0 written clears a bit, ⚠ a 1 written leaves it.
pub(super) const R4_SOURCES: u8 = 4;
/// R4 b7: ringing was detected.
pub(super) const R4_RING: u8 = 1 << 7;
/// R4 b6: receive overload.
pub(super) const R4_OVERLOAD: u8 = 1 << 6;
/// R4 b5: frame lock was lost.
pub(super) const R4_FRAME_LOST: u8 = 1 << 5;

/// R5, reset value 00.
pub(super) const R5_HOOK: u8 = 5;
/// R5 b6 RDTN, b5 RDTP, b2 RDT: ringing.
pub(super) const R5_RINGING: u8 = 1 << 6 | 1 << 5 | 1 << 2;
/// R5 b3 ONHM: on-hook line monitor.
pub(super) const R5_ON_HOOK_MONITOR: u8 = 1 << 3;
/// R5 b1: always 0.
pub(super) const R5_ALWAYS_0: u8 = 1 << 1;
/// R5 b0 OH: off-hook.
pub(super) const R5_OFF_HOOK: u8 = 1 << 0;

/// R6, reset value 10⚠.
pub(super) const R6_POWER: u8 = 6;
/// R6 b4 PDL: line side powered down.
pub(super) const R6_LINE_SIDE_DOWN: u8 = 1 << 4;
/// R6 with everything powered.
pub(super) const R6_ALL_UP: u8 = 0x00;

/// R11, identities.
pub(super) const R11_IDENTITY: u8 = 11;
/// R11 b7..4: id of the line side, 0 while the link is not up.
pub(super) const R11_LINE_SIDE: u8 = 0xf0;

/// R12, line side status, reset value 00⚠.
pub(super) const R12_LINE_STATUS: u8 = 12;
/// R12 b6 FDT: frame lock on the isolation link. (R13 b6 is always 1 and is not it.)
pub(super) const R12_FRAME_LOCK: u8 = 1 << 6;
/// R12 b4..0 LCS: loop current, 3.3 mA per bit.
pub(super) const R12_LOOP_CURRENT: u8 = 0x1f;
/// R12 LCS at its end: overload.
pub(super) const R12_CURRENT_OVERLOAD: u8 = 0x1f;

/// R16, international control 1, reset value 00.
pub(super) const R16_INTERNATIONAL_1: u8 = 16;

/// R19, reset value 00.
pub(super) const R19_LINE_ALARMS: u8 = 19;
/// R19 b2 OVL: receive overload, b0 OPD: overload protection.
pub(super) const R19_OVERLOAD: u8 = 1 << 2 | 1 << 0;
/// R19 b1 DOD: the line feeds no power to an off-hook line side.
pub(super) const R19_DROPOUT: u8 = 1 << 1;

/// R26, DC termination.
pub(super) const R26_DC_TERMINATION: u8 = 26;

/// R29 LVS: loop voltage, signed, 1 V per bit, ±10 %. Line sides Si3011 and Si3019 only; 0 at 3 V and less.
pub(super) const R29_LOOP_VOLTAGE: u8 = 29;
/// R29 below this many volts: no battery.
pub(super) const R29_BATTERY_V: u8 = 3;
/// R29 below this many volts while on-hook: another phone is off-hook. ⚠ An own choice between the 5 to 12 V of a line in
/// use and the 24 V of the weakest idle line.
pub(super) const R29_IDLE_LINE_V: u8 = 18;

/// R30, AC termination.
pub(super) const R30_AC_TERMINATION: u8 = 30;

/// R31, DAA control 3, reset value 20.
pub(super) const R31_CONTROL_3: u8 = 31;

/// R33, PCM mode, reset value 00⚠.
pub(super) const R33_PCM: u8 = 33;
/// R33 b5: PCM on.
pub(super) const R33_PCM_ON: u8 = 1 << 5;
/// R33 b4..3 = 00: A-law.
pub(super) const R33_A_LAW: u8 = 0;
/// R33 b4..3 = 01: µ-law.
pub(super) const R33_MU_LAW: u8 = 1 << 3;

/// What the data line carries when nobody drives it, or when it is stuck high.
pub(super) const NOBODY_HIGH: u8 = 0xff;
/// What the data line carries when it is stuck low.
pub(super) const NOBODY_LOW: u8 = 0x00;

/// Rest after a soft reset (R1), and while the line side is powered down (R6; ⚠ taken to be the same).
pub(super) const RESET_REST: Duration = Duration::from_ms(100);
/// How long the line side may take to come up after R6 = 00.
pub(super) const LINK_UP_WITHIN: Duration = Duration::from_s(2);
/// How long frame lock (R12) must be lost to be taken for lost.
pub(super) const LINK_LOST_AFTER: Duration = Duration::from_s(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_four_chips_have_the_documented_ids_and_no_two_of_eight_share_one() {
        assert_eq!([0, 1, 2, 3].map(chip_id), [0x00, 0x08, 0x04, 0x0c]);
        let mut ids = [0, 1, 2, 3, 4, 5, 6, 7].map(chip_id);
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1] && pair[1] < 0x10));
    }
}
