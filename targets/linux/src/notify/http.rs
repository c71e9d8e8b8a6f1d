//! A server that is told of an event by HTTP POST.

use crate::events::form::Notice;
use crate::settings::{Template, Values};
use std::time::Duration;
use ureq::http::StatusCode;
use ureq::{Agent, Error};

/// Times that an event is sent to a server that fails.
const MAX_ATTEMPTS: u32 = 3;
/// Pause between two attempts.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A server and what it is sent.
pub(super) struct Server {
    agent: Agent,
    url: String,
    template: Template,
}

impl Server {
    /// A server that is given `timeout` for each attempt.
    pub(super) fn new(url: String, template: Template, timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            // The server is in the same network; what the environment says of proxies is not meant for it.
            .proxy(None)
            .user_agent(concat!("ucm-ha/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), url, template }
    }

    /// Sends the event; an error says why the server has not taken it.
    pub(super) fn tell(&self, notice: &Notice) -> Result<(), String> {
        let body = self.template.fill(Values { action: notice.action(), mac: notice.mac(), content: notice.content() });
        let mut attempt = 1;
        loop {
            match self.post(&body) {
                Ok(status) if status.is_success() => return Ok(()),
                // The same request would be refused again.
                Ok(status) if !status.is_server_error() => return Err(format!("HTTP status {status}")),
                Ok(status) if attempt == MAX_ATTEMPTS => return Err(format!("HTTP status {status}, {attempt} times")),
                Err(error) if attempt == MAX_ATTEMPTS => return Err(format!("{error}, {attempt} times")),
                Ok(_) | Err(_) => {}
            }
            attempt += 1;
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    fn post(&self, body: &str) -> Result<StatusCode, Error> {
        let response = self.agent.post(&self.url).content_type("application/json").send(body)?;
        Ok(response.status())
    }
}
