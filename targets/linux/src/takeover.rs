//! Whether the two nodes could serve, each in the place of the other, as far as this one is told.

use crate::describe;
use ucm_ha::Status;
use ucm_ha::event::SwitchRefusal;
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;
use ucm_ha::status::HaStatus;
use ucm_ha::{Duration, Instant};

/// A standby that is unable for less than this is no news: it may be about to start or to turn off with this node.
const PATIENCE: Duration = Duration::from_s(2);

/// What speaks against a peer that is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// High availability is off there.
    Off,
    /// Its operator keeps it out of the role.
    Maintenance,
    /// It has faults with which no node can serve.
    Faults(Faults),
}

impl Obstacle {
    /// Of a peer in this state; `None` where nothing speaks against it.
    pub(crate) fn of(role: Role, maintenance: bool, faults: Faults) -> Option<Self> {
        let faults = faults.intersection(Faults::NO_SERVICE);
        match role {
            Role::Off => Some(Self::Off),
            _ if maintenance => Some(Self::Maintenance),
            _ if !faults.is_empty() => Some(Self::Faults(faults)),
            _ => None,
        }
    }

    /// In words.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Off => "high availability is off there".to_owned(),
            Self::Maintenance => "it is in maintenance".to_owned(),
            Self::Faults(faults) => format!("it has the fault {}", describe::fault_names(faults).join(", ")),
        }
    }
}

/// What keeps the peer from serving, while it is heard.
pub(crate) fn obstacle(status: &Status) -> Option<Obstacle> {
    let peer = status.peer.filter(|peer| peer.seen)?;
    Obstacle::of(peer.role, peer.maintenance, peer.faults)
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
    let able = !status.maintenance && !status.faults.intersects(Faults::NO_SERVICE);
    let fit = able && peer_could_serve(status).is_ok();
    match status.ha_status {
        HaStatus::Dual if !fit => HaStatus::Single,
        shown => shown,
    }
}

/// What an active has last seen of its standby, and told the operator.
#[derive(Debug, Default)]
pub(crate) struct Standby {
    /// What keeps it from taking over, and since when.
    unable: Option<(Obstacle, Instant)>,
    /// What was told.
    told: Option<Obstacle>,
}

impl Standby {
    /// When what is seen has lasted long enough to be told.
    pub(crate) fn deadline(&self) -> Instant {
        self.unable
            .filter(|(obstacle, _)| self.told != Some(*obstacle))
            .map_or(Instant::NEVER, |(_, since)| since + PATIENCE)
    }

    /// Takes what is seen now; what is to be told of it, if anything: `Some(None)` is its end.
    pub(crate) fn see(&mut self, obstacle: Option<Obstacle>, now: Instant) -> Option<Option<Obstacle>> {
        let since = self.unable.filter(|(old, _)| Some(*old) == obstacle).map_or(now, |(_, since)| since);
        self.unable = obstacle.map(|obstacle| (obstacle, since));
        let due = match obstacle {
            Some(_) if now < since + PATIENCE => return None,
            due => due,
        };
        (std::mem::replace(&mut self.told, due) != due).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_off_or_cannot_serve_is_named_with_the_reason() {
        let reason = |role, faults| Obstacle::of(role, false, faults).map(Obstacle::reason);
        assert_eq!(reason(Role::Standby, Faults::empty()), None);
        assert_eq!(reason(Role::Standby, Faults::FXO1 | Faults::SERVICE), None, "better than nobody");
        assert_eq!(reason(Role::Off, Faults::LAN).as_deref(), Some("high availability is off there"));
        let both = reason(Role::Standby, Faults::FXO1 | Faults::LAN | Faults::GATEWAY);
        assert_eq!(both.as_deref(), Some("it has the fault LAN, GATEWAY"));
        let kept_out = Obstacle::of(Role::Standby, true, Faults::LAN).map(Obstacle::reason);
        assert_eq!(kept_out.as_deref(), Some("it is in maintenance"));
    }

    fn at(ms: u64) -> Instant {
        Instant::from_ms(ms)
    }

    #[test]
    fn a_standby_that_stays_unable_is_told_once_and_its_end_at_once() {
        let (off, lan) = (Obstacle::Off, Obstacle::Faults(Faults::LAN));
        let mut standby = Standby::default();
        assert_eq!(standby.see(None, at(0)), None);
        assert_eq!(standby.see(Some(off), at(1000)), None);
        assert_eq!(standby.deadline(), at(3000));
        assert_eq!(standby.see(Some(off), at(2999)), None);
        assert_eq!(standby.see(Some(off), at(3000)), Some(Some(off)));
        assert_eq!(standby.deadline(), Instant::NEVER);
        assert_eq!(standby.see(Some(off), at(9000)), None);
        assert_eq!(standby.see(None, at(9001)), Some(None));
        assert_eq!(standby.see(None, at(9002)), None);
        // What passes is not told.
        assert_eq!(standby.see(Some(lan), at(9003)), None);
        assert_eq!(standby.see(None, at(10_000)), None);
    }

    #[test]
    fn another_reason_is_told_as_well() {
        let (off, lan) = (Obstacle::Off, Obstacle::Faults(Faults::LAN));
        let mut standby = Standby::default();
        standby.see(Some(lan), at(0));
        assert_eq!(standby.see(Some(lan), at(2000)), Some(Some(lan)));
        assert_eq!(standby.see(Some(off), at(3000)), None);
        assert_eq!(standby.see(Some(off), at(5000)), Some(Some(off)));
    }
}
