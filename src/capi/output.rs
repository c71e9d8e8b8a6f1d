//! The ordered stream of effects.

use super::config::{ucm_ha_mac, ucm_ha_record};
use super::memory::{self, Plain};
use super::node::ucm_ha_node;
use super::numbered::Numbered;
use super::result::{Failure, UCM_HA_ERR_TOO_SHORT, code};
use super::storage;
use super::texts::{Names, names};
use super::values;
use crate::{FRAME_CAPACITY, Node, Output};

/// Smallest buffer for the frames that a node writes, in bytes.
pub const UCM_HA_FRAME_CAPACITY: usize = 150;
const _: () = assert!(UCM_HA_FRAME_CAPACITY == FRAME_CAPACITY);

/// There is none left.
pub const UCM_HA_OUTPUT_NONE: u8 = 0;
/// Remove the cluster IP from the LAN interface if it is there, then report UCM_HA_ADDRESS_RELEASED.
pub const UCM_HA_OUTPUT_RELEASE_ADDRESS: u8 = 1;
/// Add the cluster IP to the LAN interface, to vanish by itself after valid_s seconds unless renewed; then report
/// UCM_HA_ADDRESS_HELD or UCM_HA_ADDRESS_FAILED. From before_us on do nothing and report UCM_HA_ADDRESS_FAILED: the program
/// was held up between the decision and its execution, and the peer may have taken over.
pub const UCM_HA_OUTPUT_BIND_ADDRESS: u8 = 2;
/// Extend the lifetime of the bound cluster IP to valid_s seconds; from before_us on do nothing. Only a failure is reported,
/// as UCM_HA_ADDRESS_LOST.
pub const UCM_HA_OUTPUT_RENEW_ADDRESS: u8 = 3;
/// Send the first frame_len bytes of the frame buffer, a whole Ethernet frame, on the heartbeat port.
pub const UCM_HA_OUTPUT_SEND_CABLE: u8 = 4;
/// Send the first frame_len bytes of the frame buffer as one UDP datagram to the peer's LAN address and heartbeat port, on
/// the LAN interface, from the own static address.
pub const UCM_HA_OUTPUT_SEND_LAN: u8 = 5;
/// Send the first frame_len bytes of the frame buffer, a whole Ethernet frame with an ARP packet, on the LAN interface.
pub const UCM_HA_OUTPUT_SEND_ARP: u8 = 6;
/// Store record durably, then report it with ucm_ha_node_persisted. That may take its time; only the newest record matters.
pub const UCM_HA_OUTPUT_PERSIST: u8 = 7;
/// The role changed: role_before, role, term, reason. Equal roles mean that whoever follows the role should be told again.
pub const UCM_HA_OUTPUT_ROLE_CHANGED: u8 = 8;
/// An alert was raised or cleared: alert, raised, mac if has_mac is 1, and ip where the alert has one.
pub const UCM_HA_OUTPUT_ALERT: u8 = 9;
/// A fault of this node was raised or cleared after debouncing: faults, raised.
pub const UCM_HA_OUTPUT_FAULT_CHANGED: u8 = 10;
/// Ask the peer for all data, then report the outcome with ucm_ha_node_sync_done.
pub const UCM_HA_OUTPUT_START_FULL_SYNC: u8 = 11;
/// Reboot this machine (after a handover for a fault of its own).
pub const UCM_HA_OUTPUT_REBOOT: u8 = 12;
/// Outcome of UCM_HA_COMMAND_FORCE_SWITCH: refusal, UCM_HA_REFUSAL_NONE when it was carried out.
pub const UCM_HA_OUTPUT_SWITCH_DONE: u8 = 13;
/// UCM_HA_COMMAND_SHUTDOWN is done; the program may end.
pub const UCM_HA_OUTPUT_STOPPED: u8 = 14;

/// The names of the kinds.
pub(super) const OUTPUT_NAMES: Names = names! { "UCM_HA_OUTPUT_":
    UCM_HA_OUTPUT_NONE,
    UCM_HA_OUTPUT_RELEASE_ADDRESS,
    UCM_HA_OUTPUT_BIND_ADDRESS,
    UCM_HA_OUTPUT_RENEW_ADDRESS,
    UCM_HA_OUTPUT_SEND_CABLE,
    UCM_HA_OUTPUT_SEND_LAN,
    UCM_HA_OUTPUT_SEND_ARP,
    UCM_HA_OUTPUT_PERSIST,
    UCM_HA_OUTPUT_ROLE_CHANGED,
    UCM_HA_OUTPUT_ALERT,
    UCM_HA_OUTPUT_FAULT_CHANGED,
    UCM_HA_OUTPUT_START_FULL_SYNC,
    UCM_HA_OUTPUT_REBOOT,
    UCM_HA_OUTPUT_SWITCH_DONE,
    UCM_HA_OUTPUT_STOPPED,
};

/// An effect to carry out. kind says which, and which fields count; the others are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ucm_ha_output {
    /// Monotonic time in microseconds.
    pub before_us: u64,
    /// Lifetime in seconds.
    pub valid_s: u32,
    /// Length in bytes.
    pub frame_len: u32,
    /// Term after the change.
    pub term: u32,
    /// UCM_HA_FAULT_*.
    pub faults: u32,
    /// What to store.
    pub record: ucm_ha_record,
    /// UCM_HA_OUTPUT_*.
    pub kind: u8,
    /// UCM_HA_ROLE_*.
    pub role_before: u8,
    /// UCM_HA_ROLE_*.
    pub role: u8,
    /// UCM_HA_REASON_*.
    pub reason: u8,
    /// UCM_HA_ALERT_*.
    pub alert: u8,
    /// 1 raised, 0 cleared.
    pub raised: u8,
    /// UCM_HA_REFUSAL_*.
    pub refusal: u8,
    /// Whether the station that an alert is about is known.
    pub has_mac: u8,
    /// That station.
    pub mac: ucm_ha_mac,
    /// The address that an alert is about, 0.0.0.0 for none.
    pub ip: [u8; 4],
    /// 0.
    pub reserved: [u8; 2],
}

// SAFETY: integers only.
unsafe impl Plain for ucm_ha_output {}
const _: () = assert!(size_of::<ucm_ha_output>() == 56, "as in cbindgen.toml");

/// The next effect to carry out; its kind is UCM_HA_OUTPUT_NONE when there is none left. Call it until then after every
/// input, and carry the effects out in this order.
///
/// frame is a buffer of frame_capacity bytes, at least UCM_HA_FRAME_CAPACITY. Its first frame_len bytes are written for the
/// kinds that send something, and nothing else.
///
/// Errors: those of the storage; UCM_HA_ERR_TOO_SHORT; UCM_HA_ERR_NULL, UCM_HA_ERR_MISALIGNED for frame and output. Nothing is
/// written, and no effect is lost.
///
/// # Safety
/// See the rules at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ucm_ha_node_poll_output(
    node: *mut ucm_ha_node,
    frame: *mut u8,
    frame_capacity: usize,
    output: *mut ucm_ha_output,
) -> i32 {
    // SAFETY: promised by the caller.
    code(unsafe { poll(node, frame, frame_capacity, output) })
}

/// # Safety
/// As for `ucm_ha_node_poll_output`.
unsafe fn poll(
    node: *mut ucm_ha_node,
    frame: *mut u8,
    frame_capacity: usize,
    output: *mut ucm_ha_output,
) -> Result<(), Failure> {
    memory::check(frame)?;
    if frame_capacity < FRAME_CAPACITY {
        return Err(Failure::new(UCM_HA_ERR_TOO_SHORT));
    }
    // SAFETY: promised by the caller.
    unsafe { memory::write(output, || storage::with(node, |node| Ok(poll_node(node, frame)))) }
}

/// # Safety
/// `frame` points to [`FRAME_CAPACITY`] bytes that nobody else uses now.
unsafe fn poll_node(node: &mut Node, frame: *mut u8) -> ucm_ha_output {
    let mut bytes = [0; FRAME_CAPACITY];
    let output = node.poll_output(&mut bytes).map_or_else(ucm_ha_output::default, ucm_ha_output::from_core);
    // Not written by the node itself: the caller's buffer may hold no values yet, and only what was sent is written.
    let len = usize::try_from(output.frame_len).unwrap_or(0).min(FRAME_CAPACITY);
    // SAFETY: within both; the caller promised its own.
    unsafe { frame.copy_from_nonoverlapping(bytes.as_ptr(), len) };
    output
}

impl ucm_ha_output {
    fn from_core(output: Output) -> Self {
        let mut own = Self::default();
        own.kind = own.tell(&output);
        own
    }

    /// Sets the fields that count for an effect, and returns its kind. Out of line, so that the fields stay in memory: in
    /// registers, every arm would have to set all of them.
    #[inline(never)]
    fn tell(&mut self, output: &Output) -> u8 {
        match *output {
            Output::ReleaseAddress => UCM_HA_OUTPUT_RELEASE_ADDRESS,
            Output::BindAddress { valid_s, before } => {
                (self.valid_s, self.before_us) = (valid_s, before.as_us());
                UCM_HA_OUTPUT_BIND_ADDRESS
            }
            Output::RenewAddress { valid_s, before } => {
                (self.valid_s, self.before_us) = (valid_s, before.as_us());
                UCM_HA_OUTPUT_RENEW_ADDRESS
            }
            Output::SendCable { len } => self.frame(UCM_HA_OUTPUT_SEND_CABLE, len),
            Output::SendLan { len } => self.frame(UCM_HA_OUTPUT_SEND_LAN, len),
            Output::SendArp { len } => self.frame(UCM_HA_OUTPUT_SEND_ARP, len),
            Output::Persist(record) => {
                self.record = ucm_ha_record::from_core(record);
                UCM_HA_OUTPUT_PERSIST
            }
            Output::RoleChanged { from, to, term, reason } => {
                (self.role_before, self.role) = (from.number(), to.number());
                (self.term, self.reason) = (term, reason.number());
                UCM_HA_OUTPUT_ROLE_CHANGED
            }
            Output::Alert { alert, raised, mac, ip } => {
                (self.alert, self.raised) = (alert.number(), raised.into());
                self.has_mac = mac.is_some().into();
                self.mac.octets = mac.unwrap_or_default().0;
                self.ip = ip.map_or([0; 4], |ip| ip.octets());
                UCM_HA_OUTPUT_ALERT
            }
            Output::FaultChanged { faults, raised } => {
                (self.faults, self.raised) = (faults.bits(), raised.into());
                UCM_HA_OUTPUT_FAULT_CHANGED
            }
            Output::StartFullSync => UCM_HA_OUTPUT_START_FULL_SYNC,
            Output::Reboot => UCM_HA_OUTPUT_REBOOT,
            Output::SwitchDone(outcome) => {
                self.refusal = values::refusal(outcome);
                UCM_HA_OUTPUT_SWITCH_DONE
            }
            Output::Stopped => UCM_HA_OUTPUT_STOPPED,
        }
    }

    fn frame(&mut self, kind: u8, len: usize) -> u8 {
        // A frame is never longer than FRAME_CAPACITY.
        self.frame_len = u32::try_from(len).unwrap_or(0);
        kind
    }
}
