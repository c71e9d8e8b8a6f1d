//! SIGHUP: takes the settings that can change while the daemon runs, names those that cannot.

use super::running::{Daemon, TurnedOff};
use crate::settings;
use ucm_ha::Input;
use ucm_ha::io::Command;
use ucm_ha::role::Role;

/// The setting that can change at run time.
const ENABLE_KEY: &str = "ha.enable";

impl Daemon {
    pub(super) fn reload(&mut self) {
        let file = self.config_file.display();
        let mut problems = Vec::new();
        let new = settings::read(&self.config_file, &mut problems);
        match self.netlink.interfaces() {
            // Only what is wrong is of interest here: the node keeps the interfaces it has.
            Ok(interfaces) => drop(new.as_ref().map(|new| settings::resolve(new, &interfaces, &mut problems))),
            Err(error) => {
                log::error!("{file} cannot be checked: {error}; the old settings stay");
                return;
            }
        }
        for problem in &problems {
            log::error!("{problem}");
        }
        // An interface that is missing now keeps nobody from turning high availability off.
        let usable = new.filter(|_| problems.iter().all(|problem| problem.passing));
        let Some((new, enable)) = usable.and_then(|new| new.ha.as_ref().map(|ha| ha.enable).map(|on| (new, on))) else {
            log::error!("{file} has problems; the old settings stay");
            return;
        };
        let mut changed = settings::changed_keys(&self.sections, &new);
        changed.retain(|key| key != ENABLE_KEY);
        if changed.is_empty() {
            log::info!("{file} was read again");
        } else {
            log::warn!(
                "{file} was read again; these settings need a restart and stay as they were: {}",
                changed.join(", ")
            );
        }
        self.enable(enable);
    }

    fn enable(&mut self, enable: bool) {
        // The peer may have turned this node off, too.
        let is_off = self.node.status().role == Role::Off;
        if enable != self.enabled || (enable && is_off) {
            self.enabled = enable;
            self.turned_off = (!enable).then_some(TurnedOff::ByOperator);
            log::info!("{ENABLE_KEY} = {enable}");
            self.feed(Input::Command(if enable { Command::Enable } else { Command::Disable }));
        }
    }
}
