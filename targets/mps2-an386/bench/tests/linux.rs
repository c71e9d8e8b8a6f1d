//! A board and the Linux daemon as a pair: same wire, same rules.

use bench::board::{Board, settings};
use bench::cable::Cable;
use bench::daemon::Daemon;
use bench::linux::take_over_from_each_other;
use bench::site::{LinuxNode, Site};

#[test]
fn board_and_daemon_are_a_pair_and_take_over_from_each_other() {
    let Some(site) = Site::new() else { return };
    site.plug_tap("board1");
    let node = LinuxNode::new(&site, "192.168.129.43/24");
    let mut board = Board::start(1, &settings(1), site.dir());
    let _cable = Cable::to_interface(board.take_cable(), "cable");
    let mut daemon = Daemon::start(&node, site.dir());
    take_over_from_each_other(&mut board, &mut daemon);
}
