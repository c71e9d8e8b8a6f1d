//! One run of the sweep again, with everything that happens in it.

use super::plan::Plan;
use super::sweep::{number, replay_command};
use super::trace::Trace;

/// Shows the run of `UCM_HA_SIM_SEED` and fails if it breaks a promise. Without a seed it shows that a run can be
/// replayed: recorded or not, the same seed gives the same run.
#[test]
fn replay() {
    match number("UCM_HA_SIM_SEED") {
        Some(seed) => {
            let plan = Plan::random(seed);
            let mut world = plan.run(Trace::new(true, true));
            plan.check_single(&mut world);
            let broken = world.watch.broken.take();
            println!("{}", world.report("end of the run"));
            if let Some((_, text)) = broken {
                panic!("{text}; {}", replay_command(seed));
            }
        }
        None => {
            let hashes = [false, true].map(|recording| Plan::random(7).run(Trace::new(recording, false)).trace.hash());
            assert_eq!(hashes[0], hashes[1], "recording a run changed it");
        }
    }
}
