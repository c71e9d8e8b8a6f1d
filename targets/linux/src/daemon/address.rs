//! Tells the operator that somebody else removes the cluster IP. It is bound again each time, so that nothing else shows it.

use super::part::Part;
use super::running::Daemon;
use ucm_ha::{Duration, Instant};

/// It is over when nobody has removed it for so long.
const OVER_AFTER: Duration = Duration::from_s(10);

pub(super) const PART: Part = Part {
    deadline: |daemon| if daemon.removal_told { daemon.removal_over_at() } else { Instant::NEVER },
    wake: |_, _| {},
    tend: |daemon, now| daemon.tell_removal(now),
};

impl Daemon {
    fn removal_over_at(&self) -> Instant {
        self.address.removed_at().map_or(Instant::ZERO, |at| at + OVER_AFTER)
    }

    fn tell_removal(&mut self, now: Instant) {
        let stands = now < self.removal_over_at();
        if std::mem::replace(&mut self.removal_told, stands) != stands {
            self.tell_condition("CLUSTER IP", "was removed by somebody else", stands);
        }
    }
}
