//! Repeats what a stall of the machine has spoilt, and nothing else.

use crate::watch::StallWatch;
use std::any::Any;
use std::fmt::Arguments;
use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// Voided runs that are repeated, at most.
pub const MAX_VOIDED: u32 = 3;

/// Does `run` again while it fails on a machine that stood still, [`MAX_VOIDED`] times at most, and gives what the last one came to.
/// `failure` says in words how a run failed, if it did in a way that a stall excuses; a broken promise of safety is none. Each run
/// must set its own stage.
pub fn fairly<T>(what: &str, mut run: impl FnMut() -> T, failure: impl Fn(&T) -> Option<String>) -> T {
    for number in 1..=MAX_VOIDED {
        let watch = StallWatch::begin();
        let outcome = run();
        let stall = match &watch {
            Ok(watch) => watch.stall(),
            Err(error) => {
                say(format_args!("{what}: no stall watch ({error}); every failure counts"));
                None
            }
        };
        let (Some(stall), Some(failure)) = (stall, failure(&outcome)) else { return outcome };
        say(format_args!("{what}: voided, {stall}; repeated ({number} of {MAX_VOIDED}); it said: {failure}"));
    }
    run()
}

/// A test in real time that panics when it fails, as those of Rust's harness do.
///
/// # Panics
/// As the last run did.
pub fn in_real_time(mut test: impl FnMut()) {
    let thread = thread::current();
    let run = || catch_unwind(AssertUnwindSafe(&mut test));
    let outcome =
        fairly(thread.name().unwrap_or("a test"), run, |outcome| Some(words(outcome.as_ref().err()?.as_ref())));
    if let Err(payload) = outcome {
        resume_unwind(payload);
    }
}

/// Past the harness, which keeps to itself what a test that passes says by `eprintln!`. Without stderr there is nobody to tell.
fn say(line: Arguments<'_>) {
    let _said = writeln!(stderr(), "{line}");
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
