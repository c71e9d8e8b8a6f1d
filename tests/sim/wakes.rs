//! Whether a node asks to be woken in time.
//!
//! At random steps of a run two twins of a node go on alone, hearing nothing. One sleeps until the moment that the node asked
//! for. The other one is called each millisecond before: what it does there, the node would do late. When the moment has come,
//! both must do the same and be the same, or a call that was not asked for has changed something.

use super::dice::Dice;
use super::machine::Decider;
use super::world::{World, name};
use super::{MS, Us};
use ucm_ha::io::{Input, Output};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::{Duration, Instant};

/// Between two calls of the twin that does not sleep.
const STEP: Duration = Duration::from_us(MS);
/// Twins are made after one step in so many, on average.
const ONE_IN: u64 = 500;
/// A node that wants to sleep longer is left alone after so many steps.
const MAX_STEPS: usize = 500;

/// Which steps of a run are looked at.
pub(crate) struct Wakes {
    dice: Dice,
    left: u64,
}

impl Wakes {
    /// The choice of the run with this seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 3);
        let left = dice.below(2 * ONE_IN);
        Self { dice, left }
    }

    fn looks_now(&mut self) -> bool {
        let now = self.left == 0;
        self.left = if now { self.dice.below(2 * ONE_IN) } else { self.left - 1 };
        now
    }
}

impl World {
    /// Looks at the node after some of its steps.
    pub(crate) fn check_wakes(&mut self, node: usize) {
        if !self.wakes.looks_now() {
            return;
        }
        let machine = &self.machines[node];
        let now = machine.clock.local(self.now);
        if let Some(Err(why)) = machine.decider.as_ref().map(|decider| wakes_in_time(decider.as_ref(), now)) {
            self.breaks("wakes in time", || format!("{} {why}", name(node)));
        }
    }
}

/// Whether `node`, which has nothing left to put out, sleeps no longer than it may.
pub(crate) fn wakes_in_time(node: &dyn Decider, now: Instant) -> Result<(), String> {
    let wake_at = node.poll_timeout();
    let (mut sleeper, mut stepper) = (node.twin(), node.twin());
    let early = |at: Instant| wake_at.since(at).as_us() as Us;
    let steps = core::iter::successors(Some(now + STEP), |at| Some(*at + STEP)).take(MAX_STEPS);
    for at in steps.take_while(|at| *at < wake_at) {
        let done = call(stepper.as_mut(), at);
        if let Some((first, _)) = done.first() {
            return Err(format!("does this {} us before it asks to be woken: {first:?}", early(at)));
        }
    }
    if wake_at > now + STEP.times(MAX_STEPS as u64) {
        return Ok(());
    }
    let [slept, stepped] = [&mut sleeper, &mut stepper].map(|twin| call(twin.as_mut(), wake_at));
    if slept != stepped {
        return Err(format!("does {stepped:?} after early calls, {slept:?} without them"));
    }
    match differs(&sleeper.knows(), &stepper.knows()) {
        Some((without, with)) => Err(format!("is changed by early calls: {with}, without them {without}")),
        None => Ok(()),
    }
}

/// What a node does when it is called, with the frames.
fn call(node: &mut dyn Decider, at: Instant) -> Vec<(Output, Vec<u8>)> {
    node.handle(at, Input::Timeout);
    let mut frame = [0; FRAME_CAPACITY];
    let mut done = Vec::new();
    while let Some(output) = node.poll_output(&mut frame) {
        let len = match output {
            Output::SendCable { len } | Output::SendLan { len } | Output::SendArp { len } => len,
            _ => 0,
        };
        done.push((output, frame[..len].to_vec()));
    }
    done
}

/// The first field in which two texts of a node differ.
fn differs(one: &str, other: &str) -> Option<(String, String)> {
    // No number or name is split at these.
    let fields = |text: &str| text.split_inclusive(", ").map(str::to_owned).collect::<Vec<_>>();
    fields(one).into_iter().zip(fields(other)).find(|(a, b)| a != b)
}
