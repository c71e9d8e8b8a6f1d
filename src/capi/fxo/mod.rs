//! FXO ports: drivers and poller over the caller's callbacks.

mod callback;
mod report;

pub use callback::*;
pub use report::*;

use super::memory::{self, Plain};
use super::numbered::{Numbered, numbered};
use super::result::{
    Failure, UCM_HA_ERR_INTERVAL_ZERO, UCM_HA_ERR_NO_SUCH_PORT, UCM_HA_ERR_NULL, UCM_HA_ERR_PORT_COUNT, code,
};
use super::storage::{self, Storage};
use super::version;
use crate::debounce::Limits;
use crate::fxo::fault_line::{FaultLines, Polarity};
use crate::fxo::si3050::{Chain, Companding, Country, Framing, Settings};
use crate::fxo::{LineInterface, MAX_PORTS, Poller, PollerError, PollerSettings, Report};
use crate::time::{Duration, Instant};
use core::ffi::c_void;

/// Most FXO ports a model has.
pub const UCM_HA_MAX_FXO_PORTS: u8 = 8;
const _: () = assert!(UCM_HA_MAX_FXO_PORTS as usize == MAX_PORTS);
/// sizeof(ucm_ha_fxo), in bytes.
pub const UCM_HA_FXO_SIZE: usize = 2560;
/// The same in 64-bit words.
pub const UCM_HA_FXO_WORDS: usize = 320;

/// One chip select pulse per byte: three transfers of one byte per register access.
pub const UCM_HA_FRAMING_BYTE: u8 = 1;
/// One chip select pulse per register access: one transfer of three bytes.
pub const UCM_HA_FRAMING_WORD: u8 = 2;
/// A-law.
pub const UCM_HA_COMPANDING_A_LAW: u8 = 1;
/// µ-law.
pub const UCM_HA_COMPANDING_MU_LAW: u8 = 2;
/// A high fault line means a fault.
pub const UCM_HA_POLARITY_ACTIVE_HIGH: u8 = 1;
/// A low fault line means a fault.
pub const UCM_HA_POLARITY_ACTIVE_LOW: u8 = 2;

/// Storage for a poller of FXO ports, owned by the caller. Its content is the library's. One per SPI chip select, or one for
/// the fault lines of a board; several may be used side by side.
#[repr(C)]
pub struct ucm_ha_fxo {
    /// Not to be touched.
    pub opaque: [u64; UCM_HA_FXO_WORDS],
}

/// What stands in the storage.
pub(super) struct Group {
    first_port: u8,
    ports: u8,
    poller: Poller<Ports>,
}

#[expect(clippy::large_enum_variant, reason = "the storage has room for either, and there is no heap")]
enum Ports {
    Si3050(Chain<CallbackSpi>),
    FaultLines(FaultLines<CallbackPin>),
}

impl LineInterface for Ports {
    fn ports(&self) -> u8 {
        match self {
            Self::Si3050(chain) => chain.ports(),
            Self::FaultLines(lines) => lines.ports(),
        }
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        match self {
            Self::Si3050(chain) => chain.poll(port, now),
            Self::FaultLines(lines) => lines.poll(port, now),
        }
    }
}

// SAFETY: integers only; size and alignment are asserted below.
unsafe impl Storage for ucm_ha_fxo {
    type Value = Group;
}
const _: () = assert!(size_of::<ucm_ha_fxo>() == UCM_HA_FXO_SIZE && storage::fits::<ucm_ha_fxo>());

/// How often ports are visited and when a fault counts. Fill it with ucm_ha_fxo_config_defaults first.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ucm_ha_fxo_config {
    /// Time between two visits to a port whose state may be about to change, in ms, at least 1 and no longer
    /// than quiet_interval_ms. Default: 100.
    pub interval_ms: u32,
    /// Time between two visits to a port at rest, in ms, at least 1. Default: 100.
    pub quiet_interval_ms: u32,
    /// How long a port must have been bad to raise its fault, in ms. Default: 300.
    pub raise_ms: u32,
    /// How long it must have been good to clear it, in ms. Default: 2000.
    pub clear_ms: u32,
    /// Bad samples in a row that are needed to raise; 0 counts as 1. Default: 3.
    pub raise_samples: u8,
    /// Good samples in a row that are needed to clear; 0 counts as 1. Default: 3.
    pub clear_samples: u8,
    /// Number of ports, 1 to 8 - first_port. Default: 1.
    pub ports: u8,
    /// The first of them, counted from 0: 0 is the port whose fault is UCM_HA_FAULT_FXO1. Default: 0.
    pub first_port: u8,
    /// SPI only: UCM_HA_FRAMING_*, a property of the board. Default: byte.
    pub framing: u8,
    /// SPI only: UCM_HA_COMPANDING_*. Default: A-law.
    pub companding: u8,
    /// SPI only: R16, international control 1. The defaults of the four are those of TBR 21.
    pub international_1: u8,
    /// SPI only: R26, DC termination.
    pub dc_termination: u8,
    /// SPI only: R30, AC termination.
    pub ac_termination: u8,
    /// SPI only: R31, DAA control 3. Bit 0 must be 0, or an unplugged cord does not show.
    pub control_3: u8,
    /// Fault lines only: UCM_HA_POLARITY_* of all lines. Default: active low.
    pub polarity: u8,
    /// 0.
    pub reserved: u8,
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_fxo_config {}
const _: () = assert!(size_of::<ucm_ha_fxo_config>() == 28, "as in cbindgen.toml");

/// Fills config with the defaults named at its fields.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED; nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_config_defaults(config: *mut ucm_ha_fxo_config) -> i32 {
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(config, || Ok(defaults())) })
}

/// Puts a poller of Silicon Labs Si3050-class chips, alone or daisy-chained on one SPI chip select, into the storage. The
/// bus is that of transfer, in mode 3, most significant bit first. Before it returns it makes at most three register
/// accesses per chip to find the start of an access, in case an earlier program was ended within one.
///
/// abi_version is UCM_HA_ABI_VERSION. context is handed to transfer. Both must stay valid while the storage is used.
///
/// Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL (also for transfer), UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_UNKNOWN_VALUE,
/// UCM_HA_ERR_PORT_COUNT, UCM_HA_ERR_INTERVAL_ZERO, UCM_HA_ERR_BUSY; the storage is left as it was. A bus or chip that does
/// not answer is no error here: polling reports it as a fault.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_init_si3050(
    fxo: *mut ucm_ha_fxo,
    abi_version: u32,
    config: *const ucm_ha_fxo_config,
    transfer: ucm_ha_spi_transfer,
    context: *mut c_void,
) -> i32 {
    let made = version::check(abi_version).and_then(|()| {
        // SAFETY: promised by the caller.
        let config = unsafe { memory::read(config) }?;
        let spi = CallbackSpi { transfer: transfer.ok_or(Failure::new(UCM_HA_ERR_NULL))?, context };
        let (visits, chips) = (config.visits()?, config.chips()?);
        // Made empty where it stays, and filled there: it is as large as a small stack.
        let empty = || Ports::Si3050(Chain::without_chips(spi, chips));
        // SAFETY: promised by the caller.
        unsafe {
            storage::init(fxo, || config.group(empty()))?;
            storage::with(fxo, |group| group.add_chips(visits))
        }
    });
    code(made)
}

/// Puts a poller of FXO ports with one digital fault line each into the storage. The lines are read with read.
///
/// abi_version is UCM_HA_ABI_VERSION. context is handed to read. Both must stay valid while the storage is used.
///
/// Errors: as for ucm_ha_fxo_init_si3050.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_init_fault_lines(
    fxo: *mut ucm_ha_fxo,
    abi_version: u32,
    config: *const ucm_ha_fxo_config,
    read: ucm_ha_line_read,
    context: *mut c_void,
) -> i32 {
    let made = version::check(abi_version).and_then(|()| {
        // SAFETY: promised by the caller.
        let config = unsafe { memory::read(config) }?;
        let read = read.ok_or(Failure::new(UCM_HA_ERR_NULL))?;
        let (visits, polarity) = (config.visits()?, Polarity::of_number(config.polarity)?);
        let empty = || Ports::FaultLines(FaultLines::new(heapless::Vec::new()));
        // SAFETY: promised by the caller.
        unsafe {
            storage::init(fxo, || config.group(empty()))?;
            storage::with(fxo, |group| group.add_lines(visits, polarity, read, context))
        }
    });
    code(made)
}

/// Visits the next port if it is time, and says what it showed. At most one port is visited per call, with at most 36 calls
/// of transfer, or one of read. Where update->fault_edge is not UCM_HA_EDGE_NONE, tell the node with ucm_ha_node_fault:
/// update->faults, raised if the edge is UCM_HA_EDGE_RAISED.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for update. Nothing is written, no port is visited.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_poll(fxo: *mut ucm_ha_fxo, now_us: u64, update: *mut ucm_ha_fxo_update) -> i32 {
    let now = Instant::from_us(now_us);
    let poll = |group: &mut Group| {
        let update = group.poller.poll(now);
        Ok(update
            .map_or_else(ucm_ha_fxo_update::default, |update| ucm_ha_fxo_update::from_core(&update, group.first_port)))
    };
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(update, || storage::with(fxo, poll)) })
}

/// When to call ucm_ha_fxo_poll next: monotonic time in microseconds.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for due_us. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_next_poll(fxo: *mut ucm_ha_fxo, due_us: *mut u64) -> i32 {
    let next = |group: &mut Group| Ok(group.poller.next_poll().as_us());
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(due_us, || storage::with(fxo, next)) })
}

/// The debounced faults of all ports of this poller, UCM_HA_FAULT_FXO1 to UCM_HA_FAULT_FXO8.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for faults. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_faults(fxo: *mut ucm_ha_fxo, faults: *mut u32) -> i32 {
    let all = |group: &mut Group| Ok(from_port(group.poller.faults(), group.first_port).bits());
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(faults, || storage::with(fxo, all)) })
}

/// The faults of the ports that have been found neither well nor faulty since the start: tell the node with
/// ucm_ha_node_fault_unknown, 1 at the start and 0 as they go. They only become fewer, and only by a visit that changed something.
///
/// Errors: as for ucm_ha_fxo_faults.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_unknown(fxo: *mut ucm_ha_fxo, faults: *mut u32) -> i32 {
    let all = |group: &mut Group| Ok(from_port(group.poller.unknown(), group.first_port).bits());
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(faults, || storage::with(fxo, all)) })
}

/// Writes what is known of a port of this poller. Ports are counted from 0 over the whole machine, as in first_port.
///
/// Errors: those of the storage; UCM_HA_ERR_NO_SUCH_PORT; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for status. Nothing is
/// written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_fxo_port_status(fxo: *mut ucm_ha_fxo, port: u8, status: *mut ucm_ha_fxo_port) -> i32 {
    let look = |group: &mut Group| {
        let own = port.checked_sub(group.first_port).filter(|own| *own < group.ports);
        let own = own.ok_or(Failure::new(UCM_HA_ERR_NO_SUCH_PORT))?;
        let poller = &group.poller;
        let counters = poller.counters(own).unwrap_or_default();
        Ok(ucm_ha_fxo_port::from_core(poller.report(own), poller.fault(own), counters))
    };
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(status, || storage::with(fxo, look)) })
}

fn defaults() -> ucm_ha_fxo_config {
    let settings = PollerSettings::default();
    // Without a division of 64 bits, which a small core has to be taught.
    let ms = |span: Duration| u32::try_from(span.as_us()).unwrap_or(u32::MAX) / 1000;
    let country = Country::TBR21;
    ucm_ha_fxo_config {
        interval_ms: ms(settings.interval),
        quiet_interval_ms: ms(settings.quiet_interval),
        raise_ms: ms(settings.debounce.raise),
        clear_ms: ms(settings.debounce.clear),
        raise_samples: settings.debounce.raise_samples,
        clear_samples: settings.debounce.clear_samples,
        ports: 1,
        first_port: 0,
        framing: UCM_HA_FRAMING_BYTE,
        companding: UCM_HA_COMPANDING_A_LAW,
        international_1: country.international_1,
        dc_termination: country.dc_termination,
        ac_termination: country.ac_termination,
        control_3: country.control_3,
        polarity: UCM_HA_POLARITY_ACTIVE_LOW,
        reserved: 0,
    }
}

numbered! { Framing as u8:
    Byte = UCM_HA_FRAMING_BYTE,
    Word = UCM_HA_FRAMING_WORD,
}

numbered! { Companding as u8:
    ALaw = UCM_HA_COMPANDING_A_LAW,
    MuLaw = UCM_HA_COMPANDING_MU_LAW,
}

numbered! { Polarity as u8:
    ActiveHigh = UCM_HA_POLARITY_ACTIVE_HIGH,
    ActiveLow = UCM_HA_POLARITY_ACTIVE_LOW,
}

impl From<PollerError> for Failure {
    fn from(error: PollerError) -> Self {
        let PollerError::PortCount(_) = error;
        Self::new(UCM_HA_ERR_PORT_COUNT)
    }
}

impl ucm_ha_fxo_config {
    fn visits(&self) -> Result<PollerSettings, Failure> {
        if self.interval_ms == 0 || self.quiet_interval_ms == 0 {
            return Err(Failure::new(UCM_HA_ERR_INTERVAL_ZERO));
        }
        let last = self.first_port.checked_add(self.ports).filter(|last| *last <= UCM_HA_MAX_FXO_PORTS);
        last.filter(|_| self.ports > 0).ok_or(Failure::new(UCM_HA_ERR_PORT_COUNT))?;
        Ok(PollerSettings {
            interval: Duration::from_ms(self.interval_ms.into()),
            quiet_interval: Duration::from_ms(self.quiet_interval_ms.into()),
            debounce: Limits {
                raise_samples: self.raise_samples,
                clear_samples: self.clear_samples,
                ..Limits::from_ms(self.raise_ms, self.clear_ms)
            },
        })
    }

    fn chips(&self) -> Result<Settings, Failure> {
        Ok(Settings {
            framing: Framing::of_number(self.framing)?,
            companding: Companding::of_number(self.companding)?,
            country: Country {
                international_1: self.international_1,
                dc_termination: self.dc_termination,
                ac_termination: self.ac_termination,
                control_3: self.control_3,
            },
        })
    }

    fn group(&self, interface: Ports) -> Group {
        Group { first_port: self.first_port, ports: self.ports, poller: Poller::without_ports(interface) }
    }
}

impl Group {
    /// The number of ports was checked before, so that no addition fails.
    fn add_chips(&mut self, visits: PollerSettings) -> Result<(), Failure> {
        let Ports::Si3050(chain) = self.poller.interface_mut() else { return Ok(()) };
        chain.add_chips(self.ports).map_err(|_| Failure::new(UCM_HA_ERR_PORT_COUNT))?;
        // Whatever the outcome, the first polls find out the same and report it as a fault of the port.
        let _ = chain.align();
        Ok(self.poller.add_ports(visits)?)
    }

    /// As `add_chips`.
    fn add_lines(
        &mut self,
        visits: PollerSettings,
        polarity: Polarity,
        read: LineRead,
        context: *mut c_void,
    ) -> Result<(), Failure> {
        let Ports::FaultLines(lines) = self.poller.interface_mut() else { return Ok(()) };
        for line in (self.first_port..).take(self.ports.into()) {
            let added = lines.add(CallbackPin { read, context, line }, polarity);
            added.map_err(|_| Failure::new(UCM_HA_ERR_PORT_COUNT))?;
        }
        Ok(self.poller.add_ports(visits)?)
    }
}
