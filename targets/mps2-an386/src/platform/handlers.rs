//! What is done in interrupts and faults. The board has no device crate, so the interrupts of all devices arrive in
//! `DefaultHandler`.

use super::irq::Irq;
use crate::uart::{CABLE, CONSOLE};
use cortex_m_rt::ExceptionFrame;

#[cortex_m_rt::exception]
fn SysTick() {
    // Its only work is to end the sleep.
}

// SAFETY (of the declaration): the name is the one that the runtime calls for device interrupts.
#[cortex_m_rt::exception]
unsafe fn DefaultHandler(number: i16) {
    match Irq::of(number) {
        Some(Irq::Uart0Receive | Irq::Uart0Transmit) => CONSOLE.interrupted(),
        Some(Irq::Uart1Receive | Irq::Uart1Transmit) => CABLE.interrupted(),
        // The frame is taken outside; until then the line stays asserted.
        Some(Irq::Ethernet) => Irq::Ethernet.disable(),
        None => panic!("interrupt {number} is not used"),
    }
}

// SAFETY (of the declaration): the name is the one that the runtime calls for faults of the processor.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    panic!("hard fault at {:#010x}", frame.pc())
}
