//! The other node of a site's pair, in a namespace of its own.

use crate::site::{Answer, Daemon, Site};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Joined to its site by the cable and by a bridge on the LAN.
pub(crate) struct Peer<'a> {
    site: &'a Site,
    /// Keeps the namespace; it is entered by this process's id.
    holder: Child,
}

impl<'a> Peer<'a> {
    /// Adds the other node to a site that has only one.
    pub(crate) fn join(site: &'a Site) -> Self {
        let holder = Command::new("unshare").args(["--net", "sleep", "infinity"]).stdin(Stdio::null()).spawn();
        let peer = Self { site, holder: holder.expect("util-linux is installed") };
        peer.wait_for_namespace();
        let namespace = peer.holder.id();
        for words in [
            "link add br0 type bridge",
            "addr del 192.168.129.1/32 dev lan",
            "addr add 192.168.129.1/32 dev br0",
            "link set lan master br0",
            "link add lan2 type veth peer name eth0 netns NAMESPACE",
            "link set lan2 master br0",
            "link set lan2 up",
            "link set br0 up",
            "link set cable netns NAMESPACE name eth1",
        ] {
            site.ip(&words.replace("NAMESPACE", &namespace.to_string()));
        }
        for words in ["link set lo up", "addr add 192.168.129.43/24 dev eth0", "link set eth0 up", "link set eth1 up"] {
            peer.ip(words);
        }
        peer.configure();
        peer
    }

    /// Until the holder has left the site's namespace.
    fn wait_for_namespace(&self) {
        let own = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while std::fs::read_link(format!("/proc/{}/ns/net", self.holder.id())).unwrap() == own {
            assert!(Instant::now() < end, "no namespace for the peer");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.holder.id().to_string()]);
        command
    }

    /// Runs `ip` with these words in the peer's namespace.
    #[track_caller]
    pub(crate) fn ip(&self, words: &str) {
        let done = self.enter().arg("ip").args(words.split(' ')).output().expect("util-linux is installed");
        assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn configure(&self) {
        let text = std::fs::read_to_string(self.site.config()).unwrap();
        let text = text.replace("\"primary\"", "\"secondary\"").replace("192.168.129.43", "192.168.129.42");
        let text = text.replace("/state\"", "/peer-state\"").replace("/run\"", "/peer-run\"");
        std::fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> std::path::PathBuf {
        self.site.config().with_file_name("peer.toml")
    }

    fn command(&self, words: &str) -> Command {
        let mut command = self.enter();
        command.arg(env!("CARGO_BIN_EXE_ucm-ha")).args(words.split(' ')).arg("--config").arg(self.config());
        command
    }

    /// What a command line of the program does on this node.
    pub(crate) fn ask(&self, words: &str) -> Answer {
        Answer::of(self.command(words).output().unwrap())
    }

    pub(crate) fn start(&self) -> Daemon {
        self.site.start_named("peer-", self.command("run"))
    }

    /// The MAC address of its LAN port, as in events.
    pub(crate) fn mac(&self) -> String {
        let shown = self.enter().args(["ip", "-br", "link", "show", "eth0"]).output().unwrap();
        mac_in(&String::from_utf8(shown.stdout).unwrap())
    }
}

impl Drop for Peer<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.holder.kill();
        self.holder.wait().unwrap();
    }
}

/// The first MAC address in a text, in lower-case hex without colons.
pub(crate) fn mac_in(text: &str) -> String {
    let is_mac = |word: &&str| word.len() == 17 && word.bytes().filter(|byte| *byte == b':').count() == 5;
    text.split_whitespace().find(is_mac).expect("a MAC address").replace(':', "").to_lowercase()
}
