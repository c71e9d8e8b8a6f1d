//! The services of the PBX: their faults reach the node, the log and the journal.

use super::part::Part;
use super::running::Daemon;
use super::token;
use crate::clock;
use crate::describe::{self, Words};
use crate::service::{Crash, signal_name};
use ucm_ha::Input;
use ucm_ha::fault::Faults;
use ucm_ha_control::{FaultChange, Reply, Request};

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.services.next_deadline(),
    wake: |daemon, token| match token {
        token::KICKS => daemon.services.wake(),
        token::WAKER => daemon.services.take_probes(clock::now()),
        process => {
            daemon.services.take_process_event(process, clock::now());
            daemon.tell_services();
        }
    },
    tend: |daemon, now| {
        daemon.services.read_kicks(now);
        daemon.services.tend(daemon.poll.registry(), now);
        daemon.tell_services();
    },
};

impl Daemon {
    /// Tells the changes that are not told yet.
    fn tell_services(&mut self) {
        while let Some(news) = self.services.news() {
            let cause = format!("SERVICE {}", news.name);
            // The node first: it is the one in a hurry.
            self.feed_service_fault();
            self.note_fault(&cause, news.raised, &news.what);
        }
    }

    /// Tells the node whether any service is at fault.
    pub(super) fn feed_service_fault(&mut self) {
        let raised = !self.services.faults().is_empty();
        self.feed(Input::Fault { faults: Faults::SERVICE, raised });
    }

    /// A fault that only the adapter knows by name began or ended.
    fn note_fault(&mut self, cause: &str, raised: bool, what: &str) {
        if raised {
            log::warn!("fault {cause} was raised: {what}");
        } else {
            log::info!("fault {cause} was cleared: it {what}");
        }
        let words = Words { cause, text: describe::LOOSE_CONNECTION };
        let _is_news = self.journal.named_condition(words, None, raised, Some(self.config.mac));
    }

    fn note_crash(&mut self, crash: &Crash, pid: i32, comm: &str, signal: i32) -> Result<(), String> {
        let of = match crash {
            Crash::Of(name) => format!("service {name}"),
            Crash::OfNone => "no service".to_owned(),
            Crash::TooMany => return Err("too many programs crash".to_owned()),
        };
        let unseen = self.services.take_unseen_crashes();
        if unseen > 0 {
            log::warn!("{unseen} crashes were not looked into: there were too many");
        }
        log::warn!("process {pid} ({comm:?}) crashed by {}: {of}", signal_name(signal));
        Ok(())
    }

    /// Answers what a client says of a service.
    pub(super) fn serve_service(&mut self, client: usize, request: &Request) {
        let now = clock::now();
        let outcome = match request {
            Request::Kick { name } => self.services.kick(now, name),
            Request::Fault { name, change: FaultChange::Raise } => self.services.raise(now, name),
            Request::Fault { name, change: FaultChange::Clear } => self.services.clear(now, name),
            Request::Crash { pid, comm, signal } => {
                let crash = self.services.crashed(now, *pid, comm, *signal);
                self.note_crash(&crash, *pid, comm, *signal)
            }
            Request::Status
            | Request::Subscribe
            | Request::Part { .. }
            | Request::Switch
            | Request::Maintenance { .. }
            | Request::ClearLog { .. } => return,
        };
        self.tell_services();
        let reply = outcome.map_or_else(|reason| Reply::Refused { reason }, |()| Reply::Done);
        self.control.reply(client, &reply);
    }
}
