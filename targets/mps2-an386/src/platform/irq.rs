//! Interrupts of devices, by their number at the interrupt controller.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// Interrupts that the firmware uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Irq {
    /// The console has received a byte.
    Uart0Receive,
    /// The console has sent a byte.
    Uart0Transmit,
    /// The heartbeat cable has received a byte.
    Uart1Receive,
    /// The heartbeat cable has sent a byte.
    Uart1Transmit,
    /// The Ethernet controller has received a frame.
    Ethernet,
}

impl Irq {
    const ALL: [Self; 5] =
        [Self::Uart0Receive, Self::Uart0Transmit, Self::Uart1Receive, Self::Uart1Transmit, Self::Ethernet];

    /// The interrupt of this number, where the firmware uses it.
    pub(crate) fn of(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|irq| i16::try_from(irq.number()) == Ok(number))
    }

    /// Lets the interrupt in.
    pub(crate) fn enable(self) {
        // SAFETY: no critical section of this image relies on a masked interrupt; they mask all of them at once.
        unsafe { NVIC::unmask(self) }
    }

    /// Keeps it out.
    pub(crate) fn disable(self) {
        NVIC::mask(self);
    }
}

// SAFETY: the numbers are those of the application note (table of interrupts), fixed and without duplicates.
unsafe impl InterruptNumber for Irq {
    fn number(self) -> u16 {
        match self {
            Self::Uart0Receive => 0,
            Self::Uart0Transmit => 1,
            Self::Uart1Receive => 2,
            Self::Uart1Transmit => 3,
            Self::Ethernet => 13,
        }
    }
}
