//! How far a search goes: where it starts, which faults it may choose, how many and when.

use super::pair::{LATE_US, Pair, Way};
use super::step::Next;
use crate::sim::ether::Packet;
use crate::sim::faults::Kind;
use crate::sim::recorder::Tactic;
use crate::sim::settings::Settings;
use crate::sim::{A, B, MS, SEC, Us};
use stateright::{Model, Property};
use ucm_ha::role::Role;

/// Between two choices once no fault is left to choose: states that come to the same are met there.
const COARSE_US: Us = 250 * MS;
/// A booted pair is left alone for this long before the search begins: its last early announcement is at 10 s.
const SETTLED_US: Us = 12 * SEC;

/// Where a search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Both daemons are about to start.
    Boot,
    /// A settled pair.
    Pair,
    /// A settled pair whose operator switches now.
    Switch,
}

/// A search.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) name: &'static str,
    pub(super) settings: Settings,
    pub(super) start: Start,
    /// Faults that a run may have.
    pub(super) budget: u8,
    /// A fault may begin at multiples of this, and at every event while something is negotiated …
    pub(super) quantum_us: Us,
    /// … within this time.
    pub(super) window_us: Us,
    pub(super) kinds: Vec<Kind>,
    pub(super) spans_us: Vec<Us>,
    /// Whether single frames may be lost, come twice, or come late and out of order.
    pub(super) frames: bool,
    /// A recorder is on the LAN from the beginning, for so long, beside the faults.
    pub(super) recorder: Option<(Tactic, Us)>,
    /// The frames that it has of earlier boots, by their receiver.
    pub(super) recorded: [Vec<Packet>; 2],
    /// What a daemon that was frozen looks at first.
    pub(super) sockets_first: bool,
    /// What the search must reach, or it has shown nothing.
    pub(super) reaches: &'static [Reach],
}

/// Something that happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    TakenOver,
    HandedOver,
    TwoActives,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// No fault: on to the next place for one.
    Go,
    /// Fault `kind` begins, for `span`.
    Begin { kind: usize, span: usize },
    /// The next frame is lost.
    Lose,
    /// It comes now, and again later.
    Twice,
    /// It comes late, overtaken by others.
    Late,
}

impl Scope {
    fn place(&self, pair: &mut Pair) {
        let step = if self.may_choose(pair) { self.quantum_us } else { COARSE_US };
        let boundary = (pair.now - pair.since) / step * step + step + pair.since;
        loop {
            let (at, next) = pair.next();
            if at > boundary {
                pair.now = boundary;
                break;
            }
            pair.happen(self);
            let close = self.may_choose(pair) && pair.now < pair.close_until;
            let told = matches!(next, Next::Arrival(_) | Next::Job(_) | Next::FaultEnds(_));
            if pair.watch.broken.is_some() || (close && told) || pair.is_over(&self.settings) {
                break;
            }
        }
    }

    fn may_choose(&self, pair: &Pair) -> bool {
        pair.budget > 0 && pair.now - pair.since <= self.window_us
    }

    /// The heartbeat that arrives next, if that is what happens next.
    fn next_frame(&self, pair: &Pair) -> Option<usize> {
        match pair.next() {
            (_, Next::Arrival(index)) if pair.flights[index].way != Way::Arp && !pair.flights[index].replay => {
                Some(index)
            }
            _ => None,
        }
    }

    fn settled(&self) -> Pair {
        let mut pair = Pair::new(&self.settings, self.budget);
        while pair.now < SETTLED_US {
            pair.happen(self);
        }
        let roles = [A, B].map(|node| pair.machines[node].role);
        assert!(roles == [Role::Active, Role::Standby] || roles == [Role::Standby, Role::Active], "{roles:?}");
        pair.since = pair.now;
        pair
    }
}

impl Model for Scope {
    type State = Pair;
    type Action = Action;

    fn init_states(&self) -> Vec<Pair> {
        let mut pair = if self.start == Start::Boot { Pair::new(&self.settings, self.budget) } else { self.settled() };
        if let Some((tactic, span)) = self.recorder {
            pair.begin(self, &Kind::Recorder(tactic), span);
        }
        if self.start == Start::Switch {
            pair.force_switch(self);
        }
        pair.seal();
        vec![pair]
    }

    fn actions(&self, pair: &Pair, actions: &mut Vec<Action>) {
        if pair.watch.broken.is_some() || pair.is_over(&self.settings) {
            return;
        }
        actions.push(Action::Go);
        if !self.may_choose(pair) {
            return;
        }
        if self.frames && self.next_frame(pair).is_some() {
            actions.extend([Action::Lose, Action::Twice, Action::Late]);
        }
        for kind in 0..self.kinds.len() {
            actions.extend((0..self.spans_us.len()).map(|span| Action::Begin { kind, span }));
        }
    }

    fn next_state(&self, last: &Pair, action: Action) -> Option<Pair> {
        let mut pair = last.clone();
        pair.budget -= u8::from(action != Action::Go);
        match action {
            Action::Go => self.place(&mut pair),
            Action::Begin { kind, span } => pair.begin(self, &self.kinds[kind], self.spans_us[span]),
            Action::Lose => {
                let index = self.next_frame(&pair)?;
                pair.flights.remove(index);
            }
            Action::Twice => {
                let index = self.next_frame(&pair)?;
                let mut again = pair.flights[index].clone();
                again.due += LATE_US;
                again.replay = true;
                pair.flights.push(again);
            }
            Action::Late => {
                let index = self.next_frame(&pair)?;
                let mut late = pair.flights.remove(index);
                late.due += LATE_US;
                pair.flights.push(late);
            }
        }
        pair.seal();
        Some(pair)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always("S1 (but for S2)", |_: &Self, pair: &Pair| pair.watch.broken != Some("S1")),
            Property::always("S3", |_: &Self, pair: &Pair| pair.watch.broken != Some("S3")),
            Property::always("S4", |_: &Self, pair: &Pair| pair.watch.broken != Some("S4")),
            Property::always("S5", |_: &Self, pair: &Pair| pair.watch.broken != Some("S5")),
            Property::always("S6", |_: &Self, pair: &Pair| pair.watch.broken != Some("S6")),
            Property::always("one active in the end", |_: &Self, pair: &Pair| pair.watch.broken != Some("L6")),
        ];
        all.extend(self.reaches.iter().map(|reach| match reach {
            Reach::TakenOver => Property::sometimes("taken over", |_: &Self, pair: &Pair| pair.watch.taken_over),
            Reach::HandedOver => Property::sometimes("handed over", |_: &Self, pair: &Pair| pair.watch.handed_over),
            Reach::TwoActives => Property::sometimes("S2 happens", |_: &Self, pair: &Pair| pair.watch.two_actives),
        }));
        all
    }
}
