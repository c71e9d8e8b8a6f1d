//! How the pair is configured in a run, and the habits of its machines.

use super::stations::{CABLE_MAC, CLUSTER_IP, GATEWAY_IP, NODE_IP, NODE_MAC};
use super::third::Neighbour;
use super::{A, B, MS, SEC, Us};
use ucm_ha::Config;
use ucm_ha::config::FaultPolicy;
use ucm_ha::fault::Faults;
use ucm_ha::types::{Cidr, Firmware, KEY_LEN, Key, Model, NetworkMethod, StationType};

/// Everything about a run but its faults. Pairs are indexed by node.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Heartbeat timeout T.
    pub(crate) timeout_s: [u8; 2],
    /// Fast failover.
    pub(crate) fast: [bool; 2],
    /// Whether the gateway is configured.
    pub(crate) gateway: [bool; 2],
    /// Whether the pair has a key.
    pub(crate) key: bool,
    /// A node of another pair on the heartbeat segment, from the start to the end.
    pub(crate) neighbour: Option<Neighbour>,
    /// Nodes that speak as version 0.1 does.
    pub(crate) old: [bool; 2],
    /// Whether the peer's MAC is configured.
    pub(crate) peer_mac: bool,
    /// High availability on.
    pub(crate) enabled: [bool; 2],
    /// Station types.
    pub(crate) station: [StationType; 2],
    /// Network method.
    pub(crate) method: NetworkMethod,
    /// Models.
    pub(crate) model: [Model; 2],
    /// Firmware versions.
    pub(crate) firmware: [Firmware; 2],
    /// Fault switches and budget.
    pub(crate) policy: FaultPolicy,
    /// Rate errors of the clocks, in parts per million.
    pub(crate) rate_ppm: [i64; 2],
    /// When each daemon first starts.
    pub(crate) boot_at: [Us; 2],
    /// Most that the kernel is late to drop an address.
    pub(crate) expiry_late_us: Us,
    /// Frames a socket holds while the daemon is frozen.
    pub(crate) socket_frames: usize,
    /// Most that a timer fires late.
    pub(crate) timer_late_us: Us,
    /// How long a reboot takes; `None` when no reboot command is configured.
    pub(crate) reboot_us: Option<Us>,
    /// Most that a full synchronisation takes.
    pub(crate) sync_us: Us,
    /// From the start of the daemon until its FXO ports are judged.
    pub(crate) fxo_known_us: Us,
    /// From power to the start of the daemon.
    pub(crate) daemon_start_us: Us,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout_s: [3, 3],
            fast: [true, true],
            gateway: [true, true],
            key: false,
            neighbour: None,
            old: [false; 2],
            peer_mac: false,
            enabled: [true, true],
            station: [StationType::Primary, StationType::Secondary],
            method: NetworkMethod::Switch,
            model: [Model::Ucm6304A, Model::Ucm6304A],
            firmware: [Firmware([1, 0, 10, 2]), Firmware([1, 0, 10, 2])],
            policy: FaultPolicy { switching: Faults::FXO1.union(Faults::SERVICE), ..FaultPolicy::default() },
            rate_ppm: [0, 0],
            boot_at: [100 * MS, 150 * MS],
            expiry_late_us: 100 * MS,
            socket_frames: 277,
            timer_late_us: 300,
            reboot_us: Some(8 * SEC),
            sync_us: 500 * MS,
            fxo_known_us: 500 * MS,
            daemon_start_us: SEC,
        }
    }
}

impl Settings {
    /// The configuration of a node.
    pub(crate) fn config(&self, node: usize) -> Config {
        let cidr = |address| Cidr { address, prefix_len: 24 };
        let (own_ip, cluster_ip) = (cidr(NODE_IP[node]), cidr(CLUSTER_IP));
        let (mac, cable_mac) = (NODE_MAC[node], CABLE_MAC[node]);
        let mut config = Config::new(self.station[node], mac, cable_mac, own_ip, cluster_ip, NODE_IP[1 - node]);
        config.enabled = self.enabled[node];
        config.peer_mac = self.peer_mac.then_some(NODE_MAC[1 - node]);
        config.heartbeat_timeout_s = self.timeout_s[node];
        config.fast_failover = self.fast[node];
        config.gateway = self.gateway[node].then_some(GATEWAY_IP);
        config.key = self.key.then_some(Key([0x5a; KEY_LEN]));
        config.network_method = self.method;
        config.model = self.model[node];
        config.firmware = self.firmware[node];
        config.fault = self.policy;
        config
    }

    /// The longer heartbeat timeout of the two.
    pub(crate) fn timeout_us(&self) -> Us {
        Us::from(self.timeout_s[A].max(self.timeout_s[B])) * SEC
    }

    /// The longest time between two frames on the cable of either.
    pub(crate) fn rest_us(&self) -> Us {
        self.config(A).rest_interval().as_us().max(self.config(B).rest_interval().as_us())
    }

    /// The longer interval of the two.
    pub(crate) fn interval_us(&self) -> Us {
        self.config(A).interval().as_us().max(self.config(B).interval().as_us())
    }
}
