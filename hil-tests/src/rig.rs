//! The machines of a pair, whatever they are, and the network around them.

use lab::frames::FrameSocket;
use lab::pair::Ability;
use lab::plan::{CLUSTER_IP, Node, Wire};
use lab::site::Site;
use lab::stimulus::Stimulus;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use ucm_ha::types::MacAddr;

/// What is known of a rig beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// The cluster IP.
    pub(crate) cluster_ip: Ipv4Addr,
    /// The MAC addresses of the nodes' LAN ports.
    pub(crate) macs: [MacAddr; 2],
    /// Heartbeat timeout T.
    pub(crate) timeout: Duration,
    /// How long a node may take from power on to a running daemon.
    pub(crate) boot_limit: Duration,
    /// Time after which a wedged node is reset by its watchdog.
    pub(crate) watchdog: Duration,
}

/// Heartbeat timeout T of the rigs that are built here, in seconds.
pub(crate) const TIMEOUT_S: u8 = 3;

impl Facts {
    /// Of a pair with the lab's addresses.
    pub(crate) fn of_built(boot_limit: Duration, watchdog: Duration) -> Self {
        Self {
            cluster_ip: CLUSTER_IP.address,
            macs: Node::ALL.map(|node| node.mac(Wire::Lan)),
            timeout: Duration::from_secs(TIMEOUT_S.into()),
            boot_limit,
            watchdog,
        }
    }

    /// Another unit takes the place of a node; gives its MAC address.
    pub(crate) fn replace_unit(&mut self, node: Node) -> MacAddr {
        let mac = &mut self.macs[node.index()];
        mac.0[4] ^= 0x80;
        *mac
    }
}

/// What a command on a node said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it wrote, errors included.
    pub(crate) text: String,
}

/// A place in the network where frames are seen.
pub(crate) struct Tap {
    /// Its name.
    pub(crate) name: String,
    /// The frames.
    pub(crate) socket: FrameSocket,
}

/// A pair on which scenarios are played. Everything ends when this is dropped.
pub(crate) trait Rig {
    /// What is known of it now.
    fn facts(&self) -> Facts;

    /// Whether it has an ability; otherwise why not.
    fn has(&self, ability: Ability) -> Result<(), String>;

    /// Does something to the pair.
    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()>;

    /// Runs a shell command on a node. `$CONFIG` and `$STATE` name the configuration file and the state directory.
    fn run(&mut self, node: Node, command: &str) -> io::Result<Answer>;

    /// What a node has written on its console since its first power on.
    fn console(&mut self, node: Node) -> io::Result<String>;

    /// Where the phone sits, and the interface it uses.
    fn seat(&mut self) -> (&mut Site, &str);

    /// Where frames can be seen.
    fn taps(&mut self) -> io::Result<Vec<Tap>>;
}
