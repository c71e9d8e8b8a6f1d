//! What woke the loop.

use mio::Token;

pub(super) const CABLE: Token = Token(0);
pub(super) const ARP: Token = Token(1);
pub(super) const LAN: Token = Token(2);
pub(super) const MONITOR: Token = Token(3);
pub(super) const TIMER: Token = Token(4);
pub(super) const SIGNALS: Token = Token(5);
/// A thread of the daemon has something to tell. There is one waker for all of them.
pub(super) const WAKER: Token = Token(6);
/// A kick of a service.
pub(super) const KICKS: Token = Token(64);
/// The process of the first service; the others follow.
pub(super) const FIRST_PROCESS: Token = Token(128);
/// The control socket; its clients have the tokens behind it.
pub(super) const CONTROL: Token = Token(7);
