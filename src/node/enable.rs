//! High availability on or off, by the operator of this node or of the peer.

use super::Node;
use crate::role::{Role, Sight};
use crate::wire::Readiness;

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// Off on this node.
    pub(super) disabled: bool,
    /// The peer, then active, turned it off for the pair.
    pub(super) by_peer: bool,
}

impl State {
    pub(super) fn new(enabled: bool, disabled_by_peer: bool) -> Self {
        Self { disabled: !enabled, by_peer: disabled_by_peer && enabled }
    }

    /// Off, on this node or for the pair.
    pub(super) fn is_off(&self) -> bool {
        self.disabled || self.by_peer
    }

    pub(super) fn turn_off(&mut self) {
        self.disabled = true;
    }

    /// Also after the peer turned it off.
    pub(super) fn turn_on(&mut self) {
        *self = Self { disabled: false, by_peer: false };
    }
}

impl Node {
    /// The last active turned high availability off for the pair, or the peer is back on.
    pub(super) fn learn_disabled(&mut self, role: Role, readiness: Readiness, term: u32) {
        if self.enable.disabled || self.peer.sight(self.now) == Sight::Silent {
            return;
        }
        let enabled = readiness.contains(Readiness::ENABLED);
        if enabled {
            if role != Role::Off {
                self.enable.by_peer = false;
            }
        } else if role == Role::Off && readiness.contains(Readiness::LAST_ACTIVE) && term >= self.term {
            self.enable.by_peer |= self.role != Role::Active;
        }
    }
}
