//! When a cause begins and ends that has several sources: a lost cable and a lost peer are both `HEARTBEAT`.

use super::earlier::Earlier;
use super::form;
use crate::describe::Words;
use std::time::SystemTime;
use ucm_ha::Instant;
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
    /// Nobody since a start, of the daemon or of the node: it stood before, and may have ended meanwhile. Who finds it again
    /// raises it again; what nobody has raised by then is over.
    Earlier {
        /// By when.
        over_at: Instant,
    },
}

impl Source {
    const fn is_earlier(self) -> bool {
        matches!(self, Self::Earlier { .. })
    }
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
    /// Notes a change; whether it is one of the cause as a whole: its first source, or its last. What stood before a start is
    /// told again when it is raised again, and ends where a source says so.
    pub(super) fn change(&mut self, words: Words<'_>, source: Source, raised: bool, particulars: Particulars) -> bool {
        let same = |held: &Condition| held.cause == words.cause && held.text == words.text;
        let since = self.0.iter().filter(|held| same(held)).map(|held| held.particulars.since).min();
        let said = |held: &Condition| same(held) && !held.source.is_earlier();
        let held_before = if raised { self.0.iter().any(said) } else { since.is_some() };
        self.0.retain(|held| !(same(held) && (held.source == source || held.source.is_earlier())));
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

    /// Takes what stood before the daemon started. It is over, unless it is raised again, at `over_at` of its cause.
    pub(super) fn recall(&mut self, earlier: Vec<Earlier>, over_at: impl Fn(&str) -> Instant) {
        let room = MAX_CONDITIONS.saturating_sub(self.0.len());
        self.0.extend(earlier.into_iter().take(room).map(|Earlier { cause, text, detail, mac, since }| {
            let source = Source::Earlier { over_at: over_at(&cause) };
            Condition { cause, text, source, particulars: Particulars { detail, mac, since } }
        }));
    }

    /// The node starts anew: what it said is over, unless it is raised again, at `over_at`. What the adapter found itself still
    /// holds.
    pub(super) fn forget_node(&mut self, over_at: Instant) {
        for held in &mut self.0 {
            if matches!(held.source, Source::Alert(_) | Source::Fault(_)) {
                held.source = Source::Earlier { over_at };
            }
        }
    }

    /// When the next of those that stood before a start is over.
    pub(super) fn deadline(&self) -> Instant {
        let over_at = |held: &Condition| match held.source {
            Source::Earlier { over_at } => over_at,
            Source::Alert(_) | Source::Fault(_) | Source::Named => Instant::NEVER,
        };
        self.0.iter().map(over_at).fold(Instant::NEVER, Instant::min)
    }

    /// Takes those out that are over at `now`: cause, text and station of each.
    pub(super) fn take_over(&mut self, now: Instant) -> Vec<(String, String, Option<MacAddr>)> {
        let is_over = |held: &mut Condition| matches!(held.source, Source::Earlier { over_at } if over_at <= now);
        let mut over: Vec<(String, String, Option<MacAddr>)> = Vec::new();
        for held in self.0.extract_if(.., is_over) {
            // Of one that had two sources.
            if !over.iter().any(|(cause, text, _)| *cause == held.cause && *text == held.text) {
                over.push((held.cause, held.text, held.particulars.mac));
            }
        }
        over
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

    fn at(ms: u64) -> Instant {
        Instant::from_ms(ms)
    }

    #[test]
    fn a_node_that_starts_anew_tells_again_what_holds_and_ends_what_does_not() {
        let mut conditions = Conditions::default();
        let (cable, gateway) = (Source::Alert(Alert::CableLost), Source::Alert(Alert::GatewayLost));
        const GATEWAY: Words<'static> = Words { cause: "GATEWAY", text: "loose connection" };
        change(&mut conditions, HEARTBEAT, cable, true);
        change(&mut conditions, HEARTBEAT, Source::Alert(Alert::HeartbeatLost), true);
        change(&mut conditions, GATEWAY, gateway, true);
        change(&mut conditions, SERVICE, Source::Named, true);
        assert_eq!(conditions.deadline(), Instant::NEVER);
        conditions.forget_node(at(15_000));
        assert_eq!(conditions.standing().len(), 3, "it may still hold");
        assert!(change(&mut conditions, GATEWAY, gateway, true), "told anew");
        assert!(!change(&mut conditions, SERVICE, Source::Named, true));
        assert_eq!(conditions.deadline(), at(15_000));
        assert_eq!(conditions.take_over(at(14_999)), []);
        assert_eq!(conditions.take_over(at(15_000)), [("HEARTBEAT".to_owned(), "loose connection".to_owned(), None)]);
        assert_eq!((conditions.deadline(), conditions.standing().len()), (Instant::NEVER, 2));
    }

    #[test]
    fn what_stood_before_the_daemon_stands_since_then_until_it_is_known_to_be_over() {
        let since = SystemTime::UNIX_EPOCH;
        let earlier = |cause: &str| Earlier {
            cause: cause.to_owned(),
            text: "loose connection".to_owned(),
            detail: None,
            mac: None,
            since,
        };
        let mut conditions = Conditions::default();
        let over_at = |cause: &str| if cause == "HEARTBEAT" { at(15_000) } else { at(60_000) };
        conditions.recall(vec![earlier("HEARTBEAT"), earlier("SERVICE asterisk"), earlier("PART sync")], over_at);
        assert!(change(&mut conditions, HEARTBEAT, Source::Alert(Alert::CableLost), true), "raised again");
        assert_eq!(conditions.standing()[0].since, form::shown_time(since), "since it was raised first");
        const PART: Words<'static> = Words { cause: "PART sync", text: "loose connection" };
        assert!(change(&mut conditions, PART, Source::Named, false), "its source knows that it is over");
        assert_eq!(conditions.take_over(at(59_999)), []);
        let over = conditions.take_over(at(60_000));
        assert_eq!(over, [("SERVICE asterisk".to_owned(), "loose connection".to_owned(), None)]);
        assert_eq!(conditions.standing().len(), 1);
    }

    #[test]
    fn a_cause_of_two_sources_stands_once_since_the_first() {
        let mut conditions = Conditions::default();
        let time = |s| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(s);
        let since = |s, detail: Option<&str>| Particulars {
            detail: detail.map(str::to_owned),
            mac: Some(MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, 0x6c])),
            since: time(s),
        };
        conditions.change(SERVICE, Source::Named, true, since(30, Some("crashed")));
        conditions.change(HEARTBEAT, Source::Alert(Alert::CableLost), true, since(10, None));
        conditions.change(HEARTBEAT, Source::Alert(Alert::HeartbeatLost), true, since(20, None));
        let standing = conditions.standing();
        let told: Vec<_> = standing.iter().map(|alert| (&*alert.cause, &*alert.text, &*alert.since)).collect();
        let [first, second] = [10, 30].map(|s| form::shown_time(time(s)));
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
