//! Programs that embed the node through the C interface, as a pair with each other and with the daemon.

use crate::host::Host;
use crate::stage::{Stage, Step, TIMEOUT_S, expect};
use lab::daemon;
use lab::plan::Node;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(TIMEOUT_S as u64);
/// What a change of roles may take beyond what it waits for, on a machine with other work.
const SLACK: Duration = Duration::from_millis(700);
/// Until the program has looked at its interfaces.
const LOOK: Duration = Duration::from_millis(500);

/// Two of them: boot, death of the active, return, force switch, end.
pub(crate) fn pair(stage: &mut Stage) -> Step {
    let mut hosts = [Some(stage.start_host(Node::A)?), Some(stage.start_host(Node::B)?)];
    let first = active_of(stage, &hosts)?;
    let second = first.peer();

    let begin = Instant::now();
    hosts[first.index()] = None;
    let bound = stage.wait_until_bound(second, begin)? - begin;
    println!("  active killed: the standby has the cluster IP after {bound:.2?}");
    expect(bound < TIMEOUT + SLACK, || format!("only after {bound:?}"))?;

    // It comes back as standby, with the term of its file, and takes the role when told to.
    hosts[first.index()] = Some(stage.start_host(first)?);
    expect(active_of(stage, &hosts)? == second, || "the node that came back took the role".to_owned())?;
    let begin = Instant::now();
    stage.wait_for("the switch is taken", |stage| {
        signal(&hosts, second, Signal::USR1)?;
        Ok(stage.bound_since(first, begin))
    })?;
    // The one that switched learns of it a trip after the other one is active.
    let said = || hosts[second.index()].as_ref().map(Host::log).unwrap_or_default();
    stage.wait_for("the switch is told", |_| Ok(said().contains("forced switch done").then_some(())))?;

    // An active that is stopped hands over at once.
    expect(active_of(stage, &hosts)? == first, || "the switch was undone".to_owned())?;
    let begin = Instant::now();
    signal(&hosts, first, Signal::TERM)?;
    let bound = stage.wait_until_bound(second, begin)? - begin;
    println!("  active ended by SIGTERM: the standby has the cluster IP after {bound:.2?}");
    expect(bound < SLACK, || format!("only after {bound:?}"))?;
    let code = stage.wait_for("the program ends", |_| hosts[first.index()].as_mut().map_or(Ok(None), Host::ended))?;
    expect(code == 0, || format!("it ended with {code}"))
}

/// A standby that has lost its static address hears nobody on the LAN and, with the cable out, nobody at all. It knows that
/// the trouble may be its own, and waits until it has the address again; then for T.
pub(crate) fn own_address(stage: &mut Stage) -> Step {
    let hosts = [Some(stage.start_host(Node::A)?), Some(stage.start_host(Node::B)?)];
    let first = active_of(stage, &hosts)?;
    let second = first.peer();
    let claims = || {
        let said = hosts[second.index()].as_ref().map(Host::log).unwrap_or_default();
        said.lines().filter(|line| line.contains("-> claiming")).count()
    };
    let before = claims();

    stage.set_own_address(second, false)?;
    sleep(LOOK);
    let begin = Instant::now();
    stage.pull_cable(first)?;
    sleep(2 * TIMEOUT);
    expect(stage.bound_since(second, begin).is_none(), || "it serves beside the active".to_owned())?;
    signal(&hosts, first, Signal::KILL)?;
    sleep(2 * TIMEOUT);
    expect(claims() == before, || "it claimed".to_owned())?;

    let begin = Instant::now();
    stage.set_own_address(second, true)?;
    let bound = stage.wait_until_bound(second, begin)? - begin;
    println!("  static address back: the standby has the cluster IP after {bound:.2?}");
    expect(bound < TIMEOUT + LOOK + SLACK, || format!("only after {bound:?}"))
}

/// One of them and the daemon: same wire, same rules.
pub(crate) fn mixed(stage: &mut Stage) -> Step {
    let host = stage.start_host(Node::A)?;
    stage.wait_for("the program is active", |_| Ok((host.role().as_deref() == Some("active")).then_some(())))?;
    stage.start_daemon(Node::B)?;
    stage.wait_for("the daemon is standby and hears it on both paths", |_| {
        let status = daemon::status(Node::B).ok();
        Ok(status.filter(|s| s.role == "Standby" && s.ha_status == "Dual" && s.peer.cable && s.peer.lan).map(drop))
    })?;
    let begin = Instant::now();
    host.signal(Signal::KILL)?;
    let bound = stage.wait_until_bound(Node::B, begin)? - begin;
    println!("  program killed: the daemon has the cluster IP after {bound:.2?}");
    expect(bound < TIMEOUT + SLACK, || format!("only after {bound:?}"))?;

    let host = stage.start_host(Node::A)?;
    stage.wait_for("the program is standby", |_| Ok((host.role().as_deref() == Some("standby")).then_some(())))?;
    stage.wait_for("the daemon could hand over", |_| {
        Ok(daemon::status(Node::B).ok().filter(|status| status.force_switch.available).map(drop))
    })?;
    let begin = Instant::now();
    stage.daemon(Node::B).kill()?;
    let bound = stage.wait_until_bound(Node::A, begin)? - begin;
    println!("  daemon killed: the program has the cluster IP after {bound:.2?}");
    expect(bound < TIMEOUT + SLACK, || format!("only after {bound:?}"))
}

fn signal(hosts: &[Option<Host>; 2], node: Node, signal: Signal) -> Step {
    hosts[node.index()].as_ref().map_or(Ok(()), |host| host.signal(signal))
}

/// The active of two, once the other one is standby.
fn active_of(stage: &mut Stage, hosts: &[Option<Host>; 2]) -> Step<Node> {
    let role = |node: Node| hosts[node.index()].as_ref().and_then(Host::role).unwrap_or_default();
    let seen = stage.wait_for("one active, one standby", |_| {
        Ok(Node::ALL.into_iter().find(|node| role(*node) == "active" && role(node.peer()) == "standby"))
    });
    seen.map_err(|error| {
        let logs = hosts.iter().flatten().map(Host::log).collect::<Vec<_>>().join("\n---\n");
        std::io::Error::other(format!("{error}; what they said:\n{logs}"))
    })
}
