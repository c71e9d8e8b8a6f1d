//! Serial lines: the board's UARTs (Arm Cortex-M System Design Kit TRM, DDI 0479), driven by interrupts.
//!
//! They hold one byte in each direction, so the interrupts move bytes between them and a queue.

use crate::platform::irq::Irq;
use crate::platform::mmio::Block;
use crate::platform::{CLOCK_HZ, UART0, UART1};
use core::cell::RefCell;
use critical_section::Mutex;
use heapless::Deque;

/// Byte received, or to be sent.
const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
/// Which interrupts are asserted; writing a bit clears it.
const INTERRUPT: usize = 0x0c;
/// Ticks of the clock per bit, at least 16.
const BAUD_DIVISOR: usize = 0x10;

const STATE_SEND_FULL: u32 = 1 << 0;
const STATE_RECEIVED: u32 = 1 << 1;
/// Enable sending, receiving, and the interrupts of both.
const CONTROL_ALL: u32 = 0b1111;
const INTERRUPT_SENT: u32 = 1 << 0;
const INTERRUPT_RECEIVED: u32 = 1 << 1;

/// Bytes that may wait in one direction. A heartbeat needs less than 200, and no more than two wait to be sent.
const QUEUE_LEN: usize = 2048;

/// The console.
pub(crate) static CONSOLE: Uart = Uart::new(UART0, [Irq::Uart0Receive, Irq::Uart0Transmit]);
/// The heartbeat cable.
pub(crate) static CABLE: Uart = Uart::new(UART1, [Irq::Uart1Receive, Irq::Uart1Transmit]);

/// One serial line.
pub(crate) struct Uart {
    registers: Block,
    interrupts: [Irq; 2],
    queues: Mutex<RefCell<Queues>>,
}

struct Queues {
    received: Deque<u8, QUEUE_LEN>,
    to_send: Deque<u8, QUEUE_LEN>,
    /// Bytes that came in and found no room.
    lost: u32,
}

impl Uart {
    const fn new(registers: Block, interrupts: [Irq; 2]) -> Self {
        let queues = Queues { received: Deque::new(), to_send: Deque::new(), lost: 0 };
        Self { registers, interrupts, queues: Mutex::new(RefCell::new(queues)) }
    }

    /// Starts the line with `baud` bits per second.
    pub(crate) fn start(&self, baud: u32) {
        self.registers.write(BAUD_DIVISOR, CLOCK_HZ / baud);
        self.registers.write(CONTROL, CONTROL_ALL);
        for irq in self.interrupts {
            irq.enable();
        }
    }

    /// Sends all of `bytes` soon; `false`, and nothing is sent, where they find no room.
    pub(crate) fn send(&self, bytes: &[u8]) -> bool {
        self.with(|queues| {
            let room = queues.to_send.capacity() - queues.to_send.len() >= bytes.len();
            if room {
                for byte in bytes {
                    // There is room, as was just seen.
                    let _ = queues.to_send.push_back(*byte);
                }
                self.send_waiting(queues);
            }
            room
        })
        .unwrap_or(false)
    }

    /// The next byte that was received.
    pub(crate) fn receive(&self) -> Option<u8> {
        self.with(|queues| queues.received.pop_front()).flatten()
    }

    /// Whether bytes wait to be received.
    pub(crate) fn has_received(&self) -> bool {
        self.with(|queues| !queues.received.is_empty()).unwrap_or(false)
    }

    /// Bytes that came in and were lost.
    pub(crate) fn lost(&self) -> u32 {
        self.with(|queues| queues.lost).unwrap_or(0)
    }

    /// To be called when one of the line's interrupts arrives.
    pub(crate) fn interrupted(&self) {
        self.registers.write(INTERRUPT, INTERRUPT_SENT | INTERRUPT_RECEIVED);
        self.with(|queues| {
            while self.registers.read(STATE) & STATE_RECEIVED != 0 {
                let [byte, ..] = self.registers.read(DATA).to_le_bytes();
                if queues.received.push_back(byte).is_err() {
                    queues.lost = queues.lost.saturating_add(1);
                }
            }
            self.send_waiting(queues);
        });
    }

    fn send_waiting(&self, queues: &mut Queues) {
        while self.registers.read(STATE) & STATE_SEND_FULL == 0 {
            let Some(byte) = queues.to_send.pop_front() else { return };
            self.registers.write(DATA, byte.into());
        }
    }

    /// `None` cannot happen: nothing that holds the queues calls for them again.
    fn with<T>(&self, access: impl FnOnce(&mut Queues) -> T) -> Option<T> {
        critical_section::with(|cs| self.queues.borrow(cs).try_borrow_mut().ok().map(|mut queues| access(&mut queues)))
    }
}
