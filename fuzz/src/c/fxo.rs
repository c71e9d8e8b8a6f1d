//! FXO ports over callbacks that answer anything.

use super::place::{At, Place, Store, Wrongs};
use crate::script::Script;
use core::ffi::c_void;
use ucm_ha::capi::*;

/// Most transfers of one visit, as the header says.
const MAX_TRANSFERS: u32 = 36;

/// What stands behind the callbacks.
struct Bus {
    answers: Vec<u8>,
    at: usize,
    calls: u32,
    /// The storage, for a callback that calls back.
    storage: *mut ucm_ha_fxo,
}

impl Bus {
    fn next(&mut self) -> u8 {
        self.calls += 1;
        self.at += 1;
        self.answers.get(self.at % self.answers.len().max(1)).copied().unwrap_or(0)
    }

    /// From within a call everything is refused, and nothing written.
    fn call_back(&self) {
        let mut faults = 0x5a5a_5a5a_u32;
        // SAFETY: storage and a value.
        let code = unsafe { ucm_ha_fxo_faults(self.storage, &mut faults) };
        assert_eq!((code, faults), (UCM_HA_ERR_BUSY, 0x5a5a_5a5a));
    }
}

unsafe extern "C" fn transfer(context: *mut c_void, data: *mut u8, len: usize) -> i32 {
    assert!((1..=4).contains(&len), "{len} bytes");
    // SAFETY: the context is a bus that nobody else uses now, the data as long as is said.
    let (bus, bytes) = unsafe { (&mut *context.cast::<Bus>(), core::slice::from_raw_parts_mut(data, len)) };
    let what = bus.next();
    bytes.iter_mut().for_each(|byte| *byte = bus.next());
    bus.calls -= len as u32;
    match what {
        0xf8..0xfe => i32::from(what) - 0xf7,
        0xfe => -1,
        0xff => {
            bus.call_back();
            UCM_HA_SPI_OK
        }
        _ => UCM_HA_SPI_OK,
    }
}

unsafe extern "C" fn read(context: *mut c_void, line: u8) -> i32 {
    assert!(line < UCM_HA_MAX_FXO_PORTS, "line {line}");
    // SAFETY: the context is a bus that nobody else uses now.
    let bus = unsafe { &mut *context.cast::<Bus>() };
    match bus.next() {
        0xff => {
            bus.call_back();
            2
        }
        other => i32::from(other & 3),
    }
}

pub(super) struct Fxo {
    store: Store<ucm_ha_fxo>,
    bus: Box<Bus>,
    /// The ports of the poller.
    ports: core::ops::Range<u8>,
}

impl Fxo {
    pub(super) fn new(paint: u8) -> Self {
        let bus = Bus { answers: Vec::new(), at: 0, calls: 0, storage: core::ptr::null_mut() };
        Self { store: Store::new(paint), bus: Box::new(bus), ports: 0..0 }
    }

    pub(super) fn call(&mut self, now_us: u64, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0..=1 => self.init(script),
            2 => self.answers(script),
            3 => self.port(script),
            4 => self.whole(script),
            _ => self.poll(now_us, script),
        }
    }

    /// What the bus answers from now on.
    fn answers(&mut self, script: &mut Script<'_>) {
        let answers = script.text();
        self.bus.answers = answers.to_vec();
    }

    fn config(script: &mut Script<'_>) -> ucm_ha_fxo_config {
        let mut config = Place::painted(0);
        let pointer: *mut ucm_ha_fxo_config = config.pointer(At::Right);
        // SAFETY: memory of the type; then one of its bytes may have any value.
        unsafe {
            assert_eq!(ucm_ha_fxo_config_defaults(pointer), UCM_HA_OK);
            (*pointer).ports = script.byte() % 10;
            (*pointer).first_port = script.byte() % 10;
            let [at, value] = script.array();
            *pointer.cast::<u8>().add(usize::from(at) % size_of::<ucm_ha_fxo_config>()) = value;
            pointer.read()
        }
    }

    fn init(&mut self, script: &mut Script<'_>) {
        let ((version, right), at, config_at) = (super::version(script), At::chosen(script), At::chosen(script));
        let (chips, without) = (script.flag(), script.byte() == 0xff);
        let config = Self::config(script);
        let end = u32::from(config.first_port) + u32::from(config.ports);
        let mut wrongs = Wrongs::default();
        wrongs.note_pointer::<ucm_ha_fxo>(at);
        wrongs.note_pointer::<ucm_ha_fxo_config>(config_at);
        wrongs.note(!right, UCM_HA_ERR_ABI_VERSION);
        wrongs.note(without, UCM_HA_ERR_NULL);
        wrongs.note(config.ports == 0 || end > UCM_HA_MAX_FXO_PORTS.into(), UCM_HA_ERR_PORT_COUNT);
        wrongs.note(config.interval_ms == 0 || config.quiet_interval_ms == 0, UCM_HA_ERR_INTERVAL_ZERO);
        let named = |value| matches!(value, 1 | 2);
        let unknown = if chips { !named(config.framing) || !named(config.companding) } else { !named(config.polarity) };
        wrongs.note(unknown, UCM_HA_ERR_UNKNOWN_VALUE);
        self.bus.storage = self.store.right();
        let context: *mut c_void = (&raw mut *self.bus).cast();
        let mut place = Place::holding(config);
        let done = self.store.call(at, &wrongs, |fxo| {
            let config = place.pointer(config_at);
            let (transfer, read): (ucm_ha_spi_transfer, ucm_ha_line_read) = (Some(transfer), Some(read));
            let (transfer, read) = (transfer.filter(|_| !without), read.filter(|_| !without));
            // SAFETY: storage and values, NULL or misaligned; the callbacks are given their context.
            unsafe {
                if chips {
                    ucm_ha_fxo_init_si3050(fxo, version, config, transfer, context)
                } else {
                    ucm_ha_fxo_init_fault_lines(fxo, version, config, read, context)
                }
            }
        });
        if done {
            self.store.set_initialised(true);
            self.ports = config.first_port..config.first_port + config.ports;
        }
    }

    fn mask(&self) -> u32 {
        self.ports.clone().fold(0, |mask, port| mask | UCM_HA_FAULT_FXO1 << port)
    }

    fn poll(&mut self, now_us: u64, script: &mut Script<'_>) {
        self.bus.calls = 0;
        let update = self.store.ask(script, Wrongs::default(), |fxo, update| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_fxo_poll(fxo, now_us, update) }
        });
        assert!(self.bus.calls <= MAX_TRANSFERS, "{} transfers", self.bus.calls);
        let Some(update) = update else {
            assert_eq!(self.bus.calls, 0, "a failed call has visited a port");
            return;
        };
        if update.changed == 0 {
            return assert_eq!(update, ucm_ha_fxo_update::default());
        }
        assert!(self.ports.contains(&update.port), "{update:?}");
        assert_eq!(update.faults, UCM_HA_FAULT_FXO1 << update.port);
        assert!(update.fault_edge <= UCM_HA_EDGE_CLEARED && update.seen <= UCM_HA_FXO_FAULT_MISSING, "{update:?}");
        assert_eq!(update.notices_raised & !update.notices | update.notices_cleared & update.notices, 0, "{update:?}");
    }

    fn port(&mut self, script: &mut Script<'_>) {
        let port = script.byte() % 10;
        let mut wrongs = Wrongs::default();
        let unknown = self.store.is_initialised() && !self.ports.contains(&port);
        wrongs.note(unknown, UCM_HA_ERR_NO_SUCH_PORT);
        let status = self.store.ask(script, wrongs, |fxo, status: *mut ucm_ha_fxo_port| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_fxo_port_status(fxo, port, status) }
        });
        let Some(status) = status else { return };
        assert_eq!(status.raised == 1, status.fault >= UCM_HA_FXO_FAULT_BUS, "{status:?}");
        let standing = status.times_raised - status.times_cleared;
        assert_eq!(standing, u32::from(status.raised), "{status:?}");
    }

    fn whole(&mut self, script: &mut Script<'_>) {
        for ask in [ucm_ha_fxo_faults, ucm_ha_fxo_unknown] {
            // SAFETY: storage and values, NULL or misaligned.
            let faults = self.store.ask(script, Wrongs::default(), |fxo, faults| unsafe { ask(fxo, faults) });
            assert!(faults.is_none_or(|faults| faults & !self.mask() == 0), "faults of other ports: {faults:?}");
        }
        // SAFETY: as above.
        self.store.ask::<u64>(script, Wrongs::default(), |fxo, due| unsafe { ucm_ha_fxo_next_poll(fxo, due) });
    }
}
