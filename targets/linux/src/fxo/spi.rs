//! Si3050-class chips behind an SPI device of the kernel.

use super::board::Board;
use embedded_hal::spi::SpiDevice;
use linux_embedded_hal::SpidevDevice;
use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
use std::io;
use std::path::Path;
use ucm_ha::fxo::si3050::{Chain, Companding, Country, Framing, Settings};

/// Clock of the bus. Slow enough for any wiring; one look is at most 36 bytes.
const CLOCK_HZ: u32 = 1_000_000;
const BITS_PER_WORD: u8 = 8;

/// Opens the chain of `ports` chips behind the SPI device `path`.
pub(super) fn open(path: &Path, framing: Framing, ports: u8) -> io::Result<Box<dyn Board>> {
    let mut spi = SpidevDevice::open(path).map_err(|error| io::Error::other(error.inner().to_string()))?;
    let mode = SpiModeFlags::SPI_MODE_3;
    let options = SpidevOptions::new().bits_per_word(BITS_PER_WORD).max_speed_hz(CLOCK_HZ).mode(mode).build();
    spi.configure(&options)?;
    chain(spi, framing, ports)
}

fn chain<S: SpiDevice + 'static>(spi: S, framing: Framing, ports: u8) -> io::Result<Box<dyn Board>> {
    let settings = Settings { framing, companding: Companding::ALaw, country: Country::TBR21 };
    let mut chain = Chain::new(spi, ports, settings).map_err(io::Error::other)?;
    // Chips that do not answer, and a bus that fails, are found by the looks that follow, and debounced.
    let _answered = chain.align();
    Ok(Box::new(chain))
}

impl<S: SpiDevice> Board for Chain<S> {}

#[cfg(test)]
#[path = "../../../../tests/fxo/sim.rs"]
#[expect(dead_code, reason = "the core's own tests use the rest of it")]
mod sim;

#[cfg(test)]
mod tests {
    use super::sim::{Defect, Spi, Wire};
    use super::*;
    use crate::fxo::guarded::Guarded;
    use ucm_ha::debounce::Edge;
    use ucm_ha::fault::Faults;
    use ucm_ha::fxo::{FaultKind, LineInterface, Poller, PollerSettings};
    use ucm_ha::time::Instant;

    /// A board of four simulated chips, opened and polled as the daemon does it.
    struct Bench {
        spi: Spi,
        poller: Poller<Guarded>,
        now_ms: u64,
    }

    impl Bench {
        fn new(framing: Framing) -> Self {
            let spi = Spi::new(4, framing);
            let device = spi.clone();
            let open = Box::new(move || chain(device.clone(), framing, 4));
            let board = Guarded::new("/dev/spidev0.0".to_owned(), 4, open);
            Self { spi, poller: Poller::new(board, PollerSettings::default()).unwrap(), now_ms: 0 }
        }

        /// Lets time pass; when each port's fault was raised or cleared.
        fn run(&mut self, ms: u64) -> Vec<(u64, u8, Edge)> {
            let mut changes = Vec::new();
            for _ in 0..ms {
                self.now_ms += 1;
                self.spi.board_mut().advance(self.now_ms);
                if let Some(update) = self.poller.poll(Instant::from_ms(self.now_ms)) {
                    changes.extend(update.fault.map(|edge| (self.now_ms, update.port, edge)));
                }
            }
            changes
        }
    }

    #[test]
    fn four_chips_are_set_up_and_well_in_either_framing() {
        for framing in [Framing::Byte, Framing::Word] {
            let mut bench = Bench::new(framing);
            assert_eq!(bench.run(2000), []);
            assert_eq!(bench.poller.unknown(), Faults::empty(), "{framing:?}");
        }
    }

    #[test]
    fn a_chip_that_vanishes_is_the_fault_of_its_port_and_returns() {
        let mut bench = Bench::new(Framing::Byte);
        bench.run(2000);
        bench.spi.board_mut().set_defect(2, Defect::Vanished);
        let raised = bench.run(1000);
        let [(at_ms, 2, Edge::Raised)] = raised[..] else { panic!("{raised:?}") };
        assert!(at_ms <= 2000 + 500, "{at_ms}");
        assert_eq!(bench.poller.fault(2), Some(FaultKind::NoAnswer));
        bench.spi.board_mut().set_defect(2, Defect::None);
        let cleared = bench.run(15_000);
        assert!(matches!(cleared[..], [(_, 2, Edge::Cleared)]), "{cleared:?}");
    }

    #[test]
    fn a_bus_that_fails_is_the_fault_of_all_ports_and_the_device_is_opened_again_until_it_works() {
        let mut bench = Bench::new(Framing::Word);
        bench.run(2000);
        bench.spi.board_mut().wire = Wire::Error;
        bench.run(1000);
        assert_eq!(bench.poller.faults(), Faults::FXO1 | Faults::FXO2 | Faults::FXO3 | Faults::FXO4);
        assert!(matches!(bench.poller.fault(0), Some(FaultKind::Bus(_))), "{:?}", bench.poller.fault(0));
        bench.spi.board_mut().wire = Wire::Fine;
        bench.run(10_000);
        assert_eq!(bench.poller.faults(), Faults::empty());
    }

    #[test]
    fn a_device_that_is_no_spi_device_is_refused_with_its_reason() {
        let error = |path: &str| open(Path::new(path), Framing::Byte, 4).err().map(|error| error.to_string());
        assert_eq!(error("/dev/no-such").as_deref(), Some("No such file or directory (os error 2)"));
        assert_eq!(error("/dev/null").as_deref(), Some("Inappropriate ioctl for device (os error 25)"));
    }

    #[test]
    fn more_ports_than_a_chain_has_are_refused() {
        let spi = Spi::new(4, Framing::Word);
        assert!(chain(spi, Framing::Word, 9).err().is_some_and(|error| error.to_string().contains("9 chips")));
    }

    #[test]
    fn a_guarded_chain_has_its_ports_before_its_device_is_there() {
        let open = Box::new(|| open(Path::new("/dev/no-such"), Framing::Byte, 4));
        let board = Guarded::new("/dev/no-such".to_owned(), 4, open);
        assert_eq!(board.ports(), 4);
    }
}
