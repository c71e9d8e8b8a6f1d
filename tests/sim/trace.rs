//! What happened in a run: a hash of everything always, text only when somebody will read it.

use super::Us;
use std::collections::VecDeque;

/// How many of the newest events are kept.
const KEPT: usize = 60;

/// Records a run.
pub(crate) struct Trace {
    hash: u64,
    recording: bool,
    printing: bool,
    story: Vec<String>,
    newest: VecDeque<String>,
}

/// A moment as it is printed: seconds with microseconds.
pub(crate) fn moment(now: Us) -> String {
    format!("{:>3}.{:06}", now / 1_000_000, now % 1_000_000)
}

impl Trace {
    /// A trace that only hashes, or that also records text, or that also prints it at once.
    pub(crate) fn new(recording: bool, printing: bool) -> Self {
        Self { hash: 0, recording, printing, story: Vec::new(), newest: VecDeque::new() }
    }

    /// Mixes a fact into the hash.
    pub(crate) fn mix(&mut self, fact: u64) {
        self.hash = (self.hash.rotate_left(5) ^ fact).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// The hash of everything so far. Equal inputs must give equal hashes.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Something a reader wants to see in any case.
    pub(crate) fn story(&mut self, now: Us, text: impl FnOnce() -> String) {
        if self.recording {
            let line = format!("{}  {}", moment(now), text());
            self.print(&line);
            self.story.push(line.clone());
            self.keep(line);
        }
    }

    /// Something that matters only just before a failure.
    pub(crate) fn detail(&mut self, now: Us, text: impl FnOnce() -> String) {
        if self.recording {
            let line = format!("{}      {}", moment(now), text());
            self.print(&line);
            self.keep(line);
        }
    }

    fn print(&self, line: &str) {
        if self.printing {
            println!("{line}");
        }
    }

    fn keep(&mut self, line: String) {
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(line);
    }

    /// The story and the newest events, for the report of a failure.
    pub(crate) fn text(&self) -> String {
        let newest: Vec<&str> = self.newest.iter().map(String::as_str).collect();
        format!("story:\n{}\nlast {} events:\n{}", self.story.join("\n"), newest.len(), newest.join("\n"))
    }
}
