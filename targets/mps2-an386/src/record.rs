//! What survives a restart: the core's record and a count of boots, with a checksum.
//!
//! A board stores it by [`RecordStore`]. The emulated board keeps it in a file of the machine that debugs it. A real one
//! keeps it in its flash: two sectors that are written in turn, so that a power cut leaves the older one. Erasing a sector
//! may stop the processor for longer than a heartbeat; a board that runs from the same flash erases the next sector
//! right after it has stored, when it is standby.

use ucm_ha::crc::CRC;
use ucm_ha::io::Record;

/// Length of a stored record, in bytes.
pub const STORED_LEN: usize = 24;
/// First bytes of a stored record of this layout.
const MAGIC: [u8; 4] = *b"UHR1";
/// Bytes that the checksum covers.
const COVERED_LEN: usize = STORED_LEN - 4;

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The core's record.
    pub record: Record,
    /// Boots so far; each makes a new boot id.
    pub boots: u32,
}

/// Where a board keeps the record.
pub trait RecordStore {
    /// What was stored last, or `None` when there is nothing that can be trusted.
    fn load(&mut self) -> Option<Stored>;

    /// Stores durably; `false` when that failed and the old one may have stayed.
    fn store(&mut self, stored: &Stored) -> bool;
}

/// The bytes of `stored`.
pub fn encode(stored: &Stored) -> [u8; STORED_LEN] {
    let Record { term, term_ceiling, last_active, disabled_by_peer, handovers, maintenance } = stored.record;
    let mut bytes = [0; STORED_LEN];
    let (covered, checksum) = bytes.split_at_mut(COVERED_LEN);
    covered[0..4].copy_from_slice(&MAGIC);
    covered[4..8].copy_from_slice(&term.to_be_bytes());
    covered[8..12].copy_from_slice(&term_ceiling.to_be_bytes());
    covered[12..16].copy_from_slice(&[
        u8::from(last_active),
        u8::from(disabled_by_peer),
        handovers,
        u8::from(maintenance),
    ]);
    covered[16..20].copy_from_slice(&stored.boots.to_be_bytes());
    checksum.copy_from_slice(&CRC.checksum(covered).to_be_bytes());
    bytes
}

/// Reads what [`encode`] wrote; `None` when a bit of it is not as it was.
pub fn decode(bytes: &[u8; STORED_LEN]) -> Option<Stored> {
    let [m0, m1, m2, m3, t0, t1, t2, t3, c0, c1, c2, c3, active, disabled, handovers, maintenance, ..] = *bytes;
    let [.., b0, b1, b2, b3, _, _, _, _] = *bytes;
    let stored = Stored {
        record: Record {
            term: u32::from_be_bytes([t0, t1, t2, t3]),
            term_ceiling: u32::from_be_bytes([c0, c1, c2, c3]),
            last_active: active == 1,
            disabled_by_peer: disabled == 1,
            handovers,
            maintenance: maintenance == 1,
        },
        boots: u32::from_be_bytes([b0, b1, b2, b3]),
    };
    ([m0, m1, m2, m3] == MAGIC && encode(&stored) == *bytes).then_some(stored)
}

/// The boot id: another one at each boot of a station (the checksum maps the counts one to one), and hardly ever that of
/// another station. A board with a random number generator takes a random one.
pub fn boot_id(mac: [u8; 6], time_s: u32, boots: u32) -> u32 {
    let mut digest = CRC.digest();
    digest.update(&mac);
    digest.update(&time_s.to_be_bytes());
    digest.update(&boots.to_be_bytes());
    digest.finalize().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const STORED: Stored = Stored {
        record: Record {
            term: 7,
            term_ceiling: 1007,
            last_active: true,
            disabled_by_peer: false,
            handovers: 2,
            maintenance: true,
        },
        boots: 3,
    };

    #[test]
    fn what_was_stored_is_read_back() {
        assert_eq!(decode(&encode(&STORED)), Some(STORED));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        for bit in 0..STORED_LEN * 8 {
            let mut damaged = encode(&STORED);
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn erased_flash_and_zeros_are_no_record() {
        assert_eq!(decode(&[0xff; STORED_LEN]), None);
        assert_eq!(decode(&[0; STORED_LEN]), None);
    }

    #[test]
    fn each_boot_has_its_own_id_also_where_the_clock_stands() {
        let ids: HashSet<u32> = (0..10_000).map(|boots| boot_id([2, 0, 0, 0, 0, 1], 0, boots)).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
