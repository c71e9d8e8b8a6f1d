//! The checksum of frames, and of the digest of the settings.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// CRC-32 as in IEEE 802.3; small rather than fast, since frames are short and rare.
pub const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);
