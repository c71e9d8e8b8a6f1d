//! How many labs run at a time.

use std::sync::{Condvar, Mutex, PoisonError};

/// Labs at a time: they mostly wait.
const ROOM: usize = 4;

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// Room for labs on this machine; free again when dropped.
pub(crate) struct Room(usize);

impl Room {
    /// For one lab beside others.
    pub(crate) fn beside_others() -> Self {
        Self::take(1)
    }

    /// For one that would disturb others, or that they would disturb.
    pub(crate) fn alone() -> Self {
        Self::take(ROOM)
    }

    fn take(wanted: usize) -> Self {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = FREED.wait_while(taken, |taken| *taken + wanted > ROOM).unwrap_or_else(PoisonError::into_inner);
        *taken += wanted;
        Self(wanted)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        FREED.notify_all();
    }
}
