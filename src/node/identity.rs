//! Whose frames are heard: the peer's, those of a peer whose settings name another cluster IP, or those of another pair.
//!
//! A frame says its sender's static address and its pair's cluster IP. Whoever says neither of what this node knows belongs to
//! another pair: it is told of and has no influence. What says too little to tell (version 0.1) is judged without this.

use super::Node;
use crate::role::{Role, Sight};
use crate::time::Instant;
use crate::types::MacAddr;
use crate::wire::Repr;
use core::net::Ipv4Addr;

/// Whose frame it is, by the addresses that it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The peer, or somebody who does not say.
    Peer,
    /// The peer, with another cluster IP.
    PeerElsewhere,
    /// A node of this pair that is not the peer.
    WrongAddress,
    /// A node of another pair.
    Foreign,
}

/// A station that is not the configured peer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stranger {
    pub(super) mac: MacAddr,
    /// The address that it says.
    pub(super) ip: Option<Ipv4Addr>,
    /// When it was last heard.
    pub(super) at: Option<Instant>,
}

impl Node {
    #[inline(never)]
    pub(super) fn sender(&self, repr: &Repr) -> Sender {
        let Some(said) =
            repr.extension.as_ref().filter(|said| !said.own_ip.is_unspecified() && !said.cluster_ip.is_unspecified())
        else {
            return Sender::Peer;
        };
        match (said.cluster_ip == self.config.cluster_ip.address, said.own_ip == self.config.peer_ip) {
            (true, true) => Sender::Peer,
            (false, true) => Sender::PeerElsewhere,
            (true, false) => Sender::WrongAddress,
            (false, false) => Sender::Foreign,
        }
    }

    /// Beside a peer that would serve another cluster IP only who was active last, and so has the address that phones use,
    /// takes the role; unless that peer is switched off, or not heard.
    pub(super) fn may_serve_beside_peer(&self) -> bool {
        let off = self.peer.facts().is_some_and(|facts| facts.role == Role::Off);
        self.elsewhere.is_none() || self.last_active || off || self.peer.sight(self.now) == Sight::Silent
    }
}
