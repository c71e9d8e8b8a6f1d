//! What a driver is to the thread that looks at the ports.

use std::os::fd::BorrowedFd;
use ucm_ha::fault::Faults;
use ucm_ha::fxo::{LineInterface, fault_of_port};

/// The opened device of one or more ports.
pub(super) trait Board: LineInterface {
    /// A descriptor that becomes readable when something at a port may have changed, where the device has one.
    fn news(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Reads what made it readable. The ports that may have changed, counted from the board's own first.
    fn take_news(&mut self) -> Faults {
        Faults::empty()
    }
}

/// The bits of all ports up to this number.
pub(super) fn all_ports(ports: u8) -> Faults {
    (0..ports).map(fault_of_port).collect()
}
