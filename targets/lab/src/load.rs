//! Processors that have no time: busy loops.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, available_parallelism};

/// Busy loops at least.
const MIN_LOOPS: usize = 8;
/// And for each processor.
const LOOPS_PER_PROCESSOR: usize = 2;

/// Busy loops, until this is dropped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    loops: usize,
}

impl Load {
    /// Starts them.
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let processors = available_parallelism().map_or(1, NonZero::get);
        let loops = MIN_LOOPS.max(LOOPS_PER_PROCESSOR * processors);
        for _ in 0..loops {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self { stop, loops }
    }

    /// How many there are.
    pub(crate) fn loops(&self) -> usize {
        self.loops
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
