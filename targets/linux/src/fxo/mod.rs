//! The FXO ports of this machine: what leads to them, and the thread that looks at them.
//!
//! | file | concept |
//! |---|---|
//! | `board` | what a driver here is: ports of the core, and a descriptor that tells of news |
//! | `boards` | all of them as one |
//! | `guarded` | a driver whose device may be missing, vanish and come back |
//! | `drivers` | which drivers the settings ask for |
//! | `spi`, `gpio`, `dahdi`, `sim` | the drivers |
//! | `watch` | the thread, and the daemon's end of it |
//! | `words` | what a port shows, in words |

mod board;
mod boards;
mod dahdi;
mod drivers;
mod gpio;
mod guarded;
mod sim;
mod spi;
mod watch;
mod words;

pub(crate) use drivers::missing;
pub(crate) use watch::{News, Watch};
