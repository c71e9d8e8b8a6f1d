//! What the phone notices: from probes and their answers, the gaps in service.

use crate::plan::Node;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A probe that was not answered by then never counts as answered: a phone that waited longer has heard the silence.
pub const ANSWER_DEADLINE: Duration = Duration::from_millis(100);
/// Gaps that are remembered.
const MAX_GAPS: usize = 4096;

/// A time without service, or a change of the node that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the last probe before it was sent that was answered.
    pub begin: Instant,
    /// When the first probe after it was sent that was answered.
    pub end: Instant,
    /// Who answered before.
    pub before: Node,
    /// Who answered after.
    pub after: Node,
    /// Probes in between, all unanswered.
    pub lost: u64,
}

impl Gap {
    /// Its length. Without a lost probe it is the time between two probes.
    pub fn length(&self) -> Duration {
        self.end - self.begin
    }
}

#[derive(Clone, Copy)]
struct Probe {
    sent: Instant,
    answered_by: Option<Node>,
}

#[derive(Clone, Copy)]
struct Answered {
    sent: Instant,
    by: Node,
}

/// Takes probes and answers, and finds the gaps.
#[derive(Default)]
pub struct GapMeter {
    /// Probes whose fate is open; the first one has the number `first`.
    open: VecDeque<Probe>,
    first: u64,
    last: Option<Answered>,
    lost_since: u64,
    gaps: VecDeque<Gap>,
}

impl GapMeter {
    /// A probe was sent; its number comes back with the answer.
    pub fn sent(&mut self, now: Instant) -> u64 {
        self.open.push_back(Probe { sent: now, answered_by: None });
        self.first + self.open.len() as u64 - 1
    }

    /// An answer came. One that is late, or was never asked for, counts for nothing.
    pub fn answered(&mut self, number: u64, by: Node, now: Instant) {
        let place = number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        if let Some(probe) = place.and_then(|place| self.open.get_mut(place))
            && now.saturating_duration_since(probe.sent) <= ANSWER_DEADLINE
        {
            probe.answered_by.get_or_insert(by);
        }
    }

    /// Decides the probes whose fate is known by now, in the order in which they were sent.
    pub fn settle(&mut self, now: Instant) {
        while let Some(&probe) = self.open.front() {
            match probe.answered_by {
                Some(by) => self.note_answer(Answered { sent: probe.sent, by }),
                None if now.saturating_duration_since(probe.sent) > ANSWER_DEADLINE => {
                    self.lost_since += 1;
                }
                None => return,
            }
            self.open.pop_front();
            self.first += 1;
        }
    }

    fn note_answer(&mut self, answer: Answered) {
        if let Some(last) = self.last
            && (self.lost_since > 0 || last.by != answer.by)
        {
            if self.gaps.len() == MAX_GAPS {
                self.gaps.pop_front();
            }
            self.gaps.push_back(Gap {
                begin: last.sent,
                end: answer.sent,
                before: last.by,
                after: answer.by,
                lost: self.lost_since,
            });
        }
        self.last = Some(answer);
        self.lost_since = 0;
    }

    /// The gaps that ended after `since`, the oldest first.
    pub fn gaps_since(&self, since: Instant) -> Vec<Gap> {
        self.gaps.iter().filter(|gap| gap.end > since).copied().collect()
    }

    /// When the newest probe was sent that was answered, and by whom.
    pub fn last_answer(&self) -> Option<(Instant, Node)> {
        self.last.map(|answer| (answer.sent, answer.by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Sends a probe per millisecond; `answer` says who answers the probe of a millisecond, and after how long.
    fn play(length_ms: u32, answer: impl Fn(u32) -> Option<(Node, Duration)>) -> (Instant, GapMeter) {
        let begin = Instant::now();
        let mut meter = GapMeter::default();
        let mut answers = Vec::new();
        for ms in 0..length_ms {
            let now = begin + MS * ms;
            let number = meter.sent(now);
            answers.extend(answer(ms).map(|(by, after)| (now + after, number, by)));
        }
        answers.sort_by_key(|&(at, _, _)| at);
        for (at, number, by) in answers {
            meter.answered(number, by, at);
            meter.settle(at);
        }
        meter.settle(begin + MS * length_ms + ANSWER_DEADLINE * 2);
        (begin, meter)
    }

    #[test]
    fn unbroken_service_has_no_gap() {
        let (begin, meter) = play(1000, |_| Some((Node::A, MS / 2)));
        assert_eq!(meter.gaps_since(begin), []);
        assert_eq!(meter.last_answer(), Some((begin + MS * 999, Node::A)));
    }

    #[test]
    fn a_gap_lasts_from_the_last_probe_served_before_to_the_first_one_served_after() {
        let (begin, meter) = play(1000, |ms| match ms {
            0..300 => Some((Node::A, MS / 2)),
            300..420 => None,
            _ => Some((Node::B, MS / 2)),
        });
        let (gap_begin, gap_end) = (begin + MS * 299, begin + MS * 420);
        let gap = Gap { begin: gap_begin, end: gap_end, before: Node::A, after: Node::B, lost: 120 };
        assert_eq!(meter.gaps_since(begin), [gap]);
        assert_eq!(gap.length(), MS * 121);
        assert_eq!(meter.gaps_since(gap_end), [], "it ended before");
    }

    #[test]
    fn a_change_of_the_serving_node_without_a_lost_probe_is_the_shortest_gap() {
        let (begin, meter) = play(100, |ms| Some((if ms < 50 { Node::A } else { Node::B }, MS / 2)));
        let gaps = meter.gaps_since(begin);
        assert_eq!(gaps.iter().map(|gap| (gap.length(), gap.lost)).collect::<Vec<_>>(), [(MS, 0)]);
    }

    #[test]
    fn answers_that_overtake_each_other_make_no_gap() {
        let (begin, meter) = play(200, |ms| Some((Node::A, if ms % 2 == 0 { MS * 9 } else { MS })));
        assert_eq!(meter.gaps_since(begin), []);
    }

    #[test]
    fn an_answer_after_the_deadline_is_no_service() {
        let (begin, meter) = play(500, |ms| Some((Node::A, if ms == 250 { ANSWER_DEADLINE + MS } else { MS })));
        assert_eq!(meter.gaps_since(begin).iter().map(|gap| gap.lost).collect::<Vec<_>>(), [1]);
    }
}
