//! What became of the records that the node wanted stored.

use super::part::Part;
use super::running::Daemon;
use super::token;
use ucm_ha::Input;

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.state.deadline(),
    wake: |daemon, token| {
        if token == token::WAKER {
            daemon.report_stored();
        }
    },
    tend: |daemon, now| {
        if daemon.state.deadline() <= now {
            daemon.report_stored();
        }
    },
};

impl Daemon {
    fn report_stored(&mut self) {
        if let Some(saved) = self.state.outcome() {
            self.feed(Input::Persisted { saved });
        }
    }
}
