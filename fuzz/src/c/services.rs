//! The table of services.

use super::place::{At, Place, Store, Wrongs};
use crate::script::Script;
use ucm_ha::capi::*;

pub(super) struct Services {
    store: Store<ucm_ha_services>,
    /// Numbers that were given out.
    registered: [bool; UCM_HA_MAX_SERVICES],
}

impl Services {
    pub(super) fn new(paint: u8) -> Self {
        Self { store: Store::new(paint), registered: [false; UCM_HA_MAX_SERVICES] }
    }

    pub(super) fn call(&mut self, now_us: u64, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => self.init(now_us, script),
            1..=4 => self.register(now_us, script),
            5 => self.unregister(script),
            6..=9 => self.event(now_us, script),
            10..=12 => self.poll(now_us, script),
            13 => self.causes(script),
            _ => self.whole(now_us, script),
        }
    }

    fn init(&mut self, now_us: u64, script: &mut Script<'_>) {
        let ((version, right), at) = (super::version(script), At::chosen(script));
        let clear_ms = u32::from_be_bytes(script.array());
        let mut wrongs = Wrongs::default();
        wrongs.note_pointer::<ucm_ha_services>(at);
        wrongs.note(!right, UCM_HA_ERR_ABI_VERSION);
        // SAFETY: storage, NULL or misaligned.
        if self.store.call(at, &wrongs, |services| unsafe { ucm_ha_services_init(services, version, clear_ms, now_us) })
        {
            self.store.set_initialised(true);
            self.registered = Default::default();
        }
    }

    fn is_unknown(&self, service: u8) -> bool {
        // Without a table, its absence is what is wrong.
        self.store.is_initialised() && !self.registered.get(usize::from(service)).is_some_and(|known| *known)
    }

    fn register(&mut self, now_us: u64, script: &mut Script<'_>) {
        let [kick, start, watched] = script.array();
        let watched = if watched < 0xf0 { watched & 1 } else { watched };
        let settings_at = At::chosen(script);
        let (kick_timeout_ms, start_timeout_ms) = (u32::from(kick) * 10, u32::from(start) * 10);
        let settings = ucm_ha_service_settings { kick_timeout_ms, start_timeout_ms, watched, reserved: [0; 3] };
        let mut settings = Place::holding(settings);
        let mut wrongs = Wrongs::default();
        wrongs.note_pointer::<ucm_ha_service_settings>(settings_at);
        wrongs.note(settings_at == At::Right && watched > 1, UCM_HA_ERR_UNKNOWN_VALUE);
        wrongs.note(self.registered.iter().all(|known| *known), UCM_HA_ERR_TABLE_FULL);
        let number = self.store.ask(script, wrongs, |services, service| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_services_register(services, now_us, settings.pointer(settings_at), service) }
        });
        if let Some(number) = number {
            let known = &mut self.registered[usize::from(number)];
            assert!(!core::mem::replace(known, true), "service {number} is given out twice");
        }
    }

    fn unregister(&mut self, script: &mut Script<'_>) {
        let service = script.byte() % 18;
        let mut wrongs = Wrongs::default();
        wrongs.note(self.is_unknown(service), UCM_HA_ERR_NO_SUCH_SERVICE);
        let change = self.store.ask(script, wrongs, |services, change| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_services_unregister(services, service, change) }
        });
        if let Some(change) = change {
            self.check(change);
            assert_ne!(change.edge, UCM_HA_EDGE_RAISED, "a service fails by going");
            self.registered[usize::from(service)] = false;
        }
    }

    fn event(&mut self, now_us: u64, script: &mut Script<'_>) {
        let [service, event] = script.array();
        let (service, event) = (service % 18, event % 12);
        let mut wrongs = Wrongs::default();
        wrongs.note(self.is_unknown(service), UCM_HA_ERR_NO_SUCH_SERVICE);
        let known = (UCM_HA_SERVICE_STARTED..=UCM_HA_SERVICE_WITHDRAWN).contains(&event);
        wrongs.note(!known, UCM_HA_ERR_UNKNOWN_VALUE);
        let change = self.store.ask(script, wrongs, |services, change| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_services_event(services, now_us, service, event, change) }
        });
        change.into_iter().for_each(|change| self.check(change));
    }

    fn poll(&mut self, now_us: u64, script: &mut Script<'_>) {
        let change = self.store.ask(script, Wrongs::default(), |services, change| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_services_poll(services, now_us, change) }
        });
        change.into_iter().for_each(|change| self.check(change));
    }

    fn causes(&mut self, script: &mut Script<'_>) {
        let service = script.byte() % 18;
        let mut wrongs = Wrongs::default();
        wrongs.note(self.is_unknown(service), UCM_HA_ERR_NO_SUCH_SERVICE);
        let causes: Option<u8> = self.store.ask(script, wrongs, |services, causes| {
            // SAFETY: storage and values, NULL or misaligned.
            unsafe { ucm_ha_services_causes(services, service, causes) }
        });
        assert!(causes.is_none_or(|causes| causes < UCM_HA_SERVICE_FAULT_REPORTED << 1), "{causes:?}");
    }

    /// What is asked and told of all together.
    fn whole(&mut self, now_us: u64, script: &mut Script<'_>) {
        // SAFETY: here and below: storage and values, NULL or misaligned.
        let faults: Option<u32> = self
            .store
            .ask(script, Wrongs::default(), |services, faults| unsafe { ucm_ha_services_faults(services, faults) });
        assert!(faults.is_none_or(|faults| faults == 0 || faults == UCM_HA_FAULT_SERVICE), "{faults:?}");
        // SAFETY: as above.
        let deadline: Option<u64> = self.store.ask(script, Wrongs::default(), |services, deadline| unsafe {
            ucm_ha_services_next_deadline(services, deadline)
        });
        let nobody = self.registered.iter().all(|known| !known);
        assert!(!nobody || deadline.is_none_or(|deadline| deadline == UCM_HA_NEVER_US), "{deadline:?}");
        let at = At::chosen(script);
        let wrongs = self.store.wrongs(at);
        // SAFETY: as above.
        self.store.call(at, &wrongs, |services| unsafe { ucm_ha_services_excuse(services, now_us) });
    }

    fn check(&self, change: ucm_ha_service_change) {
        match change.edge {
            UCM_HA_EDGE_NONE => assert_eq!(change, ucm_ha_service_change::default()),
            UCM_HA_EDGE_RAISED | UCM_HA_EDGE_CLEARED => {
                assert!(self.registered[usize::from(change.service)], "a change of nobody: {change:?}");
                assert!(change.cause.is_power_of_two() && change.cause <= UCM_HA_SERVICE_FAULT_REPORTED, "{change:?}");
            }
            other => panic!("edge {other}"),
        }
    }
}
