//! What goes into a node and what comes out of it.

use crate::event::{Alert, RoleReason, SwitchRefusal};
use crate::fault::Faults;
use crate::role::Role;
use crate::time::Instant;
use crate::types::MacAddr;
use core::net::Ipv4Addr;

/// A network port whose carrier the node watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Port {
    /// The heartbeat port (the direct cable).
    Cable,
    /// The LAN uplink, which carries the cluster IP.
    Lan,
    /// The WAN uplink (router method).
    Wan,
}

/// A fact the adapter reports with [`Node::handle`](crate::Node::handle).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The deadline of [`Node::poll_timeout`](crate::Node::poll_timeout) has come. Harmless at any other time.
    Timeout,
    /// An Ethernet frame was received on the heartbeat port.
    CableFrame(&'a [u8]),
    /// A datagram was received on the LAN interface at the heartbeat port.
    LanDatagram {
        /// Its IPv4 source address.
        source: Ipv4Addr,
        /// Its UDP payload.
        payload: &'a [u8],
    },
    /// An Ethernet frame with an ARP packet was received on the LAN interface. Needed are those of the gateway, the peer and whoever
    /// says it has the cluster IP, and probes for the cluster IP; without a gateway all.
    ArpFrame(&'a [u8]),
    /// The carrier of a port, at start and whenever it may have changed. Repeating the same state is harmless.
    Link {
        /// Which port.
        port: Port,
        /// Whether it has carrier.
        up: bool,
    },
    /// What became of the cluster IP on the LAN interface.
    Address(AddressEvent),
    /// Whether the LAN interface has the own static address. To be told whenever that may have changed; it counts as there
    /// until then. Without it the peer's datagrams do not arrive, and their absence says nothing about the peer: such a node
    /// claims nothing without the peer's consent. An active keeps its role.
    OwnAddress {
        /// Whether it is there.
        present: bool,
    },
    /// The record of the newest [`Output::Persist`] was stored durably (`saved`), or could not be.
    Persisted {
        /// Whether the record will be read back after a restart.
        saved: bool,
    },
    /// A debounced fault was raised or cleared. [`Faults::LAN`], [`Faults::WAN`] and [`Faults::GATEWAY`] are the node's own
    /// to find (from [`Input::Link`] and ARP) and are ignored here.
    Fault {
        /// Which.
        faults: Faults,
        /// Raised or cleared.
        raised: bool,
    },
    /// Whether faults cannot be told yet, as after a start, when the parts are still being set up or looked at. While so, this
    /// node does not count as healthier than a peer with such a fault, and is not handed the role for it.
    FaultUnknown {
        /// Which.
        faults: Faults,
        /// Not known yet, or known from now on.
        unknown: bool,
    },
    /// Outcome of a full synchronisation that [`Output::StartFullSync`] asked for.
    SyncDone {
        /// The generation this node now holds.
        generation: u32,
        /// Whether the data is complete.
        complete: bool,
    },
    /// A command of the operator.
    Command(Command),
}

/// What became of the cluster IP on the LAN interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AddressEvent {
    /// [`Output::BindAddress`] is done: the address is bound.
    Held,
    /// [`Output::ReleaseAddress`] is done: the address is not bound (also when it was not bound before).
    Released,
    /// [`Output::BindAddress`] failed; the address is not bound.
    Failed,
    /// The address went away without [`Output::ReleaseAddress`]: its lifetime ran out, or somebody removed it.
    Lost,
}

/// A command of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Command {
    /// Hand the active role to the peer. Answered by [`Output::SwitchDone`].
    ForceSwitch,
    /// Turn high availability off on this node (saved).
    Disable,
    /// Turn it on again, also after the peer turned it off for the pair.
    Enable,
    /// Keep this node out of the active role from now on (saved). An active hands over first, and it is refused where the peer
    /// could not take the role, or is in maintenance itself. Answered by [`Output::SwitchDone`].
    EnterMaintenance,
    /// The same whether or not somebody else can serve: an active releases the cluster IP. Refused in the middle of a handover.
    ForceMaintenance,
    /// Let this node take the role again (saved).
    LeaveMaintenance,
    /// The program is about to end: hand over if the peer is ready, release the address, then [`Output::Stopped`].
    Shutdown,
}

/// What must survive a restart. Stored by the adapter when [`Output::Persist`] asks, given back to
/// [`Node::new`](crate::Node::new). All of it: a field more is a new major version, since an adapter that leaves it out loses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Record {
    /// The newest term this node knows.
    pub term: u32,
    /// No term above this one was ever used by this node. Terms are reserved ahead, so that no write stands inside a
    /// takeover.
    pub term_ceiling: u32,
    /// Whether this node was the active of `term`.
    pub last_active: bool,
    /// The peer, then active, turned high availability off for the pair.
    pub disabled_by_peer: bool,
    /// Handovers for own faults in the window when the record was stored.
    pub handovers: u8,
    /// The operator keeps this node out of the active role.
    pub maintenance: bool,
}

/// An effect the adapter carries out, in the order in which they come.
///
/// Not `non_exhaustive`, and matched without a wildcard by whoever means to be safe: an effect that an adapter does not know
/// and leaves out breaks promises of the pair. A new one is a new major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Output {
    /// Remove the cluster IP from the LAN interface if it is there, then report [`AddressEvent::Released`].
    ReleaseAddress,
    /// Add the cluster IP to the LAN interface, to vanish by itself after `valid_s` unless renewed; then report
    /// [`AddressEvent::Held`] or [`AddressEvent::Failed`].
    BindAddress {
        /// Lifetime in seconds.
        valid_s: u32,
        /// From this moment on do nothing and report [`AddressEvent::Failed`]: the program was frozen between the
        /// decision and its execution, and the peer may have taken over.
        before: Instant,
    },
    /// Extend the lifetime of the bound cluster IP. Only a failure is reported, as [`AddressEvent::Lost`].
    RenewAddress {
        /// New lifetime in seconds.
        valid_s: u32,
        /// From this moment on do nothing, as for [`Output::BindAddress`].
        before: Instant,
    },
    /// Send the first `len` bytes of the frame buffer, a whole Ethernet frame, on the heartbeat port.
    SendCable {
        /// Length in bytes.
        len: usize,
    },
    /// Send the first `len` bytes of the frame buffer as one UDP datagram to the peer's LAN address and heartbeat port,
    /// on the LAN interface, from the own static address.
    SendLan {
        /// Length in bytes.
        len: usize,
    },
    /// Send the first `len` bytes of the frame buffer, a whole Ethernet frame with an ARP packet, on the LAN interface.
    SendArp {
        /// Length in bytes.
        len: usize,
    },
    /// Store the record durably, then report [`Input::Persisted`]. May take its time; only the newest one matters.
    Persist(Record),
    /// The role changed; or, with `from` and `to` equal, whoever follows the roles should be told of it again
    /// ([`RoleReason::PeerGaveWay`]).
    RoleChanged {
        /// Role before.
        from: Role,
        /// Role after.
        to: Role,
        /// Term after.
        term: u32,
        /// Why.
        reason: RoleReason,
    },
    /// An alert was raised or cleared.
    Alert {
        /// Which.
        alert: Alert,
        /// Raised or cleared.
        raised: bool,
        /// The station it is about, where that is known.
        mac: Option<MacAddr>,
        /// The address it is about, where there is one: see [`Alert`].
        #[cfg_attr(feature = "defmt", defmt(Debug2Format))]
        ip: Option<Ipv4Addr>,
    },
    /// A fault of this node was raised or cleared (after debounce).
    FaultChanged {
        /// Faults that changed.
        faults: Faults,
        /// Raised or cleared.
        raised: bool,
    },
    /// Ask the peer for everything, then report [`Input::SyncDone`].
    StartFullSync,
    /// Reboot this machine (after a handover for a fault of its own).
    Reboot,
    /// Outcome of [`Command::ForceSwitch`], [`Command::EnterMaintenance`] or [`Command::ForceMaintenance`]; one of them is under way
    /// at a time.
    SwitchDone(Result<(), SwitchRefusal>),
    /// [`Command::Shutdown`] is done; the program may end.
    Stopped,
}
