//! What is remembered across a restart, and terms reserved ahead so that no write stands inside a takeover.

use super::Node;
use crate::io::{Output, Record};
use crate::time::{Duration, Instant};

/// A failed write is tried again after this.
const RETRY: Duration = Duration::from_s(10);

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// Terms up to here may have been used in an earlier boot, or were given to the peer.
    floor: u32,
    /// A term the peer offered, to be reserved.
    offered: u32,
    /// Terms up to here are stored, or storing them failed and the operator was told.
    reserved: u32,
    requested: Record,
    /// Not yet polled.
    pending: bool,
    /// Asked for and not yet confirmed.
    unconfirmed: bool,
    failed: bool,
    retry_at: Instant,
}

impl State {
    pub(super) fn new(record: Record) -> Self {
        Self {
            floor: record.term_ceiling,
            offered: 0,
            reserved: record.term_ceiling,
            requested: record,
            pending: false,
            unconfirmed: false,
            failed: false,
            retry_at: Instant::NEVER,
        }
    }

    /// Neither this term nor a lower one is free.
    pub(super) fn floor(&self) -> u32 {
        self.floor
    }

    /// Whether `term` may be used without waiting for the disk.
    pub(super) fn is_reserved(&self, term: u32) -> bool {
        term <= self.reserved
    }

    /// `term` belongs to the peer now: this node never uses it.
    pub(super) fn give_away(&mut self, term: u32) {
        self.floor = self.floor.max(term);
    }

    /// Asks for `term` to be usable.
    pub(super) fn reserve(&mut self, term: u32) {
        self.offered = self.offered.max(term);
    }

    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Whether what is known now would survive a restart, as far as it can.
    pub(super) fn is_settled(&self) -> bool {
        !self.unconfirmed
    }

    pub(super) fn deadline(&self) -> Instant {
        self.retry_at
    }

    /// The adapter stored the newest record, or could not. A node that cannot store still serves: a lost term only
    /// weakens a tie-break after the next restart.
    pub(super) fn persisted(&mut self, now: Instant, saved: bool) {
        self.failed = !saved;
        self.unconfirmed = self.pending;
        self.retry_at = if saved { Instant::NEVER } else { now + RETRY };
        self.reserved = self.reserved.max(self.requested.term_ceiling);
    }

    pub(super) fn take_pending(&mut self) -> Option<Output> {
        core::mem::take(&mut self.pending).then_some(Output::Persist(self.requested))
    }

    fn request(&mut self, now: Instant, record: Record) {
        if record != self.requested || now >= self.retry_at {
            self.requested = record;
            self.pending = true;
            self.unconfirmed = true;
            self.retry_at = Instant::NEVER;
        }
    }
}

impl Node {
    pub(super) fn store_if_changed(&mut self) {
        let ceiling = self.next_free_term().max(self.store.offered).max(self.store.requested.term_ceiling);
        let record = Record {
            term: self.term,
            term_ceiling: ceiling,
            last_active: self.last_active,
            disabled_by_peer: self.enable.by_peer,
            handovers: self.health.spent_in_window(),
            maintenance: self.maintenance.on,
        };
        self.store.request(self.now, record);
    }
}
