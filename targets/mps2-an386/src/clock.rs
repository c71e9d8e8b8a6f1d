//! The node's clock, and sleep.

use crate::platform::{CLOCK_HZ, FPGAIO};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use ucm_ha::{Duration, Instant};

/// Free-running counter that the prescaler drives.
const COUNTER: usize = 0x18;
/// Ticks of the board's clock for one count, less one.
const PRESCALE: usize = 0x1c;

const US_PER_S: u32 = 1_000_000;
const TICKS_PER_US: u32 = CLOCK_HZ / US_PER_S;
/// SysTick counts 24 bits; within a sleep of this length the clock does not wrap either.
const MAX_SLEEP: Duration = Duration::from_ms(500);

/// Microseconds since the start of the firmware, in 64 bits.
///
/// A free-running counter rather than a count of interrupts: while the processor is held (a debugger, a flash erase) it
/// goes on, so that the node sees how long it was frozen. It wraps after 71 minutes; whoever sleeps reads it
/// much more often. A processor that is held longer than that and comes back sees too short a time, but by far enough
/// of it to know that it was frozen.
pub(crate) struct Clock {
    syst: SYST,
    wraps: u32,
    last: u32,
}

impl Clock {
    /// Starts the counter.
    pub(crate) fn start(mut syst: SYST) -> Self {
        FPGAIO.write(PRESCALE, TICKS_PER_US - 1);
        syst.set_clock_source(SystClkSource::Core);
        syst.enable_interrupt();
        Self { syst, wraps: 0, last: FPGAIO.read(COUNTER) }
    }

    /// The time.
    pub(crate) fn now(&mut self) -> Instant {
        let count = FPGAIO.read(COUNTER);
        if count < self.last {
            self.wraps = self.wraps.wrapping_add(1);
        }
        self.last = count;
        Instant::from_us(u64::from(self.wraps) << u32::BITS | u64::from(count))
    }

    /// Sleeps until `deadline` or an interrupt, but for no longer than [`MAX_SLEEP`]; not at all unless `idle`. Nothing can
    /// come in between `idle` and the sleep: interrupts are held back, and wake the processor all the same.
    pub(crate) fn sleep(&mut self, deadline: Instant, idle: impl FnOnce() -> bool) {
        let span = deadline.since(self.now()).min(MAX_SLEEP);
        let ticks = u32::try_from(span.as_us()).unwrap_or(u32::MAX).saturating_mul(TICKS_PER_US);
        if ticks == 0 {
            return;
        }
        self.syst.set_reload(ticks);
        self.syst.clear_current();
        self.syst.enable_counter();
        critical_section::with(|_| {
            if idle() {
                cortex_m::asm::wfi();
            }
        });
        self.syst.disable_counter();
    }
}
