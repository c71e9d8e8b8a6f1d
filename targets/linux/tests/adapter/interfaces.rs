//! Interfaces that are missing, vanish and come back.

use crate::site::{Site, wait_until};
use fair::in_real_time;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// `heartbeat_timeout` of the site.
const TIMEOUT: Duration = Duration::from_secs(3);

#[test]
fn run_waits_for_a_lan_interface_and_its_address() {
    let Some(site) = Site::new() else { return };
    site.ip("link del eth0");
    let mut daemon = site.start();
    daemon.wait_for_log("network.lan_interface = \"eth0\": does not exist on this machine");
    daemon.wait_for_log("; waiting for it");
    assert!(daemon.is_running() && !daemon.is_ready());
    assert_eq!(site.ask("status").code, 3);

    site.ip("link add eth0 type veth peer name lan");
    daemon.wait_for_log("network.lan_interface = \"eth0\": has no permanent IPv4 address");
    site.ip("link del eth0");
    site.plug_lan();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
}

#[test]
fn a_lan_address_that_turns_out_wrong_while_run_waits_is_refused() {
    let Some(site) = Site::new() else { return };
    site.ip("addr del 192.168.129.42/24 dev eth0");
    let mut daemon = site.start();
    daemon.wait_for_log("has no permanent IPv4 address; give it a static one; waiting for it");
    site.ip("addr add 10.0.0.1/24 dev eth0");
    assert_eq!(daemon.wait(Duration::from_secs(5)), 2);
    assert!(daemon.log().contains("in the subnet of the peer 192.168.129.43"), "{}", daemon.log());
}

#[test]
fn a_node_serves_without_its_heartbeat_port_and_uses_it_when_it_appears() {
    let Some(site) = Site::new() else { return };
    site.ip("link del eth1");
    let daemon = site.start();
    daemon.wait_until_ready();
    daemon.wait_for_log("interface eth1 is missing; waiting for it");
    site.wait_for_role("Active");

    let before = site.status()["term"].clone();
    site.plug_cable();
    daemon.wait_for_log("interface eth1 is there");
    wait_until("heartbeats on the cable", || sent(&site, "eth1") > 10);
    let after = site.status();
    assert_eq!((&after["role"], &after["term"]), (&"Active".into(), &before), "service was not interrupted");
}

#[test]
fn an_active_keeps_serving_when_its_heartbeat_port_is_replaced() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let term = site.status()["term"].clone();
    site.ip("link del eth1");
    daemon.wait_for_log("interface eth1 is gone; waiting for it");
    site.plug_cable();
    daemon.wait_for_log("interface eth1 is there");
    wait_until("heartbeats on the cable", || sent(&site, "eth1") > 10);
    let after = site.status();
    assert_eq!((&after["role"], &after["term"]), (&"Active".into(), &term));
}

#[test]
fn a_lan_interface_that_is_replaced_makes_the_node_start_anew_with_its_mac() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let before = site.status()["mac"].clone();

    site.ip("link del eth0");
    daemon.wait_for_log("interface eth0 is gone; waiting for it");
    wait_until("not active any more", || site.status()["role"] != "Active");

    site.plug_lan();
    daemon.wait_for_log("the LAN interface was replaced: this node is now ");
    site.wait_for_role("Active");
    wait_until("the cluster IP is back", || site.holds_cluster_ip());
    assert_ne!(site.status()["mac"], before);
}

/// The address must not stay behind under a name that nobody asks for: the other node would bind it, too.
#[test]
fn an_active_whose_interfaces_are_renamed_serves_on_and_leaves_no_address_behind() {
    let Some(site) = Site::new() else { return };
    let mut daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let term = site.status()["term"].clone();
    site.ip("link set eth0 name lan0");
    site.ip("link set eth1 name hb0");
    std::thread::sleep(2 * TIMEOUT);
    let after = site.status();
    assert_eq!((&after["role"], &after["term"]), (&"Active".into(), &term), "service was not interrupted");
    assert!(site.holds_cluster_ip(), "the lifetime of the address is extended");
    assert!(!is_raised(&site, "LAN"));
    daemon.wait_for_log(
        "interface eth0 is called lan0 now and is used under that name; a restart looks for eth0: rename it back, or \
         change network.lan_interface",
    );
    daemon.wait_for_log("interface eth1 is called hb0 now");

    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(Duration::from_secs(10)), 0);
    assert!(!site.holds_cluster_ip(), "it was removed before the node said so");
}

#[test]
fn a_carrier_that_is_lost_without_an_event_is_noticed_by_reading_again() {
    in_real_time(|| {
        let Some(site) = Site::new() else { return };
        let daemon = site.start();
        daemon.wait_until_ready();
        site.wait_for_role("Active");
        daemon.lose_interface_events();
        site.ip("link set lan down");
        let begin = Instant::now();
        wait_until("the LAN fault", || is_raised(&site, "LAN"));
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        site.ip("link set lan up");
        wait_until("the end of it", || !is_raised(&site, "LAN"));
    });
}

#[test]
fn a_node_that_has_lost_its_static_address_claims_nothing_until_it_is_back() {
    let Some(site) = Site::new() else { return };
    let daemon = site.start();
    daemon.wait_until_ready();
    site.ip("addr del 192.168.129.42/24 dev eth0");
    daemon.wait_for_log("alert: STATIC ADDRESS: is missing from the LAN interface");
    std::thread::sleep(2 * TIMEOUT);
    assert_eq!(site.status()["role"], "Init");

    site.ip("addr add 192.168.129.42/24 dev eth0");
    daemon.wait_for_log("restored to normal: STATIC ADDRESS");
    site.wait_for_role("Active");
    site.ip("addr del 192.168.129.42/24 dev eth0");
    std::thread::sleep(2 * TIMEOUT);
    assert_eq!(site.status()["role"], "Active", "who serves goes on");
    assert!(site.holds_cluster_ip());
    let events = site.ask("events").out;
    assert!(events.contains("STATIC ADDRESS"), "{events}");
}

fn is_raised(site: &Site, name: &str) -> bool {
    let status = site.status();
    let raised = |fault: &serde_json::Value| fault["name"] == name && fault["raised"] == true;
    status["faults"].as_array().unwrap().iter().any(raised)
}

/// Frames sent on an interface of this thread's namespace.
fn sent(_site: &Site, interface: &str) -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix(interface)?.strip_prefix(':'));
    line.and_then(|counters| counters.split_whitespace().nth(9)?.parse().ok()).unwrap_or_default()
}
