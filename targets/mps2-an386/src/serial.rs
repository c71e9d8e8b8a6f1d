//! The heartbeat cable as a serial line: each Ethernet frame goes in consistent-overhead byte stuffing (COBS), between zero
//! bytes. Damage to a byte costs one frame: its checksums are wrong, and the next zero byte begins a new one.

use cobs::{CobsDecoder, DecodeError, max_encoding_length};
use ucm_ha::FRAME_CAPACITY;
use ucm_ha::wire::MAX_PARSE_LEN;
use ucm_ha::wire::cable::HEADER_LEN;

/// Longest Ethernet frame that is received, in bytes.
pub const MAX_RECEIVE_LEN: usize = HEADER_LEN + MAX_PARSE_LEN;
/// Longest frame that is sent, with its stuffing and both zero bytes.
pub const MAX_SEND_LEN: usize = max_encoding_length(FRAME_CAPACITY) + 2;

/// Stuffs `frame` into `line`; what to send, or `None` when it does not fit. The zero byte in front ends whatever noise
/// the line has carried meanwhile.
pub fn encode<'line>(frame: &[u8], line: &'line mut [u8]) -> Option<&'line [u8]> {
    let len = cobs::try_encode_including_sentinels(frame, line).ok()?;
    line.get(..len)
}

/// Frames out of the bytes of the line.
pub struct Decoder<'buffer> {
    decoder: CobsDecoder<'buffer>,
    /// The frame that comes in is longer than the buffer.
    too_long: bool,
    damaged: u32,
}

impl<'buffer> Decoder<'buffer> {
    /// A decoder that has received nothing yet.
    pub fn new(buffer: &'buffer mut [u8; MAX_RECEIVE_LEN]) -> Self {
        Self { decoder: CobsDecoder::new(buffer), too_long: false, damaged: 0 }
    }

    /// Takes one byte; the whole frame when it was the last one.
    pub fn feed(&mut self, byte: u8) -> Option<&[u8]> {
        match self.decoder.feed(byte) {
            Ok(None) => None,
            Ok(Some(len)) if !core::mem::take(&mut self.too_long) => self.decoder.dest().get(..len),
            Ok(Some(_)) | Err(DecodeError::InvalidFrame { .. } | DecodeError::EmptyFrame) => {
                self.too_long = false;
                self.damaged = self.damaged.saturating_add(1);
                None
            }
            Err(DecodeError::TargetBufTooSmall) => {
                self.too_long = true;
                None
            }
        }
    }

    /// How many frames could not be read.
    pub const fn damaged(&self) -> u32 {
        self.damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn stuffed(frame: &[u8]) -> Vec<u8> {
        let mut line = std::vec![0; max_encoding_length(frame.len()) + 2];
        encode(frame, &mut line).unwrap().to_vec()
    }

    fn frames(decoder: &mut Decoder<'_>, line: &[u8]) -> Vec<Vec<u8>> {
        line.iter().filter_map(|byte| decoder.feed(*byte).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut buffer = [0; MAX_RECEIVE_LEN];
        let mut decoder = Decoder::new(&mut buffer);
        let whole: Vec<u8> = (0..=255).cycle().take(MAX_RECEIVE_LEN).collect();
        for frame in [&b"heartbeat"[..], &[0, 0, 0], &[0xff; 300], &whole] {
            assert_eq!(frames(&mut decoder, &stuffed(frame)), [frame]);
        }
        assert_eq!(decoder.damaged(), 0);
    }

    #[test]
    fn the_longest_frame_of_a_node_fits_the_line_whatever_its_bytes() {
        for byte in [0, 1, 0xff] {
            let mut line = [0; MAX_SEND_LEN];
            assert!(encode(&[byte; FRAME_CAPACITY], &mut line).is_some());
        }
    }

    #[test]
    fn noise_costs_no_frame_behind_it() {
        let mut buffer = [0; MAX_RECEIVE_LEN];
        let mut decoder = Decoder::new(&mut buffer);
        frames(&mut decoder, &[0x55; 7]);
        assert_eq!(frames(&mut decoder, &stuffed(b"heartbeat")), [b"heartbeat"]);
    }

    #[test]
    fn a_frame_that_is_too_long_costs_only_itself() {
        let mut buffer = [0; MAX_RECEIVE_LEN];
        let mut decoder = Decoder::new(&mut buffer);
        assert!(frames(&mut decoder, &stuffed(&[7; MAX_RECEIVE_LEN + 2])).is_empty());
        assert_eq!(decoder.damaged(), 1);
        assert_eq!(frames(&mut decoder, &stuffed(b"heartbeat")), [b"heartbeat"]);
    }

    #[test]
    fn a_byte_that_is_lost_anywhere_costs_at_most_two_frames() {
        let line = [stuffed(b"first heartbeat"), stuffed(b"second"), stuffed(b"third")].concat();
        for lost in 0..line.len() {
            let mut buffer = [0; MAX_RECEIVE_LEN];
            let mut decoder = Decoder::new(&mut buffer);
            let cut: Vec<u8> = line.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, byte)| *byte).collect();
            let good = frames(&mut decoder, &cut);
            let whole = good.iter().filter(|f| [&b"first heartbeat"[..], b"second", b"third"].contains(&&***f)).count();
            assert!(whole >= 2, "byte {lost}: {good:?}");
        }
    }
}
