//! When a cause begins and ends that has several sources: a lost cable and a lost peer are both `HEARTBEAT`.

use super::form;
use crate::describe::Words;
use std::time::SystemTime;
use ucm_ha::event::Alert;
use ucm_ha::fault::Faults;
use ucm_ha::types::MacAddr;
use ucm_ha_control::status::StandingAlert;

/// Conditions that are held at a time; the alerts, faults and services a node can have are fewer.
const MAX_CONDITIONS: usize = 128;

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An alert of the node.
    Alert(Alert),
    /// A fault of the node.
    Fault(Faults),
    /// The adapter, by the cause's name.
    Named,
}

/// What is told of a condition beside its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Particulars {
    /// What the event says beside the words.
    pub(super) detail: Option<String>,
    /// The station that it is about.
    pub(super) mac: Option<MacAddr>,
    /// Since when.
    pub(super) since: SystemTime,
}

impl Particulars {
    /// Of what begins or ends now.
    pub(super) fn now(detail: Option<String>, mac: Option<MacAddr>) -> Self {
        Self { detail, mac, since: SystemTime::now() }
    }
}

#[derive(Debug)]
struct Condition {
    cause: String,
    text: String,
    source: Source,
    particulars: Particulars,
}

/// The conditions that hold.
#[derive(Debug, Default)]
pub(super) struct Conditions(Vec<Condition>);

impl Conditions {
    /// Notes a change; whether it is one of the cause as a whole: its first source, or its last.
    pub(super) fn change(&mut self, words: Words<'_>, source: Source, raised: bool, particulars: Particulars) -> bool {
        let same = |held: &Condition| held.cause == words.cause && held.text == words.text;
        let since = self.0.iter().filter(|held| same(held)).map(|held| held.particulars.since).min();
        let held_before = since.is_some();
        self.0.retain(|held| !(same(held) && held.source == source));
        if raised && self.0.len() < MAX_CONDITIONS {
            let (cause, text) = (words.cause.to_owned(), words.text.to_owned());
            let particulars = Particulars { since: since.unwrap_or(particulars.since), ..particulars };
            self.0.push(Condition { cause, text, source, particulars });
        }
        held_before != (raised || self.0.iter().any(same))
    }

    /// Those that hold, the oldest first; one of several sources by the first.
    pub(super) fn standing(&self) -> Vec<StandingAlert> {
        let mut standing: Vec<&Condition> = Vec::new();
        for held in &self.0 {
            if !standing.iter().any(|other| other.cause == held.cause && other.text == held.text) {
                standing.push(held);
            }
        }
        standing.sort_by_key(|held| held.particulars.since);
        standing.into_iter().map(Condition::shown).collect()
    }

    /// Forgets what the node said; what the adapter found itself still holds.
    pub(super) fn forget_node(&mut self) {
        self.0.retain(|held| held.source == Source::Named);
    }
}

impl Condition {
    fn shown(&self) -> StandingAlert {
        let Particulars { detail, mac, since } = &self.particulars;
        StandingAlert {
            cause: self.cause.clone(),
            text: form::text(&self.text, detail.as_deref()),
            mac: mac.map(|mac| mac.to_string()),
            since: form::shown_time(*since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: Words<'static> = Words { cause: "HEARTBEAT", text: "loose connection" };
    const SERVICE: Words<'static> = Words { cause: "SERVICE asterisk", text: "loose connection" };

    fn change(conditions: &mut Conditions, words: Words<'_>, source: Source, raised: bool) -> bool {
        conditions.change(words, source, raised, Particulars::now(None, None))
    }

    #[test]
    fn a_cause_begins_with_its_first_source_and_ends_with_its_last() {
        let mut conditions = Conditions::default();
        let (cable, peer) = (Source::Alert(Alert::CableLost), Source::Alert(Alert::HeartbeatLost));
        assert!(change(&mut conditions, HEARTBEAT, cable, true));
        assert!(!change(&mut conditions, HEARTBEAT, peer, true));
        assert!(!change(&mut conditions, HEARTBEAT, cable, false));
        assert!(change(&mut conditions, HEARTBEAT, peer, false));
        assert!(change(&mut conditions, HEARTBEAT, peer, true));
    }

    #[test]
    fn a_change_that_is_none_is_not_told() {
        let mut conditions = Conditions::default();
        assert!(!change(&mut conditions, SERVICE, Source::Named, false), "it was not raised");
        assert!(change(&mut conditions, SERVICE, Source::Named, true));
        assert!(!change(&mut conditions, SERVICE, Source::Named, true), "it is raised already");
        assert!(change(&mut conditions, HEARTBEAT, Source::Named, true), "another cause is another matter");
    }

    #[test]
    fn a_node_that_starts_anew_leaves_the_services_as_they_are() {
        let mut conditions = Conditions::default();
        change(&mut conditions, HEARTBEAT, Source::Alert(Alert::CableLost), true);
        change(&mut conditions, SERVICE, Source::Named, true);
        conditions.forget_node();
        assert!(change(&mut conditions, HEARTBEAT, Source::Alert(Alert::CableLost), true), "told anew");
        assert!(!change(&mut conditions, SERVICE, Source::Named, true));
    }

    #[test]
    fn a_cause_of_two_sources_stands_once_since_the_first() {
        let mut conditions = Conditions::default();
        let at = |s| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(s);
        let since = |s, detail: Option<&str>| Particulars {
            detail: detail.map(str::to_owned),
            mac: Some(MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6c])),
            since: at(s),
        };
        conditions.change(SERVICE, Source::Named, true, since(30, Some("crashed")));
        conditions.change(HEARTBEAT, Source::Alert(Alert::CableLost), true, since(10, None));
        conditions.change(HEARTBEAT, Source::Alert(Alert::HeartbeatLost), true, since(20, None));
        let standing = conditions.standing();
        let told: Vec<_> = standing.iter().map(|alert| (&*alert.cause, &*alert.text, &*alert.since)).collect();
        let [first, second] = [10, 30].map(|s| form::shown_time(at(s)));
        assert_eq!(
            told,
            [("HEARTBEAT", "loose connection", &*first), ("SERVICE asterisk", "loose connection: crashed", &*second)]
        );
        assert_eq!(standing[0].mac.as_deref(), Some("C0:74:AD:53:73:6C"));
        conditions.change(HEARTBEAT, Source::Alert(Alert::CableLost), false, since(40, None));
        assert_eq!(conditions.standing().len(), 2, "the other source still holds");
        conditions.change(HEARTBEAT, Source::Alert(Alert::HeartbeatLost), false, since(50, None));
        assert_eq!(conditions.standing().len(), 1);
    }
}
