//! A mailbox for facts from any context: an interrupt, another thread, another core.
//!
//! A `static` [`Mailbox`] takes posts wherever they arise; the loop that owns the node takes them out. Each access is one
//! short critical section of the `critical-section` crate, whose implementation the image chooses.
//!
//! ```text
//! static MAILBOX: Mailbox<16> = Mailbox::new();
//!
//! interrupt:  MAILBOX.post(Post::Link { port: Port::Lan, up: false });
//! loop:       while let Some(mail) = MAILBOX.take() { /* node.handle(…), services.handle(…) */ }
//! ```
//!
//! The mailbox is bounded and loses nothing silently. A post that finds no room is counted, and behind what was there
//! before comes [`Mail::Lost`]: read every state again. Only a crash cannot be read again, so it takes the place of
//! something that can.

use crate::io::Port;
use crate::service::ServiceId;
use core::cell::Cell;
use critical_section::{CriticalSection, Mutex};

/// A fact from outside the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Post {
    /// The carrier of a port changed: `Input::Link`.
    Link {
        /// Which port.
        port: Port,
        /// Whether it has carrier.
        up: bool,
    },
    /// The fault line of an FXO port, counted from 0, changed. It is not debounced.
    FaultLine {
        /// Which port.
        port: u8,
        /// Whether the line says "fault".
        asserted: bool,
    },
    /// A service gave a sign of life: `ServiceEvent::Kick`.
    Kick(ServiceId),
    /// A service crashed: `ServiceEvent::Crashed`.
    Crash(ServiceId),
    /// Nothing but a reason to look at deadlines and inputs now.
    Wake,
}

/// What comes out of the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mail {
    /// A post.
    Post(Post),
    /// This many posts were lost after those that came out before. Read the carrier of every port and every fault line
    /// again, and call `Services::excuse`. A crash is among the lost only if the mailbox was full of crashes.
    Lost(u32),
}

/// A mailbox with room for `N` posts.
#[derive(Debug)]
pub struct Mailbox<const N: usize> {
    ring: Mutex<Ring<N>>,
}

/// Cells, so that there is no borrow that could fail.
#[derive(Debug)]
struct Ring<const N: usize> {
    slots: [Cell<Option<Post>>; N],
    /// Where the oldest post is.
    head: Cell<usize>,
    len: Cell<usize>,
    /// Posts lost since the last [`Mail::Lost`].
    lost: Cell<u32>,
    /// Posts lost since the start.
    lost_total: Cell<u32>,
}

impl<const N: usize> Mailbox<N> {
    /// An empty mailbox. One without room is refused when it is compiled.
    pub const fn new() -> Self {
        const { assert!(N > 0, "a mailbox needs room for a post") };
        Self {
            ring: Mutex::new(Ring {
                slots: [const { Cell::new(None) }; N],
                head: Cell::new(0),
                len: Cell::new(0),
                lost: Cell::new(0),
                lost_total: Cell::new(0),
            }),
        }
    }

    /// Posts from any context; takes a short time that does not depend on `N`, unless it is a crash that finds no room.
    pub fn post(&self, post: Post) {
        critical_section::with(|cs| self.ring(cs).post(post));
    }

    /// The oldest post, or what is to be known of lost ones. `None` when there is neither.
    pub fn take(&self) -> Option<Mail> {
        critical_section::with(|cs| self.ring(cs).take())
    }

    /// Posts lost since the start. The count stops at its maximum.
    pub fn lost_total(&self) -> u32 {
        critical_section::with(|cs| self.ring(cs).lost_total.get())
    }

    fn ring<'cs>(&'cs self, cs: CriticalSection<'cs>) -> &'cs Ring<N> {
        self.ring.borrow(cs)
    }
}

impl<const N: usize> Default for Mailbox<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Ring<N> {
    fn post(&self, post: Post) {
        match post {
            // Once something was lost, what came later stays behind the mark that says so: the states are read again
            // after it, and an older one must not follow.
            _ if self.lost.get() == 0 && self.len.get() < N => self.push(post),
            Post::Crash(_) if self.len.get() < N => self.push(post),
            Post::Crash(_) if self.displace() => {
                self.push(post);
                self.count_lost();
            }
            Post::Crash(_) | Post::Link { .. } | Post::FaultLine { .. } | Post::Kick(_) | Post::Wake => {
                self.count_lost();
            }
        }
    }

    fn take(&self) -> Option<Mail> {
        let Some(post) = self.pop() else {
            return Some(Mail::Lost(self.lost.replace(0))).filter(|mail| *mail != Mail::Lost(0));
        };
        Some(Mail::Post(post))
    }

    fn count_lost(&self) {
        self.lost.set(self.lost.get().saturating_add(1));
        self.lost_total.set(self.lost_total.get().saturating_add(1));
    }

    fn push(&self, post: Post) {
        if let Some(slot) = self.slot(self.len.get()) {
            slot.set(Some(post));
            self.len.set(self.len.get().saturating_add(1));
        }
    }

    fn pop(&self) -> Option<Post> {
        let post = self.slot(0)?.take()?;
        self.head.set((self.head.get() + 1) % N);
        self.len.set(self.len.get().saturating_sub(1));
        Some(post)
    }

    /// Takes the oldest post that is no crash out of the queue; `false` when there is none. The others keep their order.
    fn displace(&self) -> bool {
        let is_crash = |slot: &Cell<Option<Post>>| matches!(slot.get(), Some(Post::Crash(_)));
        let len = self.len.get();
        let Some(victim) = (0..len).find(|at| self.slot(*at).is_some_and(|slot| !is_crash(slot))) else { return false };
        for at in victim..len {
            if let (Some(slot), Some(next)) = (self.slot(at), self.slot(at + 1)) {
                slot.set(next.get());
            }
        }
        self.len.set(len.saturating_sub(1));
        true
    }

    /// The place of the post that is the `at`-th from the oldest.
    fn slot(&self, at: usize) -> Option<&Cell<Option<Post>>> {
        self.slots.get((self.head.get() + at) % N)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::vec::Vec;

    const LAN_UP: Post = Post::Link { port: Port::Lan, up: true };
    const LAN_DOWN: Post = Post::Link { port: Port::Lan, up: false };

    fn kick(number: u8) -> Post {
        Post::Kick(ServiceId(number))
    }

    fn crash(number: u8) -> Post {
        Post::Crash(ServiceId(number))
    }

    fn drain<const N: usize>(mailbox: &Mailbox<N>) -> Vec<Mail> {
        std::iter::from_fn(|| mailbox.take()).collect()
    }

    #[test]
    fn posts_come_out_in_the_order_in_which_they_went_in() {
        let mailbox = Mailbox::<3>::new();
        for round in 0..10 {
            mailbox.post(kick(round));
            mailbox.post(crash(round));
            assert_eq!(drain(&mailbox), [Mail::Post(kick(round)), Mail::Post(crash(round))]);
        }
        assert_eq!(mailbox.lost_total(), 0);
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_behind_everything_older() {
        let mailbox = Mailbox::<2>::new();
        for number in 0..5 {
            mailbox.post(kick(number));
        }
        assert_eq!(drain(&mailbox), [Mail::Post(kick(0)), Mail::Post(kick(1)), Mail::Lost(3)]);
        assert_eq!(drain(&mailbox), []);
        assert_eq!(mailbox.lost_total(), 3);
    }

    #[test]
    fn nothing_older_follows_a_state_that_was_read_again_after_a_loss() {
        let mailbox = Mailbox::<2>::new();
        for post in [LAN_UP, LAN_DOWN, LAN_UP] {
            mailbox.post(post);
        }
        assert_eq!(mailbox.take(), Some(Mail::Post(LAN_UP)));
        mailbox.post(LAN_DOWN);
        assert_eq!(drain(&mailbox), [Mail::Post(LAN_DOWN), Mail::Lost(2)]);
        mailbox.post(LAN_UP);
        assert_eq!(drain(&mailbox), [Mail::Post(LAN_UP)]);
    }

    #[test]
    fn a_crash_takes_the_place_of_the_oldest_post_that_can_be_read_again() {
        let mailbox = Mailbox::<4>::new();
        for post in [crash(0), LAN_UP, kick(1), crash(2), crash(3)] {
            mailbox.post(post);
        }
        let kept = [crash(0), kick(1), crash(2), crash(3)].map(Mail::Post);
        assert_eq!(drain(&mailbox), [&kept[..], &[Mail::Lost(1)]].concat());
    }

    #[test]
    fn a_mailbox_full_of_crashes_counts_the_crash_that_it_loses() {
        let mailbox = Mailbox::<2>::new();
        for number in 0..3 {
            mailbox.post(crash(number));
        }
        assert_eq!(drain(&mailbox), [Mail::Post(crash(0)), Mail::Post(crash(1)), Mail::Lost(1)]);
    }

    /// Posts out of the mailbox, and how many it says were lost, until everybody has posted.
    fn read_all<const N: usize>(mailbox: &Mailbox<N>, done: &AtomicBool) -> (Vec<Post>, u32) {
        let (mut posts, mut lost) = (Vec::new(), 0);
        loop {
            let last_look = done.load(Ordering::Acquire);
            for mail in drain(mailbox) {
                match mail {
                    Mail::Post(post) => posts.push(post),
                    Mail::Lost(count) => lost += count,
                }
            }
            if last_look {
                return (posts, lost);
            }
        }
    }

    #[test]
    fn posts_of_several_threads_come_out_in_each_ones_order_or_are_counted_and_no_crash_is_lost() {
        const KICKERS: u8 = 4;
        const KICKS_EACH: u8 = 64;
        const CRASHES: u8 = 4;
        let mut lost_in_all = 0;
        for _ in 0..200 {
            let (mailbox, done) = (Mailbox::<8>::new(), AtomicBool::new(false));
            let post_all = |posts: Vec<Post>| posts.into_iter().for_each(|post| mailbox.post(post));
            let (posts, lost) = std::thread::scope(|scope| {
                let reader = scope.spawn(|| read_all(&mailbox, &done));
                let kicks = |k| (k * KICKS_EACH..=k * KICKS_EACH + (KICKS_EACH - 1)).map(kick).collect();
                let mut posters: Vec<_> = (0..KICKERS).map(|k| scope.spawn(move || post_all(kicks(k)))).collect();
                posters.push(scope.spawn(move || post_all((0..CRASHES).map(crash).collect())));
                posters.into_iter().for_each(|poster| poster.join().unwrap());
                done.store(true, Ordering::Release);
                reader.join().unwrap()
            });
            let posted = usize::from(KICKERS) * usize::from(KICKS_EACH) + usize::from(CRASHES);
            assert_eq!(posts.len() + lost as usize, posted);
            assert_eq!(mailbox.lost_total(), lost);
            for kicker in 0..KICKERS {
                let own = posts.iter().filter_map(|post| match post {
                    Post::Kick(ServiceId(number)) if number / KICKS_EACH == kicker => Some(*number),
                    Post::Kick(_) | Post::Crash(_) | Post::Link { .. } | Post::FaultLine { .. } | Post::Wake => None,
                });
                assert!(own.is_sorted_by(|a, b| a < b), "the order of kicker {kicker}");
            }
            let crashes: Vec<_> = posts.iter().filter(|post| matches!(post, Post::Crash(_))).copied().collect();
            assert_eq!(crashes, (0..CRASHES).map(crash).collect::<Vec<_>>());
            lost_in_all += lost;
        }
        assert!(lost_in_all > 0, "the mailbox never overflowed: nothing was tested");
    }
}
