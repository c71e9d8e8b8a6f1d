//! Message authentication: HMAC-SHA-256 (RFC 2104, FIPS 180-4) truncated to 128 bits.

use crate::types::Key;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Length of the authentication code, in bytes.
pub const TAG_LEN: usize = 16;

/// A key made ready for use.
#[derive(Clone)]
pub struct Authenticator {
    keyed: Hmac<Sha256>,
}

impl Authenticator {
    /// Prepares `key`.
    pub fn new(key: &Key) -> Self {
        // A key of 32 bytes fits every block size, so the fallible constructor has no failure to report.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(key.0) {
            *to = from;
        }
        Self { keyed: Hmac::new(&block) }
    }

    /// The code of the concatenated `parts`.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        for (to, from) in tag.iter_mut().zip(self.whole(parts).as_bytes()) {
            *to = *from;
        }
        tag
    }

    /// Whether `tag` is the code of `parts`; takes the same time whatever the answer.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8; TAG_LEN]) -> bool {
        let whole = self.whole(parts);
        // What the code is cut to is compared; the rest is the same on both sides.
        let mut expected = *whole.as_bytes();
        for (to, from) in expected.iter_mut().zip(tag) {
            *to = *from;
        }
        whole == CtOutput::new(expected)
    }

    /// The code before it is cut. One function for both ends: the last blocks of two hashes are much code.
    #[inline(never)]
    fn whole(&self, parts: &[&[u8]]) -> CtOutput<Hmac<Sha256>> {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 test case 2, with its 4-byte key zero-padded to 32 bytes as HMAC itself does.
    #[test]
    fn codes_are_hmac_sha_256_cut_to_128_bits() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let tag = Authenticator::new(&Key(key)).tag(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            tag,
            [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7]
        );
    }

    #[test]
    fn every_changed_bit_of_a_code_is_noticed() {
        let auth = Authenticator::new(&Key([7; 32]));
        let tag = auth.tag(&[b"frame"]);
        assert!(auth.verify(&[b"frame"], &tag));
        for bit in 0..TAG_LEN * 8 {
            let mut wrong = tag;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!auth.verify(&[b"frame"], &wrong), "bit {bit}");
        }
    }
}
