//! Heartbeats made valid again after a mutation: no fuzzer guesses a checksum or an authentication code.

use ucm_ha::crc::CRC;
use ucm_ha::wire::auth::{Authenticator, TAG_LEN};
use ucm_ha::wire::{CRC_LEN, FIXED_LEN, MAGIC, MAX_PARSE_LEN, VERSION};

/// The bytes of the fixed fields, as in docs/protocol.md.
const LENGTH: core::ops::Range<usize> = 6..8;
const FLAGS: usize = 73;
const FLAG_AUTHENTICATED: u8 = 1;

/// A frame with the fields and the extension of `body`, whose magic, version, length, checksum and code are right.
pub fn sealed(body: &[u8], key: Option<&Authenticator>) -> Vec<u8> {
    let trailer = CRC_LEN + key.map_or(0, |_| TAG_LEN);
    let mut frame = body[..body.len().min(MAX_PARSE_LEN - trailer)].to_vec();
    frame.resize(frame.len().max(FIXED_LEN), 0);
    let length = u16::try_from(frame.len() + trailer).expect("no longer than a frame may be");
    frame[..MAGIC.len()].copy_from_slice(&MAGIC);
    frame[MAGIC.len()] = VERSION;
    frame[LENGTH].copy_from_slice(&length.to_be_bytes());
    frame[FLAGS] = if key.is_some() { FLAG_AUTHENTICATED } else { 0 };
    let crc = CRC.checksum(&frame);
    frame.extend(crc.to_be_bytes());
    if let Some(key) = key {
        let tag = key.tag(&[&frame]);
        frame.extend(tag);
    }
    frame
}
