//! Whether the two nodes could serve, each in the place of the other, as far as this one is told.

use crate::describe;
use ucm_ha::Status;
use ucm_ha::event::SwitchRefusal;
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;
use ucm_ha::status::HaStatus;

/// What speaks against a peer that is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// High availability is off there.
    Off,
    /// It has faults with which no node can serve.
    Faults(Faults),
}

impl Obstacle {
    /// Of a peer with this role and these faults; `None` where nothing speaks against it.
    pub(crate) fn of(role: Role, faults: Faults) -> Option<Self> {
        let faults = faults.intersection(Faults::NO_SERVICE);
        match role {
            Role::Off => Some(Self::Off),
            _ if !faults.is_empty() => Some(Self::Faults(faults)),
            _ => None,
        }
    }

    /// In words.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Off => "high availability is off there".to_owned(),
            Self::Faults(faults) => format!("it has the fault {}", describe::fault_names(faults).join(", ")),
        }
    }
}

/// What keeps the peer from serving, while it is heard.
pub(crate) fn obstacle(status: &Status) -> Option<Obstacle> {
    let peer = status.peer.filter(|peer| peer.seen)?;
    Obstacle::of(peer.role, peer.faults)
}

/// Why the peer could not serve; an error is for the operator.
pub(crate) fn peer_could_serve(status: &Status) -> Result<(), String> {
    let refusal = match status.peer {
        None => return Err("it was never heard".to_owned()),
        Some(peer) if !peer.seen => return Err("it is not heard".to_owned()),
        Some(_) => status.force_switch.err(),
    };
    match obstacle(status) {
        Some(obstacle) => Err(obstacle.reason()),
        None if refusal == Some(SwitchRefusal::ClusterIpDiffers) => Err("it has another cluster_ip".to_owned()),
        None if status.ha_status == HaStatus::Single => Err("it does not fit this node; see the alerts".to_owned()),
        None => Ok(()),
    }
}

/// Dual only where each node could serve: the core looks only whether both are up.
pub(crate) fn ha_status(status: &Status) -> HaStatus {
    let fit = !status.faults.intersects(Faults::NO_SERVICE) && peer_could_serve(status).is_ok();
    match status.ha_status {
        HaStatus::Dual if !fit => HaStatus::Single,
        shown => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_off_or_cannot_serve_is_named_with_the_reason() {
        let reason = |role, faults| Obstacle::of(role, faults).map(Obstacle::reason);
        assert_eq!(reason(Role::Standby, Faults::empty()), None);
        assert_eq!(reason(Role::Standby, Faults::FXO1 | Faults::SERVICE), None, "better than nobody");
        assert_eq!(reason(Role::Off, Faults::LAN).as_deref(), Some("high availability is off there"));
        let both = reason(Role::Standby, Faults::FXO1 | Faults::LAN | Faults::GATEWAY);
        assert_eq!(both.as_deref(), Some("it has the fault LAN, GATEWAY"));
    }
}
