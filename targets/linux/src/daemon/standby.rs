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
        // In each turn of the loop: a whole status only where it can matter.
        let is_active = self.node.role() == Role::Active;
        let obstacle = is_active.then(|| takeover::obstacle(&self.node.status())).flatten();
        let Some(news) = self.standby.see(obstacle, now) else { return };
        let mac = self.node.status().peer.map(|peer| peer.mac);
        match news {
            Some(obstacle) => {
                let reason = obstacle.reason();
                log::warn!(
                    "alert: the peer cannot take over: {reason}; while this is so nobody serves when this node fails"
                );
                let _is_news = self.journal.named_condition(WORDS, Some(&reason), true, mac);
            }
            None => {
                log::info!("restored to normal: the peer cannot take over");
                let _is_news = self.journal.named_condition(WORDS, None, false, mac);
            }
        }
    }
}
