//! Tests in real time that do not blame the product for a machine that stood still.
//!
//! A test on real clocks asserts order, safety and outcome. How long something took is a figure, and comparing it with a bound
//! says something about the product only where the machine kept running meanwhile. A [`StallWatch`] notes when it did not.
//! A run that fails then is *voided*: it proves nothing, and is repeated, [`MAX_VOIDED`] times at most, which is said. A run
//! that fails on a machine that kept running has failed, and so has one that broke a promise of safety on any machine.
#![forbid(unsafe_code)]

mod repeat;
mod watch;

pub use repeat::{MAX_VOIDED, fairly, in_real_time};
pub use watch::{Stall, StallWatch, TOLERANCE};
