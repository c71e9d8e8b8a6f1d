//! A LAN in a network namespace of its own: a bridge, whose own address is the gateway.

use crate::wait_until;
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::process::{Command, id};
use tempfile::TempDir;

/// MAC address of the gateway.
pub const GATEWAY_MAC: &str = "02:00:00:00:00:fe";
/// The LAN's bridge.
pub const BRIDGE: &str = "lan";

/// The namespace and a directory. The thread that makes it, and what it starts, live there.
pub struct Site {
    dir: TempDir,
}

impl Site {
    /// Moves this thread into a new namespace with a LAN. `None`, and said, where there is no image to put on the bench.
    #[must_use]
    pub fn new() -> Option<Self> {
        if crate::board::image().is_none() {
            println!("skipped: no image; run targets/mps2-an386/test");
            return None;
        }
        // SAFETY: only file descriptor tables make `unshare` unsafe, and this flag leaves them alone.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("root may make network namespaces");
        let site = Self { dir: tempfile::tempdir().unwrap() };
        ip("link set lo up");
        ip(&format!("link add {BRIDGE} address {GATEWAY_MAC} type bridge forward_delay 0"));
        ip(&format!("addr add 192.168.129.1/24 dev {BRIDGE}"));
        ip(&format!("link set {BRIDGE} up"));
        Some(site)
    }

    /// A directory for the test.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Plugs a tap interface into the LAN.
    pub fn plug_tap(&self, name: &str) {
        ip(&format!("tuntap add {name} mode tap"));
        ip(&format!("link set {name} master {BRIDGE}"));
        ip(&format!("link set {name} up"));
    }

    /// Whether a station answers a ping to the cluster IP.
    #[must_use]
    pub fn pings_cluster_ip(&self) -> bool {
        let target = crate::CLUSTER_IP.to_string();
        let done =
            Command::new("ping").args(["-n", "-c", "1", "-W", "1", &target]).output().expect("ping is installed");
        done.status.success()
    }
}

/// Another namespace: a Linux node on the LAN, with `eth0` there and `eth1` as heartbeat port, whose other end is `cable`
/// in the site.
pub struct LinuxNode {
    netns: File,
}

impl LinuxNode {
    /// Makes it, with this address.
    #[must_use]
    pub fn new(_site: &Site, address: &str) -> Self {
        let netns = std::thread::spawn(|| {
            // SAFETY: only file descriptor tables make `unshare` unsafe, and this flag leaves them alone.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        })
        .join()
        .unwrap();
        let node = Self { netns };
        let there = format!("/proc/{}/fd/{}", id(), node.netns.as_raw_fd());
        ip(&format!("link add node-lan type veth peer name eth0 netns {there}"));
        ip("link add cable type veth peer name eth1");
        ip(&format!("link set eth1 netns {there}"));
        ip(&format!("link set node-lan master {BRIDGE}"));
        // The heartbeat port is to carry heartbeats only: every other frame on it counts as malformed.
        ip("link set cable addrgenmode none");
        for interface in ["node-lan", "cable"] {
            ip(&format!("link set {interface} up"));
        }
        node.run(|| {
            ip("link set lo up");
            ip(&format!("addr add {address} dev eth0"));
            ip("link set eth0 up");
            ip("link set eth1 addrgenmode none");
            ip("link set eth1 up");
        });
        wait_until("the cable has carrier", || ip("-o link show cable").contains("LOWER_UP"));
        node
    }

    /// Runs `task` inside. Processes it starts stay there.
    pub fn run<T: Send>(&self, task: impl FnOnce() -> T + Send) -> T {
        let enter = || {
            move_into_link_name_space(self.netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            task()
        };
        std::thread::scope(|scope| scope.spawn(enter).join().unwrap())
    }
}

/// Runs `ip` with these words; what it said.
#[track_caller]
pub fn ip(words: &str) -> String {
    let done = Command::new("ip").args(words.split(' ')).output().expect("iproute2 is installed");
    assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
