//! Two boards as a pair: the same image, the real protocol, a real LAN.

use bench::board::{Board, mac, settings};
use bench::cable::Cable;
use bench::site::Site;
use bench::storm;
use bench::watcher::Watcher;
use bench::{TIMEOUT, in_time, wait_until};
use rustix::process::Signal;
use smoltcp::wire::EthernetAddress;
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a change of roles may cost beyond the heartbeat timeout, or without it, emulated.
const SLACK: Duration = Duration::from_millis(700);
/// A takeover counts from the last heartbeat, which left before the power was cut.
const EARLY: Duration = Duration::from_millis(200);
/// How long a fault line must last.
const FXO_RAISE: Duration = Duration::from_millis(600);

struct Pair {
    a: Board,
    b: Board,
    cable: Cable,
    watcher: Watcher,
}

impl Pair {
    /// Both boards, the first one active and seen by its standby on both paths.
    fn start(site: &Site) -> Self {
        site.plug_tap("board1");
        site.plug_tap("board2");
        let watcher = Watcher::start();
        let mut a = Board::start(1, &settings(1), site.dir());
        let line = a.take_cable();
        let mut b = Board::start(2, &settings(2), site.dir());
        let cable = Cable::between(line, b.take_cable());
        let mut pair = Self { a, b, cable, watcher };
        pair.settle();
        if pair.b.role() == "Active" {
            // Whoever was first heard serves; the tests want it the other way round.
            pair.b.type_line("switch");
            wait_until("the first board is active", || pair.a.role() == "Active");
            pair.settle();
        }
        assert_eq!((pair.a.role(), pair.b.role()), ("Active".into(), "Standby".into()));
        pair.watcher = Watcher::start();
        wait_until("the active answers", || pair.watcher.holders() == [mac(1)]);
        pair
    }

    /// Waits until one is active, the other one is a standby that could take over, and both hear each other on both paths.
    #[track_caller]
    fn settle(&mut self) {
        wait_until("one active, one standby, both paths", || {
            let (a, b) = (self.a.status(), self.b.status());
            let mut roles = [&a, &b].map(|status| status["role"].as_str().unwrap().to_owned());
            roles.sort();
            roles == ["Active", "Standby"]
                && [&a, &b].iter().any(|status| status["force_switch"]["available"] == true)
                && [&a, &b].iter().all(|status| status["peer"]["cable"] == true && status["peer"]["lan"] == true)
        });
    }
}

#[test]
fn two_boards_become_a_pair_and_only_the_active_answers_for_the_cluster_ip() {
    let Some(site) = Site::new() else { return };
    let mut pair = Pair::start(&site);
    assert!(site.pings_cluster_ip());
    sleep(Duration::from_secs(1));
    let runs = pair.watcher.runs();
    assert_eq!(pair.watcher.holders(), [mac(1)]);
    assert!(runs[0].answers > 50, "{runs:?}");
    // A station without an address that probes for the cluster IP is answered as well, while nobody else asks.
    let Pair { a, b, cable: _cable, watcher } = &mut pair;
    drop(std::mem::replace(watcher, Watcher::probing()));
    wait_until("probes are answered", || watcher.runs().iter().map(|run| run.answers).sum::<u32>() > 50);
    assert_eq!(watcher.holders(), [mac(1)]);
    for status in [a.status(), b.status()] {
        assert_eq!(status["ha_status"], "Dual");
        assert_eq!(status["losses"].to_string(), r#"{"cable_bytes":0,"cable_damaged":0,"lan_damaged":0}"#);
        assert_eq!(status["counters"]["frames_malformed"], 0);
    }
}

#[test]
fn the_standby_takes_over_a_timeout_after_the_active_lost_its_power() {
    in_time("takeover after a power loss", &(TIMEOUT - EARLY..TIMEOUT + SLACK), || {
        let Some(site) = Site::new() else { return TIMEOUT };
        let mut pair = Pair::start(&site);
        let cut = Instant::now();
        pair.a.switch_off();
        pair.b.wait_for("to=Active", 1);
        wait_until("the standby answers", || pair.watcher.holders() == [mac(1), mac(2)]);
        let took = pair.watcher.runs()[1].first - cut;
        assert!(site.pings_cluster_ip());

        // Given the lost board comes back, then it stays standby, with a record of its earlier life.
        pair.a = Board::start(1, &settings(1), site.dir());
        pair.cable = Cable::between(pair.a.take_cable(), std::os::unix::net::UnixStream::pair().unwrap().0);
        pair.a.wait_for("count=2 term=", 1);
        pair.a.wait_for("to=Standby", 1);
        sleep(Duration::from_secs(1));
        assert_eq!(pair.watcher.holders(), [mac(1), mac(2)]);
        took
    });
}

#[test]
fn a_forced_switch_changes_the_roles_at_once() {
    in_time("no answer in a forced switch", &(Duration::ZERO..SLACK), || {
        let Some(site) = Site::new() else { return Duration::ZERO };
        let mut pair = Pair::start(&site);
        pair.a.type_line("switch");
        pair.a.wait_for("switch done=true", 1);
        wait_until("the roles have changed", || pair.watcher.holders() == [mac(1), mac(2)]);
        let gap = pair.watcher.gap();
        pair.a.wait_for("from=Yielding to=Standby", 1);
        pair.a.type_line("switch");
        pair.a.wait_for("switch done=false reason=NotActive", 1);
        gap
    });
}

#[test]
fn a_fault_line_of_an_fxo_port_hands_over_and_restarts_the_board() {
    in_time("handover after a fault line", &(Duration::ZERO..FXO_RAISE + SLACK), || {
        let Some(site) = Site::new() else { return Duration::ZERO };
        let mut pair = Pair::start(&site);
        // Given a port that is not in the hardware fault switch, then its fault is only told.
        pair.a.set_fault_line(3, true);
        pair.a.wait_for("fault name=FXO3 raised=true", 1);
        pair.a.set_fault_line(3, false);
        pair.a.wait_for("fault name=FXO3 raised=false", 1);
        assert_eq!(pair.a.role(), "Active");

        let pulled = Instant::now();
        pair.a.set_fault_line(2, true);
        wait_until("the standby answers", || pair.watcher.holders() == [mac(1), mac(2)]);
        let took = pulled.elapsed();
        pair.b.wait_for("reason=SelfFault", 1);
        // Then the board resets itself and is standby again, in the term of its peer.
        pair.a.wait_for("reboot", 1);
        pair.a.wait_for("count=2 term=", 1);
        pair.a.wait_for("from=Init to=Standby", 1);
        assert_eq!(pair.watcher.holders(), [mac(1), mac(2)]);
        took
    });
}

#[test]
fn a_cut_cable_costs_nothing_and_a_lost_lan_carrier_hands_over() {
    in_time("no answer after a lost LAN carrier", &(Duration::ZERO..SLACK), || {
        let Some(site) = Site::new() else { return Duration::ZERO };
        let mut pair = Pair::start(&site);
        pair.cable.cut(true);
        pair.b.wait_for("alert name=CableLost raised=true", 1);
        sleep(TIMEOUT + Duration::from_secs(1));
        assert_eq!(pair.watcher.holders(), [mac(1)]);
        pair.cable.cut(false);
        pair.b.wait_for("alert name=CableLost raised=false", 1);

        pair.a.set_lan_carrier(false);
        wait_until("the standby answers", || pair.watcher.holders() == [mac(1), mac(2)]);
        pair.watcher.gap()
    });
}

#[test]
fn a_board_that_stood_still_for_longer_than_the_timeout_never_answers_again_as_active() {
    let Some(site) = Site::new() else { return };
    let mut pair = Pair::start(&site);
    pair.a.signal(Signal::STOP);
    wait_until("the standby answers", || pair.watcher.holders() == [mac(1), mac(2)]);
    pair.a.signal(Signal::CONT);
    wait_until("the thawed board is standby", || pair.a.role() == "Standby");
    sleep(Duration::from_millis(500));
    assert_eq!(pair.watcher.holders(), [mac(1), mac(2)]);
}

#[test]
fn a_storm_of_frames_neither_restarts_a_board_nor_moves_a_role() {
    let Some(site) = Site::new() else { return };
    let mut pair = Pair::start(&site);
    storm::blow(4000, EthernetAddress([0x52, 0x54, 0, 0, 0, 1]), Ipv4Addr::new(192, 168, 129, 42));
    assert!(site.pings_cluster_ip());
    assert_eq!((pair.a.role(), pair.b.role()), ("Active".into(), "Standby".into()));
    // A question whose sender came out as the cluster IP is in the storm, too: that station is no board.
    assert!(!pair.watcher.holders().contains(&mac(2)));
    for board in [&pair.a, &pair.b] {
        assert_eq!(board.log().matches(" boot ").count(), 1, "{}", board.log());
    }
    // Then the storm has reached the stack, not only the controller.
    let counters = &pair.a.status()["counters"];
    let refused = counters["frames_unauthentic"].as_u64().unwrap();
    println!("{refused} of 4000 frames came to the heartbeat's socket and were refused");
    assert!(refused > 100, "{counters}");
}

#[test]
fn settings_that_cannot_be_used_are_named_and_the_board_stays_off() {
    let Some(site) = Site::new() else { return };
    let image = bench::board::image().unwrap();
    site.plug_tap("board1");
    let _listeners = ["console", "cable", "qmp", "qtest"]
        .map(|name| std::os::unix::net::UnixListener::bind(site.dir().join(name)).unwrap());
    let settings = settings(1).replace("heartbeat_timeout=3", "heartbeat_timeout=2");
    let done = bench::board::command(&image, &mac(1), &settings, "board1", site.dir()).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(said, "error settings: heartbeat_timeout: must be 3 to 10 seconds\n");
}
