//! Start, status, signals and end of the daemon.

use crate::site::{Site, wait_until};
use fair::in_real_time;
use rustix::process::Signal;
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a daemon may take to end, beside other tests.
const STOP: Duration = Duration::from_secs(10);
/// How long the kernel may take to drop an address of a daemon that died: T − 2 s, a second of the kernel's own, and what
/// other tests cost that take down namespaces meanwhile.
const KERNEL_DROP: Duration = Duration::from_secs(10);

/// Name and type of every field, in their order.
fn shape(value: &Value, name: &str, fields: &mut Vec<String>) {
    let kind = match value {
        Value::Object(object) => return object.iter().for_each(|(key, value)| shape(value, &join(name, key), fields)),
        Value::Array(list) if list.is_empty() => "array",
        Value::Array(list) => return list.iter().take(1).for_each(|entry| shape(entry, &format!("{name}[]"), fields)),
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    };
    fields.push(format!("{name} {kind}"));
}

fn join(name: &str, key: &str) -> String {
    if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
}

/// The interface that tools outside rely on, for a node that has never heard its peer.
const STATUS_FIELDS: &[&str] = &[
    "alerts array",
    "budget.left number",
    "budget.of number",
    "cluster_ip.address string",
    "cluster_ip.bound bool",
    "counters.events_dropped number",
    "counters.frames_foreign number",
    "counters.frames_malformed number",
    "counters.frames_ok number",
    "counters.frames_replayed number",
    "counters.frames_unauthentic number",
    "counters.handovers number",
    "counters.takeovers number",
    "faults[].name string",
    "faults[].raised bool",
    "faults[].reason null",
    "faults[].switches bool",
    "force_switch.available bool",
    "force_switch.reason string",
    "full_backup_status string",
    "fxo array",
    "gateway.ip string",
    "gateway.rtt_ms null",
    "gateway.seen bool",
    "ha_status string",
    "mac string",
    "maintenance bool",
    "notify array",
    "off null",
    "own_ip string",
    "parts array",
    "peer.cable bool",
    "peer.can_take_over.possible bool",
    "peer.can_take_over.reason string",
    "peer.faults array",
    "peer.firmware null",
    "peer.ip string",
    "peer.lan bool",
    "peer.last_heard_ms null",
    "peer.mac null",
    "peer.role null",
    "peer.seen bool",
    "role string",
    "station_type string",
    "term number",
];

#[test]
fn the_json_status_has_the_fields_of_the_contract() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let status = site.status();
    let mut fields = Vec::new();
    shape(&status, "", &mut fields);
    fields.sort();
    assert_eq!(fields, STATUS_FIELDS);
    assert_eq!(status["ha_status"], "Single");
    assert_eq!(status["station_type"], "Primary");
    assert_eq!(status["full_backup_status"], "Idle");
    assert_eq!(status["cluster_ip"]["address"], "192.168.129.64/24");
    assert_eq!(status["peer"]["ip"], "192.168.129.43");
    let names: Vec<&str> = status["faults"].as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    for name in ["FXO1", "FXO4", "LAN"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"FXO5"), "a UCM6304A has four ports: {names:?}");
}

#[test]
fn a_second_daemon_on_the_same_run_dir_is_refused_and_the_first_goes_on() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let second = site.ask("run");
    assert_eq!(second.code, 1);
    let line = format!(
        "ucm-ha: another daemon runs on {}; stop it, or give this one its own paths.run_dir\n",
        site.run_dir().display()
    );
    assert_eq!(second.err, line);
    assert_eq!(site.status()["station_type"], "Primary", "the socket still is the first one's");
}

#[test]
fn an_active_that_is_told_to_stop_leaves_no_cluster_ip() {
    let Some(site) = Site::new() else { return };
    let mut daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    assert!(site.holds_cluster_ip());

    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(STOP), 0);
    assert!(!site.holds_cluster_ip());
    assert!(!site.run_dir().join("control.sock").exists());
    assert!(daemon.log().contains("stopped"), "{}", daemon.log());
}

#[test]
fn the_kernel_drops_the_cluster_ip_of_a_daemon_that_was_killed() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let mut daemon = site.start();
        daemon.wait_until_ready();
        site.wait_for_role("Active");

        daemon.signal(Signal::KILL);
        daemon.wait(STOP);
        assert!(site.holds_cluster_ip(), "nobody was left to remove it");
        let killed = Instant::now();
        wait_until("the cluster IP is gone", || !site.holds_cluster_ip());
        assert!(killed.elapsed() < KERNEL_DROP, "{:?}", killed.elapsed());

        let restarted = site.start();
        restarted.wait_until_ready();
        site.wait_for_role("Active");
        let took_over_again = site.status()["term"].as_u64().unwrap();
        assert!(took_over_again > 1, "the term survived the crash: {took_over_again}");
    });
}

#[test]
fn a_daemon_that_is_frozen_loses_the_cluster_ip_and_takes_it_back_when_it_thaws() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");

    daemon.signal(Signal::STOP);
    wait_until("the cluster IP is gone", || !site.holds_cluster_ip());
    daemon.signal(Signal::CONT);
    wait_until("the cluster IP is back", || site.holds_cluster_ip());
    site.wait_for_role("Active");
}

#[test]
fn a_cluster_ip_that_somebody_removes_is_bound_again() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    site.ip("addr del 192.168.129.64/24 dev eth0");
    daemon.wait_for_log("cluster IP 192.168.129.64/24 was taken away");
    wait_until("the cluster IP is back", || site.holds_cluster_ip());
}

#[test]
fn whoever_removes_the_cluster_ip_is_an_alert_until_it_stays() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        site.wait_for_role("Active");
        let stands = || {
            let status = site.status();
            let alerts = status["alerts"].as_array().unwrap();
            alerts.iter().any(|alert| alert["cause"] == "CLUSTER IP" && alert["text"] == "was removed by somebody else")
        };
        assert!(!stands());
        site.ip("addr del 192.168.129.64/24 dev eth0");
        daemon.wait_for_log("alert: CLUSTER IP: was removed by somebody else");
        assert!(stands());
        wait_until("the cluster IP is back", || site.holds_cluster_ip());
        daemon.wait_for_log("restored to normal: CLUSTER IP: was removed by somebody else");
        assert!(!stands());
        assert_eq!(daemon.log().matches("was removed by somebody else").count(), 2, "{}", daemon.log());

        // A frozen daemon loses it to its own end, and a missing interface to nobody.
        daemon.signal(Signal::STOP);
        wait_until("the cluster IP is gone", || !site.holds_cluster_ip());
        daemon.signal(Signal::CONT);
        wait_until("the cluster IP is back", || site.holds_cluster_ip());
        site.ip("link del eth0");
        daemon.wait_for_log("interface eth0 is gone; waiting for it");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(daemon.log().matches("was removed by somebody else").count(), 2, "{}", daemon.log());
    });
}

#[test]
fn reload_turns_high_availability_off_and_on_and_names_what_needs_a_restart() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");

    site.configure(|text| text.replace("enable = true", "enable = false").replace("timeout = 3", "timeout = 5"));
    daemon.signal(Signal::HUP);
    daemon.wait_for_log("these settings need a restart and stay as they were: ha.heartbeat_timeout\n");
    site.wait_for_role("Off");
    wait_until("the cluster IP is gone", || !site.holds_cluster_ip());
    assert_eq!(site.status()["ha_status"], "Off");

    site.configure(|text| text);
    daemon.signal(Signal::HUP);
    site.wait_for_role("Active");
}

#[test]
fn reload_of_a_broken_file_changes_nothing_and_says_why() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.configure(|text| text.replace("enable = true", "enable = false\nfirst_failover = true"));
    daemon.signal(Signal::HUP);
    daemon.wait_for_log("ha.first_failover = true: is not a setting; did you mean ha.fast_failover?");
    daemon.wait_for_log("has problems; the old settings stay");
    assert_ne!(site.status()["role"], "Off");
}

#[test]
fn a_disabled_node_stays_up_and_says_off() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text.replace("enable = true", "enable = false"));
    let daemon = site.start();
    daemon.wait_until_ready();
    let status = site.status();
    assert_eq!((&status["ha_status"], &status["role"]), (&"Off".into(), &"Off".into()));
}

#[test]
fn a_switch_without_a_peer_is_refused_with_the_reason() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    let answer = site.ask("switch");
    assert_eq!(
        (answer.code, &*answer.err),
        (1, "ucm-ha: refused: this node is not active; run it on the active node\n")
    );
    site.wait_for_role("Active");
    let answer = site.ask("switch");
    let line = "ucm-ha: refused: the peer is not heard; check the cable, the LAN and the other node\n";
    assert_eq!((answer.code, &*answer.err), (1, line));
}

/// Drops capabilities as a service manager would, and says which one the refusal must name.
#[test]
fn a_missing_capability_is_refused_in_one_line() {
    let Some(site) = Site::new() else { return };
    let cases = [
        ("net_admin", "the cluster IP cannot be bound: CAP_NET_ADMIN is missing; run as root or grant"),
        (
            "net_raw",
            "no socket for the heartbeat port on eth1: Operation not permitted (os error 1); run as root or grant",
        ),
    ];
    for (capability, said) in cases {
        let mut command = Command::new("setpriv");
        let program = site.command("run");
        command.args([format!("--bounding-set=-{capability}"), format!("--inh-caps=-{capability}")]);
        command.arg(program.get_program()).args(program.get_args());
        let mut daemon = site.start_as(command);
        let code = daemon.wait(STOP);
        let log = daemon.log();
        assert_eq!(code, 1, "{capability}: {log}");
        assert!(log.lines().last().is_some_and(|line| line.contains(said)), "{capability}: {log}");
        assert_eq!(log.matches("ucm-ha: ").count(), 1, "{capability}: {log}");
        assert!(!daemon.is_ready());
    }
}
