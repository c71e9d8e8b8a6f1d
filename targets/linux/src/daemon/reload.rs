//! SIGHUP: takes the settings that can change while the daemon runs, names those that cannot.

use super::Daemon;
use crate::settings;
use ucm_ha::Input;
use ucm_ha::io::Command;

/// The setting that can change at run time.
const ENABLE_KEY: &str = "ha.enable";

impl Daemon {
    pub(super) fn reload(&mut self) {
        let file = self.config_file.display();
        let mut problems = Vec::new();
        let sections = settings::read(&self.config_file, &mut problems);
        let resolved = match (sections, self.netlink.interfaces()) {
            (Some(new), Ok(interfaces)) => {
                settings::resolve(&new, &interfaces, &mut problems).map(|resolved| (new, resolved))
            }
            (None, Ok(_)) => None,
            (_, Err(error)) => {
                log::error!("{file} cannot be checked: {error}; the old settings stay");
                return;
            }
        };
        for problem in &problems {
            log::error!("{problem}");
        }
        let Some((new, resolved)) = resolved else {
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
        self.enable(resolved.config.enabled);
    }

    fn enable(&mut self, enable: bool) {
        if enable != self.enabled {
            self.enabled = enable;
            log::info!("{ENABLE_KEY} = {enable}");
            self.feed(Input::Command(if enable { Command::Enable } else { Command::Disable }));
        }
    }
}
