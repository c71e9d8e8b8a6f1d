//! Why high availability is off, and what turns it on.

use super::running::{Daemon, TurnedOff};
use crate::events::form::shown_time;
use std::env;
use ucm_ha::role::Role;
use ucm_ha_control::status::Off;

impl Daemon {
    /// Why it is off; `None` where it is on.
    pub(super) fn off(&self) -> Option<Off> {
        if self.node.status().role != Role::Off {
            return None;
        }
        let reload = reload_command(env::var_os("NOTIFY_SOCKET").is_some());
        let (by, remedy) = match self.turned_off.filter(|_| !self.enabled) {
            None => (
                "peer",
                format!(
                    "set ha.enable = true there and reload; {reload} here lets this node serve while the peer is stopped"
                ),
            ),
            Some(turned_off) => {
                let by = match turned_off {
                    TurnedOff::ByConfiguration => "configuration",
                    TurnedOff::ByOperator => "operator",
                };
                (by, format!("set ha.enable = true in {}, then {reload}", self.config_file.display()))
            }
        };
        Some(Off { by: by.to_owned(), since: shown_time(self.off_since), remedy })
    }
}

/// How to have the daemon read its configuration again.
fn reload_command(by_service_manager: bool) -> String {
    match by_service_manager {
        true => "`systemctl reload ucm-ha`".to_owned(),
        false => format!("`kill -HUP {}`", std::process::id()),
    }
}
