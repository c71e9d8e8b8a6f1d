//! The node: inputs in, outputs out.

use crate::config::{Config, ConfigError};
use crate::io::{Input, Output, Record};
use crate::status::Status;
use crate::time::Instant;

/// Size of the buffer that [`Node::poll_output`] writes frames to, in bytes.
pub const FRAME_CAPACITY: usize = 192;

/// One node of the pair.
pub struct Node {
    config: Config,
}

impl Node {
    /// A node in its first state. `boot_id` must be random and non-zero at every start; `record` is what the last
    /// [`Output::Persist`] stored (default when there is none).
    pub fn new(config: Config, record: Record, boot_id: u32, now: Instant) -> Result<Self, ConfigError> {
        config.validate()?;
        let _ = (record, boot_id, now);
        Ok(Self { config })
    }

    /// Takes a fact. `now` must not run backwards. Afterwards drain [`poll_output`](Self::poll_output).
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        let _ = (now, input);
    }

    /// The next effect to carry out, or `None` when there is none left. Frames are written to `frame`.
    pub fn poll_output(&mut self, frame: &mut [u8; FRAME_CAPACITY]) -> Option<Output> {
        let _ = frame;
        None
    }

    /// When to call [`handle`](Self::handle) with [`Input::Timeout`] at the latest.
    pub fn poll_timeout(&self) -> Instant {
        Instant::NEVER
    }

    /// A snapshot for the operator.
    pub fn status(&self, now: Instant) -> Status {
        let _ = (now, self.config);
        todo!()
    }
}
