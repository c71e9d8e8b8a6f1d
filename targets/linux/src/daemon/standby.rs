//! Tells the operator of an active that nobody could take over, though the other node is heard.

use super::part::Part;
use super::running::Daemon;
use crate::describe::Words;
use crate::takeover;
use ucm_ha::Instant;
use ucm_ha::role::Role;

const WORDS: Words<'static> = Words { cause: "STANDBY", text: "cannot take over" };

pub(super) const PART: Part = Part {
    deadline: |daemon| daemon.standby.deadline(),
    wake: |_, _| {},
    tend: |daemon, now| daemon.look_at_standby(now),
};

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
