//! The ordered stream of effects.
//!
//! Effects that replace each other (address, frames, record) are kept as one pending request each; they cannot
//! overflow. What must not be merged is queued. Order is meaning: the address is released or bound before a frame
//! says so, and frames leave before anything that may take its time.

use super::{Node, address};
use crate::event::{RoleReason, SwitchRefusal};
use crate::fault::Faults;
use crate::io::Output;
use crate::role::Role;
use crate::time::Duration;
use crate::wire::{MAX_EMIT_LEN, Path, arp, cable};
use heapless::Deque;

/// Size of the buffer that [`Node::poll_output`] writes frames to, in bytes.
pub const FRAME_CAPACITY: usize = cable::HEADER_LEN + MAX_EMIT_LEN;
/// A decision to hold the address that is not carried out within this time is void.
const EXECUTE_WITHIN: Duration = Duration::from_ms(250);
/// Queued effects of one step: each of the decisions in a step changes the role at most twice and may end an offer, and
/// a step may start a synchronisation and stop the node. The simulator checks the bound.
const QUEUE_LEN: usize = 20;

/// The effects that are queued. An [`Output`] has room for a time and a record, and would make the queue three times as
/// large.
#[derive(Clone, Copy, Debug)]
pub(super) enum Queued {
    RoleChanged { from: Role, to: Role, term: u32, reason: RoleReason },
    SwitchDone(Result<(), SwitchRefusal>),
    StartFullSync,
    Reboot,
    Stopped,
}

impl From<Queued> for Output {
    fn from(queued: Queued) -> Self {
        match queued {
            Queued::RoleChanged { from, to, term, reason } => Self::RoleChanged { from, to, term, reason },
            Queued::SwitchDone(outcome) => Self::SwitchDone(outcome),
            Queued::StartFullSync => Self::StartFullSync,
            Queued::Reboot => Self::Reboot,
            Queued::Stopped => Self::Stopped,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    queue: Deque<Queued, QUEUE_LEN>,
}

impl State {
    /// Queues an effect. An adapter that does not drain the node loses the oldest ones.
    pub(super) fn push(&mut self, output: Queued) {
        if self.queue.is_full() {
            self.queue.pop_front();
        }
        // There is room: a full queue has just lost its oldest entry.
        let _ = self.queue.push_back(output);
    }
}

impl Node {
    /// The next effect to carry out, or `None` when there is none left. Frames are written to the front of `frame`.
    pub fn poll_output(&mut self, frame: &mut [u8; FRAME_CAPACITY]) -> Option<Output> {
        self.poll_address()
            .or_else(|| self.poll_heartbeat(frame))
            .or_else(|| self.poll_arp(frame))
            .or_else(|| self.store.take_pending())
            .or_else(|| self.poll_fault_change())
            .or_else(|| self.output.queue.pop_front().map(Output::from))
            .or_else(|| self.poll_alert())
    }

    fn poll_address(&mut self) -> Option<Output> {
        let valid_s = self.address_lifetime_s();
        let before = self.now + EXECUTE_WITHIN;
        self.address.request.take().map(|request| match request {
            address::Request::Release => Output::ReleaseAddress,
            address::Request::Bind => Output::BindAddress { valid_s, before },
            address::Request::Renew => Output::RenewAddress { valid_s, before },
        })
    }

    fn poll_heartbeat(&mut self, frame: &mut [u8]) -> Option<Output> {
        for path in Path::ALL {
            let Some(kind) = self.send.take_pending(path) else { continue };
            if let Some(len) = self.write_heartbeat(path, kind, frame) {
                return Some(match path {
                    Path::Cable => Output::SendCable { len },
                    Path::Lan => Output::SendLan { len },
                });
            }
        }
        None
    }

    fn poll_arp(&mut self, frame: &mut [u8]) -> Option<Output> {
        let message = if core::mem::take(&mut self.send.announce) {
            self.send.announce_reply = true;
            Some(self.announcement(false))
        } else if core::mem::take(&mut self.send.announce_reply) {
            Some(self.announcement(true))
        } else if core::mem::take(&mut self.probe.send_gateway) {
            self.gateway_question()
        } else if core::mem::take(&mut self.probe.send_cluster) {
            Some(self.cluster_question())
        } else if core::mem::take(&mut self.probe.send_peer) {
            Some(self.peer_question())
        } else {
            None
        }?;
        let len = arp::emit(message, self.config.mac, frame)?;
        Some(Output::SendArp { len })
    }

    fn poll_fault_change(&mut self) -> Option<Output> {
        let raised = self.health.raised();
        let (new, gone) = (raised.difference(self.health.told), self.health.told.difference(raised));
        let (faults, raised) = if new.is_empty() { (gone, false) } else { (new, true) };
        let first = Faults::from_bits_truncate(faults.bits() & faults.bits().wrapping_neg());
        self.health.told.set(first, raised);
        (!first.is_empty()).then_some(Output::FaultChanged { faults: first, raised })
    }
}
