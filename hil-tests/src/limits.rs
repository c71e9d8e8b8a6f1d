//! Lengths of time that more than one scenario knows.

use std::time::Duration;

/// Longest gap that nobody on a call would notice.
pub(crate) const UNNOTICED: Duration = Duration::from_millis(100);
