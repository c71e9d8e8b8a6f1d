//! The running daemon: the node, and everything around it.

use super::boot_id::boot_id;
use super::ports::Ports;
use super::watchdog::Watchdog;
use crate::clock::{self, Timer};
use crate::control::Server;
use crate::events::Journal;
use crate::fxo::Watch;
use crate::net::address::{ClusterAddress, OwnAddress};
use crate::net::netlink::{Monitor, Netlink};
use crate::service::Watched;
use crate::settings::Sections;
use crate::state::StateWriter;
use crate::takeover::Standby;
use mio::Poll;
use signal_hook_mio::v1_0::Signals;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::SystemTime;
use ucm_ha::config::ConfigError;
use ucm_ha::io::Record;
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::{Config, Input, Instant, Node};
use ucm_ha_control::Report;

/// Who turned high availability off on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnedOff {
    /// It was off when the daemon started.
    ByConfiguration,
    /// A reload found it off.
    ByOperator,
}

/// The running daemon.
pub(super) struct Daemon {
    pub(super) node: Node,
    pub(super) config: Config,
    /// Where [`Node::poll_output`] writes frames to.
    pub(super) frame: [u8; FRAME_CAPACITY],
    /// What became of outputs; the node is told once all outputs are carried out.
    pub(super) outcomes: VecDeque<Input<'static>>,

    pub(super) config_file: PathBuf,
    pub(super) sections: Sections,
    /// `ha.enable` as the node was last told.
    pub(super) enabled: bool,
    /// Who turned high availability off on this node, if anybody did.
    pub(super) turned_off: Option<TurnedOff>,
    /// When the node went off last; the daemon's start where it has not.
    pub(super) off_since: SystemTime,
    /// Why a replaced LAN interface cannot be used, once said.
    pub(super) complaint: Option<String>,

    pub(super) netlink: Netlink,
    pub(super) ports: Ports,
    pub(super) address: ClusterAddress,
    /// The alert stands that somebody else removes it.
    pub(super) removal_told: bool,
    pub(super) own_address: OwnAddress,

    /// The FXO ports, where they are watched.
    pub(super) fxo: Option<Watch>,

    pub(super) state: StateWriter,
    /// What the node last asked to store.
    pub(super) record: Record,
    pub(super) journal: Journal,
    /// Whether there is a node to take over.
    pub(super) standby: Standby,
    pub(super) services: Watched,

    pub(super) poll: Poll,
    pub(super) timer: Timer,
    pub(super) monitor: Monitor,
    pub(super) signals: Signals,
    pub(super) control: Server,
    /// What those who follow were told last, but for what changes all the time.
    pub(super) told: Option<Report>,
    /// There may be more events of the interfaces.
    pub(super) monitor_waiting: bool,
    pub(super) rescan_at: Instant,
    pub(super) watchdog: Option<Watchdog>,
    /// When to end although the node is not done.
    pub(super) stop_at: Option<Instant>,
    pub(super) stopped: bool,
}

impl Daemon {
    /// Gives a fact to the node and carries out what it decides.
    pub(super) fn feed(&mut self, input: Input<'_>) {
        self.node.handle(clock::now(), input);
        self.carry_out_all();
        while let Some(outcome) = self.outcomes.pop_front() {
            self.node.handle(clock::now(), outcome);
            self.carry_out_all();
        }
    }

    /// Reports the carrier of every port.
    pub(super) fn feed_carriers(&mut self) {
        for (port, up) in self.ports.carriers().into_iter().flatten() {
            self.feed(Input::Link { port, up });
        }
    }

    /// Reports whether the static address is there.
    pub(super) fn feed_own_address(&mut self) {
        self.feed(Input::OwnAddress { present: self.own_address.is_present() });
    }

    /// Makes a new node, after the LAN interface turned out to be another one than before.
    pub(super) fn renew_node(&mut self, config: Config) -> Result<(), ConfigError> {
        self.node = Node::new(config, self.record, boot_id(), clock::now())?;
        self.config = config;
        self.outcomes.clear();
        self.journal.forget_node();
        self.feed_own_address();
        self.feed_service_fault();
        self.tell_fxo_state();
        Ok(())
    }
}
