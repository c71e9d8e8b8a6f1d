//! A board and an emulated 64-bit ARM machine with Linux as a pair.

use bench::board::{Board, settings};
use bench::cable::Cable;
use bench::linux::take_over_from_each_other;
use bench::machine::{CABLE, Machine, rig};
use bench::site::Site;

#[test]
fn board_and_arm_machine_are_a_pair_and_take_over_from_each_other() {
    if rig().is_none() {
        println!("skipped: no rig; run targets/mps2-an386/test machine");
        return;
    }
    let Some(site) = Site::new() else { return };
    site.plug_tap("board1");
    let mut machine = Machine::start(&site);
    let mut board = Board::start(1, &settings(1), site.dir());
    let _cable = Cable::to_interface(board.take_cable(), CABLE);
    take_over_from_each_other(&mut board, &mut machine);
}
