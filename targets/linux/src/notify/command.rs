//! A program that is told of an event: by the daemon itself, or by the helper where there is one.

use crate::events::form::Notice;
use crate::helper::{Helper, Request, Told};
use crate::program::{self, Occasion};
use crate::user::User;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// A program, and who runs it.
pub(super) enum Program {
    /// The daemon.
    Own(program::Program),
    /// The helper.
    Helped { helper: Helper, words: Vec<String>, user: Option<String>, timeout: Duration },
}

impl Program {
    /// An error says what is wrong with the user. The helper looks that up itself.
    pub(super) fn new(
        words: &[String],
        user: Option<&str>,
        timeout: Duration,
        helper: Option<&Helper>,
    ) -> Result<Self, String> {
        let words = words.to_vec();
        Ok(match helper {
            Some(helper) => Self::Helped { helper: helper.clone(), words, user: user.map(str::to_owned), timeout },
            None => Self::Own(program::Program { words, user: user.map(User::find).transpose()?, timeout }),
        })
    }

    /// The program's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Own(program) => program.name(),
            Self::Helped { words, .. } => words.first().map_or("", String::as_str),
        }
    }

    /// Has the program run to its end; an error says why it was of no use. One that the daemon runs itself is ended before its
    /// time once `stopped` can be read; the helper ends its own in their time, whatever becomes of the daemon.
    pub(super) fn tell(&self, notice: &Notice, stopped: BorrowedFd<'_>) -> Result<(), String> {
        match self {
            Self::Own(program) => {
                let occasion = Occasion { kind: notice.kind(), name: notice.name(), json: notice.json() };
                program.tell(&occasion, Some(stopped))
            }
            Self::Helped { helper, words, user, timeout } => {
                let told = Told {
                    words: words.clone(),
                    user: user.clone(),
                    kind: notice.kind().to_owned(),
                    name: notice.name().to_owned(),
                    event: notice.json().to_owned(),
                };
                helper.ask(&Request::Notify(told), program::longest(*timeout))
            }
        }
    }
}
