//! What the status says of a pair that is not well.

use crate::peer::Peer;
use crate::site::{Daemon, Site, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;

/// The standing alert of this cause.
fn alert(status: &Value, cause: &str) -> Option<Value> {
    let alerts = status["alerts"].as_array().expect("a list");
    alerts.iter().find(|alert| alert["cause"] == cause).cloned()
}

#[track_caller]
fn peer_status(peer: &Peer<'_>) -> Value {
    let answer = peer.ask("status --json");
    assert_eq!(answer.code, 0, "{}", answer.err);
    serde_json::from_str(&answer.out).expect("one JSON object")
}

/// Changes `enable` in a configuration and has the daemon read it again.
fn enable(daemon: &Daemon, config: &std::path::Path, on: bool) {
    let text = fs::read_to_string(config).unwrap();
    let [old, new] = [!on, on].map(|on| format!("enable = {on}"));
    fs::write(config, text.replace(&old, &new)).unwrap();
    daemon.signal(Signal::HUP);
}

/// This node active, and a peer that came later.
fn joined_by_a_peer(site: &Site) -> (Peer<'_>, Daemon, Daemon) {
    let peer = Peer::join(site);
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let peer_daemon = peer.start();
    peer_daemon.wait_until_ready();
    (peer, daemon, peer_daemon)
}

#[test]
fn an_alert_stands_in_the_status_from_its_beginning_to_its_end() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    assert_eq!(site.status()["gateway"], serde_json::json!({"ip": "192.168.129.1", "seen": true, "rtt_ms": null}));
    assert_eq!(site.status()["own_ip"], "192.168.129.42");

    site.ip("addr del 192.168.129.1/32 dev lan");
    wait_until("the alert stands", || alert(&site.status(), "GATEWAY").is_some());
    let status = site.status();
    assert_eq!(status["gateway"]["seen"], false);
    let told = alert(&status, "GATEWAY").expect("it stands");
    assert_eq!((&told["text"], &told["mac"]), (&"loose connection".into(), &status["mac"]));
    let since = told["since"].as_str().expect("a time").to_owned();
    assert!(site.ask("events").out.contains(&format!("GATEWAY {since} loose connection")), "{told}");
    let shown = site.ask("status").out;
    assert!(shown.contains("Gateway             192.168.129.1 (does not answer)\n"), "{shown}");
    assert!(shown.contains(&format!("GATEWAY loose connection, since {since} (MAC ")), "{shown}");

    site.ip("addr add 192.168.129.1/32 dev lan");
    wait_until("it is over", || alert(&site.status(), "GATEWAY").is_none());
}

#[test]
fn a_node_that_is_off_says_by_whom_and_what_turns_it_on() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text.replace("enable = true", "enable = false"));
    let daemon = site.start();
    daemon.wait_until_ready();
    let off = site.status()["off"].clone();
    assert_eq!(off["by"], "configuration");
    let remedy = format!("set ha.enable = true in {}, then `kill -HUP {}`", site.config().display(), daemon.pid());
    assert_eq!(off["remedy"], remedy);
    let refused = site.ask("switch").err;
    assert!(refused.contains("refused: high availability is off on this node; "), "{refused}");

    enable(&daemon, &site.config(), true);
    wait_until("it is on", || site.status()["off"].is_null());
    enable(&daemon, &site.config(), false);
    wait_until("it is off", || site.status()["off"]["by"] == "operator");
    let shown = site.ask("status").out;
    assert!(shown.contains("Off                 by the operator since 2"), "{shown}");
}

#[test]
fn a_standby_that_is_off_makes_no_pair_and_is_an_alert() {
    let Some(site) = Site::new() else { return };
    let peer = Peer::join(&site);
    let text = fs::read_to_string(peer.config()).unwrap();
    fs::write(peer.config(), text.replace("enable = true", "enable = false")).unwrap();
    let daemons = [site.start(), peer.start()];
    daemons.iter().for_each(Daemon::wait_until_ready);
    site.wait_for_role("Active");
    wait_until("the alert stands", || alert(&site.status(), "STANDBY").is_some());
    let status = site.status();
    assert_eq!(status["ha_status"], "Single");
    let able = serde_json::json!({"possible": false, "reason": "high availability is off there"});
    assert_eq!(status["peer"]["can_take_over"], able);
    let told = alert(&status, "STANDBY").expect("it stands");
    assert_eq!(told["text"], "cannot take over: high availability is off there");
    assert_eq!(told["mac"], status["peer"]["mac"]);
    let refused = site.ask("switch").err;
    assert!(refused.contains("refused: high availability is off on the peer; "), "{refused}");

    enable(&daemons[1], &peer.config(), true);
    wait_until("they are a pair", || site.status()["ha_status"] == "Dual");
    wait_until("the alert is over", || alert(&site.status(), "STANDBY").is_none());
    assert_eq!(site.status()["peer"]["can_take_over"]["possible"], true);
}

#[test]
fn a_standby_with_a_dead_lan_makes_no_pair_and_is_an_alert_with_its_fault() {
    let Some(site) = Site::new() else { return };
    let (peer, _daemon, _peer_daemon) = joined_by_a_peer(&site);
    wait_until("they are a pair", || site.status()["ha_status"] == "Dual");
    site.ip("link set lan2 down");
    wait_until("the alert stands", || alert(&site.status(), "STANDBY").is_some());
    let status = site.status();
    assert_eq!((&status["ha_status"], &status["peer"]["faults"]), (&"Single".into(), &serde_json::json!(["LAN"])));
    assert_eq!(peer_status(&peer)["ha_status"], "Single", "it says so itself");
    let refused = site.ask("switch").err;
    assert!(refused.contains("refused: the peer has the fault LAN; see its status"), "{refused}");
    site.ip("link set lan2 up");
    wait_until("the alert is over", || alert(&site.status(), "STANDBY").is_none());
}

#[test]
fn a_switch_says_what_it_has_led_to() {
    let Some(site) = Site::new() else { return };
    let (_peer, daemon, _peer_daemon) = joined_by_a_peer(&site);
    wait_until("it can take over", || site.status()["force_switch"]["available"] == true);
    let answer = site.ask("switch");
    assert_eq!((answer.code, &*answer.err), (0, ""));
    let term = site.status()["term"].clone();
    let line = format!("switched: the peer 192.168.129.43 is active now, this node is standby (term {term})\n");
    assert_eq!(answer.out, line);
    let ready = daemon.log().lines().find(|line| line.ends_with(" ready")).expect("a line").to_owned();
    let (time, rest) = ready.split_at("2021-08-27 14:48:33.000".len());
    assert!(time.starts_with("20") && time.as_bytes()[19] == b'.' && rest == " INFO  ready", "{ready}");
}

#[test]
fn a_node_that_its_peer_turned_off_serves_alone_after_a_reload() {
    let Some(site) = Site::new() else { return };
    let (peer, mut daemon, peer_daemon) = joined_by_a_peer(&site);
    wait_until("they are a pair", || site.status()["ha_status"] == "Dual");
    enable(&daemon, &site.config(), false);
    wait_until("both are off", || peer_status(&peer)["off"]["by"] == "peer");
    daemon.signal(Signal::KILL);
    daemon.wait_for_status();
    wait_until("it is heard no more", || peer_status(&peer)["peer"]["seen"] == false);

    peer_daemon.signal(Signal::HUP);
    wait_until("it serves alone", || peer_status(&peer)["role"] == "Active");
    assert!(peer_status(&peer)["off"].is_null());
}

#[test]
fn a_node_in_maintenance_serves_nobody_until_its_operator_says_so_also_over_a_restart() {
    let Some(site) = Site::new() else { return };
    let (peer, daemon, _peer_daemon) = joined_by_a_peer(&site);
    wait_until("it can take over", || site.status()["force_switch"]["available"] == true);
    let answer = site.ask("maintenance on");
    assert_eq!((answer.code, &*answer.err), (0, ""));
    assert_eq!(answer.out, "in maintenance: this node does not take the active role; the peer serves alone\n");
    wait_until("the peer serves", || peer_status(&peer)["role"] == "Active");
    let able = serde_json::json!({"possible": false, "reason": "it is in maintenance"});
    wait_until("it is told", || peer_status(&peer)["peer"]["can_take_over"] == able);
    wait_until("the alert stands", || alert(&peer_status(&peer), "STANDBY").is_some());
    let refused = peer.ask("maintenance on");
    let line = "ucm-ha: refused: the peer is in maintenance; `ucm-ha maintenance off` there lets it take the role\n";
    assert_eq!((refused.code, &*refused.err), (1, line));

    drop(daemon);
    let daemon = site.start();
    daemon.wait_until_ready();
    let status = site.status();
    assert_eq!((&status["maintenance"], &status["ha_status"]), (&true.into(), &"Single".into()));
    let shown = site.ask("status").out;
    assert!(shown.contains("Maintenance         on; `ucm-ha maintenance off` lets"), "{shown}");
    assert_eq!(site.ask("maintenance off").code, 0);
    wait_until("they are a pair", || peer_status(&peer)["ha_status"] == "Dual");
    wait_until("it can take over", || peer_status(&peer)["force_switch"]["available"] == true);
    assert_eq!(peer.ask("switch").code, 0);
    site.wait_for_role("Active");
}

#[test]
fn a_lone_active_is_put_into_maintenance_by_force_only() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let refused = site.ask("maintenance on");
    let line = "ucm-ha: refused: the peer is not heard; check the cable, the LAN and the other node\n";
    assert_eq!((refused.code, &*refused.err), (1, line));
    let forced = site.ask("maintenance on --force");
    assert_eq!(forced.code, 0);
    assert!(forced.out.contains("also where nobody else can serve"), "{}", forced.out);
    site.wait_for_role("Standby");
    wait_until("the alert stands", || alert(&site.status(), "MAINTENANCE").is_some());
    assert_eq!(site.status()["cluster_ip"]["bound"], false);
    assert_eq!(site.ask("maintenance off").code, 0);
    site.wait_for_role("Active");
}
