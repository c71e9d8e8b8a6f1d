//! What kinds of machines are emulated.

use std::time::Duration;

/// Time of the machines' watchdog.
pub(super) const WATCHDOG: Duration = Duration::from_secs(10);

/// What kind of machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Board {
    /// 64-bit.
    Aarch64,
    /// 32-bit.
    Armv7,
}

impl Board {
    /// Its name for `hil-tests/prepare`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::Armv7 => "armv7",
        }
    }
}
