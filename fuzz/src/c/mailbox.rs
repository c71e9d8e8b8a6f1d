//! The mailbox: nothing is lost silently, and what is not lost comes out as it went in.

use super::place::{At, Store, Wrongs};
use crate::script::Script;
use std::collections::VecDeque;
use ucm_ha::capi::*;

pub(super) struct Mailbox {
    store: Store<ucm_ha_mailbox>,
    /// What must come out, in this order, as long as there was room for everything.
    waiting: VecDeque<ucm_ha_mail>,
    /// Posts since it was empty.
    posts: usize,
}

impl Mailbox {
    pub(super) fn new(paint: u8) -> Self {
        Self { store: Store::new(paint), waiting: VecDeque::new(), posts: 0 }
    }

    pub(super) fn call(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => self.init(script),
            1..=9 => self.post(script),
            _ => self.take(script),
        }
    }

    fn init(&mut self, script: &mut Script<'_>) {
        let ((version, right), at) = (super::version(script), At::chosen(script));
        let mut wrongs = Wrongs::default();
        wrongs.note_pointer::<ucm_ha_mailbox>(at);
        wrongs.note(!right, UCM_HA_ERR_ABI_VERSION);
        // SAFETY: storage, NULL or misaligned.
        if self.store.call(at, &wrongs, |mailbox| unsafe { ucm_ha_mailbox_init(mailbox, version) }) {
            self.store.set_initialised(true);
            self.waiting.clear();
            self.posts = 0;
        }
    }

    fn post(&mut self, script: &mut Script<'_>) {
        let [what, number, value] = script.array();
        let value = if value < 0xf0 { value & 1 } else { value };
        let at = At::chosen(script);
        let mail = |kind, number, value| ucm_ha_mail { kind, number, value, ..Default::default() };
        // SAFETY: here and below: storage, NULL or misaligned.
        let link = |mailbox| unsafe { ucm_ha_mailbox_post_link(mailbox, number, value) };
        // SAFETY: as above.
        let line = |mailbox| unsafe { ucm_ha_mailbox_post_fault_line(mailbox, number, value) };
        // SAFETY: as above.
        let kick = |mailbox| unsafe { ucm_ha_mailbox_post_kick(mailbox, number) };
        // SAFETY: as above.
        let crash = |mailbox| unsafe { ucm_ha_mailbox_post_crash(mailbox, number) };
        // SAFETY: as above.
        let wake = |mailbox| unsafe { ucm_ha_mailbox_post_wake(mailbox) };
        let port_known = (UCM_HA_PORT_CABLE..=UCM_HA_PORT_WAN).contains(&number);
        let (known, mail, call): (bool, ucm_ha_mail, &dyn Fn(*mut ucm_ha_mailbox) -> i32) = match what % 5 {
            0 => (port_known && value <= 1, mail(UCM_HA_MAIL_LINK, number, value), &link),
            1 => (value <= 1, mail(UCM_HA_MAIL_FAULT_LINE, number, value), &line),
            2 => (true, mail(UCM_HA_MAIL_KICK, number, 0), &kick),
            3 => (true, mail(UCM_HA_MAIL_CRASH, number, 0), &crash),
            _ => (true, mail(UCM_HA_MAIL_WAKE, 0, 0), &wake),
        };
        let mut wrongs = self.store.wrongs(at);
        wrongs.note(!known, UCM_HA_ERR_UNKNOWN_VALUE);
        if self.store.call(at, &wrongs, call) {
            self.waiting.push_back(mail);
            self.posts += 1;
        }
    }

    fn take(&mut self, script: &mut Script<'_>) {
        let taken = self.store.ask(script, Wrongs::default(), |mailbox: *mut ucm_ha_mailbox, mail| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_mailbox_take(mailbox, mail) }
        });
        let Some(mail) = taken else { return };
        assert_eq!(mail.reserved, 0);
        if self.posts <= UCM_HA_MAILBOX_POSTS {
            assert_eq!(mail, self.waiting.pop_front().unwrap_or_default(), "not what was posted next");
        } else {
            assert_ne!((mail.kind, self.waiting.is_empty()), (UCM_HA_MAIL_NONE, false), "lost without a word");
            self.account_for(mail);
        }
        if mail.kind == UCM_HA_MAIL_NONE {
            self.posts = 0;
        }
    }

    /// Every post comes out or is counted as lost.
    fn account_for(&mut self, mail: ucm_ha_mail) {
        if mail.kind == UCM_HA_MAIL_LOST {
            assert!(mail.lost > 0);
            let left = self.waiting.len().checked_sub(mail.lost as usize);
            self.waiting.truncate(left.expect("more are lost than were posted"));
        } else if mail.kind != UCM_HA_MAIL_NONE {
            let at = self.waiting.iter().position(|posted| *posted == mail);
            self.waiting.remove(at.expect("it was posted"));
        }
    }
}
