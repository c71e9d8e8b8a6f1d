use super::*;
use std::vec::Vec;

const CLEAR_MS: u64 = 2000;
const KICK_MS: u64 = 3000;
const PLAIN: ServiceSettings = ServiceSettings { watched: false, kick_timeout: None, start_timeout: None };
const WATCHED: ServiceSettings = ServiceSettings { watched: true, ..PLAIN };
const KICKED: ServiceSettings = ServiceSettings { kick_timeout: Some(Duration::from_ms(KICK_MS)), ..PLAIN };
const WATCHED_KICKED: ServiceSettings = ServiceSettings { watched: true, ..KICKED };

fn at(ms: u64) -> Instant {
    Instant::from_ms(ms)
}

/// A table, the only service in it, and a clock that never skips a deadline.
struct Rig {
    services: Services<4>,
    id: ServiceId,
    now_ms: u64,
}

impl Rig {
    fn new(settings: ServiceSettings) -> Self {
        let mut services = Services::new(Duration::from_ms(CLEAR_MS), at(0));
        let id = services.register(at(0), settings).unwrap();
        Self { services, id, now_ms: 0 }
    }

    /// Lets time pass until `ms`, and returns what changed, with its moment.
    fn run_until(&mut self, ms: u64) -> Vec<(u64, Edge, ServiceFault)> {
        let mut changes = Vec::new();
        while self.services.next_deadline() <= at(ms) {
            self.now_ms = self.services.next_deadline().as_ms().max(self.now_ms);
            while let Some(change) = self.services.poll(at(self.now_ms)) {
                changes.push((self.now_ms, change.edge, change.fault));
            }
        }
        self.now_ms = ms;
        changes
    }

    /// Reports at the current moment.
    fn report(&mut self, event: ServiceEvent) -> Option<(Edge, ServiceFault)> {
        self.services.handle(at(self.now_ms), self.id, event).map(|change| (change.edge, change.fault))
    }

    /// Kicks each 500 ms until `ms`, and returns the changes.
    fn kick_until(&mut self, ms: u64) -> Vec<(u64, Edge, ServiceFault)> {
        let mut changes = Vec::new();
        while self.now_ms + 500 <= ms {
            let now_ms = self.now_ms + 500;
            changes.extend(self.run_until(now_ms));
            changes.extend(self.report(ServiceEvent::Kick).map(|(edge, fault)| (now_ms, edge, fault)));
        }
        changes
    }

    fn is_raised(&self) -> bool {
        self.services.fault(self.id).is_some()
    }
}

#[test]
fn a_crash_counts_at_once_and_is_cleared_when_the_service_has_run_again_for_the_clear_time() {
    let mut rig = Rig::new(WATCHED);
    assert_eq!(rig.report(ServiceEvent::Started), None);
    assert_eq!(rig.run_until(10_000), []);
    assert_eq!(rig.report(ServiceEvent::Crashed), Some((Edge::Raised, ServiceFault::Crash)));
    assert_eq!(rig.services.faults(), Faults::SERVICE);
    assert_eq!(rig.run_until(60_000), [], "it stands until the service is back");
    assert_eq!(rig.report(ServiceEvent::Started), None);
    assert_eq!(rig.run_until(70_000), [(60_000 + CLEAR_MS, Edge::Cleared, ServiceFault::Crash)]);
    assert_eq!(rig.services.faults(), Faults::empty());
}

#[test]
fn a_service_that_crashes_again_within_the_clear_time_stays_at_fault_and_says_so_once() {
    let mut rig = Rig::new(WATCHED);
    rig.report(ServiceEvent::Started);
    assert_eq!(rig.report(ServiceEvent::Crashed), Some((Edge::Raised, ServiceFault::Crash)));
    for round in 1..10 {
        rig.report(ServiceEvent::Started);
        assert_eq!(rig.run_until(round * (CLEAR_MS - 1)), []);
        assert_eq!(rig.report(ServiceEvent::Crashed), None);
    }
}

#[test]
fn the_end_of_a_process_that_crashed_is_no_second_fault() {
    let mut rig = Rig::new(WATCHED);
    rig.report(ServiceEvent::Started);
    rig.report(ServiceEvent::Crashed);
    assert_eq!(rig.report(ServiceEvent::Exited), None);
    assert_eq!(rig.services.causes(rig.id), Causes::CRASH);
    assert_eq!(rig.services.life(rig.id), Some(Life::Down));
}

#[test]
fn an_end_without_a_crash_is_a_fault_of_its_own_kind() {
    let mut rig = Rig::new(WATCHED);
    rig.report(ServiceEvent::Started);
    assert_eq!(rig.report(ServiceEvent::Exited), Some((Edge::Raised, ServiceFault::Exit)));
}

#[test]
fn a_missed_kick_deadline_is_a_deadlock_at_the_deadline() {
    let mut rig = Rig::new(KICKED);
    assert_eq!(rig.kick_until(10_000), []);
    assert_eq!(rig.run_until(20_000), [(10_000 + KICK_MS, Edge::Raised, ServiceFault::Deadlock)]);
}

#[test]
fn a_deadlock_is_cleared_by_kicks_that_go_on_for_the_clear_time_and_not_by_one() {
    let mut rig = Rig::new(KICKED);
    rig.run_until(10_000);
    assert_eq!(rig.report(ServiceEvent::Kick), None);
    assert_eq!(rig.run_until(20_000), [], "one kick, then silence");
    assert_eq!(rig.report(ServiceEvent::Kick), None);
    assert_eq!(rig.kick_until(30_000), [(20_000 + CLEAR_MS, Edge::Cleared, ServiceFault::Deadlock)]);
}

#[test]
fn a_service_that_never_kicks_is_a_deadlock_after_its_start_timeout_where_it_has_one() {
    let mut rig = Rig::new(KICKED);
    assert_eq!(rig.run_until(30_000), [(KICK_MS, Edge::Raised, ServiceFault::Deadlock)]);
    let mut rig = Rig::new(ServiceSettings { start_timeout: Some(Duration::from_s(20)), ..KICKED });
    assert_eq!(rig.run_until(30_000), [(20_000, Edge::Raised, ServiceFault::Deadlock)]);
}

#[test]
fn a_process_that_never_appears_is_waited_for_or_a_fault_after_the_start_timeout() {
    let mut rig = Rig::new(WATCHED_KICKED);
    assert_eq!(rig.run_until(3_600_000), []);
    assert_eq!(rig.services.life(rig.id), Some(Life::Expected));
    let mut rig = Rig::new(ServiceSettings { start_timeout: Some(Duration::from_s(20)), ..WATCHED });
    assert_eq!(rig.run_until(30_000), [(20_000, Edge::Raised, ServiceFault::NotRunning)]);
    rig.report(ServiceEvent::Started);
    assert_eq!(rig.run_until(40_000), [(30_000 + CLEAR_MS, Edge::Cleared, ServiceFault::NotRunning)]);
}

#[test]
fn a_watched_service_that_restarts_is_well_only_once_it_kicks_again() {
    let mut rig = Rig::new(WATCHED_KICKED);
    rig.report(ServiceEvent::Started);
    rig.kick_until(5_000);
    rig.report(ServiceEvent::Crashed);
    rig.report(ServiceEvent::Started);
    assert_eq!(rig.run_until(20_000), []);
    assert!(rig.is_raised(), "it runs, but does not kick");
    assert_eq!(rig.kick_until(30_000), [(20_500 + CLEAR_MS, Edge::Cleared, ServiceFault::Crash)]);
}

#[test]
fn a_kick_read_after_the_end_of_a_watched_process_proves_nothing() {
    let mut rig = Rig::new(WATCHED_KICKED);
    rig.report(ServiceEvent::Started);
    rig.kick_until(5_000);
    rig.report(ServiceEvent::Crashed);
    assert_eq!(rig.kick_until(20_000), []);
    assert_eq!(rig.services.causes(rig.id), Causes::CRASH);
}

#[test]
fn any_sign_of_life_makes_up_for_the_crash_of_an_unwatched_service() {
    for sign in [ServiceEvent::Kick, ServiceEvent::ProbePassed] {
        let mut rig = Rig::new(PLAIN);
        rig.report(ServiceEvent::Crashed);
        assert_eq!(rig.run_until(10_000), []);
        rig.report(sign);
        assert_eq!(rig.run_until(20_000), [(10_000 + CLEAR_MS, Edge::Cleared, ServiceFault::Crash)], "{sign:?}");
    }
}

#[test]
fn three_failed_probes_in_a_row_are_a_fault_and_two_are_not() {
    use ServiceEvent::{ProbeFailed, ProbePassed};
    let mut rig = Rig::new(PLAIN);
    for event in [ProbeFailed, ProbeFailed, ProbePassed, ProbeFailed, ProbeFailed] {
        assert_eq!(rig.report(event), None);
    }
    assert_eq!(rig.report(ProbeFailed), Some((Edge::Raised, ServiceFault::Probe)));
    assert_eq!(rig.report(ProbePassed), None);
    assert_eq!(rig.run_until(10_000), [(CLEAR_MS, Edge::Cleared, ServiceFault::Probe)]);
}

#[test]
fn a_reported_fault_is_cleared_at_once_by_who_reported_it() {
    let mut rig = Rig::new(PLAIN);
    assert_eq!(rig.report(ServiceEvent::Reported), Some((Edge::Raised, ServiceFault::Reported)));
    assert_eq!(rig.report(ServiceEvent::Reported), None);
    assert_eq!(rig.report(ServiceEvent::Kick), None, "a sign of life does not withdraw it");
    assert_eq!(rig.run_until(60_000), []);
    assert_eq!(rig.report(ServiceEvent::Withdrawn), Some((Edge::Cleared, ServiceFault::Reported)));
}

#[test]
fn what_is_measured_cannot_be_withdrawn() {
    let mut rig = Rig::new(WATCHED_KICKED);
    rig.report(ServiceEvent::Started);
    rig.run_until(10_000);
    rig.report(ServiceEvent::Exited);
    rig.report(ServiceEvent::Reported);
    assert_eq!(rig.report(ServiceEvent::Withdrawn), None);
    assert_eq!(rig.services.causes(rig.id), Causes::DEADLOCK | Causes::EXIT);
}

#[test]
fn a_withdrawal_vouches_for_nothing_that_comes_after_it() {
    let mut rig = Rig::new(PLAIN);
    for _ in 0..PROBE_FAILURES {
        rig.report(ServiceEvent::ProbeFailed);
    }
    rig.report(ServiceEvent::Reported);
    assert_eq!(rig.report(ServiceEvent::Withdrawn), None, "its probes fail");
    rig.report(ServiceEvent::ProbePassed);
    assert_eq!(rig.run_until(10_000), [(CLEAR_MS, Edge::Cleared, ServiceFault::Probe)]);
}

#[test]
fn time_in_which_the_caller_stood_still_is_held_against_nobody() {
    let mut rig = Rig::new(KICKED);
    rig.kick_until(10_000);
    assert_eq!(rig.services.poll(at(70_000)), None, "the machine slept for a minute");
    rig.now_ms = 70_000;
    assert_eq!(rig.run_until(80_000), [(70_000 + KICK_MS, Edge::Raised, ServiceFault::Deadlock)]);
}

#[test]
fn a_table_that_is_idle_for_long_does_not_take_that_for_a_stall() {
    let mut rig = Rig::new(WATCHED);
    rig.report(ServiceEvent::Started);
    assert_eq!(rig.services.next_deadline(), Instant::NEVER);
    rig.now_ms = 3_600_000;
    rig.report(ServiceEvent::Crashed);
    rig.now_ms = 7_200_000;
    rig.report(ServiceEvent::Started);
    assert_eq!(rig.run_until(7_300_000), [(7_200_000 + CLEAR_MS, Edge::Cleared, ServiceFault::Crash)]);
}

#[test]
fn after_lost_kicks_every_deadline_counts_anew() {
    let mut rig = Rig::new(KICKED);
    rig.run_until(2_900);
    rig.services.excuse(at(2_900));
    assert_eq!(rig.run_until(10_000), [(2_900 + KICK_MS, Edge::Raised, ServiceFault::Deadlock)]);
}

#[test]
fn several_failing_services_are_one_fault_of_the_node_until_the_last_is_well() {
    let mut services = Services::<4>::new(Duration::from_ms(CLEAR_MS), at(0));
    let [a, b] = [PLAIN; 2].map(|settings| services.register(at(0), settings).unwrap());
    assert!(services.handle(at(0), a, ServiceEvent::Reported).is_some_and(|change| change.id == a));
    assert!(services.handle(at(0), b, ServiceEvent::Reported).is_some_and(|change| change.id == b));
    services.handle(at(1), a, ServiceEvent::Withdrawn);
    assert_eq!((services.faults(), services.fault(a)), (Faults::SERVICE, None));
    services.handle(at(1), b, ServiceEvent::Withdrawn);
    assert_eq!(services.faults(), Faults::empty());
}

#[test]
fn a_full_table_refuses_and_has_room_again_for_what_is_unregistered() {
    let mut services = Services::<2>::new(Duration::from_ms(CLEAR_MS), at(0));
    let [a, b] = [PLAIN; 2].map(|settings| services.register(at(0), settings).unwrap());
    let before = std::format!("{services:?}");
    assert_eq!(services.register(at(60_000), PLAIN), Err(TableFull(2)));
    assert_eq!(std::format!("{services:?}"), before, "a refusal changes nothing, the time it has seen included");
    services.handle(at(0), a, ServiceEvent::Reported);
    let cleared = Change { id: a, edge: Edge::Cleared, fault: ServiceFault::Reported };
    assert_eq!(services.unregister(a), Some(cleared));
    assert_eq!(services.unregister(b), None);
    assert_eq!(services.handle(at(0), b, ServiceEvent::Crashed), None, "nobody of that number");
    assert_eq!(services.register(at(0), PLAIN), Ok(a));
}

#[test]
fn deadlines_that_pass_together_are_told_one_by_one() {
    let mut services = Services::<4>::new(Duration::from_ms(CLEAR_MS), at(0));
    for _ in 0..4 {
        services.register(at(0), KICKED).unwrap();
    }
    services.excuse(at(900));
    services.poll(at(1_800));
    services.poll(at(2_700));
    services.poll(at(3_600));
    let told: Vec<_> = std::iter::from_fn(|| services.poll(at(900 + KICK_MS))).map(|change| change.id.0).collect();
    assert_eq!(told, [0, 1, 2, 3]);
}
