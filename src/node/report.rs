//! The snapshot for the operator.

use super::Node;
use crate::role::{Role, Sight};
use crate::status::{HaStatus, PeerStatus, Status};
use crate::time::{Duration, Instant};
use crate::wire::{Conditions, Path};

impl Node {
    /// A snapshot for the operator, as of the last [`handle`](Self::handle).
    pub fn status(&self) -> Status {
        let peer_seen = self.peer.sight(self.now) != Sight::Silent;
        let pair = peer_seen && self.elsewhere.is_none();
        Status {
            ha_status: match self.role {
                Role::Off => HaStatus::Off,
                Role::Init | Role::Standby | Role::Claiming | Role::Active | Role::Yielding if pair => HaStatus::Dual,
                Role::Init | Role::Standby | Role::Claiming | Role::Active | Role::Yielding => HaStatus::Single,
            },
            role: self.role,
            term: self.term,
            bound: self.address.is_bound(),
            syncing: self.sync.running,
            lan_usable: self.lan_is_usable(),
            gateway_seen: self.gateway_seen(),
            maintenance: self.maintenance.on,
            faults: self.health.raised(),
            switching_faults: self.config.switching_faults(),
            peer: self.peer_status(peer_seen),
            force_switch: self.switch_refusal(),
            counters: self.counters,
        }
    }

    fn peer_status(&self, seen: bool) -> Option<PeerStatus> {
        let facts = self.peer.facts()?;
        let window = PATH_WINDOW.max(self.peer.interval().times(3));
        let heard = |path| self.peer.last_heard_on(path).is_some_and(|at: Instant| self.now < at + window);
        Some(PeerStatus {
            seen,
            role: facts.role,
            mac: facts.mac,
            firmware: facts.firmware,
            cable: heard(Path::Cable),
            lan: heard(Path::Lan),
            last_heard: self.peer.last_audible()?,
            faults: facts.faults,
            maintenance: facts.conditions.contains(Conditions::MAINTENANCE),
        })
    }
}

/// A path counts as heard for this long after its last frame.
const PATH_WINDOW: Duration = Duration::from_ms(1000);
