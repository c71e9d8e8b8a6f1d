use super::*;
use crate::fault::Faults;
use crate::role::Role;
use crate::types::{Firmware, MacAddr, StationType};
use crate::wire::{Conditions, Kind, Signal};

const OWN_BOOT: u32 = 7;
const I: u64 = 50;

fn ms(ms: u64) -> Instant {
    Instant::from_ms(ms)
}

/// A frame of boot `boot_id`, sent on the cable as number `sequence`, that echoes our number `echo`.
fn frame(boot_id: u32, sequence: u64, echo: u64) -> Repr {
    Repr {
        version_max: 1,
        kind: Kind::Request,
        path: Path::Cable,
        role: Role::Standby,
        station_type: StationType::Secondary,
        mac: MacAddr([2, 0, 0, 0, 0, 2]),
        model: 1,
        boot_id,
        sequence,
        echo_boot_id: if echo == 0 { 0 } else { OWN_BOOT },
        echo_sequence: echo,
        term: 1,
        readiness: Readiness::FAST_FAILOVER | Readiness::ECHO_COUNTED,
        signal: Signal::None,
        faults: Faults::empty(),
        firmware: Firmware([1, 0, 9, 0]),
        digest: 0,
        sync_generation: 0,
        timeout_s: 7,
        conditions: Conditions::empty(),
        extension: None,
    }
}

/// A peer whose boot 1 was accepted at 1000 ms; our newest frame was number 2000.
fn accepted() -> Peer {
    let mut peer = Peer::new(Duration::from_ms(I));
    assert_eq!(peer.receive(ms(900), &frame(1, 10, 0), OWN_BOOT, 1000), Receipt::Audible);
    assert_eq!(peer.receive(ms(1000), &frame(1, 11, 2000), OWN_BOOT, 2000), Receipt::Counted);
    peer
}

#[test]
fn a_new_boot_counts_once_it_echoes_what_was_sent_after_it_was_first_seen() {
    let mut peer = Peer::new(Duration::from_ms(I));
    // Our newest frame is number 1000 when the boot id appears, echoing an older frame of this very boot of ours.
    assert_eq!(peer.receive(ms(0), &frame(1, 10, 900), OWN_BOOT, 1000), Receipt::Audible);
    assert_eq!(peer.receive(ms(50), &frame(1, 11, 1000), OWN_BOOT, 1500), Receipt::Audible);
    assert!(peer.facts().is_none(), "until then it says nothing");
    assert_eq!(peer.receive(ms(100), &frame(1, 12, 1001), OWN_BOOT, 1500), Receipt::Counted);
    assert_eq!(peer.last_counted(), Some(ms(100)));
}

#[test]
fn an_echo_of_something_never_sent_is_not_believed() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(1050), &frame(1, 12, 2001), OWN_BOOT, 2000), Receipt::Audible);
    assert_eq!(peer.echoed(), Some(Instant::from_us(2000)));
}

#[test]
fn a_frame_is_taken_once_and_only_on_its_own_path() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(1001), &frame(1, 11, 2000), OWN_BOOT, 2000), Receipt::Replayed);
    assert_eq!(peer.receive(ms(1001), &frame(1, 5, 2000), OWN_BOOT, 2000), Receipt::Replayed);
    let on_lan = Repr { path: Path::Lan, ..frame(1, 5, 2000) };
    assert_eq!(peer.receive(ms(1001), &on_lan, OWN_BOOT, 2000), Receipt::Counted, "the LAN has its own order");
    assert_eq!(peer.facts().map(|facts| facts.sequence), Some(11), "state comes from the newest frame of all");
}

#[test]
fn replays_of_an_old_boot_displace_nothing_while_the_peer_is_heard() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(1100), &frame(9, 99, 2000), OWN_BOOT, 2000), Receipt::Replayed);
    assert_eq!(peer.echo().boot_id, 1);
}

#[test]
fn replays_of_an_old_boot_are_echoed_at_most_and_say_nothing_when_the_peer_is_silent() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(2000), &frame(9, 99, 2000), OWN_BOOT, 3000), Receipt::Audible);
    assert_eq!(peer.sight(ms(2000)), Sight::Silent);
    assert_eq!(peer.last_counted(), Some(ms(1000)));
    assert!(!peer.echo().counted, "an echo of it moves no lease");
}

#[test]
fn a_restarted_peer_is_accepted_beside_replays_of_an_older_boot() {
    let mut peer = accepted();
    let mut now = 2000;
    let mut sequence = 100;
    // A replay takes the place first and keeps coming; the restarted peer, boot 3, gets its turn.
    let accepted_at = loop {
        assert!(now < 2000 + 20 * I, "never accepted");
        peer.receive(ms(now), &frame(9, sequence, 2000), OWN_BOOT, now * 1000);
        peer.receive(ms(now + 1), &frame(3, sequence, (now - 60) * 1000), OWN_BOOT, now * 1000);
        if peer.last_counted() > Some(ms(1000)) {
            break now;
        }
        now += I;
        sequence += 1;
    };
    assert!(accepted_at >= 2000 + 8 * I, "the replay keeps its place for its probation");
    assert_eq!(peer.facts().map(|facts| facts.boot_id), Some(3));
}

#[test]
fn only_an_echo_of_a_counted_frame_moves_the_lease() {
    let mut peer = accepted();
    let uncounted = Repr { readiness: Readiness::FAST_FAILOVER, ..frame(1, 12, 2500) };
    assert_eq!(peer.receive(ms(1050), &uncounted, OWN_BOOT, 3000), Receipt::Counted);
    assert_eq!(peer.echoed(), Some(Instant::from_us(2000)));
    peer.receive(ms(1100), &frame(1, 13, 2600), OWN_BOOT, 3000);
    assert_eq!(peer.echoed(), Some(Instant::from_us(2600)));
}

#[test]
fn a_peer_whose_echo_stands_still_is_deaf_after_two_intervals() {
    let mut peer = accepted();
    for (at, sequence) in [(1050, 12), (1099, 13)] {
        peer.receive(ms(at), &frame(1, sequence, 2000), OWN_BOOT, 3000);
    }
    assert_eq!(peer.sight(ms(1099)), Sight::Mutual);
    assert_eq!(peer.sight(ms(1100)), Sight::Deaf);
    assert_eq!(peer.sight(ms(1099 + 3 * I)), Sight::Silent);
}

#[test]
fn a_peer_that_thaws_with_an_old_echo_is_not_deaf_at_once() {
    let mut peer = accepted();
    peer.receive(ms(9000), &frame(1, 12, 2000), OWN_BOOT, 3000);
    assert_eq!(peer.sight(ms(9001)), Sight::Mutual);
    assert_eq!(peer.sight(ms(9000 + 2 * I)), Sight::Deaf);
}

#[test]
fn a_peer_that_sends_rarely_by_its_settings_is_judged_by_its_own_interval() {
    let mut peer = Peer::new(Duration::from_ms(I));
    peer.receive(ms(900), &frame(1, 10, 0), OWN_BOOT, 1000);
    let slow = Repr { readiness: Readiness::ECHO_COUNTED, ..frame(1, 11, 2000) };
    peer.receive(ms(1000), &slow, OWN_BOOT, 2000);
    assert_eq!(peer.sight(ms(1000 + 3 * 350 - 1)), Sight::Deaf);
    assert_eq!(peer.sight(ms(1000 + 3 * 350)), Sight::Silent);
}

#[test]
fn the_ages_of_what_was_heard_are_those_of_the_frames() {
    let mut peer = accepted();
    assert_eq!([Path::Cable, Path::Lan].map(|path| peer.last_heard_on(path)), [Some(ms(1000)), None]);
    assert_eq!((peer.last_audible(), peer.progress()), (Some(ms(1000)), Some(ms(1000))));
    assert_eq!(peer.audible_since(), ms(1000));
    peer.receive(ms(1050), &frame(1, 12, 2000), OWN_BOOT, 3000);
    assert_eq!((peer.last_audible(), peer.progress()), (Some(ms(1050)), Some(ms(1000))), "the echo stands still");
    assert_eq!((peer.audible_since(), peer.one_way_since()), (ms(1000), ms(1000)));
    let again = 1050 + 3 * I;
    peer.receive(ms(again), &frame(1, 13, 2000), OWN_BOOT, 3000);
    assert_eq!(peer.audible_since(), ms(again), "it had been silent");
}

#[test]
fn an_older_frame_on_the_other_path_is_not_echoed() {
    let mut peer = accepted();
    peer.receive(ms(1001), &Repr { path: Path::Lan, ..frame(1, 5, 2000) }, OWN_BOOT, 2000);
    assert_eq!(peer.echo(), Echo { boot_id: 1, sequence: 11, counted: true });
    peer.receive(ms(1002), &Repr { path: Path::Lan, ..frame(1, 12, 2000) }, OWN_BOOT, 2000);
    assert_eq!(peer.echo(), Echo { boot_id: 1, sequence: 12, counted: true });
}

#[test]
fn a_frame_that_was_overtaken_is_a_late_sign_of_the_peer_and_a_stranger_is_none() {
    let mut peer = accepted();
    peer.receive(ms(1010), &frame(9, 99, 2000), OWN_BOOT, 2000);
    assert_eq!(peer.last_late(), None);
    peer.receive(ms(1020), &frame(1, 11, 2000), OWN_BOOT, 2000);
    assert_eq!(peer.last_late(), Some(ms(1020)));
}

#[test]
fn a_peer_that_was_heard_for_the_first_time_is_waited_for_until_its_probation_ends() {
    let mut peer = Peer::new(Duration::from_ms(I));
    assert_eq!((peer.introduced_at(), peer.is_settled()), (Instant::ZERO, true), "nobody was heard");
    peer.receive(ms(900), &frame(1, 10, 0), OWN_BOOT, 1000);
    peer.receive(ms(950), &frame(1, 11, 0), OWN_BOOT, 1000);
    assert_eq!((peer.introduced_at(), peer.is_settled()), (ms(900 + 8 * I), false));
    peer.receive(ms(1000), &frame(1, 12, 2000), OWN_BOOT, 2000);
    assert_eq!((peer.introduced_at(), peer.is_settled()), (Instant::ZERO, true), "it is accepted");
    peer.receive(ms(2000), &frame(9, 99, 0), OWN_BOOT, 2000);
    assert!(!peer.is_settled(), "another boot tries to be heard");
}
