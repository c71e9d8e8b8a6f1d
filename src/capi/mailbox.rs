//! The mailbox for facts from interrupts and other threads.

use super::memory::{self, Plain};
use super::numbered::Numbered;
use super::result::{Failure, code};
use super::storage::{self, Storage};
use super::{values, version};
use crate::io::Port;
use crate::mailbox::{Mail, Mailbox, Post};
use crate::service::ServiceId;

/// Posts that a mailbox has room for.
pub const UCM_HA_MAILBOX_POSTS: usize = 16;
/// sizeof(ucm_ha_mailbox), in bytes.
pub const UCM_HA_MAILBOX_SIZE: usize = 128;
/// The same in 64-bit words.
pub const UCM_HA_MAILBOX_WORDS: usize = 16;

/// There is none left.
pub const UCM_HA_MAIL_NONE: u8 = 0;
/// The carrier of a port changed: tell the node with ucm_ha_node_link. number is UCM_HA_PORT_*, value whether it is up.
pub const UCM_HA_MAIL_LINK: u8 = 1;
/// The fault line of an FXO port changed. number is the port counted from 0, value whether the line says "fault".
pub const UCM_HA_MAIL_FAULT_LINE: u8 = 2;
/// A service gave a sign of life: UCM_HA_SERVICE_KICK. number is the service.
pub const UCM_HA_MAIL_KICK: u8 = 3;
/// A service crashed: UCM_HA_SERVICE_CRASHED. number is the service.
pub const UCM_HA_MAIL_CRASH: u8 = 4;
/// Look at deadlines and inputs now.
pub const UCM_HA_MAIL_WAKE: u8 = 5;
/// lost posts found no room after what came out before. Read the carrier of every port and every fault line again, and call
/// ucm_ha_services_excuse. A crash is among the lost only if the mailbox was full of crashes.
pub const UCM_HA_MAIL_LOST: u8 = 6;

/// Storage for a mailbox, owned by the caller. Its content is the library's.
#[repr(C)]
pub struct ucm_ha_mailbox {
    /// Not to be touched.
    pub opaque: [u64; UCM_HA_MAILBOX_WORDS],
}

// SAFETY: integers only; size and alignment are asserted below.
unsafe impl Storage for ucm_ha_mailbox {
    type Value = Mailbox<UCM_HA_MAILBOX_POSTS>;
}
const _: () = assert!(size_of::<ucm_ha_mailbox>() == UCM_HA_MAILBOX_SIZE && storage::fits::<ucm_ha_mailbox>());

/// What comes out of the mailbox.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_mail {
    /// How many posts were lost.
    pub lost: u32,
    /// UCM_HA_MAIL_*; the fields that it does not name are 0.
    pub kind: u8,
    /// Port or service.
    pub number: u8,
    /// 0 or 1.
    pub value: u8,
    /// 0.
    pub reserved: u8,
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_mail {}
const _: () = assert!(size_of::<ucm_ha_mail>() == 8, "as in cbindgen.toml");

/// Puts an empty mailbox into the storage. Call it before anything that posts can run. abi_version is UCM_HA_ABI_VERSION.
///
/// The other functions of the mailbox may then be called from any context at any time, even while another one runs on the
/// same mailbox: each is one short critical section (ucm_ha_critical_enter in ucm_ha_hooks.h).
///
/// Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; the storage is left as it was.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_init(mailbox: *mut ucm_ha_mailbox, abi_version: u32) -> i32 {
    // SAFETY: promised by the caller.
    code(version::check(abi_version).and_then(|()| unsafe { storage::init(mailbox, Mailbox::new) }))
}

/// # Safety
/// `mailbox` as for [`storage::shared`].
unsafe fn post(mailbox: *mut ucm_ha_mailbox, post: Result<Post, Failure>) -> i32 {
    // SAFETY: promised by the caller.
    code(post.and_then(|post| unsafe { storage::shared(mailbox, |mailbox| mailbox.post(post)) }))
}

/// Posts that the carrier of a port (UCM_HA_PORT_*) changed. up is 0 or 1. A post that finds no room is counted, and
/// UCM_HA_MAIL_LOST tells of it.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NOT_INITIALISED, UCM_HA_ERR_UNKNOWN_VALUE; nothing is posted.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_post_link(mailbox: *mut ucm_ha_mailbox, port: u8, up: u8) -> i32 {
    let link = Port::of_number(port).and_then(|port| Ok(Post::Link { port, up: values::truth(up)? }));
    // SAFETY: promised by the caller.
    unsafe { post(mailbox, link) }
}

/// Posts that the fault line of an FXO port, counted from 0, changed. asserted is 0 or 1. It is not debounced.
///
/// Errors: as for ucm_ha_mailbox_post_link.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_post_fault_line(mailbox: *mut ucm_ha_mailbox, port: u8, asserted: u8) -> i32 {
    let line = values::truth(asserted).map(|asserted| Post::FaultLine { port, asserted });
    // SAFETY: promised by the caller.
    unsafe { post(mailbox, line) }
}

/// Posts that a service gave a sign of life.
///
/// Errors: as for ucm_ha_mailbox_post_link.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_post_kick(mailbox: *mut ucm_ha_mailbox, service: u8) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { post(mailbox, Ok(Post::Kick(ServiceId(service)))) }
}

/// Posts that a service crashed.
///
/// Errors: as for ucm_ha_mailbox_post_link.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_post_crash(mailbox: *mut ucm_ha_mailbox, service: u8) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { post(mailbox, Ok(Post::Crash(ServiceId(service)))) }
}

/// Posts nothing but a reason to look at deadlines and inputs.
///
/// Errors: as for ucm_ha_mailbox_post_link.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_post_wake(mailbox: *mut ucm_ha_mailbox) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { post(mailbox, Ok(Post::Wake)) }
}

/// Takes the oldest post out. Call it in the loop of the node until mail->kind is UCM_HA_MAIL_NONE.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED (also for mail), UCM_HA_ERR_NOT_INITIALISED; nothing is taken or written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_mailbox_take(mailbox: *mut ucm_ha_mailbox, mail: *mut ucm_ha_mail) -> i32 {
    let take = |mailbox: &Mailbox<_>| mailbox.take().map_or_else(ucm_ha_mail::default, ucm_ha_mail::from_core);
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(mail, || storage::shared(mailbox, take)) })
}

impl ucm_ha_mail {
    fn from_core(mail: Mail) -> Self {
        let of = |kind, number, value: bool| Self { kind, number, value: value.into(), ..Self::default() };
        match mail {
            Mail::Post(Post::Link { port, up }) => of(UCM_HA_MAIL_LINK, port.number(), up),
            Mail::Post(Post::FaultLine { port, asserted }) => of(UCM_HA_MAIL_FAULT_LINE, port, asserted),
            Mail::Post(Post::Kick(service)) => of(UCM_HA_MAIL_KICK, service.0, false),
            Mail::Post(Post::Crash(service)) => of(UCM_HA_MAIL_CRASH, service.0, false),
            Mail::Post(Post::Wake) => of(UCM_HA_MAIL_WAKE, 0, false),
            Mail::Lost(lost) => Self { lost, ..of(UCM_HA_MAIL_LOST, 0, false) },
        }
    }
}
