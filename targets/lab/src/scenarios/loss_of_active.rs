//! The active goes: by command, by a fault it finds in itself, by death.

use crate::capture::{Capture, Content, Record};
use crate::lab_course::{Course, Failure, Step};
use crate::network::Cut;
use crate::plan::{CLUSTER_IP, Port};
use std::time::{Duration, Instant};
use ucm_ha::role::Role;

/// Longest gap of a handover that nobody on a call would notice (L2 says milliseconds).
const HANDOVER_GAP: Duration = Duration::from_millis(100);
/// Longest gap for a LAN port without carrier: its debouncing and a handover.
const UNPLUGGED_GAP: Duration = Duration::from_millis(250);
/// How long a carrier must be gone to be a fault: the daemon's default.
const LINK_RAISE: Duration = Duration::from_millis(50);
/// From a fault to the standby serving, beside its debounce.
const HANDOVER: Duration = Duration::from_millis(10);
/// L3.
const FAST_TAKEOVER: Duration = Duration::from_millis(500);
/// Time the lab's own measuring may add on a busy machine.
const LAB_SLACK: Duration = Duration::from_millis(50);
/// For how long the heartbeats are recorded before the active dies.
const HEARD_BEFORE: Duration = Duration::from_secs(1);
/// For how long a thawed node is listened to.
const AFTER_THAW: Duration = Duration::from_secs(2);

pub(super) fn forced_switch(course: &mut Course) -> Step {
    let old = course.boot()?;
    let new = old.peer();
    let begin = Instant::now();
    course.pair.force_switch(old).map_err(Failure::new)?;
    course.measured("command", begin.elapsed());
    course.takes_over(new, begin, HANDOVER_GAP + Duration::from_secs(1))?;
    let gap = course.gap_of_change(new, begin)?.length();
    course.measured("gap", gap);
    course.expect_at_most("gap", gap, HANDOVER_GAP)?;
    course.wait_for("the old active is standby", course.timeout, |course| course.has_role(old, "Standby"))?;
    Ok(())
}

pub(super) fn self_fault(course: &mut Course) -> Step {
    let old = course.boot()?;
    let begin = Instant::now();
    course.pair.cut_wan(old)?;
    course.takes_over(old.peer(), begin, Duration::from_secs(2))?;
    let gap = course.gap_of_change(old.peer(), begin)?.length();
    course.measured("gap", gap);
    course.expect_at_most("gap", gap, HANDOVER_GAP)?;
    course.pair.mend_wan(old)?;
    course.settle().map(drop)
}

pub(super) fn lan_unplugged(course: &mut Course) -> Step {
    let old = course.boot()?;
    let begin = Instant::now();
    course.pair.cut(Port::lan(old), Cut::Carrier)?;
    course.takes_over(old.peer(), begin, Duration::from_secs(2))?;
    let gap = course.gap_of_change(old.peer(), begin)?;
    let served = gap.end.saturating_duration_since(begin);
    course.measured("gap", gap.length());
    course.measured("served after", served);
    course.expect_at_most("gap", gap.length(), UNPLUGGED_GAP)?;
    course.expect_at_most("served after", served, LINK_RAISE + HANDOVER + LAB_SLACK * 2)?;
    course.pair.mend(Port::lan(old))?;
    course.settle().map(drop)
}

pub(super) fn crash(course: &mut Course) -> Step {
    let old = course.boot()?;
    let begin = Instant::now();
    course.pair.kill(old)?;
    let limit = course.timeout * 2;
    let bound = course.takes_over(old.peer(), begin, limit)?;
    course.measured("takeover after", bound - begin);
    let gap = course.gap_of_change(old.peer(), begin)?.length();
    course.measured("gap", gap);
    let allowed = course.timeout.mul_f64(1.01) + LAB_SLACK;
    course.expect_at_most("takeover after", bound - begin, allowed)?;
    course.pair.start(old)?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the returning node does not preempt the active")
}

pub(super) fn freeze(course: &mut Course) -> Step {
    let old = course.boot()?;
    let new = old.peer();
    let captures = [course.pair.capture(Port::lan(old))?, course.pair.capture(Port::cable(old))?];
    let begin = Instant::now();
    course.pair.freeze(old)?;
    let limit = course.timeout * 2;
    let bound = course.takes_over(new, begin, limit)?;
    course.measured("takeover after", bound - begin);
    let gap = course.gap_of_change(new, begin)?.length();
    course.measured("gap", gap);
    course.pass((course.timeout * 3).saturating_sub(begin.elapsed()))?;
    let thaw = Instant::now();
    course.pair.thaw(old)?;
    course.watch("the new active serves on", AFTER_THAW, |course| course.has_role(new, "Active"))?;
    let sent = sent_since(&captures, thaw);
    course.expect(sent.iter().any(is_heartbeat), "the thawed daemon sends heartbeats again")?;
    let claim = sent.iter().find(|record| claims_address(record));
    course.expect(claim.is_none(), format_args!("the thawed daemon claims nothing, but it sent {claim:?}"))?;
    course.settle().map(drop)
}

fn sent_since(captures: &[Capture], since: Instant) -> Vec<Record> {
    captures.iter().flat_map(|capture| capture.since(since)).filter(|record| record.sent).collect()
}

fn is_heartbeat(record: &Record) -> bool {
    matches!(record.content, Content::Heartbeat { .. })
}

fn claims_address(record: &Record) -> bool {
    match record.content {
        Content::Heartbeat { role, .. } => role == Role::Active,
        Content::Announcement(address) => address == CLUSTER_IP.address,
    }
}

pub(super) fn power_loss(course: &mut Course) -> Step {
    let old = course.boot()?;
    let begin = Instant::now();
    course.pair.power_off(old)?;
    let bound = course.takes_over(old.peer(), begin, course.timeout * 2)?;
    course.measured("takeover after", bound - begin);
    let gap = course.gap_of_change(old.peer(), begin)?.length();
    course.measured("gap", gap);
    course.expect_at_most("takeover after", bound - begin, FAST_TAKEOVER + LAB_SLACK)?;
    course.pair.power_on(old)?;
    let active = course.settle()?;
    course.expect(active == old.peer(), "the returning node does not preempt the active")
}

pub(super) fn silent_death(course: &mut Course) -> Step {
    let old = course.boot()?;
    let survivor = old.peer();
    let captures = [course.pair.capture(Port::lan(survivor))?, course.pair.capture(Port::cable(survivor))?];
    let recording = Instant::now();
    course.pass(HEARD_BEFORE)?;
    let begin = Instant::now();
    course.pair.kill(old)?;
    let bound = course.takes_over(survivor, begin, course.timeout * 2)?;
    let last_frame = last_heard(&captures, recording).ok_or_else(|| Failure::new("no heartbeat was heard"))?;
    let took = bound.saturating_duration_since(last_frame);
    course.measured("takeover after last frame", took);
    let gap = course.gap_of_change(survivor, begin)?.length();
    course.measured("gap", gap);
    let allowed = course.timeout.mul_f64(1.01) + LAB_SLACK;
    course.expect(took >= course.timeout.mul_f64(0.99), format_args!("no takeover before T, was {took:?}"))?;
    course.expect_at_most("takeover after last frame", took, allowed)
}

/// When the survivor got the newest heartbeat; `None` where it got none since the recording began.
fn last_heard(captures: &[Capture], since: Instant) -> Option<Instant> {
    let records = captures.iter().flat_map(|capture| capture.since(since));
    records.filter(|record| !record.sent && is_heartbeat(record)).map(|record| record.at).max()
}
