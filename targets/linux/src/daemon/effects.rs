//! Carries out what the node decides.

use super::channel::Way;
use super::running::Daemon;
use crate::clock;
use crate::control::Awaited;
use crate::describe::{self, Situation, Words};
use crate::sys;
use std::process::{Command, ExitStatus};
use std::time::SystemTime;
use ucm_ha::event::Alert;
use ucm_ha::fault::Faults;
use ucm_ha::io::AddressEvent;
use ucm_ha::role::Role;
use ucm_ha::types::MacAddr;
use ucm_ha::{Input, Output};
use ucm_ha_control::Reply;

/// Generation of the data while there is no synchronisation.
const NO_SYNC_GENERATION: u32 = 0;

impl Daemon {
    pub(super) fn carry_out_all(&mut self) {
        while let Some(output) = self.node.poll_output(&mut self.frame) {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        let lan_index = self.ports.lan_index();
        match output {
            Output::SendCable { len } => self.send(Way::Cable, len),
            Output::SendLan { len } => self.send(Way::Lan, len),
            Output::SendArp { len } => self.send(Way::Arp, len),
            Output::BindAddress { valid_s, before } => {
                let in_time = clock::now() < before;
                let event = match in_time {
                    true => self.address.bind(&mut self.netlink, lan_index, valid_s),
                    false => AddressEvent::Failed,
                };
                self.outcomes.push_back(Input::Address(event));
            }
            Output::RenewAddress { valid_s, before } if clock::now() < before => {
                let event = self.address.renew(&mut self.netlink, lan_index, valid_s);
                self.outcomes.extend(event.map(Input::Address));
            }
            Output::RenewAddress { .. } => {}
            Output::ReleaseAddress => {
                let event = self.address.release(&mut self.netlink);
                self.outcomes.extend(event.map(Input::Address));
            }
            Output::Persist(record) => {
                self.record = record;
                self.state.store(record);
            }
            Output::RoleChanged { from, to, term, reason } => {
                let reason = describe::role_reason(reason, self.config.heartbeat_timeout_s);
                log::info!("role: {} -> {} ({reason}), term {term}", describe::role(from), describe::role(to));
                self.journal.role(from, to, term, reason, self.config.mac);
                if to == Role::Off {
                    self.off_since = SystemTime::now();
                }
            }
            Output::Alert { alert, raised, mac, ip } => {
                let detail = ip.filter(|_| raised).and_then(|ip| describe::detail(alert, ip, &self.config));
                log_alert(alert, raised, mac, detail.as_deref());
                self.journal.alert(alert, raised, mac, detail.as_deref());
            }
            Output::FaultChanged { faults, raised } => {
                log_fault(faults, raised);
                self.journal.fault(faults, raised, self.config.mac);
            }
            Output::StartFullSync => {
                // There is nothing to synchronise yet, so nothing is missing either.
                self.outcomes.push_back(Input::SyncDone { generation: NO_SYNC_GENERATION, complete: true });
            }
            Output::Reboot => reboot(&self.sections.fault.reboot_command),
            Output::SwitchDone(outcome) => {
                let reply = match outcome {
                    Ok(()) => Reply::Done,
                    Err(refusal) => {
                        let situation = Situation::of(&self.node.status());
                        Reply::Refused { reason: describe::refusal(refusal, situation) }
                    }
                };
                self.control.reply_waiting(Awaited::Switch, &reply);
            }
            Output::Stopped => self.stopped = true,
        }
    }
}

impl Daemon {
    fn send(&mut self, way: Way, len: usize) {
        self.ports.channel(way).send(self.frame.get(..len).unwrap_or(&self.frame));
    }

    /// A condition of a part that is worth an alert and no fault; `cause` is the part's name.
    pub(super) fn tell_condition(&mut self, cause: &str, what: &'static str, raised: bool) {
        let words = Words { cause, text: what };
        match (self.journal.named_condition(words, None, raised, Some(self.config.mac)), raised) {
            (true, true) => log::warn!("alert: {cause}: {what}"),
            (true, false) => log::info!("restored to normal: {cause}: {what}"),
            (false, _) => {}
        }
    }
}

fn log_alert(alert: Alert, raised: bool, mac: Option<MacAddr>, detail: Option<&str>) {
    let about = mac.map(|mac| format!(" ({mac})")).unwrap_or_default();
    if raised {
        let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        log::warn!("alert: {}{about}{detail}", describe::meaning(alert));
    } else {
        log::info!("restored to normal: {}{about}", describe::meaning(alert));
    }
}

fn log_fault(faults: Faults, raised: bool) {
    // Each service's fault is told by its name.
    for (name, _) in faults.difference(Faults::SERVICE).iter_names() {
        if raised {
            log::warn!("fault {name} was raised");
        } else {
            log::info!("fault {name} was cleared");
        }
    }
}

/// Runs the configured command in the background.
fn reboot(command: &str) {
    if command.is_empty() {
        log::warn!("this node should be rebooted after its fault; fault.reboot_command is not set");
        return;
    }
    log::warn!("rebooting after a fault of this node: {command}");
    let command = command.to_owned();
    let run = move || {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(&command);
        sys::run_ordinarily(&mut shell);
        match shell.status() {
            Ok(status) => log_end(&command, status),
            Err(error) => log::error!("{command} cannot be run: {error}; check fault.reboot_command"),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("reboot".to_owned()).spawn(run) {
        log::error!("the reboot command cannot be started: {error}");
    }
}

fn log_end(command: &str, status: ExitStatus) {
    if status.success() {
        log::info!("{command}: done");
    } else {
        log::error!("{command}: {status}; check fault.reboot_command");
    }
}
