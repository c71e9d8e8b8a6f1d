//! What the fuzz targets of `fuzz/` beside this folder call: built for them and for tests only, and promised to nobody.
//!
//! Each function takes any bytes for what somebody else wrote, and panics when what must hold of them does not.

mod config;
mod control;
mod written;

pub use config::config;
pub use control::control;

use crate::{journal, state};
use ucm_ha::io::Record;

/// Length of the fields of a record of the state, as bytes of a fuzzer.
const RECORD_LEN: usize = 12;

/// The state file. Any text is either what would be written for its record, to the byte, or refused; so a text whose checksum
/// was made right is the record's, and no damage makes one record another.
pub fn state(bytes: &[u8]) {
    let check = |text: &[u8]| {
        if let Some(record) = state::decode(text) {
            assert_eq!(state::encode(&record).as_bytes(), text, "read from what would not be written");
        }
    };
    check(bytes);
    let body = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"crc "));
    let body = body.collect::<Vec<_>>().concat();
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&body);
    check(&[&body, format!("crc {crc:08x}\n").as_bytes()].concat());
    if let Some((fields, rest)) = bytes.split_first_chunk::<RECORD_LEN>() {
        let record = record(fields);
        let mut text = state::encode(&record).into_bytes();
        assert_eq!(state::decode(&text), Some(record), "not read back");
        if let [at, flip, ..] = *rest {
            let at = usize::from(at) % text.len();
            text[at] ^= flip;
            assert_eq!(state::decode(&text), (flip == 0).then_some(record), "byte {at} damaged by {flip:#x}");
        }
    }
}

fn record(fields: &[u8; RECORD_LEN]) -> Record {
    let [a, b, c, d, e, f, g, h, last_active, disabled_by_peer, handovers, maintenance] = *fields;
    Record {
        term: u32::from_be_bytes([a, b, c, d]),
        term_ceiling: u32::from_be_bytes([e, f, g, h]),
        last_active: last_active & 1 != 0,
        disabled_by_peer: disabled_by_peer & 1 != 0,
        handovers,
        maintenance: maintenance & 1 != 0,
    }
}

/// The file of a log.
pub fn journal(bytes: &[u8]) {
    journal::fuzzing::file(bytes);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs what the repository keeps for a target, and every beginning of it.
    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut inputs = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            (0..=bytes.len()).step_by(bytes.len() / 16 + 1).for_each(|len| run(&bytes[..len]));
            run(&bytes);
            inputs += 1;
        }
        assert!(inputs > 0, "nothing is kept for {target}");
    }

    #[test]
    fn what_is_kept_of_configurations_passes() {
        replay("config", super::config);
    }

    #[test]
    fn what_is_kept_of_requests_passes() {
        replay("control", super::control);
    }

    #[test]
    fn what_is_kept_of_states_passes() {
        replay("state", super::state);
    }

    #[test]
    fn what_is_kept_of_logs_passes() {
        replay("journal", super::journal);
    }
}
