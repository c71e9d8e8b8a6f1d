//! A board and the Linux daemon as a pair: same wire, same rules.

use bench::board::{Board, mac, settings};
use bench::cable::Cable;
use bench::daemon::Daemon;
use bench::site::{LinuxNode, Site};
use bench::watcher::Watcher;
use bench::{TIMEOUT, wait_until};
use std::time::{Duration, Instant};

/// What a change of roles may cost beyond the heartbeat timeout, or without it, on a machine with other work.
const SLACK: Duration = Duration::from_millis(700);

#[test]
fn board_and_daemon_are_a_pair_and_take_over_from_each_other() {
    let Some(site) = Site::new() else { return };
    site.plug_tap("board1");
    let node = LinuxNode::new(&site, "192.168.129.43/24");
    let mut board = Board::start(1, &settings(1), site.dir());
    let _cable = Cable::to_interface(board.take_cable(), "cable");
    let mut daemon = Daemon::start(&node, site.dir());
    both_paths(&mut board, &daemon);
    if board.role() == "Active" {
        board.type_line("switch");
        wait_until("the daemon is active", || daemon.role() == "Active");
        both_paths(&mut board, &daemon);
    }
    let watcher = Watcher::start();
    let linux_mac = daemon.status()["mac"].as_str().unwrap().to_owned();
    wait_until("the daemon answers", || watcher.holders() == [linux_mac.clone()]);

    // When the operator switches on the daemon, the board serves at once.
    assert_eq!(daemon.ask("switch").status.code(), Some(0));
    wait_until("the board answers", || watcher.holders() == [linux_mac.clone(), mac(1)]);
    println!("daemon to board: no answer for {} ms", watcher.gap().as_millis());
    assert!(watcher.gap() < SLACK, "{:?}", watcher.gap());
    both_paths(&mut board, &daemon);

    // When the operator switches on the board, the daemon does.
    board.type_line("switch");
    wait_until("the daemon answers", || watcher.holders() == [linux_mac.clone(), mac(1), linux_mac.clone()]);
    println!("board to daemon: no answer for {} ms", watcher.gap().as_millis());
    assert!(watcher.gap() < SLACK, "{:?}", watcher.gap());
    both_paths(&mut board, &daemon);

    // When the daemon is killed, the board takes over after the timeout: by then the kernel has dropped the address.
    let killed = Instant::now();
    daemon.kill();
    wait_until("the board answers", || watcher.holders().last() == Some(&mac(1)));
    let took = watcher.runs().last().unwrap().first - killed;
    println!("daemon killed: the board took over after {} ms", took.as_millis());
    assert!(took + Duration::from_millis(200) > TIMEOUT && took < TIMEOUT + SLACK, "{took:?}");
    let holders = watcher.holders();
    assert_eq!(holders, [linux_mac.clone(), mac(1), linux_mac.clone(), mac(1)]);

    // When the board loses its power, the daemon, back as standby, does.
    let daemon = Daemon::start(&node, site.dir());
    both_paths(&mut board, &daemon);
    assert_eq!(daemon.role(), "Standby");
    board.switch_off();
    wait_until("the daemon answers", || watcher.holders().last() == Some(&linux_mac));
    assert_eq!(watcher.holders().len(), 5, "{:?}", watcher.holders());
}

/// Waits until one is active, the other a standby that could take over, and both hear each other on both paths, without a
/// frame refused.
#[track_caller]
fn both_paths(board: &mut Board, daemon: &Daemon<'_>) {
    wait_until("one active, one standby, both paths", || {
        let (a, b) = (board.status(), daemon.status());
        let mut roles = [&a, &b].map(|status| status["role"].as_str().unwrap().to_owned());
        roles.sort();
        roles == ["Active", "Standby"]
            && [&a, &b].iter().any(|status| status["force_switch"]["available"] == true)
            && [&a, &b].iter().all(|status| status["peer"]["cable"] == true && status["peer"]["lan"] == true)
    });
    for status in [board.status(), daemon.status()] {
        assert_eq!(status["counters"]["frames_malformed"], 0, "{status}");
        assert_eq!(status["counters"]["frames_unauthentic"], 0, "{status}");
    }
}
