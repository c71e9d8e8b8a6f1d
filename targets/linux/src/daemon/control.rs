//! Answers those who ask on the control socket, and tells those who follow.

use super::part::Part;
use super::running::Daemon;
use super::token;
use crate::clock;
use crate::control::{Awaited, Call, PartNews};
use crate::status::{self, Parts};
use mio::Token;
use ucm_ha::io::Command;
use ucm_ha::{Input, Instant};
use ucm_ha_control::status::Counters;
use ucm_ha_control::{Reply, Report, Request};

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.control.deadline(),
    wake: |daemon, token| match token {
        token::CONTROL => daemon.control.wake(),
        client => daemon.serve(client),
    },
    tend: |daemon, now| {
        daemon.control.accept(daemon.poll.registry(), now);
        daemon.control.tend(now);
        while let Some(PartNews { name, present }) = daemon.control.part_news() {
            daemon.tell_condition(&format!("PART {name}"), "is not running or does not answer", !present);
        }
    },
};

impl Daemon {
    fn serve(&mut self, client: Token) {
        let now = clock::now();
        let Some(Call { client, request }) = self.control.read(client, now) else { return };
        match request {
            Request::Status => {
                let status = Box::new(self.report(now));
                self.control.reply(client, &Reply::Status { status });
            }
            Request::Subscribe => self.control.subscribe(client, now),
            Request::Part { name } => self.control.join(client, &name, now),
            Request::Switch => {
                self.control.wait_for(client, Awaited::Switch, now);
                self.feed(Input::Command(Command::ForceSwitch));
            }
            Request::Maintenance { on: true, force } => {
                self.control.wait_for(client, Awaited::Switch, now);
                self.feed(Input::Command(if force { Command::ForceMaintenance } else { Command::EnterMaintenance }));
            }
            Request::Maintenance { on: false, .. } => {
                self.feed(Input::Command(Command::LeaveMaintenance));
                self.control.reply(client, &Reply::Done);
            }
            Request::ClearLog { log } => self.clear_log(client, log),
            Request::Kick { .. } | Request::Fault { .. } | Request::Crash { .. } => {
                self.serve_service(client, &request);
            }
        }
    }

    fn report(&self, now: Instant) -> Report {
        let parts = Parts {
            services: &self.services.states(),
            fxo: self.fxo_ports(),
            journal: &self.journal,
            parts: self.control.parts(),
            off: self.off(),
            handovers: self.record.handovers,
        };
        status::report(&self.config, &self.node.status(), now, parts)
    }

    /// Tells those who follow how things are, where that has changed or a second is over.
    pub(super) fn tell_followers(&mut self, now: Instant) {
        if !self.control.is_followed() {
            return;
        }
        let report = self.report(now);
        let steady = steady(report.clone());
        if self.told.as_ref() == Some(&steady) && !self.control.is_pulse_due(now) {
            return;
        }
        self.told = Some(steady);
        let role = Reply::Part { role: report.role.clone(), term: report.term, bound: report.cluster_ip.bound };
        self.control.tell(&Reply::Status { status: Box::new(report) }, &role, now);
        self.control.tend(now);
    }
}

/// A report without what changes all the time although nothing happens.
fn steady(mut report: Report) -> Report {
    report.counters = Counters::default();
    report.peer.last_heard_ms = None;
    report
}
