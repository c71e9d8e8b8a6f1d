//! What happens on a node that somebody should know of: system alert events, changes of the role, backups.
//!
//! | file | concept |
//! |---|---|
//! | `journal` | the daemon's end: what becomes a record, its number, who gets it |
//! | `record` | one record, and its form on disk |
//! | `condition` | when a cause that has several sources begins and ends |
//! | `earlier` | what stood when an earlier run ended |
//! | `form` | the forms of the guide |
//!
//! [`crate::journal`] stores the records, [`crate::notify`] tells others of them.

mod condition;
mod earlier;
pub(crate) mod form;
mod journal;
pub(crate) mod record;

pub(crate) use journal::{Journal, NODE_PATIENCE};
