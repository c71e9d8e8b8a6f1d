//! What happens on the telephone line. None of it is a fault.

use crate::rig::Rig;
use crate::sim::Defect;
use embedded_hal::spi::SpiDevice;
use ucm_ha::fault::Faults;
use ucm_ha::fxo::si3050::Framing;
use ucm_ha::fxo::{Notices, Observation, Verdict};

fn notices(rig: &Rig) -> Notices {
    rig.poller.report(0).unwrap().notices
}

/// Nothing was raised, and the chip was neither reset nor powered down since it was set up.
fn assert_untouched(rig: &Rig) {
    assert_eq!(rig.changes, []);
    let chip = rig.chip();
    assert_eq!((chip.soft_resets, chip.power_downs), (1, 0));
}

#[test]
fn a_cord_that_is_unplugged_for_an_hour_is_no_fault() {
    let mut rig = Rig::healthy();
    rig.chip().line.plugged = false;
    rig.run(3_600_000);
    assert_eq!(rig.verdict(), Verdict::NotAFault(Observation::Unplugged));
    rig.chip().line.plugged = true;
    rig.run(1000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert_untouched(&rig);
}

#[test]
fn a_line_without_battery_looks_like_an_unplugged_one() {
    let mut rig = Rig::healthy();
    rig.chip().line.battery_v = 0;
    rig.run(10_000);
    assert_eq!(rig.verdict(), Verdict::NotAFault(Observation::Unplugged));
    assert_untouched(&rig);
}

#[test]
fn a_reversed_line_is_healthy() {
    let mut rig = Rig::healthy();
    rig.chip().line.battery_v = -48;
    rig.run(10_000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert_untouched(&rig);
}

#[test]
fn ringing_is_seen_in_every_phase_and_suspends_the_judgement_of_the_battery() {
    let mut rig = Rig::healthy();
    // Looks fall into the half waves and on the crossings between them, where R5 shows nothing and the voltage is near 0.
    rig.lateness_ms = 24;
    for _ in 0..5 {
        rig.chip().line.ringing = true;
        rig.run(2000);
        rig.chip().line.ringing = false;
        rig.run(4000);
    }
    let ring = [Verdict::NotAFault(Observation::Ringing), Verdict::Healthy];
    assert_eq!(rig.verdicts, ring.repeat(5));
    assert_untouched(&rig);
}

#[test]
fn powering_up_the_line_side_is_taken_neither_for_a_ring_nor_for_a_lost_link() {
    let mut rig = Rig::new(1, Framing::Word);
    rig.run(600);
    assert_eq!(rig.verdicts, [Verdict::NotAFault(Observation::Starting), Verdict::Healthy]);
}

#[test]
fn a_parallel_phone_is_seen_by_the_voltage() {
    let mut rig = Rig::healthy();
    rig.chip().line.parallel_phone = true;
    rig.run(10_000);
    assert_eq!(rig.verdict(), Verdict::NotAFault(Observation::ParallelPhone));
    assert_untouched(&rig);
}

#[test]
fn a_call_is_healthy() {
    let mut rig = Rig::healthy();
    rig.chip().set_off_hook(true);
    rig.run(60_000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert!(rig.chip().is_off_hook(), "nobody dropped the call");
    assert_untouched(&rig);
}

#[test]
fn an_overload_alerts_until_it_has_been_gone_for_two_seconds() {
    let mut rig = Rig::healthy();
    rig.chip().line.overload = true;
    rig.run(5000);
    assert_eq!((rig.verdict(), notices(&rig)), (Verdict::NotAFault(Observation::Overload), Notices::OVERLOAD));
    rig.chip().line.overload = false;
    rig.run(1500);
    assert_eq!(notices(&rig), Notices::OVERLOAD);
    rig.run(1000);
    assert_eq!((rig.verdict(), notices(&rig)), (Verdict::Healthy, Notices::empty()));
    assert_untouched(&rig);
}

#[test]
fn a_line_that_loses_its_power_during_a_call_is_put_on_hook_and_judged_again() {
    for starves in [false, true] {
        let mut rig = Rig::healthy();
        rig.chip().starves = starves;
        rig.chip().set_off_hook(true);
        rig.run(5000);
        assert!(rig.chip().is_off_hook());
        rig.chip().line.plugged = false;
        // Judged from the start of the interruption, this would be a lost link.
        rig.chip().lock_delay_ms = 1900;
        rig.run(500);
        assert!(!rig.chip().is_off_hook());
        rig.run(5000);
        assert_eq!(rig.verdict(), Verdict::NotAFault(Observation::Unplugged));
        assert_eq!(rig.verdicts.contains(&Verdict::NotAFault(Observation::Settling)), starves);
        assert_untouched(&rig);
    }
}

#[test]
fn a_program_that_is_restarted_during_a_call_takes_the_chip_as_it_is() {
    let mut rig = Rig::healthy();
    rig.chip().set_off_hook(true);
    rig.run(1000);

    let mut restarted = Rig::on_board(rig.spi.clone(), 1, Framing::Word);
    restarted.now_ms = rig.now_ms;
    restarted.run(1000);
    assert_eq!(restarted.verdict(), Verdict::Healthy);
    assert!(restarted.chip().is_off_hook(), "the call goes on");
    assert_untouched(&restarted);
}

#[test]
fn one_flipped_bit_in_any_read_is_no_fault_and_causes_nothing() {
    for read in 0..10 {
        for bit in 0..8 {
            let mut rig = Rig::healthy();
            // Reads take from the end: this many right ones, then the flip.
            let flips = [1 << bit].into_iter().chain(vec![0; read]).collect();
            rig.spi.board_mut().flips = flips;
            rig.run(3000);
            assert_eq!(rig.verdict(), Verdict::Healthy, "read {read}, bit {bit}");
            assert_untouched(&rig);
        }
    }
}

#[test]
fn a_short_loss_of_lock_is_no_fault_and_needs_no_remedy() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::LinkDead);
    rig.run(1500);
    rig.set_defect(Defect::None);
    rig.run(2000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert_untouched(&rig);
}

#[test]
fn a_program_that_was_suspended_for_an_hour_raises_nothing() {
    let mut rig = Rig::healthy();
    rig.set_defect(Defect::LinkDead);
    rig.run(100);
    rig.now_ms += 3_600_000;
    rig.run(10);
    rig.set_defect(Defect::None);
    rig.run(2000);
    assert_eq!(rig.verdict(), Verdict::Healthy);
    assert_untouched(&rig);
}

#[test]
fn a_line_that_is_seized_while_its_chip_is_set_up_delays_the_set_up_and_is_no_fault() {
    let mut rig = Rig::new(1, Framing::Word);
    rig.chip().starves = true;
    rig.chip().lock_delay_ms = 1500;
    rig.chip().line.plugged = false;
    rig.run(1500);
    rig.chip().set_off_hook(true);
    rig.run(5000);
    assert_eq!(rig.verdict(), Verdict::NotAFault(Observation::Unplugged));
    assert!(!rig.chip().is_off_hook());
    assert_untouched(&rig);
}

#[test]
fn a_program_that_was_killed_within_an_access_finds_the_chips_again() {
    for stray_bytes in 0..3 {
        let mut rig = Rig::new(4, Framing::Byte);
        rig.run(1000);
        rig.chip().set_off_hook(true);
        for _ in 0..stray_bytes {
            rig.spi.write(&[0x60]).unwrap();
        }
        let mut restarted = Rig::on_board(rig.spi.clone(), 4, Framing::Byte);
        restarted.now_ms = rig.now_ms;
        restarted.run(1000);
        assert_eq!(restarted.poller.faults(), Faults::empty(), "{stray_bytes} stray bytes");
        assert_eq!(restarted.verdict(), Verdict::Healthy);
        assert!(restarted.chip().is_off_hook(), "the call goes on");
        assert_untouched(&restarted);
    }
}
