//! Repeats what a stall of the machine has spoilt, and nothing else.

use crate::watch::StallWatch;
use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Voided runs that are repeated, at most.
pub const MAX_VOIDED: u32 = 3;

/// Runs `run` until a run has passed, or has failed while the machine kept running, or [`MAX_VOIDED`] runs were voided and one
/// more failed. `is_safety` names failures that no stall excuses. Each run must set its own stage.
///
/// # Errors
/// What the last run failed with.
pub fn fairly<T, E: Display>(
    what: &str,
    is_safety: impl Fn(&E) -> bool,
    mut run: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    for number in 1..=MAX_VOIDED {
        let watch = StallWatch::begin();
        let outcome = run();
        let stall = match &watch {
            Ok(watch) => watch.stall(),
            Err(error) => {
                eprintln!("{what}: no stall watch ({error}); every failure counts");
                None
            }
        };
        match (outcome, stall) {
            (Err(failure), Some(stall)) if !is_safety(&failure) => {
                eprintln!("{what}: voided, {stall}; repeated ({number} of {MAX_VOIDED}); it said: {failure}");
            }
            (outcome, _) => return outcome,
        }
    }
    run()
}

/// A test that panics when it fails, as those of Rust's harness do.
///
/// # Panics
/// As the last run did.
pub fn in_real_time(what: &str, mut test: impl FnMut()) {
    let run = || catch_unwind(AssertUnwindSafe(&mut test)).map_err(Panic);
    if let Err(Panic(payload)) = fairly(what, |_| false, run) {
        resume_unwind(payload);
    }
}

struct Panic(Box<dyn Any + Send>);

impl Display for Panic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.downcast_ref::<String>().map(String::as_str).or(self.0.downcast_ref::<&str>().copied());
        f.write_str(text.unwrap_or("a panic without words"))
    }
}
