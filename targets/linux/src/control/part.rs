//! The parts of the family that hold a conversation with the daemon: who is there, since when, and what each says of itself.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::time::SystemTime;
use ucm_ha::{Duration, Instant};
use ucm_ha_control::status::PartStatus;
use ucm_ha_control::{PARTS, SILENCE_MS};

/// A part that says nothing for so long counts as absent.
const SILENCE: Duration = Duration::from_ms(SILENCE_MS);

/// A part went, or came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PartNews {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether it is there.
    pub(crate) present: bool,
}

/// A line of a part.
#[derive(Deserialize)]
struct Line {
    /// All of its state.
    state: Map<String, Value>,
}

#[derive(Debug, Default)]
struct Place {
    /// It holds a conversation.
    connected: bool,
    /// It was heard within [`SILENCE`].
    present: bool,
    heard_at: Instant,
    since: Option<SystemTime>,
    state: Option<Value>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    places: [Place; PARTS.len()],
    news: VecDeque<PartNews>,
}

impl Parts {
    /// A part begins its conversation.
    pub(super) fn join(&mut self, number: usize, now: Instant) {
        if let Some(place) = self.places.get_mut(number) {
            place.connected = true;
        }
        self.note(number, true, now);
    }

    /// A part says something. What is no state is told to the log, and is a sign of life all the same.
    pub(super) fn hear(&mut self, number: usize, line: &[u8], now: Instant) {
        self.note(number, true, now);
        let (Some(place), Some(name)) = (self.places.get_mut(number), PARTS.get(number)) else { return };
        match serde_json::from_slice(line) {
            Ok(Line { state }) => place.state = Some(Value::Object(state)),
            Err(error) => log::debug!("the part {name} does not tell its state: {error}"),
        }
    }

    /// A conversation ended.
    pub(super) fn end(&mut self, number: usize) {
        if let Some(place) = self.places.get_mut(number) {
            place.connected = false;
        }
        self.note(number, false, Instant::ZERO);
    }

    /// Who has been silent for too long is absent.
    pub(super) fn tick(&mut self, now: Instant) {
        for number in 0..PARTS.len() {
            let silent = self.places.get(number).is_some_and(|place| place.silent_at() <= now);
            if silent {
                self.note(number, false, now);
            }
        }
    }

    fn note(&mut self, number: usize, present: bool, now: Instant) {
        let (Some(place), Some(name)) = (self.places.get_mut(number), PARTS.get(number)) else { return };
        if present {
            place.heard_at = now;
        } else {
            // What it said last may be true no more.
            place.state = None;
        }
        if place.present != present {
            place.present = present;
            // That one comes for the first time is no news of anything that was wrong.
            if place.since.replace(SystemTime::now()).is_some() {
                self.news.push_back(PartNews { name, present });
            }
        }
    }

    /// When [`tick`](Self::tick) has something to do.
    pub(super) fn deadline(&self) -> Instant {
        self.places.iter().map(Place::silent_at).fold(Instant::NEVER, Instant::min)
    }

    /// One that went, or came back, once.
    pub(super) fn news(&mut self) -> Option<PartNews> {
        self.news.pop_front()
    }

    /// Those that were ever there.
    pub(super) fn status(&self) -> Vec<PartStatus> {
        let status = |(place, name): (&Place, &&str)| {
            Some(PartStatus {
                name: (*name).to_owned(),
                present: place.present,
                since: crate::events::form::shown_time(place.since?),
                state: place.state.clone(),
            })
        };
        self.places.iter().zip(&PARTS).filter_map(status).collect()
    }
}

impl Place {
    fn silent_at(&self) -> Instant {
        if self.connected && self.present { self.heard_at + SILENCE } else { Instant::NEVER }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: usize = 0;

    fn at(ms: u64) -> Instant {
        Instant::from_ms(ms)
    }

    #[test]
    fn a_part_that_was_never_there_is_not_in_the_status() {
        assert_eq!(Parts::default().status(), []);
    }

    #[test]
    fn a_part_is_present_until_it_is_silent_for_two_seconds() {
        let mut parts = Parts::default();
        parts.join(SYNC, at(1000));
        parts.hear(SYNC, br#"{"state":{"lag_ms":3}}"#, at(2000));
        assert_eq!(parts.status()[0].state, Some(serde_json::json!({"lag_ms": 3})));
        assert_eq!(parts.deadline(), at(4000));
        parts.tick(at(3999));
        assert!(parts.status()[0].present);
        parts.tick(at(4000));
        assert!(!parts.status()[0].present);
        assert_eq!(parts.status()[0].state, None, "what it said last may be true no more");
        // Then it goes on where it was stopped.
        parts.hear(SYNC, br#"{"state":{}}"#, at(9000));
        assert!(parts.status()[0].present);
        let news: Vec<_> = std::iter::from_fn(|| parts.news()).map(|news| news.present).collect();
        assert_eq!(news, [false, true]);
    }

    #[test]
    fn what_is_no_state_changes_none_and_is_a_sign_of_life() {
        let mut parts = Parts::default();
        parts.join(SYNC, at(0));
        parts.hear(SYNC, br#"{"state":{"complete":true}}"#, at(1));
        for line in [&b"garbage"[..], b"{}", br#"{"state":7}"#, b""] {
            parts.hear(SYNC, line, at(1500));
        }
        assert_eq!(parts.status()[0].state, Some(serde_json::json!({"complete": true})));
        assert_eq!(parts.deadline(), at(3500));
    }

    #[test]
    fn a_part_whose_conversation_ends_is_absent_at_once() {
        let mut parts = Parts::default();
        parts.join(SYNC, at(0));
        parts.end(SYNC);
        assert!(!parts.status()[0].present);
        assert_eq!(parts.deadline(), Instant::NEVER);
    }
}
