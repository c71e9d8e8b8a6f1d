//! Who answers ARP on the LAN: the gateway as a lasting question, other addresses as a short one.

use crate::time::{Duration, Instant};
use heapless::Deque;

/// A probe without an answer for this long breaks the chain of answers.
pub(crate) const MISSED_AFTER: Duration = Duration::from_ms(120);
/// Probes older than this are taken for lost.
const EXPIRY: Duration = Duration::from_ms(1500);
/// An answer this soon after the newest probe suggests that it belongs to that one.
const PROMPT: Duration = Duration::from_ms(5);
/// This many prompt answers in a row prove it: a delayed stream does not follow the irregular spacing of the probes.
const PROMPT_ENOUGH: u8 = 4;
/// Probes that may wait for an answer at a time.
const MAX_OUTSTANDING: usize = 32;

/// Answers this far apart still belong to one run.
const RUN_GAP: Duration = Duration::from_ms(500);

/// Whether a station keeps answering. ARP answers carry no number, so two readings are kept.
///
/// - *strict*: an answer counts from the send time of the oldest probe it may belong to. Fast failover, where a decision
///   falls within the delay that a LAN may have, uses this one.
/// - *lenient*: an answer counts from the send time of the newest probe. It may be dated too late by the delay of the LAN,
///   and is not thrown back by a lost probe. Whatever waits for T, which is longer than any such delay, uses this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    outstanding: Deque<Instant, MAX_OUTSTANDING>,
    prompt: u8,
    strict: Option<Instant>,
    unbroken_since: Option<Instant>,
    lenient: Option<Instant>,
    run_since: Option<Instant>,
}

impl Reach {
    /// A probe is being sent.
    pub(crate) fn probe_sent(&mut self, now: Instant) {
        self.forget_expired(now);
        if self.outstanding.is_full() {
            self.outstanding.pop_front();
        }
        // There is room: a full queue has just lost its oldest entry.
        let _ = self.outstanding.push_back(now);
    }

    /// An answer arrived; one that nobody asked for is ignored.
    pub(crate) fn answer_received(&mut self, now: Instant) {
        self.forget_expired(now);
        let Some(newest) = self.outstanding.back().copied() else { return };
        self.prompt = if now < newest + PROMPT { self.prompt.saturating_add(1) } else { 0 };
        let sent = if self.prompt >= PROMPT_ENOUGH {
            self.outstanding.clear();
            newest
        } else {
            self.outstanding.pop_front().unwrap_or(newest)
        };
        if self.lenient.is_none_or(|last| newest > last + RUN_GAP) {
            self.run_since = Some(newest);
        }
        self.lenient = self.lenient.max(Some(newest));
        self.strict = self.strict.max(Some(sent));
        self.unbroken_since = self.unbroken_since.or(Some(sent));
        self.break_chain_if_missed(now);
    }

    /// Forgets everything: the link went down, or the node slept.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Notes that time has passed.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.break_chain_if_missed(now);
        self.forget_expired(now);
    }

    /// Strict: send time of the newest answered probe.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.strict
    }

    /// Lenient: the same.
    pub(crate) fn seen(&self) -> Option<Instant> {
        self.lenient
    }

    /// Strict: since when every probe was answered in time.
    pub(crate) fn unbroken_since(&self) -> Option<Instant> {
        self.unbroken_since
    }

    /// Lenient: since when answers have come without a long gap.
    pub(crate) fn run_since(&self) -> Option<Instant> {
        self.run_since
    }

    /// Strict: whether a probe sent within `age` was answered.
    #[inline(never)]
    pub(crate) fn is_fresh(&self, now: Instant, age: Duration) -> bool {
        self.strict.is_some_and(|sent| now <= sent + age)
    }

    /// Lenient: the same.
    #[inline(never)]
    pub(crate) fn is_seen(&self, now: Instant, age: Duration) -> bool {
        self.lenient.is_some_and(|sent| now <= sent + age)
    }

    /// When the oldest unanswered probe breaks the chain.
    pub(crate) fn missed_at(&self) -> Option<Instant> {
        self.unbroken_since?;
        self.outstanding.front().map(|sent| *sent + MISSED_AFTER)
    }

    fn break_chain_if_missed(&mut self, now: Instant) {
        if self.missed_at().is_some_and(|at| now >= at) {
            self.unbroken_since = None;
        }
    }

    fn forget_expired(&mut self, now: Instant) {
        while self.outstanding.front().is_some_and(|sent| now >= *sent + EXPIRY) {
            self.outstanding.pop_front();
        }
    }
}

/// Whether an address stays unanswered: the evidence before a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clearance {
    unanswered: u8,
    enough_at: Option<Instant>,
}

impl Clearance {
    /// Probes that must stay unanswered.
    pub(crate) const PROBES: u8 = 3;
    /// Time a station has to answer the last of them.
    pub(crate) const ANSWER_TIME: Duration = Duration::from_ms(80);

    /// A probe is being sent.
    pub(crate) fn probe_sent(&mut self, now: Instant) {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered == Self::PROBES {
            self.enough_at = Some(now + Self::ANSWER_TIME);
        }
    }

    /// Somebody has the address: start over.
    pub(crate) fn answer_received(&mut self) {
        *self = Self::default();
    }

    /// When enough probes will have stayed unanswered.
    pub(crate) fn clear_at(&self) -> Option<Instant> {
        self.enough_at
    }

    /// Whether enough probes have stayed unanswered.
    pub(crate) fn is_clear(&self, now: Instant) -> bool {
        self.enough_at.is_some_and(|at| now >= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_ms(ms)
    }

    #[test]
    fn an_answer_counts_from_the_send_time_of_its_probe() {
        let mut gateway = Reach::default();
        gateway.probe_sent(ms(1000));
        gateway.answer_received(ms(1100));
        assert_eq!(gateway.answered(), Some(ms(1000)));
        assert!(gateway.is_fresh(ms(1120), Duration::from_ms(120)));
        assert!(!gateway.is_fresh(ms(1121), Duration::from_ms(120)));
    }

    #[test]
    fn answers_that_are_late_by_half_a_second_do_not_pass_for_fresh_ones() {
        let mut gateway = Reach::default();
        let (mut sent, mut jitter) = (std::vec![1000_u64], 1_u32);
        while sent.len() < 200 {
            // As irregular as the node's own spacing.
            jitter = jitter.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sent.push(sent[sent.len() - 1] + 40 + u64::from(jitter >> 16) % 31);
        }
        let mut events: std::vec::Vec<(u64, bool)> = sent.iter().map(|at| (*at, false)).collect();
        events.extend(sent.iter().map(|at| (at + 500, true)));
        events.sort_unstable();
        for (at, answer) in events {
            if answer {
                gateway.answer_received(ms(at));
                assert!(!gateway.is_fresh(ms(at), Duration::from_ms(400)), "at {at}");
            } else {
                gateway.probe_sent(ms(at));
            }
        }
    }

    #[test]
    fn after_a_lost_answer_prompt_ones_count_as_fresh_again() {
        let mut gateway = Reach::default();
        gateway.probe_sent(ms(1000));
        for at in [1050, 1110, 1150, 1205] {
            gateway.probe_sent(ms(at));
            gateway.answer_received(ms(at + 1));
        }
        assert_eq!(gateway.answered(), Some(ms(1205)));
    }

    #[test]
    fn a_missed_answer_breaks_the_chain_until_answers_return() {
        let mut gateway = Reach::default();
        gateway.probe_sent(ms(1000));
        gateway.answer_received(ms(1001));
        gateway.probe_sent(ms(1050));
        gateway.tick(ms(1169));
        assert_eq!(gateway.unbroken_since(), Some(ms(1000)));
        gateway.tick(ms(1170));
        assert_eq!(gateway.unbroken_since(), None);
    }

    #[test]
    fn an_address_is_clear_after_three_silent_probes_and_time_to_answer() {
        let mut cluster = Clearance::default();
        for at in [100, 190, 280] {
            cluster.probe_sent(ms(at));
        }
        assert!(!cluster.is_clear(ms(359)));
        assert!(cluster.is_clear(ms(360)));
        cluster.answer_received();
        assert!(!cluster.is_clear(ms(360)));
    }
}
