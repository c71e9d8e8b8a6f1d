//! What happened, with the time since the start.

use crate::print;
use std::collections::VecDeque;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Entries that are kept.
const MAX_ENTRIES: usize = 1000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, since the start.
    pub at: Duration,
    /// What.
    pub text: String,
}

/// The list of what happened. It prints as it grows, where that is wanted.
pub struct Timeline {
    begin: Instant,
    printing: bool,
    entries: VecDeque<Entry>,
}

impl Timeline {
    /// An empty one that begins now.
    pub fn begin(printing: bool) -> Self {
        Self { begin: Instant::now(), printing, entries: VecDeque::new() }
    }

    /// Adds an entry.
    pub fn note(&mut self, text: impl Display) {
        self.note_at(Instant::now(), text);
    }

    /// Adds an entry for something that was seen with its own time.
    pub fn note_at(&mut self, at: Instant, text: impl Display) {
        let entry = Entry { at: at.saturating_duration_since(self.begin), text: text.to_string() };
        if self.printing {
            print::line(format_args!("{:8.1} ms  {}", entry.at.as_secs_f64() * 1000.0, entry.text));
        }
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The newest entries, the oldest of them first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = &Entry> {
        self.entries.range(self.entries.len().saturating_sub(count)..)
    }
}
