//! The daemon: one thread that turns facts into the node's inputs and carries out its outputs, in their order.

mod effects;
mod fxo;
mod ports;
mod reload;
mod services;
mod start;
mod token;
mod turn;

pub(crate) use start::{make_dir, run};

use crate::clock::{self, Timer};
use crate::control::Server;
use crate::events::Journal;
use crate::fxo::Watch;
use crate::net::address::{ClusterAddress, OwnAddress};
use crate::net::netlink::{Monitor, Netlink};
use crate::service::Watched;
use crate::settings::Sections;
use crate::state::StateWriter;
use effects::SendHealth;
use mio::Poll;
use ports::Ports;
use signal_hook_mio::v1_0::Signals;
use std::collections::VecDeque;
use std::path::PathBuf;
use ucm_ha::config::ConfigError;
use ucm_ha::io::Record;
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::{Config, Input, Instant, Node};

/// The running daemon.
struct Daemon {
    node: Node,
    config: Config,
    /// Where [`Node::poll_output`] writes frames to.
    frame: [u8; FRAME_CAPACITY],
    /// What became of outputs; the node is told once all outputs are carried out.
    outcomes: VecDeque<Input<'static>>,

    config_file: PathBuf,
    sections: Sections,
    /// `ha.enable` as the node was last told.
    enabled: bool,
    /// Why a replaced LAN interface cannot be used, once said.
    complaint: Option<String>,

    netlink: Netlink,
    ports: Ports,
    address: ClusterAddress,
    own_address: OwnAddress,
    cable_health: SendHealth,
    lan_health: SendHealth,
    arp_health: SendHealth,

    /// The FXO ports, where they are watched.
    fxo: Option<Watch>,

    state: StateWriter,
    /// What the node last asked to store.
    record: Record,
    journal: Journal,
    services: Watched,

    poll: Poll,
    timer: Timer,
    monitor: Monitor,
    signals: Signals,
    control: Server,
    waiting: turn::Waiting,
    rescan_at: Instant,
    watchdog: Option<turn::Watchdog>,
    /// When to end although the node is not done.
    stop_at: Option<Instant>,
    stopped: bool,
}

impl Daemon {
    /// Gives a fact to the node and carries out what it decides.
    fn feed(&mut self, input: Input<'_>) {
        self.node.handle(clock::now(), input);
        self.carry_out_all();
        while let Some(outcome) = self.outcomes.pop_front() {
            self.node.handle(clock::now(), outcome);
            self.carry_out_all();
        }
    }

    /// Reports the carrier of every port.
    fn feed_carriers(&mut self) {
        for (port, up) in self.ports.carriers().into_iter().flatten() {
            self.feed(Input::Link { port, up });
        }
    }

    /// Reports whether the static address is there.
    fn feed_own_address(&mut self) {
        self.feed(Input::OwnAddress { present: self.own_address.is_present() });
    }

    /// Makes a new node, after the LAN interface turned out to be another one than before.
    fn renew_node(&mut self, config: Config) -> Result<(), ConfigError> {
        self.node = Node::new(config, self.record, start::boot_id(), clock::now())?;
        self.config = config;
        self.outcomes.clear();
        self.journal.forget_node();
        self.feed_own_address();
        self.feed_service_fault();
        self.tell_fxo_state();
        Ok(())
    }
}
