//! A node that is restarted with a wrong setting, and later with the right one.

use super::lifecycle::RESTART_US;
use super::stations::OTHER_CLUSTER_IP;
use super::world::{Event, RoleChange, World, name};
use super::{A, B, MS, SEC, Us};
use ucm_ha::event::RoleReason;
use ucm_ha::role::Role;
use ucm_ha::types::{KEY_LEN, Key};

/// A setting that must be the same on both nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    ClusterIp,
    Key,
}

/// Nodes that have heard each other for this long know each other's settings.
const LEARNT_US: Us = 2 * SEC;
/// Who was heard within this time is heard. The fastest claim comes later.
const HEARD_US: Us = 350 * MS;

impl World {
    /// Restarts a daemon with a setting that is wrong (`on`), or right again.
    pub(crate) fn set_misset(&mut self, node: usize, setting: Setting, on: bool) {
        let machine = &mut self.machines[node];
        let wrong = &mut machine.wrong[setting as usize];
        *wrong = if on { *wrong + 1 } else { *wrong - 1 };
        machine.config = self.settings.config(node);
        if machine.wrong[Setting::ClusterIp as usize] > 0 {
            machine.config.cluster_ip.address = OTHER_CLUSTER_IP;
        }
        if machine.wrong[Setting::Key as usize] > 0 {
            machine.config.key = Some(Key([0x66; KEY_LEN]));
        }
        self.end_daemon(node);
        self.heard_since = [self.now; 2];
        self.after(RESTART_US, Event::DaemonStarts { node });
    }

    /// Whether a setting that must match differs because of a fault.
    pub(crate) fn is_misset(&self) -> bool {
        self.machines.iter().any(|machine| machine.wrong != [0; 2])
    }

    /// Beside a peer that is heard and has another cluster IP nobody claims but who was active last, and nobody hands over.
    pub(crate) fn check_misset(&mut self, change: RoleChange) {
        let [a, b] = [A, B].map(|node| self.machines[node].config.cluster_ip);
        // A peer with another key is not understood, however well it is heard.
        let understood = self.machines.iter().all(|machine| machine.wrong[Setting::Key as usize] == 0);
        let met = self.heard_since.into_iter().all(|since| self.now >= since + LEARNT_US);
        let known = met && change.silence_us < HEARD_US;
        // Frames of version 0.1 do not say the cluster IP.
        if a == b || !known || !understood || self.settings.old != [false; 2] {
            return;
        }
        let was_active = self.log.roles.iter().any(|role| role.node == change.node && role.to == Role::Active);
        let agreed = was_active && change.reason == RoleReason::Granted;
        if change.to == Role::Yielding || (change.to == Role::Claiming && !agreed) {
            let node = name(change.node);
            self.breaks("B8", || format!("{node} becomes {:?} beside a peer with another cluster IP", change.to));
        }
    }
}
