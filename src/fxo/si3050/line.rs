//! What the telephone line looks like. Nothing here is a fault.

use super::sample::Sample;
use crate::debounce::{self, Debounce, Limits};
use crate::fxo::{Observation, Verdict};
use crate::time::{Duration, Instant};

/// Battery reversals and pulses are shorter than this.
const BATTERY_LIMITS: Limits = Limits::from_ms(300, 300);
/// An overload shows at once, and until it has been gone for a while: it comes in bursts.
const OVERLOAD_LIMITS: Limits =
    Limits { raise: Duration::ZERO, clear: Duration::from_s(2), raise_samples: 1, clear_samples: 1 };

/// The state of the line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    no_battery: Debounce,
    overload: Debounce,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { no_battery: Debounce::new(BATTERY_LIMITS), overload: Debounce::new(OVERLOAD_LIMITS) }
    }

    /// Whether there is an overload, or was one lately.
    pub(super) const fn overloaded(&self) -> bool {
        self.overload.is_raised()
    }

    /// Judges the line by a sample of a chip whose link is up.
    pub(super) fn judge(&mut self, now: Instant, sample: &Sample) -> Verdict {
        self.overload.update(now, bad_if(sample.overload()));
        if sample.ringing() {
            // The ringing voltage swings through zero: it says nothing about the battery.
            return Verdict::NotAFault(Observation::Ringing);
        }
        self.no_battery.update(now, bad_if(!sample.battery()));
        if sample.dropout() {
            Verdict::NotAFault(Observation::LinePowerLost)
        } else if self.no_battery.is_raised() {
            Verdict::NotAFault(Observation::Unplugged)
        } else if self.overloaded() {
            Verdict::NotAFault(Observation::Overload)
        } else if sample.used_by_another() {
            Verdict::NotAFault(Observation::ParallelPhone)
        } else {
            Verdict::Healthy
        }
    }
}

const fn bad_if(bad: bool) -> debounce::Sample {
    if bad { debounce::Sample::Bad } else { debounce::Sample::Good }
}
