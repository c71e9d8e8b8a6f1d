//! Things that are done at a steady rate.

use crate::worker::{STOP_CHECK, Stop};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Time between two bursts.
const BURST_PERIOD: Duration = Duration::from_millis(1);

/// Gives `rate` of these frames a second to `send`, until there are no more or it is told to stop.
pub(crate) fn send<T>(
    frames: impl Iterator<Item = T>,
    rate: u32,
    stop: &Stop,
    mut send: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let begin = Instant::now();
    for (frame, number) in frames.zip(0_u32..) {
        let due = Duration::from_secs(number.into()) / rate;
        while !stop.is_set()
            && let Some(early) = due.checked_sub(begin.elapsed())
        {
            thread::sleep(early.clamp(BURST_PERIOD, STOP_CHECK));
        }
        if stop.is_set() {
            return Ok(());
        }
        send(frame)?;
    }
    Ok(())
}
