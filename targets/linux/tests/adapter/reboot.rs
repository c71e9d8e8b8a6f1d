//! The reboot that a node asks for once it has handed the role over for a fault of its own.

use crate::peer::Peer;
use crate::site::{Site, wait_until};
use serde_json::Value;
use std::fs;
use std::time::Duration;

#[test]
fn a_node_reboots_once_after_its_peer_has_taken_over_for_its_fault() {
    let Some(site) = Site::new() else { return };
    site.configure(|text| text.replace("enable = true", "enable = true\nsoftware_fault_switch = true"));
    let peer = Peer::join(&site);
    // At each reboot: what the peer is.
    let reboots = site.run_dir().with_file_name("reboots");
    let program = env!("CARGO_BIN_EXE_ucm-ha");
    let command = format!("{program} status --json --config {} >> {}", peer.config().display(), reboots.display());
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), format!("{text}\n[fault]\nreboot_command = {command:?}\n")).unwrap();
    let daemon = site.start();
    daemon.wait_until_ready();
    site.wait_for_role("Active");
    let peer_daemon = peer.start();
    peer_daemon.wait_until_ready();
    wait_until("the peer is there to take over", || {
        let status = site.status();
        status["ha_status"] == "Dual" && status["peer"]["cable"] == true && status["peer"]["lan"] == true
    });
    assert!(!reboots.exists());

    assert_eq!(site.ask("fault raise asterisk").code, 0);
    daemon.wait_for_log("rebooting after a fault of this node: ");
    daemon.wait_for_log(&format!("{command}: done"));
    site.wait_for_role("Standby");
    // A fault that stays, and one that comes again, is no reason for another one.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.ask("fault clear asterisk").code, 0);
    assert_eq!(site.ask("fault raise asterisk").code, 0);
    std::thread::sleep(Duration::from_secs(2));

    let text = fs::read_to_string(&reboots).unwrap();
    let statuses: Vec<Value> = serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(statuses.iter().map(|status| &status["role"]).collect::<Vec<_>>(), ["Active"], "{text}");
    assert_eq!(daemon.log().matches("rebooting after a fault of this node").count(), 1, "{}", daemon.log());
    assert!(!peer_daemon.log().contains("reboot"), "{}", peer_daemon.log());
}
