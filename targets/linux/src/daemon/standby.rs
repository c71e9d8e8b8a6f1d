//! Tells the operator of an active that nobody could take over, though the other node is heard.

use super::part::Part;
use super::running::Daemon;
use crate::describe::Words;
use crate::takeover::{self, Obstacle};
use ucm_ha::role::Role;
use ucm_ha::{Duration, Instant};

/// A standby that is unable for less than this is no news: it may be about to start or to turn off with this node.
const PATIENCE: Duration = Duration::from_s(2);
const WORDS: Words<'static> = Words { cause: "STANDBY", text: "cannot take over" };

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.standby.deadline(),
    wake: |_, _| {},
    tend: |daemon, now| daemon.look_at_standby(now),
};

/// What was last seen of it.
#[derive(Debug, Default)]
pub(super) struct Standby {
    /// What keeps it from taking over, and since when.
    unable: Option<(Obstacle, Instant)>,
    /// What was told.
    told: Option<Obstacle>,
}

impl Standby {
    fn deadline(&self) -> Instant {
        self.unable
            .filter(|(obstacle, _)| self.told != Some(*obstacle))
            .map_or(Instant::NEVER, |(_, since)| since + PATIENCE)
    }

    /// Takes what is seen now; what is to be told of it, if anything: `Some(None)` is its end.
    fn see(&mut self, obstacle: Option<Obstacle>, now: Instant) -> Option<Option<Obstacle>> {
        let since = self.unable.filter(|(old, _)| Some(*old) == obstacle).map_or(now, |(_, since)| since);
        self.unable = obstacle.map(|obstacle| (obstacle, since));
        let due = match obstacle {
            Some(_) if now < since + PATIENCE => return None,
            due => due,
        };
        (std::mem::replace(&mut self.told, due) != due).then_some(due)
    }
}

impl Daemon {
    fn look_at_standby(&mut self, now: Instant) {
        let status = self.node.status();
        let obstacle = takeover::obstacle(&status).filter(|_| status.role == Role::Active);
        let mac = status.peer.map(|peer| peer.mac);
        match self.standby.see(obstacle, now) {
            Some(Some(obstacle)) => {
                let reason = obstacle.reason();
                log::warn!(
                    "alert: the peer cannot take over: {reason}; while this is so nobody serves when this node fails"
                );
                let _is_news = self.journal.named_condition(WORDS, Some(&reason), true, mac);
            }
            Some(None) => {
                log::info!("restored to normal: the peer cannot take over");
                let _is_news = self.journal.named_condition(WORDS, None, false, mac);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ucm_ha::fault::Faults;

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
