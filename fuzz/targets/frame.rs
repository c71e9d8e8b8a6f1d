//! Heartbeats, with and without a key: as they are, and with checksum and code made right.
//!
//! What is read is written again and read again as the same, to the byte where nothing is documented to be ignored. Another
//! key, a missing one and a byte too few are always found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ucm_ha::types::{KEY_LEN, Key};
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::wire::{EXTENSION_LEN, FIXED_LEN, FrameError, MAX_EMIT_LEN, Repr};
use ucm_ha_fuzz::seal::sealed;
use ucm_ha_fuzz::settings::KEY;

/// Fixed fields that must come back to the byte. Between them: the length, which counts fields of later versions; detail and term of
/// signals that have none, fault bits that are not known yet, flags, conditions that are not known yet.
const KEPT: [core::ops::Range<usize>; 3] = [0..6, 8..51, 60..73];

fn read_and_write(bytes: &[u8], key: Option<&Authenticator>) -> Option<Repr> {
    let repr = Repr::parse(bytes, key).ok()?;
    let mut buffer = [0; MAX_EMIT_LEN];
    let length = repr.emit(key, &mut buffer).expect("what was read fits");
    assert_eq!(Repr::parse(&buffer[..length], key), Ok(repr));
    let extension = FIXED_LEN..FIXED_LEN + repr.extension.map_or(0, |_| EXTENSION_LEN);
    for range in KEPT.into_iter().chain([extension]) {
        assert_eq!(buffer[range.clone()], bytes[range.clone()], "bytes {range:?}");
    }
    assert_eq!(Repr::parse(&bytes[..bytes.len() - 1], key), Err(FrameError::Malformed), "a byte too few");
    Some(repr)
}

fuzz_target!(|bytes: &[u8]| {
    let (right, wrong) = (Authenticator::new(&KEY), Authenticator::new(&Key([0xa5; KEY_LEN])));
    for key in [None, Some(&right)] {
        let as_it_is = read_and_write(bytes, key);
        let frame = sealed(bytes, key);
        let made_right = read_and_write(&frame, key);
        if let Some(said) = as_it_is {
            // What was the trailer stands behind the fields now: an extension that was too short may have grown into one.
            let made_right = made_right.map(|repr| Repr { extension: said.extension.and(repr.extension), ..repr });
            assert_eq!(Some(said), made_right);
        }
        // What cannot be read is refused before anybody looks for a code.
        let refused = if made_right.is_some() { FrameError::Unauthentic } else { FrameError::Malformed };
        let other = if key.is_some() { None } else { Some(&right) };
        for stranger in [other, Some(&wrong)] {
            assert_eq!(Repr::parse(&frame, stranger), Err(refused));
        }
    }
});
