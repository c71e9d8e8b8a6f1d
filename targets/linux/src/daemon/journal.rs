//! What became of the logs that somebody wanted cleared, and of the alerts that stood before a start.

use super::part::Part;
use super::running::Daemon;
use super::token;
use crate::clock;
use crate::control::Awaited;
use ucm_ha_control::{Log, Reply};

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.journal.deadline(),
    wake: |daemon, token| {
        if token == token::WAKER {
            daemon.report_cleared();
        }
    },
    tend: |daemon, now| {
        if daemon.journal.deadline() <= now {
            daemon.journal.end_earlier(now);
        }
    },
};

impl Daemon {
    fn report_cleared(&mut self) {
        while let Some((log, cleared)) = self.journal.cleared() {
            let reply = match cleared {
                Ok(()) => Reply::Done,
                Err(error) => Reply::Refused { reason: format!("the log cannot be cleared: {error}") },
            };
            self.control.reply_waiting(Awaited::Clear(log), &reply);
        }
    }

    pub(super) fn clear_log(&mut self, client: usize, log: Log) {
        match self.journal.clear(log) {
            Ok(()) => self.control.wait_for(client, Awaited::Clear(log), clock::now()),
            Err(reason) => self.control.reply(client, &Reply::Refused { reason: reason.to_owned() }),
        }
    }
}
