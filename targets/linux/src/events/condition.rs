//! When a cause begins and ends that has several sources: a lost cable and a lost peer are both `HEARTBEAT`.

use crate::describe::Words;
use ucm_ha::event::Alert;
use ucm_ha::fault::Faults;

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

#[derive(Debug)]
struct Condition {
    cause: String,
    text: String,
    source: Source,
}

/// The conditions that hold.
#[derive(Debug, Default)]
pub(super) struct Conditions(Vec<Condition>);

impl Conditions {
    /// Notes a change; whether it is one of the cause as a whole: its first source, or its last.
    pub(super) fn change(&mut self, words: Words<'_>, source: Source, raised: bool) -> bool {
        let same = |held: &Condition| held.cause == words.cause && held.text == words.text;
        let held_before = self.0.iter().any(same);
        self.0.retain(|held| !(same(held) && held.source == source));
        if raised && self.0.len() < MAX_CONDITIONS {
            self.0.push(Condition { cause: words.cause.to_owned(), text: words.text.to_owned(), source });
        }
        held_before != (raised || self.0.iter().any(same))
    }

    /// Forgets what the node said; what the adapter found itself still holds.
    pub(super) fn forget_node(&mut self) {
        self.0.retain(|held| held.source == Source::Named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: Words<'static> = Words { cause: "HEARTBEAT", text: "loose connection" };
    const SERVICE: Words<'static> = Words { cause: "SERVICE asterisk", text: "loose connection" };

    #[test]
    fn a_cause_begins_with_its_first_source_and_ends_with_its_last() {
        let mut conditions = Conditions::default();
        let (cable, peer) = (Source::Alert(Alert::CableLost), Source::Alert(Alert::HeartbeatLost));
        assert!(conditions.change(HEARTBEAT, cable, true));
        assert!(!conditions.change(HEARTBEAT, peer, true));
        assert!(!conditions.change(HEARTBEAT, cable, false));
        assert!(conditions.change(HEARTBEAT, peer, false));
        assert!(conditions.change(HEARTBEAT, peer, true));
    }

    #[test]
    fn a_change_that_is_none_is_not_told() {
        let mut conditions = Conditions::default();
        assert!(!conditions.change(SERVICE, Source::Named, false), "it was not raised");
        assert!(conditions.change(SERVICE, Source::Named, true));
        assert!(!conditions.change(SERVICE, Source::Named, true), "it is raised already");
        assert!(conditions.change(HEARTBEAT, Source::Named, true), "another cause is another matter");
    }

    #[test]
    fn a_node_that_starts_anew_leaves_the_services_as_they_are() {
        let mut conditions = Conditions::default();
        conditions.change(HEARTBEAT, Source::Alert(Alert::CableLost), true);
        conditions.change(SERVICE, Source::Named, true);
        conditions.forget_node();
        assert!(conditions.change(HEARTBEAT, Source::Alert(Alert::CableLost), true), "told anew");
        assert!(!conditions.change(SERVICE, Source::Named, true));
    }
}
