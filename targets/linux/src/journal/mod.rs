//! The durable journal: what happened on this node, in a file of bounded size for each log.
//!
//! | file | concept |
//! |---|---|
//! | `recorder` | the loop's end: numbers, the bounded queue to the thread that writes |
//! | `writer` | the thread that writes |
//! | `ring` | one file of bounded size |
//! | `show`, `watch` | the commands `events` and `log` |

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod recorder;
mod ring;
mod show;
mod watch;
mod writer;

pub(crate) use recorder::Recorder;
pub(crate) use ring::{damaged, read};
pub(crate) use show::{EventsForm, clear, events, log};
pub(crate) use writer::Cleared;
