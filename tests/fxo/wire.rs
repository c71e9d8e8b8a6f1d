//! The bytes on the SPI bus, against a mocked `SpiDevice`.

use crate::rig::SETTINGS;
use embedded_hal::spi::ErrorKind;
use embedded_hal_mock::eh1::spi::{Mock, Transaction};
use ucm_ha::fxo::si3050::{Chain, ChainError, Companding, Framing, Settings};
use ucm_ha::fxo::{LineInterface, Observation, Verdict};
use ucm_ha::time::Instant;

/// One register access as the mock expects it.
fn access(framing: Framing, sent: [u8; 3], answer: u8) -> Vec<Transaction<u8>> {
    let pulse = |sent: &[u8], received: &[u8]| {
        let transfer = Transaction::transfer_in_place(sent.to_vec(), received.to_vec());
        [Transaction::transaction_start(), transfer, Transaction::transaction_end()]
    };
    match framing {
        Framing::Word => pulse(&sent, &[0xff, 0xff, answer]).to_vec(),
        Framing::Byte => sent.iter().zip([0xff, 0xff, answer]).flat_map(|(s, r)| pulse(&[*s], &[r])).collect(),
    }
}

/// Registers of a chip fresh from its reset, as the first poll reads them, then the soft reset.
fn first_poll(framing: Framing, id: u8) -> Vec<Transaction<u8>> {
    let read = |register, answer| access(framing, [0x60 | id, register, 0xff], answer);
    let answers = [(11, 0x05), (2, 0x03), (5, 0x00), (12, 0x00), (6, 0x10), (33, 0x00)];
    let reads = answers.into_iter().flat_map(|(register, answer)| read(register, answer));
    reads.chain(access(framing, [0x20 | id, 1, 0x80], 0xff)).collect()
}

#[test]
fn the_first_poll_looks_at_the_chip_and_resets_it_in_either_framing() {
    for framing in [Framing::Word, Framing::Byte] {
        let mut spi = Mock::new(&first_poll(framing, 0x00));
        let mut chain = Chain::new(spi.clone(), 1, Settings { framing, ..SETTINGS }).unwrap();
        let report = chain.poll(0, Instant::ZERO).unwrap();
        assert_eq!(report.verdict, Verdict::NotAFault(Observation::Starting));
        spi.done();
    }
}

#[test]
fn each_chip_of_a_daisy_chain_is_addressed_by_its_id() {
    let ids = [0x00, 0x08, 0x04, 0x0c];
    let mut spi = Mock::new(&ids.map(|id| first_poll(Framing::Word, id)).concat());
    let mut chain = Chain::new(spi.clone(), 4, SETTINGS).unwrap();
    for port in 0..4 {
        chain.poll(port, Instant::ZERO).unwrap();
    }
    assert_eq!(chain.poll(4, Instant::ZERO), None, "there is no fifth chip");
    spi.done();
}

#[test]
fn after_the_reset_the_chip_rests_100_ms_and_is_configured_as_the_settings_say() {
    for (companding, pcm) in [(Companding::ALaw, 0x20), (Companding::MuLaw, 0x28)] {
        let write = |register, value| access(Framing::Word, [0x20, register, value], 0xff);
        let country = [write(16, 0x00), write(26, 0xc2), write(30, 0x02), write(31, 0x20)].concat();
        let expected = [first_poll(Framing::Word, 0), write(33, pcm), country, write(6, 0x00)].concat();
        let mut spi = Mock::new(&expected);
        let mut chain = Chain::new(spi.clone(), 1, Settings { companding, ..SETTINGS }).unwrap();
        for at_ms in [0, 50, 99, 100] {
            chain.poll(0, Instant::from_ms(at_ms)).unwrap();
        }
        spi.done();
    }
}

/// A bus whose controller is broken.
struct BrokenBus {
    transactions: u32,
}

impl embedded_hal::spi::ErrorType for BrokenBus {
    type Error = ErrorKind;
}

impl embedded_hal::spi::SpiDevice for &mut BrokenBus {
    fn transaction(&mut self, _: &mut [embedded_hal::spi::Operation<'_, u8>]) -> Result<(), ErrorKind> {
        self.transactions += 1;
        Err(ErrorKind::ModeFault)
    }
}

#[test]
fn an_error_of_the_bus_ends_the_poll_and_is_the_verdict() {
    use ucm_ha::fxo::FaultKind;
    for framing in [Framing::Word, Framing::Byte] {
        let mut bus = BrokenBus { transactions: 0 };
        let mut chain = Chain::new(&mut bus, 1, Settings { framing, ..SETTINGS }).unwrap();
        let report = chain.poll(0, Instant::ZERO).unwrap();
        assert_eq!(report.verdict, Verdict::Fault(FaultKind::Bus(ErrorKind::ModeFault)));
        drop(chain);
        assert_eq!(bus.transactions, 1);
    }
}

#[test]
fn a_chain_without_chips_or_with_nine_is_refused() {
    for chips in [0, 9] {
        let mut spi = Mock::new(&[]);
        assert_eq!(Chain::new(spi.clone(), chips, SETTINGS).err(), Some(ChainError::ChipCount(chips)));
        spi.done();
    }
}

#[test]
fn aligning_a_chain_that_does_not_answer_ends_in_the_step_it_began_in() {
    let ask = || access(Framing::Byte, [0x60, 2, 0xff], 0xff);
    let slip =
        || [Transaction::transaction_start(), Transaction::write_vec(vec![0xff]), Transaction::transaction_end()];
    let expected: Vec<_> = (0..3).flat_map(|_| ask().into_iter().chain(slip())).collect();
    let mut spi = Mock::new(&expected);
    let mut chain = Chain::new(spi.clone(), 1, Settings { framing: Framing::Byte, ..SETTINGS }).unwrap();
    assert_eq!(chain.align(), Ok(false));
    spi.done();
}
