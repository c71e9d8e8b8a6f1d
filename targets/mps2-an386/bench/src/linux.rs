//! A Linux node as the peer of a board, and what the two must do: the same on the same wire, whatever the node runs on.

use crate::board::{Board, mac};
use crate::watcher::Watcher;
use crate::{TIMEOUT, wait_until};
use serde_json::Value;
use std::time::{Duration, Instant};

/// What a change of roles may cost beyond the heartbeat timeout, or without it, on a machine with other work.
const SLACK: Duration = Duration::from_millis(700);

/// A Linux node with the settings of board 2: the secondary, 192.168.129.43.
pub trait Linux {
    /// Its status; `Null` while it does not answer.
    fn status(&mut self) -> Value;

    /// A forced switch; the exit code of the command.
    fn switch(&mut self) -> Option<i32>;

    /// Ends it without a word.
    fn kill(&mut self);

    /// Starts it again.
    fn start(&mut self);
}

/// Board 1 and the node settle, and then take over from each other: switched on either, and killed either.
#[track_caller]
pub fn take_over_from_each_other(board: &mut Board, linux: &mut dyn Linux) {
    both_paths(board, linux);
    if board.role() == "Active" {
        board.type_line("switch");
        wait_until("the Linux node is active", || linux.status()["role"] == "Active");
        both_paths(board, linux);
    }
    let watcher = Watcher::start();
    let linux_mac = linux.status()["mac"].as_str().unwrap().to_owned();
    wait_until("the Linux node answers", || watcher.holders() == [linux_mac.clone()]);

    // When the operator switches on the Linux node, the board serves at once.
    assert_eq!(linux.switch(), Some(0));
    wait_until("the board answers", || watcher.holders() == [linux_mac.clone(), mac(1)]);
    println!("Linux to board: no answer for {} ms", watcher.gap().as_millis());
    assert!(watcher.gap() < SLACK, "{:?}", watcher.gap());
    both_paths(board, linux);

    // When the operator switches on the board, the Linux node does.
    board.type_line("switch");
    wait_until("the Linux node answers", || watcher.holders() == [linux_mac.clone(), mac(1), linux_mac.clone()]);
    println!("board to Linux: no answer for {} ms", watcher.gap().as_millis());
    assert!(watcher.gap() < SLACK, "{:?}", watcher.gap());
    both_paths(board, linux);

    // When the Linux node is killed, the board takes over after the timeout: by then the kernel has dropped the address.
    let killed = Instant::now();
    linux.kill();
    wait_until("the board answers", || watcher.holders().last() == Some(&mac(1)));
    let took = watcher.runs().last().unwrap().first - killed;
    println!("Linux node killed: the board took over after {} ms", took.as_millis());
    assert!(took + Duration::from_millis(200) > TIMEOUT && took < TIMEOUT + SLACK, "{took:?}");
    let holders = watcher.holders();
    assert_eq!(holders, [linux_mac.clone(), mac(1), linux_mac.clone(), mac(1)]);

    // When the board loses its power, the Linux node, back as standby, does.
    linux.start();
    both_paths(board, linux);
    assert_eq!(linux.status()["role"], "Standby");
    board.switch_off();
    wait_until("the Linux node answers", || watcher.holders().last() == Some(&linux_mac));
    assert_eq!(watcher.holders().len(), 5, "{:?}", watcher.holders());
}

/// Waits until one is active, the other a standby that could take over, and both hear each other on both paths, without a
/// frame refused.
#[track_caller]
fn both_paths(board: &mut Board, linux: &mut dyn Linux) {
    wait_until("one active, one standby, both paths", || {
        let (a, b) = (board.status(), linux.status());
        let mut roles = [&a, &b].map(|status| status["role"].as_str().unwrap_or_default().to_owned());
        roles.sort();
        roles == ["Active", "Standby"]
            && [&a, &b].iter().any(|status| status["force_switch"]["available"] == true)
            && [&a, &b].iter().all(|status| status["peer"]["cable"] == true && status["peer"]["lan"] == true)
    });
    for status in [board.status(), linux.status()] {
        assert_eq!(status["counters"]["frames_malformed"], 0, "{status}");
        assert_eq!(status["counters"]["frames_unauthentic"], 0, "{status}");
    }
}
