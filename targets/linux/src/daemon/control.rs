//! Answers those who ask on the control socket.

use super::part::Part;
use super::running::Daemon;
use super::token;
use crate::clock;
use crate::control::{Awaited, Call};
use crate::status::{self, Parts};
use mio::Token;
use ucm_ha::Input;
use ucm_ha::io::Command;
use ucm_ha_control::{Reply, Request};

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.control.deadline(),
    wake: |daemon, token| match token {
        token::CONTROL => daemon.control.wake(),
        client => daemon.serve(client),
    },
    tend: |daemon, now| {
        daemon.control.accept(daemon.poll.registry(), now);
        daemon.control.expire(now);
    },
};

impl Daemon {
    fn serve(&mut self, client: Token) {
        let Some(Call { client, request }) = self.control.read(client) else { return };
        match request {
            Request::Status => {
                let now = clock::now();
                let parts = Parts { services: &self.services.states(), fxo: self.fxo_ports(), journal: &self.journal };
                let status = Box::new(status::report(&self.config, &self.node.status(), now, parts));
                self.control.reply(client, &Reply::Status { status });
            }
            Request::Switch => {
                self.control.wait_for(client, Awaited::Switch, clock::now());
                self.feed(Input::Command(Command::ForceSwitch));
            }
            Request::ClearLog { log } => self.clear_log(client, log),
            Request::Kick { .. } | Request::Fault { .. } | Request::Crash { .. } => {
                self.serve_service(client, &request);
            }
        }
    }
}
