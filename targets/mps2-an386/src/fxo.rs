//! The fault lines of the FXO ports: inputs of an I²C port expander on the second Arduino shield, in port order; high means
//! a fault. The board's own GPIO would do as well, but the emulator has none.
//!
//! PCA9554 and MAX7310 have the same registers and addresses.

use crate::i2c::BitBangI2c;
use core::cell::RefCell;
use embedded_hal::digital::InputPin;
use heapless::Vec;
use port_expander::dev::pca9554::{Driver, Pca9554};
use ucm_ha::fxo::fault_line::{FaultLines, Polarity};
use ucm_ha::fxo::{LineInterface, MAX_PORTS, Poller, PollerSettings};

/// The expander, its three address pins low.
pub(crate) type Expander = Pca9554<RefCell<Driver<BitBangI2c>>>;

/// The expander on this bus.
pub(crate) fn expander(bus: BitBangI2c) -> Expander {
    Pca9554::new(bus, false, false, false)
}

/// The poller of the first `ports` lines, `None` when there are none; and whether the expander answered. One that does
/// not is polled all the same: its ports are at fault.
pub(crate) fn poller(expander: &mut Expander, ports: u8) -> (Option<Poller<impl LineInterface>>, bool) {
    let parts = expander.split();
    let mut lines = Vec::<_, MAX_PORTS>::new();
    let mut answered = true;
    let pins = [parts.io0, parts.io1, parts.io2, parts.io3, parts.io4, parts.io5, parts.io6, parts.io7];
    for mut pin in pins.into_iter().take(ports.into()) {
        // After a reset the MAX7310 gives its upper four inputs inverted.
        answered &= pin.set_inverted(false).is_ok();
        // There is room for all eight.
        let _ = lines.push((pin, Polarity::ActiveHigh));
    }
    (Poller::new(fault_lines(lines), PollerSettings::default()).ok(), answered)
}

fn fault_lines<P: InputPin>(lines: Vec<(P, Polarity), MAX_PORTS>) -> FaultLines<P> {
    FaultLines::new(lines)
}
