//! The heartbeat cable: a serial line.
//!
//! It has no carrier, so it always counts as plugged in. A board that stands still altogether (a debugger, a flash erase)
//! looks like one without power to whoever takes silence for a lost carrier, and may come back with its address: fast
//! failover must not rest on that. So a power loss is found after the heartbeat timeout here, not within half a second.

use crate::uart::{CABLE, Uart};
use board::serial::{self, Decoder, MAX_RECEIVE_LEN, MAX_SEND_LEN};

/// Bits per second. 40 heartbeats a second in each direction need less than a tenth of it.
const BAUD: u32 = 921_600;

/// The cable.
pub(crate) struct Cable {
    line: &'static Uart,
    decoder: Decoder<'static>,
}

impl Cable {
    /// Starts the line.
    pub(crate) fn start(buffer: &'static mut [u8; MAX_RECEIVE_LEN]) -> Self {
        CABLE.start(BAUD);
        Self { line: &CABLE, decoder: Decoder::new(buffer) }
    }

    /// Sends a frame; `false` when it finds no room.
    pub(crate) fn send(&self, frame: &[u8]) -> bool {
        let mut line = [0; MAX_SEND_LEN];
        serial::encode(frame, &mut line).is_some_and(|bytes| self.line.send(bytes))
    }

    /// Copies the next frame into `buffer`; its length. `None` when none is whole yet.
    pub(crate) fn receive(&mut self, buffer: &mut [u8; MAX_RECEIVE_LEN]) -> Option<usize> {
        while let Some(byte) = self.line.receive() {
            if let Some(frame) = self.decoder.feed(byte) {
                buffer.get_mut(..frame.len())?.copy_from_slice(frame);
                return Some(frame.len());
            }
        }
        None
    }

    /// Whether bytes wait.
    pub(crate) fn has_received(&self) -> bool {
        self.line.has_received()
    }

    /// Frames that came in damaged.
    pub(crate) const fn damaged(&self) -> u32 {
        self.decoder.damaged()
    }

    /// Bytes that came in and were lost.
    pub(crate) fn lost(&self) -> u32 {
        self.line.lost()
    }
}
