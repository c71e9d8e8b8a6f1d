//! The core services of the PBX.

use super::fxo::UCM_HA_EDGE_NONE;
use super::memory::{self, Plain};
use super::numbered::{Numbered, numbered};
use super::result::{Failure, UCM_HA_ERR_NO_SUCH_SERVICE, UCM_HA_ERR_TABLE_FULL, code};
use super::storage::{self, Storage};
use super::{values, version};
use crate::service::{Change, ServiceEvent, ServiceFault, ServiceId, ServiceSettings, Services};
use crate::time::{Duration, Instant};

/// Most services in a table.
pub const UCM_HA_MAX_SERVICES: usize = 16;
/// sizeof(ucm_ha_services), in bytes.
pub const UCM_HA_SERVICES_SIZE: usize = 1792;
/// The same in 64-bit words.
pub const UCM_HA_SERVICES_WORDS: usize = 224;

/// Its process runs.
pub const UCM_HA_SERVICE_STARTED: u8 = 1;
/// It gave a sign of life.
pub const UCM_HA_SERVICE_KICK: u8 = 2;
/// It crashed.
pub const UCM_HA_SERVICE_CRASHED: u8 = 3;
/// Its process ended by itself.
pub const UCM_HA_SERVICE_EXITED: u8 = 4;
/// A probe of it succeeded.
pub const UCM_HA_SERVICE_PROBE_PASSED: u8 = 5;
/// A probe of it failed or took too long.
pub const UCM_HA_SERVICE_PROBE_FAILED: u8 = 6;
/// It, or somebody on its behalf, reports a critical fault.
pub const UCM_HA_SERVICE_REPORTED: u8 = 7;
/// What was reported, of an unwatched service also its crash or end, is over.
pub const UCM_HA_SERVICE_WITHDRAWN: u8 = 8;

/// Cause: it crashed.
pub const UCM_HA_SERVICE_FAULT_CRASH: u8 = 1 << 0;
/// Cause: its process ended by itself.
pub const UCM_HA_SERVICE_FAULT_EXIT: u8 = 1 << 1;
/// Cause: its process was not there in time.
pub const UCM_HA_SERVICE_FAULT_NOT_RUNNING: u8 = 1 << 2;
/// Cause: it missed its kick deadline.
pub const UCM_HA_SERVICE_FAULT_DEADLOCK: u8 = 1 << 3;
/// Cause: its probes fail.
pub const UCM_HA_SERVICE_FAULT_PROBE: u8 = 1 << 4;
/// Cause: it was reported to be at fault.
pub const UCM_HA_SERVICE_FAULT_REPORTED: u8 = 1 << 5;

/// Storage for a table of services, owned by the caller. Its content is the library's.
#[repr(C)]
pub struct ucm_ha_services {
    /// Not to be touched.
    pub opaque: [u64; UCM_HA_SERVICES_WORDS],
}

// SAFETY: integers only; size and alignment are asserted below.
unsafe impl Storage for ucm_ha_services {
    type Value = Services<UCM_HA_MAX_SERVICES>;
}
const _: () = assert!(size_of::<ucm_ha_services>() == UCM_HA_SERVICES_SIZE && storage::fits::<ucm_ha_services>());

/// How a service is watched.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_service_settings {
    /// No kick for this long is a deadlock, in ms. 0: its kicks are not awaited.
    pub kick_timeout_ms: u32,
    /// How long after its registration, or its start, the first sign of life may take, in ms. 0: a watched process is waited
    /// for without limit, the first kick for kick_timeout_ms.
    pub start_timeout_ms: u32,
    /// 1 if somebody watches its process and reports UCM_HA_SERVICE_STARTED and the end: only a start makes up for the end
    /// of such a service. 0 if any sign of life does.
    pub watched: u8,
    /// 0.
    pub reserved: [u8; 3],
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_service_settings {}
const _: () = assert!(size_of::<ucm_ha_service_settings>() == 12, "as in cbindgen.toml");

/// The fault of one service was raised or cleared.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_service_change {
    /// UCM_HA_EDGE_*. If it is UCM_HA_EDGE_NONE, nothing changed and the other fields are 0.
    pub edge: u8,
    /// Which service.
    pub service: u8,
    /// What raised the fault: one of UCM_HA_SERVICE_FAULT_*.
    pub cause: u8,
    /// 0.
    pub reserved: u8,
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_service_change {}
const _: () = assert!(size_of::<ucm_ha_service_change>() == 4, "as in cbindgen.toml");

/// Puts an empty table into the storage. A service must have been well for clear_ms before its fault is cleared.
/// abi_version is UCM_HA_ABI_VERSION. Storage in use may be initialised again; its services are forgotten.
///
/// The node has one fault for all services together: after every change tell it UCM_HA_FAULT_SERVICE with ucm_ha_node_fault,
/// raised as long as ucm_ha_services_faults is not 0.
///
/// Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_BUSY; the storage is left as it was.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_init(
    services: *mut ucm_ha_services,
    abi_version: u32,
    clear_ms: u32,
    now_us: u64,
) -> i32 {
    let made = version::check(abi_version).and_then(|()| {
        // SAFETY: promised by the caller.
        unsafe { storage::init(services, || Services::new(ms(clear_ms), Instant::from_us(now_us))) }
    });
    code(made)
}

/// Takes a service into the table and writes its number to service; its deadlines count from now.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for settings and service; UCM_HA_ERR_UNKNOWN_VALUE;
/// UCM_HA_ERR_TABLE_FULL. Nothing is written or changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_register(
    services: *mut ucm_ha_services,
    now_us: u64,
    settings: *const ucm_ha_service_settings,
    service: *mut u8,
) -> i32 {
    // SAFETY: promised by the caller.
    let registered = unsafe { memory::read(settings) }.and_then(|settings| {
        let settings = settings.to_core()?;
        let register = |services: &mut Services<UCM_HA_MAX_SERVICES>| {
            let id = services.register(Instant::from_us(now_us), settings);
            id.map(|id| id.0).map_err(|_| Failure::new(UCM_HA_ERR_TABLE_FULL))
        };
        // SAFETY: promised by the caller.
        unsafe { memory::write(service, || storage::with(services, register)) }
    });
    code(registered)
}

/// Forgets a service. Its fault, if it stands, is cleared, which change says.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL for change; UCM_HA_ERR_NO_SUCH_SERVICE. Nothing is written or changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_unregister(
    services: *mut ucm_ha_services,
    service: u8,
    change: *mut ucm_ha_service_change,
) -> i32 {
    let unregister = |services: &mut Services<UCM_HA_MAX_SERVICES>| {
        let id = known(services, service)?;
        Ok(ucm_ha_service_change::from_core(services.unregister(id)))
    };
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(change, || storage::with(services, unregister)) })
}

/// A fact about a service, UCM_HA_SERVICE_STARTED and so on. Writes what it changed.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL for change; UCM_HA_ERR_UNKNOWN_VALUE; UCM_HA_ERR_NO_SUCH_SERVICE. Nothing is
/// written or changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_event(
    services: *mut ucm_ha_services,
    now_us: u64,
    service: u8,
    event: u8,
    change: *mut ucm_ha_service_change,
) -> i32 {
    let take = |services: &mut Services<UCM_HA_MAX_SERVICES>| {
        let (id, event) = (known(services, service)?, ServiceEvent::of_number(event)?);
        Ok(ucm_ha_service_change::from_core(services.handle(Instant::from_us(now_us), id, event)))
    };
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(change, || storage::with(services, take)) })
}

/// Lets deadlines pass. Call it at ucm_ha_services_next_deadline, after the events that wait, until change says
/// UCM_HA_EDGE_NONE.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL for change. Nothing is written or changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_poll(
    services: *mut ucm_ha_services,
    now_us: u64,
    change: *mut ucm_ha_service_change,
) -> i32 {
    let poll = |services: &mut Services<UCM_HA_MAX_SERVICES>| {
        Ok(ucm_ha_service_change::from_core(services.poll(Instant::from_us(now_us))))
    };
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(change, || storage::with(services, poll)) })
}

/// When to call ucm_ha_services_poll: monotonic time in microseconds, or UCM_HA_NEVER_US.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for deadline_us. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_next_deadline(services: *mut ucm_ha_services, deadline_us: *mut u64) -> i32 {
    let next = |services: &mut Services<UCM_HA_MAX_SERVICES>| Ok(services.next_deadline().as_us());
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(deadline_us, || storage::with(services, next)) })
}

/// UCM_HA_FAULT_SERVICE while the fault of any service stands, else 0.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for faults. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_faults(services: *mut ucm_ha_services, faults: *mut u32) -> i32 {
    let all = |services: &mut Services<UCM_HA_MAX_SERVICES>| Ok(services.faults().bits());
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(faults, || storage::with(services, all)) })
}

/// Everything that is wrong with a service now: UCM_HA_SERVICE_FAULT_*, combined.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL for causes; UCM_HA_ERR_NO_SUCH_SERVICE. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_causes(services: *mut ucm_ha_services, service: u8, causes: *mut u8) -> i32 {
    let look = |services: &mut Services<UCM_HA_MAX_SERVICES>| {
        let id = known(services, service)?;
        Ok(services.causes(id).bits())
    };
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(causes, || storage::with(services, look)) })
}

/// Holds the time until now against no service: signs of life were lost on the way, as after UCM_HA_MAIL_LOST.
///
/// Errors: those of the storage; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_services_excuse(services: *mut ucm_ha_services, now_us: u64) -> i32 {
    let excuse = |services: &mut Services<UCM_HA_MAX_SERVICES>| {
        services.excuse(Instant::from_us(now_us));
        Ok(())
    };
    // SAFETY: promised by the caller.
    code(unsafe { storage::with(services, excuse) })
}

fn known(services: &Services<UCM_HA_MAX_SERVICES>, service: u8) -> Result<ServiceId, Failure> {
    let id = ServiceId(service);
    services.life(id).map(|_| id).ok_or(Failure::new(UCM_HA_ERR_NO_SUCH_SERVICE))
}

numbered! { ServiceEvent as u8:
    Started = UCM_HA_SERVICE_STARTED,
    Kick = UCM_HA_SERVICE_KICK,
    Crashed = UCM_HA_SERVICE_CRASHED,
    Exited = UCM_HA_SERVICE_EXITED,
    ProbePassed = UCM_HA_SERVICE_PROBE_PASSED,
    ProbeFailed = UCM_HA_SERVICE_PROBE_FAILED,
    Reported = UCM_HA_SERVICE_REPORTED,
    Withdrawn = UCM_HA_SERVICE_WITHDRAWN,
}

numbered! { ServiceFault as u8:
    Crash = UCM_HA_SERVICE_FAULT_CRASH,
    Exit = UCM_HA_SERVICE_FAULT_EXIT,
    NotRunning = UCM_HA_SERVICE_FAULT_NOT_RUNNING,
    Deadlock = UCM_HA_SERVICE_FAULT_DEADLOCK,
    Probe = UCM_HA_SERVICE_FAULT_PROBE,
    Reported = UCM_HA_SERVICE_FAULT_REPORTED,
}

const fn ms(ms: u32) -> Duration {
    Duration::from_ms(ms as u64)
}

impl ucm_ha_service_settings {
    fn to_core(self) -> Result<ServiceSettings, Failure> {
        Ok(ServiceSettings {
            watched: values::truth(self.watched)?,
            kick_timeout: (self.kick_timeout_ms > 0).then_some(ms(self.kick_timeout_ms)),
            start_timeout: (self.start_timeout_ms > 0).then_some(ms(self.start_timeout_ms)),
        })
    }
}

impl ucm_ha_service_change {
    fn from_core(change: Option<Change>) -> Self {
        let Some(change) = change else {
            return Self { edge: UCM_HA_EDGE_NONE, ..Self::default() };
        };
        Self { edge: change.edge.number(), service: change.id.0, cause: change.fault.number(), reserved: 0 }
    }
}
