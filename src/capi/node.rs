//! The node: made, told facts, asked when to wake.

use super::config::{ucm_ha_config, ucm_ha_ipv4, ucm_ha_record};
use super::memory;
use super::numbered::Numbered;
use super::result::{Failure, code};
use super::storage::{self, Storage};
use super::{values, version};
use crate::io::{AddressEvent, Command, Input, Port, Record};
use crate::time::Instant;
use crate::{Config, Node};

/// Most bytes that one call takes in; more is refused with UCM_HA_ERR_TOO_LONG.
pub const UCM_HA_MAX_INPUT_LEN: usize = 65535;
const _: () = assert!(UCM_HA_MAX_INPUT_LEN == memory::MAX_INPUT_LEN);
/// sizeof(ucm_ha_node), in bytes.
pub const UCM_HA_NODE_SIZE: usize = 2048;
/// The same in 64-bit words.
pub const UCM_HA_NODE_WORDS: usize = 256;
/// A deadline that never comes.
pub const UCM_HA_NEVER_US: u64 = 0xFFFF_FFFF_FFFF_FFFF;
const _: () = assert!(UCM_HA_NEVER_US == Instant::NEVER.as_us());

/// Storage for one node, owned by the caller. Its content is the library's.
#[repr(C)]
pub struct ucm_ha_node {
    /// Not to be touched.
    pub opaque: [u64; UCM_HA_NODE_WORDS],
}

// SAFETY: integers only; size and alignment are asserted below.
unsafe impl Storage for ucm_ha_node {
    type Value = Node;
}
const _: () = assert!(size_of::<ucm_ha_node>() == UCM_HA_NODE_SIZE && storage::fits::<ucm_ha_node>());

/// Makes a node in its first role, UCM_HA_ROLE_INIT or UCM_HA_ROLE_OFF, and puts it into the storage. Then call
/// ucm_ha_node_poll_output until there is no more: a cluster IP that is left over must be released.
///
/// abi_version is UCM_HA_ABI_VERSION. record is what the last UCM_HA_OUTPUT_PERSIST stored, or NULL if there is none.
/// boot_id must be random and non-zero at every start; zero counts as one. now_us is the monotonic time in microseconds.
/// Storage in use may be initialised again: the old node is forgotten, as by a restart of the program.
///
/// Errors: UCM_HA_ERR_ABI_VERSION, UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_BUSY, and those of
/// ucm_ha_config_check; the storage is left as it was.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_init(
    node: *mut ucm_ha_node,
    abi_version: u32,
    config: *const ucm_ha_config,
    record: *const ucm_ha_record,
    boot_id: u32,
    now_us: u64,
) -> i32 {
    // SAFETY: promised by the caller.
    let made = unsafe { settings(abi_version, config, record) }.and_then(|(config, record)| {
        // SAFETY: promised by the caller.
        unsafe {
            storage::init(node, || Node::at_rest(&config, record, boot_id, Instant::from_us(now_us)))?;
            storage::with(node, |node| {
                node.start();
                Ok(())
            })
        }
    });
    code(made)
}

/// # Safety
/// As for `ucm_ha_node_init`.
unsafe fn settings(
    abi_version: u32,
    config: *const ucm_ha_config,
    record: *const ucm_ha_record,
) -> Result<(Config, Record), Failure> {
    version::check(abi_version)?;
    // SAFETY: promised by the caller.
    let config = unsafe { memory::read(config) }?.to_core()?;
    config.validate()?;
    let record = if record.is_null() {
        Record::default()
    } else {
        // SAFETY: promised by the caller.
        unsafe { memory::read(record) }?.to_core()?
    };
    Ok((config, record))
}

/// Wipes the storage, including the key. It then counts as never initialised.
///
/// An active node is forgotten with its address still bound: first send UCM_HA_COMMAND_SHUTDOWN and wait for
/// UCM_HA_OUTPUT_STOPPED.
///
/// Errors: UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NOT_INITIALISED, UCM_HA_ERR_BUSY; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_wipe(node: *mut ucm_ha_node) -> i32 {
    // SAFETY: promised by the caller.
    code(unsafe { storage::wipe(node) })
}

/// Tells the node a fact.
///
/// # Safety
/// `node` as for [`storage::with`].
unsafe fn handle(node: *mut ucm_ha_node, now_us: u64, input: Result<Input<'_>, Failure>) -> i32 {
    let handled = input.and_then(|input| {
        // SAFETY: promised by the caller.
        unsafe {
            storage::with(node, |node| {
                node.handle(Instant::from_us(now_us), input);
                Ok(())
            })
        }
    });
    code(handled)
}

/// The deadline of ucm_ha_node_next_timeout has come. Harmless at any other time.
///
/// Errors: those of the storage; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_timeout(node: *mut ucm_ha_node, now_us: u64) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, Ok(Input::Timeout)) }
}

/// An Ethernet frame was received on the heartbeat port. frame is len bytes from the destination address on, without the
/// frame check sequence. Anything may be in it: what is not a heartbeat of the peer is counted and dropped.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL for a frame of one byte or more at NULL; UCM_HA_ERR_TOO_LONG. Nothing is
/// changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_cable_frame(
    node: *mut ucm_ha_node,
    now_us: u64,
    frame: *const u8,
    len: usize,
) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, memory::bytes(frame, len).map(Input::CableFrame)) }
}

/// A datagram was received on the LAN interface at the heartbeat port. payload is the len bytes of its UDP payload. Anything
/// may be in it, as for ucm_ha_node_cable_frame.
///
/// Errors: as for ucm_ha_node_cable_frame.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_lan_datagram(
    node: *mut ucm_ha_node,
    now_us: u64,
    source: ucm_ha_ipv4,
    payload: *const u8,
    len: usize,
) -> i32 {
    // SAFETY: promised by the caller.
    let payload = unsafe { memory::bytes(payload, len) };
    let input = payload.map(|payload| Input::LanDatagram { source: source.to_core(), payload });
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, input) }
}

/// An Ethernet frame with an ARP packet was received on the LAN interface: frame is len bytes from the destination address
/// on. Needed are those of the gateway, the peer and whoever says it has the cluster IP, and probes for the cluster IP (RFC 5227,
/// sender 0.0.0.0); without a gateway all. Other frames may be given too; they are ignored.
///
/// Errors: as for ucm_ha_node_cable_frame.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_arp_frame(
    node: *mut ucm_ha_node,
    now_us: u64,
    frame: *const u8,
    len: usize,
) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, memory::bytes(frame, len).map(Input::ArpFrame)) }
}

/// Whether a port (UCM_HA_PORT_*) has carrier: tell it at start and whenever it may have changed. Repeating the same state is
/// harmless. up is 0 or 1.
///
/// Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_link(node: *mut ucm_ha_node, now_us: u64, port: u8, up: u8) -> i32 {
    let input = Port::of_number(port).and_then(|port| Ok(Input::Link { port, up: values::truth(up)? }));
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, input) }
}

/// What became of the cluster IP on the LAN interface (UCM_HA_ADDRESS_*).
///
/// Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_address(node: *mut ucm_ha_node, now_us: u64, event: u8) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, AddressEvent::of_number(event).map(Input::Address)) }
}

/// Whether the LAN interface has the own static address (present is 1) or has lost it (0): tell it whenever that may have
/// changed. Until then it counts as there. A node without it claims nothing unless the peer agrees, because the peer's
/// datagrams cannot arrive; an active keeps its role.
///
/// Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_own_address(node: *mut ucm_ha_node, now_us: u64, present: u8) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, values::truth(present).map(|present| Input::OwnAddress { present })) }
}

/// Whether the record of the newest UCM_HA_OUTPUT_PERSIST was stored and will be read back after a restart (saved is 1) or
/// could not be stored (0).
///
/// Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_persisted(node: *mut ucm_ha_node, now_us: u64, saved: u8) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, values::truth(saved).map(|saved| Input::Persisted { saved })) }
}

/// Debounced faults (UCM_HA_FAULT_*, several may be combined) were raised (raised is 1) or cleared (0). LAN, WAN and gateway
/// faults are the node's own to find and are ignored here.
///
/// Errors: those of the storage; UCM_HA_ERR_UNKNOWN_VALUE, also for a bit that is no fault. Nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_fault(node: *mut ucm_ha_node, now_us: u64, faults: u32, raised: u8) -> i32 {
    let input = values::faults(faults).and_then(|faults| Ok(Input::Fault { faults, raised: values::truth(raised)? }));
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, input) }
}

/// Faults (UCM_HA_FAULT_*, several may be combined) that are not known yet (unknown is 1), as after a start, or are known from
/// now on (0). While one is unknown, the node does not count as healthier than a peer that has it. See ucm_ha_fxo_unknown.
///
/// Errors: as for ucm_ha_node_fault.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_fault_unknown(
    node: *mut ucm_ha_node,
    now_us: u64,
    faults: u32,
    unknown: u8,
) -> i32 {
    let input =
        values::faults(faults).and_then(|faults| Ok(Input::FaultUnknown { faults, unknown: values::truth(unknown)? }));
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, input) }
}

/// Outcome of the full synchronisation that UCM_HA_OUTPUT_START_FULL_SYNC asked for: the generation of the data that this
/// node now holds, and whether it is complete (0 or 1). Firmware without data to copy reports complete at once.
///
/// Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_sync_done(
    node: *mut ucm_ha_node,
    now_us: u64,
    generation: u32,
    complete: u8,
) -> i32 {
    let input = values::truth(complete).map(|complete| Input::SyncDone { generation, complete });
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, input) }
}

/// A command of the operator (UCM_HA_COMMAND_*). Success means that the node took it; what came of a force switch is told by
/// UCM_HA_OUTPUT_SWITCH_DONE.
///
/// Errors: those of the storage, UCM_HA_ERR_UNKNOWN_VALUE; nothing is changed.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_command(node: *mut ucm_ha_node, now_us: u64, command: u8) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { handle(node, now_us, Command::of_number(command).map(Input::Command)) }
}

/// When to call ucm_ha_node_timeout, unless another input comes first: monotonic time in microseconds, or UCM_HA_NEVER_US.
/// Ask again after every input.
///
/// Errors: those of the storage; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for deadline_us. Nothing is written.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_next_timeout(node: *mut ucm_ha_node, deadline_us: *mut u64) -> i32 {
    // SAFETY: promised by the caller.
    code(unsafe { memory::write(deadline_us, || storage::with(node, |node| Ok(node.poll_timeout().as_us()))) })
}
