//! A test of the mailbox where a real interrupt overfills it: the life of two services that are watched through it.
//! The bench runs it in QEMU; it says how it went by semihosting.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;
use cortex_m::peripheral::SCB;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;
use ucm_ha::debounce::Edge;
use ucm_ha::fault::Faults;
use ucm_ha::mailbox::{Mail, Mailbox, Post};
use ucm_ha::service::{Causes, MAX_SERVICES, ServiceEvent, ServiceFault, ServiceId, ServiceSettings, Services};
use ucm_ha::{Duration, Instant};

const MAILBOX_LEN: usize = 4;
const CLEAR: Duration = Duration::from_ms(2000);
const KICK_TIMEOUT: Duration = Duration::from_ms(700);
/// The first service registered: the one that the interrupt speaks of.
const FIRST: ServiceId = ServiceId(0);

static MAILBOX: Mailbox<MAILBOX_LEN> = Mailbox::new();

/// A fault interrupt as a board has one, set off by software: more kicks than the mailbox takes, then a crash.
#[exception]
fn PendSV() {
    for _ in 0..=MAILBOX_LEN {
        MAILBOX.post(black_box(Post::Kick(FIRST)));
    }
    MAILBOX.post(black_box(Post::Crash(FIRST)));
}

#[entry]
fn main() -> ! {
    match live() {
        Ok(()) => {
            hprintln!("ok");
            finish(EXIT_SUCCESS)
        }
        Err(expectation) => {
            hprintln!("{}", expectation);
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
fn on_panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    finish(EXIT_FAILURE)
}

/// Registers, crashes and restarts a service, and misses a deadline.
fn live() -> Result<(), &'static str> {
    let mut services = Services::<MAX_SERVICES>::new(black_box(CLEAR), Instant::ZERO);
    let kicked = ServiceSettings { kick_timeout: Some(KICK_TIMEOUT), ..ServiceSettings::default() };
    let watched = ServiceSettings { watched: true, ..ServiceSettings::default() };
    for settings in [watched, kicked] {
        services.register(Instant::ZERO, black_box(settings)).map_err(|_| "a service was refused")?;
    }
    services.handle(Instant::ZERO, FIRST, black_box(ServiceEvent::Started));
    crash_in_an_interrupt(&mut services)?;
    let deadlocked = services.poll(black_box(Instant::ZERO + KICK_TIMEOUT));
    if deadlocked.is_none_or(|change| change.fault != ServiceFault::Deadlock) {
        return Err("the missed deadline was not noticed");
    }
    services.handle(Instant::ZERO + KICK_TIMEOUT, FIRST, black_box(ServiceEvent::Started));
    let now = services.next_deadline();
    black_box((services.poll(now), services.life(FIRST), services.unregister(FIRST)));
    if services.faults() == Faults::SERVICE { Ok(()) } else { Err("the fault of the second service is gone") }
}

fn crash_in_an_interrupt(services: &mut Services) -> Result<(), &'static str> {
    SCB::set_pendsv();
    cortex_m::asm::isb();
    let mut lost = 0;
    while let Some(mail) = MAILBOX.take() {
        match mail {
            Mail::Post(Post::Kick(id)) => {
                black_box(services.handle(Instant::ZERO, id, ServiceEvent::Kick));
            }
            Mail::Post(Post::Crash(id)) => {
                let change = services.handle(Instant::ZERO, id, ServiceEvent::Crashed);
                black_box(change.map(|change| change.edge == Edge::Raised));
            }
            Mail::Post(Post::Link { .. } | Post::FaultLine { .. } | Post::Wake) => return Err("nobody posted that"),
            Mail::Lost(posts) => {
                lost = posts;
                services.excuse(Instant::ZERO);
            }
        }
    }
    match (services.fault(FIRST), services.causes(FIRST), lost, MAILBOX.lost_total()) {
        (Some(ServiceFault::Crash), Causes::CRASH, 2, 2) => Ok(()),
        _ => Err("the crash in the interrupt was not noticed"),
    }
}
