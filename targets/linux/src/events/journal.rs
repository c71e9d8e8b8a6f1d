//! The daemon's end of the journal: what happens becomes records, which are stored and told.

use super::condition::{Conditions, Particulars, Source};
use super::record::What;
use super::{earlier, form};
use crate::clock;
use crate::describe::{self, Words};
use crate::journal::{self, Cleared, Recorder};
use crate::notify::Notifier;
use mio::Waker;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use ucm_ha::event::Alert;
use ucm_ha::fault::Faults;
use ucm_ha::role::Role;
use ucm_ha::types::MacAddr;
use ucm_ha::{Duration, Instant as NodeInstant};
use ucm_ha_control::Log;
use ucm_ha_control::status::{Notices, StandingAlert};

/// A node that starts finds what is wrong within this time: a peer that is not heard after T, 10 s at most.
pub(crate) const NODE_PATIENCE: Duration = Duration::from_s(15);

/// The daemon's end of the journal. Nothing here waits for the disk, or for those who are told of events.
pub(crate) struct Journal {
    recorder: Recorder,
    notifier: Notifier,
    conditions: Conditions,
    /// The last role that was more than a passage.
    settled: Role,
    /// The role was given away since, and may come back.
    yielded: bool,
}

impl Journal {
    /// Continues the journal in `dir`. `notifier` is told of every alert and role change; `waker` wakes the loop when a log was
    /// cleared. An alert that stood before is over where nobody raises it again within the `patience` for its cause.
    pub(crate) fn start(
        dir: PathBuf,
        notifier: Notifier,
        waker: Arc<Waker>,
        patience: impl Fn(&str) -> Duration,
    ) -> io::Result<Self> {
        let mut conditions = Conditions::default();
        match journal::read(&dir, Log::Events) {
            Ok(contents) => {
                conditions.recall(earlier::standing(&contents.records), |cause| clock::now() + patience(cause));
            }
            // Whoever writes there says so, too.
            Err(error) => log::warn!("what was wrong before this start is not known: {error}"),
        }
        let recorder = Recorder::start(dir, waker)?;
        Ok(Self { recorder, notifier, conditions, settled: Role::Init, yielded: false })
    }

    /// An alert of the node began (`raised`) or ended; `detail` is what its event says beside the words of the alert.
    pub(crate) fn alert(&mut self, alert: Alert, raised: bool, mac: Option<MacAddr>, detail: Option<&str>) {
        let _is_news = self.change(describe::alert(alert), detail, Source::Alert(alert), raised, mac);
    }

    /// A fault of this node, whose address is `mac`, was raised or cleared. A failed service is told by its name with
    /// [`named_condition`](Self::named_condition) instead.
    pub(crate) fn fault(&mut self, faults: Faults, raised: bool, mac: MacAddr) {
        for (name, fault) in faults.iter_names() {
            if let Some(words) = describe::fault(name, fault) {
                let _is_news = self.change(words, None, Source::Fault(fault), raised, Some(mac));
            }
        }
    }

    /// Something that is wrong and that only the adapter knows by name, as in `SERVICE asterisk`, began or ended; `mac` is the
    /// station's that it is about. Whether that is news.
    pub(crate) fn named_condition(
        &mut self,
        words: Words<'_>,
        detail: Option<&str>,
        raised: bool,
        mac: Option<MacAddr>,
    ) -> bool {
        self.change(words, detail, Source::Named, raised, mac)
    }

    /// When the next alert that stood before a start is over, unless it was raised again.
    pub(crate) fn deadline(&self) -> NodeInstant {
        self.conditions.deadline()
    }

    /// Tells the end of those that stood before a start and are over.
    pub(crate) fn end_earlier(&mut self, now: NodeInstant) {
        for (cause, text, mac) in self.conditions.take_over(now) {
            log::info!("restored to normal: {cause}: {text}; it ended before this start, or with it");
            self.record(Log::Events, What::Alert { cause, text, raised: false, mac: mac.map(form::mac) });
        }
    }

    /// The alerts that stand, the oldest first.
    pub(crate) fn standing(&self) -> Vec<StandingAlert> {
        self.conditions.standing()
    }

    /// What differs from one time to the next is a detail and not part of the words, by which the end of a condition is known.
    fn change(
        &mut self,
        words: Words<'_>,
        detail: Option<&str>,
        source: Source,
        raised: bool,
        mac: Option<MacAddr>,
    ) -> bool {
        let is_news = self.conditions.change(words, source, raised, Particulars::now(detail.map(str::to_owned), mac));
        if is_news {
            let (cause, text) = (words.cause.to_owned(), form::text(words.text, detail));
            self.record(Log::Events, What::Alert { cause, text, raised, mac: mac.map(form::mac) });
        }
        is_news
    }

    /// The node's role changed. Only roles that last are recorded, and a role that was taken anew.
    pub(crate) fn role(&mut self, from: Role, to: Role, term: u32, reason: String, mac: MacAddr) {
        match to {
            Role::Init | Role::Claiming => return,
            Role::Yielding => {
                self.yielded = true;
                return;
            }
            Role::Off | Role::Standby | Role::Active => {}
        }
        let came_back = std::mem::take(&mut self.yielded) && self.settled == to;
        let before = std::mem::replace(&mut self.settled, to);
        let shown_from = if came_back { Role::Yielding } else { before };
        if shown_from != to || from == to {
            let [from, to] = [shown_from, to].map(|role| describe::role(role).to_owned());
            self.record(Log::Failover, What::Role { from, to, reason, term, mac: form::mac(mac) });
        }
    }

    /// Numbers what happened and hands it on.
    fn record(&mut self, log: Log, what: What) {
        let record = self.recorder.number(what);
        self.notifier.tell(&record);
        self.recorder.store(log, record);
    }

    /// The node starts anew: its role does not count any more, and what it had raised has to be raised again.
    pub(crate) fn forget_node(&mut self) {
        self.conditions.forget_node(clock::now() + NODE_PATIENCE);
        self.settled = Role::Init;
        self.yielded = false;
    }

    /// Begins to clear a log; [`cleared`](Self::cleared) says what became of it.
    pub(crate) fn clear(&mut self, log: Log) -> Result<(), &'static str> {
        self.recorder.clear(log)
    }

    /// The next log that was cleared, or could not be.
    pub(crate) fn cleared(&mut self) -> Option<Cleared> {
        self.recorder.cleared()
    }

    /// Records that were lost since the daemon started.
    pub(crate) fn dropped(&self) -> u64 {
        self.recorder.dropped()
    }

    /// What became of the notices since the daemon started.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = Notices> {
        self.notifier.tallies()
    }

    /// Waits, at most until `end`, until everything is written and everybody is told. Says what is left.
    pub(crate) fn finish(&mut self, end: Instant) {
        let left = || end.saturating_duration_since(Instant::now());
        if !self.recorder.flush(left()) {
            log::error!("the last events could not be written");
        }
        if !self.notifier.finish(left()) {
            log::error!("not everybody of [[notify]] was told of the last events");
        }
    }
}
