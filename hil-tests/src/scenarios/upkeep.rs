//! What an administrator does, as the guide tells it.

use crate::course::{Course, Failure, OnRig, Step};
use crate::limits::UNNOTICED;
use lab::plan::Node;
use lab::stimulus::Stimulus;
use std::time::{Duration, Instant};
use ucm_ha::types::MacAddr;

/// How long a change of settings may take to show on both nodes.
const SETTINGS_SHOW: Duration = Duration::from_secs(5);
/// Time between two switches: longer than that in which two holders are told from one that changes.
const BETWEEN_SWITCHES: Duration = Duration::from_millis(1500);

pub(super) fn forced_switch(course: &mut Course, active: Node) -> Step {
    for from in [active, active.peer()] {
        switch(course, from)?;
        let now = course.settle()?;
        course.expect(now == from.peer(), "the peer is active")?;
        // A holder that comes and goes within a second would look like two.
        course.pass(BETWEEN_SWITCHES)?;
    }
    Ok(())
}

fn switch(course: &mut Course, from: Node) -> Step {
    let begin = Instant::now();
    course.run(from, "ucm-ha --config $CONFIG switch")?;
    let gap = course.takes_over(from.peer(), begin, course.facts().timeout)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

/// Standby first, switch, then the other one.
pub(super) fn upgrade(course: &mut Course, active: Node) -> Step {
    let standby = active.peer();
    let old_version = version(course, standby)?;
    upgrade_one(course, standby)?;
    let new_version = version(course, standby)?;
    course.expect(new_version != old_version, format_args!("{new_version} is another version than {old_version}"))?;
    switch(course, active)?;
    let now = course.settle()?;
    course.expect(now == standby, "the upgraded node is active")?;
    upgrade_one(course, active)?;
    let (a, b) = (version(course, Node::A)?, version(course, Node::B)?);
    course.expect(a == b && a == new_version, format_args!("both run {new_version}; A {a}, B {b}"))
}

fn upgrade_one(course: &mut Course, standby: Node) -> Step {
    let begin = course.apply(Stimulus::PowerOff(standby))?;
    course.apply(Stimulus::Upgrade(standby))?;
    course.apply(Stimulus::PowerOn(standby))?;
    let active = course.settle()?;
    course.expect(active == standby.peer(), "the upgraded node comes back as standby")?;
    let gap = course.measure_gap(begin)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

fn version(course: &mut Course, node: Node) -> Step<String> {
    Ok(course.run(node, "ucm-ha --version")?.trim().to_owned())
}

/// The old unit off, the new one's MAC address set on the active, the active rebooted, the new unit on: it joins as standby.
pub(super) fn replace(course: &mut Course, active: Node) -> Step {
    let standby = active.peer();
    let old_mac = course.facts().macs[standby.index()];
    course.apply(Stimulus::PowerOff(standby))?;
    course.apply(Stimulus::Replace(standby))?;
    let new_mac = course.facts().macs[standby.index()];
    course.expect(new_mac != old_mac, format_args!("the new unit has a MAC address of its own, not {old_mac}"))?;
    set_peer_mac(course, active, new_mac)?;
    course.apply(Stimulus::PowerOff(active))?;
    course.apply(Stimulus::PowerOn(active))?;
    course.settle_alone(active)?;
    let begin = course.apply(Stimulus::PowerOn(standby))?;
    let now = course.settle()?;
    course.expect(now == active, "the new unit joins as standby")?;
    let seen = course.run(active, "ucm-ha --config $CONFIG status --json")?;
    course.expect(seen.contains(&new_mac.to_string()), format_args!("{active} knows the new unit by {new_mac}"))?;
    let gap = course.measure_gap(begin)?;
    course.expect_at_most("gap", gap, UNNOTICED)
}

fn set_peer_mac(course: &mut Course, node: Node, mac: MacAddr) -> Step {
    let command = format!("sed -i '/^peer_mac/d; s/^peer_ip = .*/&\\npeer_mac = \"{mac}\"/' $CONFIG && sync");
    course.run(node, &command)?;
    course.run(node, "ucm-ha --config $CONFIG check").map(drop)
}

pub(super) fn disabled(course: &mut Course, active: Node) -> Step {
    set_enabled(course, active, false)?;
    course.wait_for("both nodes say Off", SETTINGS_SHOW, |course| {
        Node::ALL.into_iter().all(|node| course.status(node).is_some_and(|status| status.ha_status == "Off"))
    })?;
    course.wait_for("nobody holds the cluster IP", SETTINGS_SHOW, |course| course.pair.holder().is_none())?;
    set_enabled(course, active, true)?;
    course.settle().map(drop)
}

fn set_enabled(course: &mut Course, node: Node, enabled: bool) -> Step {
    course.run(node, &format!("sed -i 's/^enable = .*/enable = {enabled}/' $CONFIG"))?;
    let set = course.run(node, "grep ^enable $CONFIG")?;
    if !set.contains(&enabled.to_string()) {
        return Err(Failure::new(format!("node {} cannot be configured: {set}", node.letter())));
    }
    course.apply(Stimulus::Reload(node)).map(drop)
}
