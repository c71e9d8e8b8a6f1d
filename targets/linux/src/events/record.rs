//! One record, and its form on disk: a line of fixed length with a checksum, so that a write that was cut off damages
//! this one record and no other.

use crate::clock;
use crc::{CRC_32_ISO_HDLC, Crc};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Length of a record on disk, in bytes: `CRC JSON blanks newline`.
pub(crate) const SLOT_LEN: usize = 512;
/// Length of the checksum, in hexadecimal digits.
pub(crate) const CRC_LEN: usize = 8;
pub(crate) const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum What {
    /// Something is wrong with a station (`raised`), or no longer.
    Alert {
        /// What, in the words of the guide, e.g. `HEARTBEAT`.
        cause: String,
        /// What the event says of it, e.g. `loose connection`.
        text: String,
        /// Whether it begins or ends.
        raised: bool,
        /// The station's MAC in lower-case hex, where it is known.
        mac: Option<String>,
    },
    /// This node has another role, or took the one it has anew.
    Role {
        /// The role before.
        from: String,
        /// The role now.
        to: String,
        /// Why.
        reason: String,
        /// Term of the newest claim.
        term: u32,
        /// This node's MAC in lower-case hex.
        mac: String,
    },
    /// A full backup ended.
    Backup {
        /// Whether the copy is complete.
        success: bool,
    },
    /// The log was cleaned: what is older is not shown any more.
    Cleared,
}

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Higher than that of every record before, in all logs and over restarts.
    pub(crate) id: u64,
    /// Wall time: ms since 1970.
    pub(crate) unix_ms: i64,
    /// Time since the machine was booted, in ms.
    pub(crate) monotonic_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub(crate) what: What,
}

impl Record {
    /// When it happened.
    pub(crate) fn time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.unix_ms).unwrap_or_default())
    }

    /// What happens now.
    pub(crate) fn now(id: u64, what: What) -> Self {
        Self { id, unix_ms: unix_ms(), monotonic_ms: clock::now().as_ms(), what }
    }
}

fn unix_ms() -> i64 {
    // A clock before 1970 has not been set; the numbers keep the order.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What stands at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A record.
    Record(Record),
    /// Nothing, on purpose.
    Blank,
    /// What nobody wrote: cut off, or damaged later.
    Damaged,
}

/// A place without a record.
pub(crate) const BLANK: [u8; SLOT_LEN] = {
    let mut blank = [b' '; SLOT_LEN];
    blank[SLOT_LEN - 1] = b'\n';
    blank
};

/// The record as it stands on disk; `None` when it is too long for its place.
pub(crate) fn encode(record: &Record) -> Option<[u8; SLOT_LEN]> {
    let json = serde_json::to_vec(record).ok()?;
    let mut slot = BLANK;
    slot.get_mut(CRC_LEN + 1..SLOT_LEN - 1)?.get_mut(..json.len())?.copy_from_slice(&json);
    let crc = format!("{:08x}", CRC.checksum(slot.get(CRC_LEN..)?));
    slot.get_mut(..CRC_LEN)?.copy_from_slice(crc.as_bytes());
    Some(slot)
}

/// Only what [`encode`] wrote is taken for a record.
pub(crate) fn decode(slot: &[u8]) -> Slot {
    if slot == BLANK {
        return Slot::Blank;
    }
    let parse = || {
        let (crc, body) = slot.split_at_checked(CRC_LEN)?;
        let crc = u32::from_str_radix(str::from_utf8(crc).ok()?, 16).ok()?;
        (slot.len() == SLOT_LEN && CRC.checksum(body) == crc).then(|| serde_json::from_slice(body).ok())?
    };
    parse().map_or(Slot::Damaged, Slot::Record)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An alert with this number.
    pub(crate) fn alert(id: u64) -> Record {
        let what = What::Alert {
            cause: "HEARTBEAT".to_owned(),
            text: "loose connection".to_owned(),
            raised: true,
            mac: Some("c074ad537372".to_owned()),
        };
        Record { id, unix_ms: 1_630_075_713_000 + i64::try_from(id).unwrap(), monotonic_ms: id, what }
    }

    #[test]
    fn a_record_is_read_back() {
        let what = What::Role {
            from: "Standby".to_owned(),
            to: "Active".to_owned(),
            reason: "peer silent for 7 s".to_owned(),
            term: u32::MAX,
            mac: "c074ad537372".to_owned(),
        };
        for what in [alert(1).what, what, What::Backup { success: false }, What::Cleared] {
            let record = Record { id: u64::MAX, unix_ms: i64::MIN, monotonic_ms: u64::MAX, what };
            assert_eq!(decode(&encode(&record).unwrap()), Slot::Record(record));
        }
        assert_eq!(decode(&BLANK), Slot::Blank);
    }

    #[test]
    fn a_record_is_one_line_that_people_can_read() {
        let slot = encode(&alert(7)).unwrap();
        let text = str::from_utf8(&slot).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(
            text.contains(r#" {"id":7,"unix_ms":1630075713007,"monotonic_ms":7,"kind":"alert","cause":"HEARTBEAT","#)
        );
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let slot = encode(&alert(1)).unwrap();
        for bit in 0..SLOT_LEN * 8 {
            let mut damaged = slot;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !matches!(decode(&damaged), Slot::Record(record) if record != alert(1)),
                "bit {bit} makes another record"
            );
            // The case of the checksum's digits is the one thing that may differ.
            let same = damaged.eq_ignore_ascii_case(&slot) && bit / 8 < CRC_LEN;
            assert_eq!(decode(&damaged) == Slot::Damaged, !same, "bit {bit}");
        }
    }

    #[test]
    fn a_write_cut_off_anywhere_is_found() {
        let (old, new) = (encode(&alert(1)).unwrap(), encode(&alert(99)).unwrap());
        for end in 0..SLOT_LEN {
            assert_eq!(decode(&new[..end]), Slot::Damaged, "{end} bytes");
            let mut torn = old;
            torn[..end].copy_from_slice(&new[..end]);
            let whole = torn == old || torn == new;
            assert_eq!(decode(&torn) == Slot::Damaged, !whole, "{end} bytes over an old record");
        }
    }

    #[test]
    fn a_record_too_long_for_its_place_is_refused() {
        let mut record = alert(1);
        record.what = What::Alert { cause: "x".repeat(SLOT_LEN), text: String::new(), raised: true, mac: None };
        assert_eq!(encode(&record), None);
    }
}
