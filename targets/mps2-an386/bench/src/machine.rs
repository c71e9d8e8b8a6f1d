//! An emulated 64-bit ARM machine with Linux on the bench: the machine of the rig, run by `hil-tests machine`.

use crate::linux::Linux;
use crate::site::{Site, ip};
use crate::wait_until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The end of the heartbeat cable at the machine.
pub const CABLE: &str = "cable-b";
/// Gives the machine the settings of board 2.
const SETTINGS: &str = "sed -i -e '/^peer_mac/d' -e 's/^heartbeat_timeout.*/&\\nfast_failover = false/' \
                        -e 's/^hardware_fault_switch.*/hardware_fault_switch = [\"FXO1\", \"FXO2\"]/' $CONFIG && sync && \
                        ucm-ha check --config $CONFIG && kill $(cat /run/ucm-ha.pid)";

/// Where `targets/mps2-an386/test` says that the rig is.
#[must_use]
pub fn rig() -> Option<PathBuf> {
    std::env::var_os("UCM_HA_RIG").map(PathBuf::from)
}

/// A running machine. It ends when this is dropped, as the rig that runs it ends then.
pub struct Machine {
    rig: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Machine {
    /// Plugs a new machine into the site's LAN and gives it power.
    #[must_use]
    pub fn start(site: &Site) -> Self {
        site.plug_tap("lan-b");
        ip(&format!("tuntap add {CABLE} mode tap"));
        ip(&format!("link set {CABLE} addrgenmode none"));
        ip(&format!("link set {CABLE} up"));
        let mut command = Command::new(rig().expect("UCM_HA_RIG names the rig; run targets/mps2-an386/test"));
        command.args(["machine", "b"]).arg(site.dir().join("machine"));
        let mut rig = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the rig can be run");
        let (requests, replies) = (rig.stdin.take(), BufReader::new(rig.stdout.take().unwrap()));
        let mut machine = Self { rig, requests, replies };
        machine.start();
        wait_until("the machine takes its settings", || machine.ask("run", SETTINGS).0 == 0);
        machine
    }

    /// Exit code and text.
    fn ask(&mut self, words: &str, stdin: &str) -> (i64, String) {
        let request = json!({ "words": words, "stdin": stdin });
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap();
        let reply: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        (reply["code"].as_i64().unwrap(), reply["text"].as_str().unwrap().to_owned())
    }
}

impl Linux for Machine {
    fn status(&mut self) -> Value {
        let (_, text) = self.ask("run", "ucm-ha status --json --config $CONFIG");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn switch(&mut self) -> Option<i32> {
        i32::try_from(self.ask("run", "ucm-ha switch --config $CONFIG").0).ok()
    }

    fn kill(&mut self) {
        assert_eq!(self.ask("power-off", ""), (0, String::new()));
    }

    fn start(&mut self) {
        assert_eq!(self.ask("power-on", ""), (0, String::new()));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("machine:\n{}", self.ask("console", "").1);
        }
        drop(self.requests.take());
        self.rig.wait().unwrap();
    }
}
