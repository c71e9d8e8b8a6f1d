//! Firmware for a Cortex-M4 board without an operating system.
//!
//! The core decides; this image gives it the board: the Ethernet port as LAN, with smoltcp as its network stack, a serial
//! line as heartbeat cable, fault lines of the FXO ports, a clock, a console. One image for both nodes: what makes them
//! different is in the settings and in the card's MAC address.
#![no_std]
#![no_main]

mod cable;
mod clock;
mod console;
mod firmware;
mod fxo;
mod i2c;
mod lan;
mod lan9118;
mod platform;
mod port;
mod report;
mod store;
mod uart;

use board::record::{RecordStore, Stored, boot_id};
use board::serial::MAX_RECEIVE_LEN;
use board::settings::{self, Settings};
use cable::Cable;
use clock::Clock;
use console::Console;
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use cortex_m::Peripherals;
use cortex_m::peripheral::SCB;
use firmware::{Firmware, LoopState};
use heapless::String;
use lan::{Lan, Storage};
use lan9118::Lan9118;
use platform::host;
use port::Port;
use store::HostFile;
use ucm_ha::Node;

/// Longest line of settings, in bytes.
const MAX_SETTINGS_LEN: usize = 1024;
/// Longest last words, in bytes.
const MAX_LAST_WORDS_LEN: usize = 256;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut SETTINGS: [u8; MAX_SETTINGS_LEN] = [0; MAX_SETTINGS_LEN];
    static mut STORAGE: Storage = Storage::new();
    static mut CABLE_FRAME: [u8; MAX_RECEIVE_LEN] = [0; MAX_RECEIVE_LEN];

    let Some(peripherals) = Peripherals::take() else { give_up(format_args!("started twice")) };
    let mut clock = Clock::start(peripherals.SYST);
    let mut console = Console::start();
    let (nic, mac) = match Lan9118::start(platform::ETHERNET).and_then(|nic| nic.mac().map(|mac| (nic, mac))) {
        Ok(started) => started,
        Err(fault) => give_up(format_args!("the Ethernet controller does not work: {fault:?}")),
    };
    let Some(line) = host::command_line(SETTINGS) else { give_up(format_args!("no line of settings was given")) };
    // The first word is the program's name.
    let words = line.split_once(' ').map_or("", |(_, words)| words);
    let Settings { config, record } = match settings::parse(words, mac) {
        Ok(settings) => settings,
        Err(problem) => give_up(format_args!("settings: {problem}")),
    };
    let Ok(mut store) = HostFile::new(record) else { give_up(format_args!("settings: record: is too long")) };
    let stored = count_boot(&mut store);
    let boot_id = boot_id(mac.0, host::time_s(), stored.boots);
    let now = clock.now();
    console.log(now, format_args!("boot mac={mac} count={} term={}", stored.boots, stored.record.term));

    let mut expander = fxo::expander(i2c::BitBangI2c::new(platform::SHIELD1_I2C));
    let (poller, answered) = fxo::poller(&mut expander, config.model.fxo_ports());
    if !answered {
        console.log(now, format_args!("error the port expander of the FXO fault lines does not answer"));
    }
    let lan = Lan::new(Port::new(nic), STORAGE, &config, boot_id, now);
    let cable = Cable::start(CABLE_FRAME);
    // Last of all: from now on a port that is not reported counts as unplugged.
    let node = match Node::new(config, stored.record, boot_id, clock.now()) {
        Ok(node) => node,
        Err(error) => give_up(format_args!("settings: {error}")),
    };
    let boots = stored.boots;
    let loop_state = LoopState::new();
    Firmware { node, config, clock, lan, cable, poller, console, store, boots, loop_state }.run();
    loop {
        cortex_m::asm::wfi();
    }
}

/// What was stored, with this boot counted.
fn count_boot(store: &mut impl RecordStore) -> Stored {
    let mut stored = store.load().unwrap_or_default();
    stored.boots = stored.boots.wrapping_add(1);
    // Where it cannot be stored, the node says so at its first own record.
    store.store(&stored);
    stored
}

/// A board that cannot run says why, and stays off the network.
fn give_up(why: fmt::Arguments<'_>) -> ! {
    last_words(format_args!("error {why}\n"));
    host::give_up()
}

fn last_words(words: fmt::Arguments<'_>) {
    let mut text = String::<MAX_LAST_WORDS_LEN>::new();
    // What does not fit is cut off.
    text.write_fmt(words).unwrap_or_default();
    host::say(&text);
}

/// A firmware that has come to an end it cannot explain starts anew: it must not keep the cluster IP.
#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    last_words(format_args!("error {info}\n"));
    SCB::sys_reset()
}
