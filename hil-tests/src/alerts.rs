//! The alerts of a node, in the guide's text.

use crate::course::{Course, Failure, OnRig, Step};
use lab::plan::Node;
use serde::Deserialize;
use std::time::Duration;

/// How long an alert may take to be in the list.
const LISTED: Duration = Duration::from_secs(5);

/// An entry of `ucm-ha events --json`, as far as the scenarios look at it.
#[derive(Debug, Deserialize)]
struct Event {
    id: u64,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    cause: String,
    content: String,
}

/// What a scenario expects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alert {
    /// Whose list.
    pub(crate) on: Node,
    /// Which node has the fault.
    pub(crate) of: Node,
    /// Its cause, as in `HEARTBEAT`.
    pub(crate) cause: &'static str,
    /// Whether it begins; otherwise it ends.
    pub(crate) raised: bool,
}

impl Alert {
    /// `on` hears its peer no more.
    pub(crate) fn silent_peer(on: Node) -> Self {
        Self { on, of: on.peer(), cause: "HEARTBEAT", raised: true }
    }

    /// `of` has no carrier on its LAN port.
    pub(crate) fn lan_down(of: Node) -> Self {
        Self { on: of, of, cause: "LAN", raised: true }
    }

    /// The same, at its end.
    pub(crate) fn cleared(self) -> Self {
        Self { raised: false, ..self }
    }

    fn kind(&self) -> &'static str {
        if self.raised { "Generate Alert" } else { "Restore to normal" }
    }

    fn text(&self) -> &'static str {
        if self.raised { "loose connection" } else { "has recovered from failure" }
    }
}

/// What scenarios ask of the alerts.
pub(crate) trait Alerts {
    /// The number of the newest event of a node.
    fn newest_event(&mut self, node: Node) -> Step<u64>;
    /// Waits until `alert` is in the list after the event with this number, word for word as the guide has it.
    fn expect_alert(&mut self, alert: Alert, after: u64) -> Step;
}

impl Alerts for Course {
    fn newest_event(&mut self, node: Node) -> Step<u64> {
        Ok(events(self, node)?.iter().map(|event| event.id).max().unwrap_or_default())
    }

    fn expect_alert(&mut self, alert: Alert, after: u64) -> Step {
        let mac = self.facts().macs[alert.of.index()].to_string().replace(':', "").to_lowercase();
        let begin = format!("MAC : {mac} -- {} ", alert.cause);
        let end = format!(" {}", alert.text());
        let what = format!("{} has the alert `{begin}…{end}`", alert.on);
        self.wait_for(what, LISTED, |course| {
            events(course, alert.on).is_ok_and(|events| {
                events.iter().any(|event| {
                    event.id > after
                        && event.name == "HA failure warning"
                        && event.kind == alert.kind()
                        && event.cause == alert.cause
                        && event.content.starts_with(&begin)
                        && event.content.ends_with(&end)
                })
            })
        })
        .map(drop)
    }
}

fn events(course: &mut Course, node: Node) -> Step<Vec<Event>> {
    let text = course.peek(node, "ucm-ha --config $CONFIG events --json")?;
    let events = text.lines().map(|line| {
        serde_json::from_str(line)
            .map_err(|error| Failure::new(format!("{node} lists an event that is none ({error}): {line}")))
    });
    events.collect()
}
