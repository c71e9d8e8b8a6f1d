//! The checksum of frames, and of the digest of the settings: CRC-32 as in IEEE 802.3.

use crc::CRC_32_ISO_HDLC as CRC_32;

/// Remainder of each value of four bits. With it a checksum takes half as many instructions as bit by bit, for 64 bytes; the crate
/// `crc`, which knows the polynomial, has a table of 1 KiB or none.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut index = 0;
    while index < table.len() {
        let mut remainder = index as u32;
        let mut bit = 0;
        while bit < 4 {
            let carry = remainder & 1 != 0;
            remainder = remainder >> 1 ^ if carry { CRC_32.poly.reverse_bits() } else { 0 };
            bit += 1;
        }
        table[index] = remainder;
        index += 1;
    }
    table
};

/// The algorithm.
pub const CRC: Crc = Crc;

/// The algorithm; used as [`CRC`].
#[derive(Clone, Copy, Debug)]
pub struct Crc;

impl Crc {
    /// The checksum of `bytes`.
    pub fn checksum(self, bytes: &[u8]) -> u32 {
        let mut digest = self.digest();
        digest.update(bytes);
        digest.finalize()
    }

    /// Begins a checksum over several parts.
    pub const fn digest(self) -> Digest {
        Digest(CRC_32.init)
    }
}

/// A checksum that grows.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u32);

impl Digest {
    /// Adds a part.
    #[inline(never)]
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..2 {
                self.0 = self.0 >> 4 ^ TABLE[(self.0 & 0xf) as usize];
            }
        }
    }

    /// The checksum of all parts.
    pub const fn finalize(self) -> u32 {
        self.0 ^ CRC_32.xorout
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(CRC.checksum(b"123456789"), CRC_32.check);
    }

    proptest! {
        #[test]
        fn it_is_what_the_crate_computes_bit_by_bit(parts in proptest::collection::vec(any::<std::vec::Vec<u8>>(), 0..4)) {
            let mut digest = CRC.digest();
            parts.iter().for_each(|part| digest.update(part));
            prop_assert_eq!(digest.finalize(), crc::Crc::<u32, crc::NoTable>::new(&CRC_32).checksum(&parts.concat()));
        }
    }
}
