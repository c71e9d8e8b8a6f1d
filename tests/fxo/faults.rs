//! Real faults of the hardware, what is tried before they are called so, and how they clear.
//!
//! The bounds are those of `docs/fxo.md`.

use crate::rig::Rig;
use crate::sim::{Defect, Wire};
use ucm_ha::fault::Faults;
use ucm_ha::fxo::si3050::{Framing, MAX_ACCESSES_PER_POLL};
use ucm_ha::fxo::{FaultKind, LineInterface, Notices, Observation, Verdict};

/// Silence, a stuck bus, a bus error.
const BUS_BOUND_MS: u64 = 500;
/// A register that reads wrong.
const CONFIGURATION_BOUND_MS: u64 = 800;
/// The second reset within a minute.
const RESET_BOUND_MS: u64 = 700;
/// The isolation link, on-hook.
const LINK_BOUND_MS: u64 = 5500;

#[test]
fn a_chip_that_vanishes_is_raised_and_cleared_after_it_returns() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::Vanished);
    assert!(rig.time_to_raise_ms(BUS_BOUND_MS).is_some());
    assert_eq!(rig.fault(), Some(FaultKind::NoAnswer));

    rig.set_defect(Defect::None);
    let cleared_after_ms = rig.time_to_clear_ms(10_000).expect("the fault clears");
    assert!(cleared_after_ms >= 2000, "the clear time counts from the return");
    assert_eq!((rig.verdict(), rig.fault()), (Verdict::Healthy, None));
}

#[test]
fn a_stuck_or_broken_bus_is_a_fault_of_every_port_on_it() {
    for wire in [Wire::StuckHigh, Wire::StuckLow, Wire::Error] {
        let mut rig = Rig::new(8, Framing::Word);
        rig.run(1000);
        rig.set_wire(wire);
        rig.run(BUS_BOUND_MS);
        assert_eq!(rig.poller.faults(), Faults::FXO, "{wire:?}");
        rig.set_wire(Wire::Fine);
        rig.run(10_000);
        assert_eq!(rig.poller.faults(), Faults::empty(), "{wire:?}");
    }
}

#[test]
fn every_register_that_reads_back_wrong_is_a_fault_that_names_it() {
    let wrong = [(2, !0x01, 0), (2, !0, 0x10), (5, !0, 0x02), (6, !0, 0x08), (33, !0, 0x08), (16, !0, 0x40)];
    let wrong = wrong.into_iter().chain([(26, !0x80, 0), (30, !0x02, 0), (31, !0x20, 0)]);
    for (register, and, or) in wrong {
        let mut rig = Rig::healthy();
        rig.set_defect(Defect::StuckBits { register, and, or });
        let raised = rig.time_to_raise_ms(CONFIGURATION_BOUND_MS);
        assert!(raised.is_some(), "R{register}");
        assert_eq!(rig.fault(), Some(FaultKind::Misconfigured { register }));
    }
}

#[test]
fn a_register_that_was_upset_is_raised_and_repaired() {
    for (register, value) in [(2, 0x13), (6, 0x08), (26, 0xc0), (33, 0x28)] {
        let mut rig = Rig::healthy();
        rig.chip().upset(register, value);
        assert!(rig.time_to_raise_ms(CONFIGURATION_BOUND_MS).is_some(), "R{register}");
        assert!(rig.time_to_clear_ms(10_000).is_some(), "R{register}");
        assert_eq!(rig.verdict(), Verdict::Healthy);
    }
}

#[test]
fn a_register_that_stays_wrong_stays_a_fault_through_the_attempts_to_repair_it() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::StuckBits { register: 2, and: !0, or: 0x10 });
    rig.run(31_000);
    assert_eq!(rig.changes.len(), 1);
    rig.set_defect(Defect::None);
    assert!(rig.time_to_clear_ms(65_000).is_some());
}

#[test]
fn a_chip_that_resets_itself_once_is_set_up_anew_without_a_fault() {
    let mut rig = Rig::healthy();
    rig.chip().reset();
    rig.run(2000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert_eq!(rig.poller.report(0).unwrap().notices, Notices::CHIP_RESET);
    assert_eq!(rig.chip().soft_resets, 2);
    rig.run(60_000);
    assert_eq!((rig.poller.report(0).unwrap().notices, &rig.changes[..]), (Notices::empty(), &[][..]));
}

#[test]
fn a_chip_that_resets_itself_again_within_a_minute_is_a_fault() {
    let mut rig = Rig::healthy();
    rig.chip().reset();
    rig.run(50_000);
    rig.chip().reset();
    assert!(rig.time_to_raise_ms(RESET_BOUND_MS).is_some());
    assert_eq!(rig.fault(), Some(FaultKind::ResetItself));
    assert!(rig.time_to_clear_ms(10_000).is_some());
}

#[test]
fn a_chip_that_resets_itself_every_ten_minutes_is_no_fault() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::Resets { period_ms: 600_000 });
    rig.run(6_100_000);
    assert_eq!((rig.chip().soft_resets, &rig.changes[..]), (11, &[][..]));
}

#[test]
fn a_chip_that_cannot_keep_its_values_is_a_fault_however_fast_it_resets() {
    for period_ms in [20, 95, 150, 400, 1000] {
        let mut rig = Rig::healthy();
        rig.set_defect(Defect::Resets { period_ms });
        assert!(rig.time_to_raise_ms(4000 + period_ms).is_some(), "period {period_ms} ms");
    }
}

#[test]
fn a_link_that_one_power_down_cures_is_no_fault() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::LinkDead);
    while rig.chip().power_downs == 0 {
        rig.run(10);
    }
    rig.set_defect(Defect::None);
    rig.run(2000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert_eq!(rig.poller.report(0).unwrap().notices, Notices::LINK_RESTARTED);
    assert_eq!((rig.chip().power_downs, &rig.changes[..]), (1, &[][..]));
}

#[test]
fn a_link_that_stays_down_is_a_fault_after_one_power_down() {
    for off_hook in [false, true] {
        let mut rig = Rig::healthy();
        rig.chip().set_off_hook(off_hook);
        rig.run(500);
        rig.set_defect(Defect::LinkDead);
        assert!(rig.time_to_raise_ms(LINK_BOUND_MS).is_some(), "off-hook: {off_hook}");
        assert_eq!(rig.fault(), Some(FaultKind::IsolationLink));
        assert_eq!(rig.chip().power_downs, 1);

        rig.set_defect(Defect::None);
        assert!(rig.time_to_clear_ms(10_000).is_some());
    }
}

#[test]
fn a_link_that_is_lost_again_within_a_minute_is_a_fault() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::LinkDead);
    rig.run(2300);
    rig.set_defect(Defect::None);
    rig.run(20_000);
    assert_eq!((rig.verdict(), rig.chip().power_downs), (Verdict::Healthy, 1));
    rig.set_defect(Defect::LinkDead);
    assert!(rig.time_to_raise_ms(2600).is_some(), "no second power-down stands between loss and fault");
}

#[test]
fn a_link_that_never_comes_up_at_boot_is_a_fault() {
    let mut rig = Rig::new(1, Framing::Word);
    rig.set_defect(Defect::LinkDead);
    assert!(rig.time_to_raise_ms(LINK_BOUND_MS).is_some());
    assert_eq!(rig.verdicts[0], Verdict::NotAFault(Observation::Starting));
}

#[test]
fn a_slow_line_side_is_waited_for_and_no_fault() {
    for lock_delay_ms in [0, 500, 1800] {
        let mut rig = Rig::new(1, Framing::Word);
        rig.chip().lock_delay_ms = lock_delay_ms;
        rig.run(4000);
        assert_eq!((rig.verdict(), rig.chip().power_downs), (Verdict::Healthy, 0), "{lock_delay_ms} ms");
        assert_eq!(rig.changes, []);
    }
}

#[test]
fn a_dead_chip_is_tried_again_ever_more_rarely() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::Vanished);
    rig.run(600_000);
    assert_eq!(rig.changes.len(), 1, "raised once, and the attempts do not clear it");
    let before = rig.spi.board().accesses;
    rig.run(600_000);
    let attempts = (rig.spi.board().accesses - before) / 3;
    assert!((8..=11).contains(&attempts), "once a minute, not {attempts} times in ten minutes");
}

#[test]
fn one_dead_chip_of_eight_neither_delays_nor_faults_the_others() {
    let mut rig = Rig::new(8, Framing::Byte);
    rig.run(1000);
    rig.spi.board_mut().set_defect(3, Defect::Vanished);
    rig.run(60_000);
    assert_eq!(rig.poller.faults(), Faults::FXO4);
    for port in [0, 1, 2, 4, 5, 6, 7] {
        assert_eq!(rig.poller.report(port).map(|report| report.verdict), Some(Verdict::Healthy));
    }
}

#[test]
fn the_bound_of_accesses_per_poll_is_reached_and_not_exceeded() {
    // Set up, ringing, and the call of a line that loses its power: every step a chip takes, the longest among them.
    let mut rig = Rig::new(1, Framing::Byte);
    rig.run(1000);
    rig.chip().line.ringing = true;
    rig.chip().set_off_hook(true);
    rig.run(1000);
    rig.chip().line.battery_v = 0;
    rig.run(1000);
    rig.set_defect(Defect::LinkDead);
    rig.run(10_000);
    assert_eq!(rig.most_accesses, MAX_ACCESSES_PER_POLL);
    let board = rig.spi.board();
    assert_eq!(board.transactions, board.accesses * Framing::Byte.transactions_per_access());
}

#[test]
fn the_wrong_framing_is_a_fault_at_once_and_not_a_silent_one() {
    let spi = crate::sim::Spi::new(1, Framing::Byte);
    let mut rig = Rig::on_board(spi, 1, Framing::Word);
    assert!(rig.time_to_raise_ms(BUS_BOUND_MS).is_some());
}

#[test]
fn several_chip_selects_count_their_ports_on() {
    use crate::rig::SETTINGS;
    use crate::sim::Spi;
    use ucm_ha::fxo::si3050::Chain;
    use ucm_ha::time::Instant;
    let boards = [Spi::new(4, Framing::Word), Spi::new(4, Framing::Word)];
    boards[1].board_mut().set_defect(2, Defect::Vanished);
    let chains = boards.map(|spi| Chain::new(spi, 4, SETTINGS).unwrap());
    let mut chains = heapless::Vec::<_, 2>::from_array(chains);
    assert_eq!(chains.ports(), 8);
    let verdicts: Vec<_> = (0..8).map(|port| chains.poll(port, Instant::ZERO).unwrap().verdict).collect();
    let dead = verdicts.iter().position(|verdict| *verdict == Verdict::Fault(FaultKind::NoAnswer));
    assert_eq!(dead, Some(6));
    assert_eq!(chains.poll(8, Instant::ZERO), None);
}
