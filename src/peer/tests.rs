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
    assert_eq!(peer.receive(ms(900), &frame(1, 10, 0), OWN_BOOT, 1000), Receipt::Stranger);
    assert_eq!(peer.receive(ms(1000), &frame(1, 11, 2000), OWN_BOOT, 2000), Receipt::Counted);
    peer
}

/// The frame, on the LAN.
fn on_lan(frame: Repr) -> Repr {
    Repr { path: Path::Lan, ..frame }
}

/// A frame of the peer that was sent at its `sent` ms, and echoes what we sent at our `echo` ms.
fn timed(boot_id: u32, sent: u64, echo: u64) -> Repr {
    frame(boot_id, sent * 1000, echo * 1000)
}

/// A peer that has been heard over the cable for long; its clock is 70 s before ours. It died at our 90,000 ms.
fn dead_at_90_s() -> Peer {
    let mut peer = Peer::new(Duration::from_ms(I));
    assert_eq!(peer.receive(ms(80_000), &timed(1, 10_000, 79_990), OWN_BOOT, 80_000_000), Receipt::Counted);
    assert_eq!(peer.receive(ms(90_000), &timed(1, 20_000, 89_990), OWN_BOOT, 90_000_000), Receipt::Counted);
    peer
}

#[test]
fn a_new_boot_counts_once_it_echoes_what_was_sent_a_moment_ago() {
    let mut peer = Peer::new(Duration::from_ms(I));
    let old = ms(5000) + FRESH + Duration::from_us(1);
    assert_eq!(peer.receive(old, &timed(1, 10, 5000), OWN_BOOT, 9_000_000), Receipt::Stranger);
    assert!(peer.facts().is_none(), "until then it says nothing");
    assert_eq!(peer.receive(ms(5000) + FRESH, &timed(1, 11, 5000), OWN_BOOT, 9_000_000), Receipt::Counted);
    assert_eq!(peer.last_counted(), Some(ms(5000) + FRESH));
}

#[test]
fn an_echo_of_something_never_sent_is_not_believed() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(1050), &frame(1, 12, 2001), OWN_BOOT, 2000), Receipt::Audible);
    assert_eq!(peer.echoed(), Some(Instant::from_us(2000)));
    assert_eq!(peer.receive(ms(3000), &frame(2, 12, 3_000_001), OWN_BOOT, 3_000_000), Receipt::Stranger);
}

#[test]
fn a_frame_is_taken_once_and_only_on_its_own_path() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(1001), &frame(1, 11, 2000), OWN_BOOT, 2000), Receipt::Replayed);
    assert_eq!(peer.receive(ms(1001), &frame(1, 5, 2000), OWN_BOOT, 2000), Receipt::Replayed);
    assert_eq!(peer.receive(ms(1001), &on_lan(frame(1, 5, 2000)), OWN_BOOT, 2000), Receipt::Counted, "another order");
    assert_eq!(peer.facts().map(|facts| facts.sequence), Some(11), "state comes from the newest frame of all");
}

#[test]
fn another_boot_displaces_nothing_while_the_peer_is_heard() {
    let mut peer = accepted();
    let live = 1000 + 3 * I;
    assert_eq!(peer.receive(ms(live - 1), &frame(9, 99, 3000), OWN_BOOT, 3000), Receipt::Stranger);
    assert_eq!(peer.echo(Path::Cable).boot_id, 1);
    assert_eq!(peer.receive(ms(live), &frame(9, 99, 3000), OWN_BOOT, 3000), Receipt::Counted);
    assert_eq!(peer.facts().map(|facts| facts.boot_id), Some(9));
}

#[test]
fn replays_of_an_old_boot_say_nothing_when_the_peer_is_silent() {
    let mut peer = accepted();
    assert_eq!(peer.receive(ms(4000), &frame(9, 99, 2000), OWN_BOOT, 4_000_000), Receipt::Stranger);
    assert_eq!(peer.sight(ms(4000)), Sight::Silent);
    assert_eq!((peer.last_counted(), peer.echo(Path::Cable).boot_id), (Some(ms(1000)), 1));
}

#[test]
fn a_restarted_peer_is_accepted_at_once_beside_replays_of_an_older_boot() {
    let mut peer = accepted();
    for number in 0..1000 {
        assert_eq!(peer.receive(ms(5000), &on_lan(frame(9, number, 2000)), OWN_BOOT, 5_000_000), Receipt::Stranger);
    }
    assert_eq!(peer.receive(ms(5001), &timed(3, 100, 4990), OWN_BOOT, 5_000_000), Receipt::Counted);
}

#[test]
fn what_is_left_of_a_boot_that_is_over_does_not_come_after_its_successor() {
    let mut peer = accepted();
    peer.receive(ms(5000), &timed(1, 40, 4900), OWN_BOOT, 5_000_000);
    assert_eq!(peer.receive(ms(5400), &timed(3, 100, 5390), OWN_BOOT, 5_400_000), Receipt::Counted);
    assert_eq!(peer.receive(ms(5900), &on_lan(timed(1, 41, 4990)), OWN_BOOT, 5_900_000), Receipt::Stranger);
    assert_eq!(peer.facts().map(|facts| facts.boot_id), Some(3));
}

#[test]
fn until_a_boot_is_accepted_each_path_echoes_what_came_on_it() {
    let mut peer = Peer::new(Duration::from_ms(I));
    peer.receive(ms(900), &frame(1, 10, 0), OWN_BOOT, 1000);
    peer.receive(ms(901), &on_lan(frame(9, 99, 0)), OWN_BOOT, 1000);
    let of = |boot_id, sequence, counted| Echo { boot_id, sequence, counted };
    assert_eq!(Path::ALL.map(|path| peer.echo(path)), [of(1, 10, false), of(9, 99, false)]);
    peer.receive(ms(1000), &frame(1, 11, 2000), OWN_BOOT, 2000);
    assert_eq!(Path::ALL.map(|path| peer.echo(path)), [of(1, 11, true); 2]);
    peer.receive(ms(1001), &on_lan(frame(9, 100, 0)), OWN_BOOT, 2000);
    assert_eq!(peer.echo(Path::Lan), of(1, 11, true), "a stranger takes the place of nobody");
}

#[test]
fn clocks_that_drift_apart_for_days_without_the_cable_make_no_frame_late() {
    let mut peer = Peer::new(Duration::from_ms(I));
    // The peer's clock loses 100 us a second.
    let sent_at = |now: u64| now - now / 10_000;
    for now in (0..2_000_000).map(|number| 100_000 + number * I) {
        let frame = on_lan(timed(1, sent_at(now), now - 10));
        assert_eq!(peer.receive(ms(now), &frame, OWN_BOOT, now * 1000), Receipt::Counted, "at {now} ms");
    }
    // Then it hears us no more, and is heard all the same.
    let now = 100_000 + 2_000_000 * I;
    let frame = on_lan(timed(1, sent_at(now), now - 5000));
    assert_ne!(peer.receive(ms(now), &frame, OWN_BOOT, now * 1000), Receipt::Replayed);
}

#[test]
fn a_frame_that_was_held_back_on_the_lan_is_none() {
    // Sent a moment before the peer died, and newer than the last frame on the cable.
    let held_back = on_lan(timed(1, 20_001, 89_990));
    let too_late = ms(90_001) + FRESH;
    assert_eq!(dead_at_90_s().receive(too_late, &held_back, OWN_BOOT, 92_000_000), Receipt::Counted);
    let mut peer = dead_at_90_s();
    let at = too_late + Duration::from_us(1);
    assert_eq!(peer.receive(at, &held_back, OWN_BOOT, 92_000_000), Receipt::Replayed);
    assert_eq!((peer.sight(at), peer.last_counted(), peer.last_late()), (Sight::Silent, Some(ms(90_000)), Some(at)));
    let with_fresh_echo = on_lan(timed(1, 20_001, 91_000));
    assert_eq!(dead_at_90_s().receive(at, &with_fresh_echo, OWN_BOOT, 92_000_000), Receipt::Counted);
}

#[test]
fn what_the_cable_has_overtaken_by_far_is_none() {
    let mut peer = dead_at_90_s();
    let behind = 20_000 - FRESH.as_ms();
    assert_eq!(
        peer.receive(ms(90_000), &on_lan(timed(1, behind - 1, 80_000)), OWN_BOOT, 90_000_000),
        Receipt::Replayed
    );
    assert_eq!(peer.receive(ms(90_000), &on_lan(timed(1, behind, 80_000)), OWN_BOOT, 90_000_000), Receipt::Counted);
}

#[test]
fn a_peer_that_hears_nothing_is_heard_on_the_lan_at_its_pace() {
    let mut peer = dead_at_90_s();
    // It goes on, but nothing comes on the cable any more, and nothing reaches it.
    for late in 1..100 {
        let at = 90_000 + late * 100;
        let frame = on_lan(timed(1, 20_000 + late * 100, 89_990));
        assert_eq!(peer.receive(ms(at + 300), &frame, OWN_BOOT, at * 1000), Receipt::Counted, "{late}");
    }
}

#[test]
fn the_cable_is_believed_when_the_peers_clock_stood_still() {
    let mut peer = dead_at_90_s();
    assert_eq!(peer.receive(ms(99_000), &timed(1, 20_050, 89_990), OWN_BOOT, 99_000_000), Receipt::Counted);
    assert_eq!(peer.receive(ms(99_050), &on_lan(timed(1, 20_100, 89_990)), OWN_BOOT, 99_000_000), Receipt::Counted);
    assert_eq!(peer.receive(ms(99_060), &on_lan(timed(1, 20_111, 89_990)), OWN_BOOT, 99_000_000), Receipt::Counted);
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
    assert_eq!(peer.echo(Path::Lan), Echo { boot_id: 1, sequence: 11, counted: true });
    peer.receive(ms(1002), &Repr { path: Path::Lan, ..frame(1, 12, 2000) }, OWN_BOOT, 2000);
    assert_eq!(peer.echo(Path::Cable), Echo { boot_id: 1, sequence: 12, counted: true });
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
fn a_peer_that_was_heard_for_the_first_time_is_waited_for_for_a_while() {
    let mut peer = Peer::new(Duration::from_ms(I));
    assert_eq!(peer.introduced_at(), Instant::ZERO, "nobody was heard");
    peer.receive(ms(900), &frame(1, 10, 0), OWN_BOOT, 1000);
    peer.receive(ms(950), &frame(1, 11, 0), OWN_BOOT, 1000);
    assert_eq!(peer.introduced_at(), ms(900 + 8 * I));
    peer.receive(ms(1000), &frame(1, 12, 2000), OWN_BOOT, 2000);
    assert_eq!(peer.introduced_at(), Instant::ZERO, "it is accepted");
}
