//! Bare-metal image of the whole core for a Cortex-M4.
//!
//! Two nodes with a key run a pair's life against each other: boot, forced switch, loss of the active. Services are watched
//! through a mailbox that a real interrupt fills. What goes in and what comes out is hidden from the optimiser, so that
//! the linker keeps everything a board would need.
//! `.ci/footprint` then looks at the linked image: nothing in it may panic or allocate. It runs in QEMU too and reports
//! the size of a node and the deepest stack of its calls.
#![no_std]
#![no_main]

mod console;
mod pair;
#[cfg(feature = "planted")]
mod planted;
mod services;
mod stack;

use core::panic::PanicInfo;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use ucm_ha::Node;

#[cortex_m_rt::entry]
fn main() -> ! {
    console::figure("node_bytes", size_of::<Node>());
    console::figure("services_bytes", services::BYTES);
    let outcome = pair::live();
    console::figure("stack_bytes", outcome.stack_bytes);
    let broken = outcome.broken.or(services::live().err());
    #[cfg(feature = "planted")]
    planted::plant();
    match broken {
        None => {
            console::line("pair and services ok");
            finish(EXIT_SUCCESS)
        }
        Some(expectation) => {
            console::line(expectation);
            finish(EXIT_FAILURE)
        }
    }
}

fn finish(status: debug::ExitStatus) -> ! {
    loop {
        debug::exit(status);
    }
}

#[panic_handler]
fn on_panic(_: &PanicInfo<'_>) -> ! {
    panic_is_reachable()
}

/// The end of every panic. It stands in the linked image if, and only if, something in it can panic.
#[inline(never)]
fn panic_is_reachable() -> ! {
    console::line("panicked");
    finish(EXIT_FAILURE)
}
