//! The heartbeat frame, version 1. The layout is described byte by byte in `docs/protocol.md`, whose golden frames the
//! tests of this file read.
//!
//! Multi-byte fields are big-endian. The frame ends with a CRC-32 over all bytes before it and, with a key, a 128-bit
//! authentication code over all bytes before that. Between the fixed fields and the CRC is an extension, which nodes of version
//! 0.1 neither send nor read; what follows it there is ignored, so that a newer node can talk to an older one.
//!
//! Beside it: its authentication code ([`auth`]), the packet around it on the cable ([`cable`]), and ARP ([`arp`]).

pub mod arp;
pub mod auth;
pub mod cable;

use crate::crc::CRC;
use crate::fault::Faults;
use crate::pace::{heartbeat_interval, heartbeat_timeout_is_valid};
use crate::role::Role;
use crate::time::Duration;
use crate::types::{Firmware, MacAddr, StationType};
use auth::{Authenticator, TAG_LEN};
use bitflags::bitflags;
use core::net::Ipv4Addr;

/// First four bytes of every frame.
pub const MAGIC: [u8; 4] = *b"UCHA";
/// The layout this library writes and reads.
pub const VERSION: u8 = 1;
/// Length of the fixed fields, in bytes.
pub const FIXED_LEN: usize = 76;
/// Length of the extension that this library writes, in bytes.
pub const EXTENSION_LEN: usize = 12;
/// Length of the CRC, in bytes.
pub const CRC_LEN: usize = 4;
/// Length of the longest frame this library writes, in bytes.
pub const MAX_EMIT_LEN: usize = FIXED_LEN + EXTENSION_LEN + CRC_LEN + TAG_LEN;
/// Length of the longest frame this library reads, in bytes.
pub const MAX_PARSE_LEN: usize = 1024;

/// Offsets of the fixed fields.
mod field {
    use core::ops::Range;
    pub(super) const MAGIC: Range<usize> = 0..4;
    pub(super) const VERSION: usize = 4;
    pub(super) const VERSION_MAX: usize = 5;
    pub(super) const LENGTH: Range<usize> = 6..8;
    pub(super) const KIND: usize = 8;
    pub(super) const PATH: usize = 9;
    pub(super) const ROLE: usize = 10;
    pub(super) const STATION_TYPE: usize = 11;
    pub(super) const MAC: Range<usize> = 12..18;
    pub(super) const MODEL: Range<usize> = 18..20;
    pub(super) const BOOT_ID: Range<usize> = 20..24;
    pub(super) const SEQUENCE: Range<usize> = 24..32;
    pub(super) const ECHO_BOOT_ID: Range<usize> = 32..36;
    pub(super) const ECHO_SEQUENCE: Range<usize> = 36..44;
    pub(super) const TERM: Range<usize> = 44..48;
    pub(super) const READINESS: Range<usize> = 48..50;
    pub(super) const SIGNAL: usize = 50;
    pub(super) const SIGNAL_DETAIL: usize = 51;
    pub(super) const SIGNAL_TERM: Range<usize> = 52..56;
    pub(super) const FAULTS: Range<usize> = 56..60;
    pub(super) const FIRMWARE: Range<usize> = 60..64;
    pub(super) const DIGEST: Range<usize> = 64..68;
    pub(super) const SYNC_GENERATION: Range<usize> = 68..72;
    pub(super) const TIMEOUT_S: usize = 72;
    pub(super) const FLAGS: usize = 73;
    pub(super) const CONDITIONS: Range<usize> = 74..76;
}

/// Flag: an authentication code follows the CRC.
const FLAG_AUTHENTICATED: u8 = 1 << 0;

/// A heartbeat path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Path {
    /// The direct cable between the heartbeat ports.
    Cable,
    /// The LAN.
    Lan,
}

impl Path {
    /// Both paths, in the order in which frames are sent.
    pub const ALL: [Self; 2] = [Self::Cable, Self::Lan];

    const fn to_wire(self) -> u8 {
        match self {
            Self::Cable => 1,
            Self::Lan => 2,
        }
    }

    const fn from_wire(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Cable),
            2 => Some(Self::Lan),
            _ => None,
        }
    }
}

/// Whether a frame wants an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// The receiver answers at once.
    Request,
    /// The receiver does not answer.
    Response,
}

bitflags! {
    /// What the sender is ready for, and what both ends must know of it to reason about safety.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Readiness: u16 {
        /// No raised fault causes a handover.
        const HEALTHY = 1 << 0;
        /// Holds a complete copy of the data.
        const IN_SYNC = 1 << 1;
        /// Would take the active role.
        const WILLING = 1 << 2;
        /// The gateway answered within the last second.
        const GATEWAY_SEEN = 1 << 3;
        /// The LAN has carrier and, where a gateway is configured, it is seen.
        const LAN_USABLE = 1 << 4;
        /// The heartbeat port has carrier.
        const CABLE_CARRIER = 1 << 5;
        /// The LAN uplink has carrier.
        const LAN_CARRIER = 1 << 6;
        /// Was the active of its term.
        const LAST_ACTIVE = 1 << 7;
        /// Has a gateway configured.
        const GATEWAY_CONFIGURED = 1 << 8;
        /// Follows the rules of fast failover.
        const FAST_FAILOVER = 1 << 9;
        /// The echoed frame restarted the sender's silence timer. Only such an echo extends a lease.
        const ECHO_COUNTED = 1 << 10;
        /// A full synchronisation is under way.
        const SYNCING = 1 << 11;
        /// High availability is enabled in the sender's own settings.
        const ENABLED = 1 << 12;
        /// Fast failover is suspended after a false alarm: neither end uses its rules.
        const FAST_SUSPENDED = 1 << 13;
        /// Hears the peer over the LAN.
        const HEARS_LAN = 1 << 14;
        /// Hears the peer over the cable, as of the last two intervals.
        const HEARS_CABLE = 1 << 15;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Readiness {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Readiness({=u16:#x})", self.bits());
    }
}

bitflags! {
    /// What else a receiver must know of the sender. A node of version 0.1 says none of it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Conditions: u16 {
        /// Has a witness configured.
        const WITNESS_CONFIGURED = 1 << 0;
        /// Asked its witness for a while and got no usable answer.
        const WITNESS_MISSING = 1 << 1;
        /// Fast failover is armed: the gateway has shown that it keeps up.
        const FAST_ARMED = 1 << 2;
        /// Kept out of the active role by its operator.
        const MAINTENANCE = 1 << 3;
        /// Waits for the data of a restore, and claims nothing until it has them.
        const RESTORE_HOLD = 1 << 4;
        /// Cloud IM is enabled in its own settings.
        const CLOUD_IM_OWN = 1 << 5;
        /// Runs Cloud IM.
        const CLOUD_IM_HELD = 1 << 6;
        /// Drains its data before it hands over.
        const DRAINING = 1 << 7;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Conditions {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Conditions({=u16:#x})", self.bits());
    }
}

/// Which pair the sender belongs to, and which data it holds. A node of version 0.1 does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Sender's static LAN address.
    pub own_ip: Ipv4Addr,
    /// The pair's cluster IP.
    pub cluster_ip: Ipv4Addr,
    /// Epoch of the sender's data; a restore raises it.
    pub data_epoch: u32,
}

#[cfg(feature = "defmt")]
impl defmt::Format for Extension {
    fn format(&self, f: defmt::Formatter<'_>) {
        let (own, cluster) = (self.own_ip.to_bits(), self.cluster_ip.to_bits());
        defmt::write!(f, "Extension({=u32:#x}, {=u32:#x}, {=u32})", own, cluster, self.data_epoch);
    }
}

impl Extension {
    fn emit(&self) -> [u8; EXTENSION_LEN] {
        let [a, b, c, d] = self.own_ip.octets();
        let [e, f, g, h] = self.cluster_ip.octets();
        let [i, j, k, l] = self.data_epoch.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// The beginning of a longer one is read: later versions add to it.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes.first_chunk::<EXTENSION_LEN>()?;
        Some(Self {
            own_ip: Ipv4Addr::new(a, b, c, d),
            cluster_ip: Ipv4Addr::new(e, f, g, h),
            data_epoch: u32::from_be_bytes([i, j, k, l]),
        })
    }
}

/// Why the active hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HandoverReason {
    /// It found a fault in itself.
    SelfFault,
    /// The operator said so.
    Forced,
    /// Its program is about to end.
    Shutdown,
}

/// Why a handover is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RefuseReason {
    /// The standby is no healthier than the active, or its LAN is not usable.
    Unhealthy,
    /// The standby is in the middle of a full synchronisation.
    Syncing,
    /// The standby is not standby, or about to stop.
    NotStandby,
    /// The cluster IP could not be bound.
    AddressFailed,
}

/// What the sender asks or answers about the active role. Repeated in every frame while it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Signal {
    /// Nothing.
    #[default]
    None,
    /// The active offers the role for `term`.
    Handover {
        /// Term of the successor.
        term: u32,
        /// Why.
        reason: HandoverReason,
    },
    /// The standby will take it.
    Accept {
        /// The offered term.
        term: u32,
    },
    /// The standby will not, or could not, take it.
    Refuse {
        /// The offered term.
        term: u32,
        /// Why.
        reason: RefuseReason,
    },
    /// The old active has released the cluster IP: `term` belongs to the peer.
    Released {
        /// Term of the successor.
        term: u32,
        /// Why the role was handed over.
        reason: HandoverReason,
    },
    /// Nobody is active; the sender wants to claim `term`.
    Intent {
        /// The wanted term.
        term: u32,
    },
    /// The sender makes no claim for T and lets the peer have `term`.
    Grant {
        /// The wanted term, echoed.
        term: u32,
    },
}

/// Why bytes are not a heartbeat frame of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FrameError {
    /// Wrong magic, length, checksum or field value.
    Malformed,
    /// A layout version this library does not read.
    UnknownVersion,
    /// The authentication code is wrong, missing, or not expected.
    Unauthentic,
}

/// Everything a heartbeat frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Repr {
    /// Highest layout version the sender speaks.
    pub version_max: u8,
    /// Request or response.
    pub kind: Kind,
    /// The path the frame was sent on.
    pub path: Path,
    /// Sender's role.
    pub role: Role,
    /// Sender's station type.
    pub station_type: StationType,
    /// Sender's LAN MAC: its identity.
    pub mac: MacAddr,
    /// Sender's model id.
    pub model: u16,
    /// Random number of the sender's boot.
    pub boot_id: u32,
    /// Strictly increasing in one boot. To all but the sender it only means order.
    pub sequence: u64,
    /// Boot id of the newest authentic peer frame the sender received; 0 for none.
    pub echo_boot_id: u32,
    /// Its sequence.
    pub echo_sequence: u64,
    /// Sender's term.
    pub term: u32,
    /// Readiness bits.
    pub readiness: Readiness,
    /// Question or answer about the active role.
    pub signal: Signal,
    /// Raised faults.
    pub faults: Faults,
    /// Sender's firmware.
    pub firmware: Firmware,
    /// Digest of the settings that must match.
    pub digest: u32,
    /// Newest data generation the sender holds.
    pub sync_generation: u32,
    /// Sender's heartbeat timeout T, in seconds.
    pub timeout_s: u8,
    /// What else must be known of the sender.
    pub conditions: Conditions,
    /// Which pair it belongs to, and which data it holds; `None` in frames of version 0.1.
    pub extension: Option<Extension>,
}

impl Repr {
    /// The interval at which the sender sends on each path.
    pub fn interval(&self) -> Duration {
        heartbeat_interval(self.timeout_s, self.readiness.contains(Readiness::FAST_FAILOVER))
    }

    /// Writes the frame to the front of `buffer`; `None` when it does not fit.
    pub fn emit(&self, key: Option<&Authenticator>, buffer: &mut [u8]) -> Option<usize> {
        let covered = FIXED_LEN + self.extension.map_or(0, |_| EXTENSION_LEN);
        let length = covered + CRC_LEN + key.map_or(0, |_| TAG_LEN);
        let (covered, trailer) = buffer.get_mut(..length)?.split_at_mut_checked(covered)?;
        let (fixed, extension) = covered.split_first_chunk_mut::<FIXED_LEN>()?;
        self.emit_fixed(fixed, length as u16, key.is_some());
        if let Some(said) = self.extension {
            *extension.first_chunk_mut()? = said.emit();
        }
        let (crc, tag) = trailer.split_first_chunk_mut::<CRC_LEN>()?;
        *crc = CRC.checksum(covered).to_be_bytes();
        if let Some(key) = key {
            *tag.first_chunk_mut::<TAG_LEN>()? = key.tag(&[covered, crc]);
        }
        Some(length)
    }

    fn emit_fixed(&self, f: &mut [u8; FIXED_LEN], length: u16, authenticated: bool) {
        let (signal, detail, signal_term) = signal_to_wire(self.signal);
        f.fill(0);
        f[field::MAGIC].copy_from_slice(&MAGIC);
        f[field::VERSION] = VERSION;
        f[field::VERSION_MAX] = self.version_max;
        f[field::LENGTH].copy_from_slice(&length.to_be_bytes());
        f[field::KIND] = match self.kind {
            Kind::Request => 1,
            Kind::Response => 2,
        };
        f[field::PATH] = self.path.to_wire();
        f[field::ROLE] = role_to_wire(self.role);
        f[field::STATION_TYPE] = match self.station_type {
            StationType::Primary => 1,
            StationType::Secondary => 2,
        };
        f[field::MAC].copy_from_slice(&self.mac.0);
        f[field::MODEL].copy_from_slice(&self.model.to_be_bytes());
        f[field::BOOT_ID].copy_from_slice(&self.boot_id.to_be_bytes());
        f[field::SEQUENCE].copy_from_slice(&self.sequence.to_be_bytes());
        f[field::ECHO_BOOT_ID].copy_from_slice(&self.echo_boot_id.to_be_bytes());
        f[field::ECHO_SEQUENCE].copy_from_slice(&self.echo_sequence.to_be_bytes());
        f[field::TERM].copy_from_slice(&self.term.to_be_bytes());
        f[field::READINESS].copy_from_slice(&self.readiness.bits().to_be_bytes());
        f[field::SIGNAL] = signal;
        f[field::SIGNAL_DETAIL] = detail;
        f[field::SIGNAL_TERM].copy_from_slice(&signal_term.to_be_bytes());
        f[field::FAULTS].copy_from_slice(&self.faults.bits().to_be_bytes());
        f[field::FIRMWARE].copy_from_slice(&self.firmware.0);
        f[field::DIGEST].copy_from_slice(&self.digest.to_be_bytes());
        f[field::SYNC_GENERATION].copy_from_slice(&self.sync_generation.to_be_bytes());
        f[field::TIMEOUT_S] = self.timeout_s;
        f[field::FLAGS] = if authenticated { FLAG_AUTHENTICATED } else { 0 };
        f[field::CONDITIONS].copy_from_slice(&self.conditions.bits().to_be_bytes());
    }

    /// Reads and authenticates one frame. With a key, a frame without an authentication code is
    /// [`FrameError::Unauthentic`], and so is one with a code where no key is configured.
    pub fn parse(bytes: &[u8], key: Option<&Authenticator>) -> Result<Self, FrameError> {
        let repr = Self::parse_unproven(bytes)?;
        if is_authentic(bytes, key) { Ok(repr) } else { Err(FrameError::Unauthentic) }
    }

    /// Reads one frame. Nobody vouches for what it says before [`is_authentic`] does.
    pub(crate) fn parse_unproven(bytes: &[u8]) -> Result<Self, FrameError> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED_LEN>().ok_or(FrameError::Malformed)?;
        let length = usize::from(u16::from_be_bytes([fixed[6], fixed[7]]));
        if fixed[field::MAGIC] != MAGIC || length != bytes.len() || length > MAX_PARSE_LEN {
            return Err(FrameError::Malformed);
        }
        if fixed[field::VERSION] != VERSION {
            return Err(FrameError::UnknownVersion);
        }
        let tag_len = if is_tagged(fixed) { TAG_LEN } else { 0 };
        let rest = rest.len().checked_sub(tag_len).and_then(|len| rest.get(..len)).ok_or(FrameError::Malformed)?;
        let (extension, crc) = rest.split_last_chunk::<CRC_LEN>().ok_or(FrameError::Malformed)?;
        let mut digest = CRC.digest();
        digest.update(fixed);
        digest.update(extension);
        if digest.finalize().to_be_bytes() != *crc {
            return Err(FrameError::Malformed);
        }
        Self::parse_fields(fixed, extension).ok_or(FrameError::Malformed)
    }

    fn parse_fields(f: &[u8; FIXED_LEN], extension: &[u8]) -> Option<Self> {
        let u16_at = |at: usize| u16::from_be_bytes([f[at], f[at + 1]]);
        let signal_term = u32_at(f, field::SIGNAL_TERM.start);
        let boot_id = u32_at(f, field::BOOT_ID.start);
        if boot_id == 0 {
            return None;
        }
        Some(Self {
            version_max: f[field::VERSION_MAX],
            kind: match f[field::KIND] {
                1 => Kind::Request,
                2 => Kind::Response,
                _ => return None,
            },
            path: Path::from_wire(f[field::PATH])?,
            role: role_from_wire(f[field::ROLE])?,
            station_type: match f[field::STATION_TYPE] {
                1 => StationType::Primary,
                2 => StationType::Secondary,
                _ => return None,
            },
            mac: MacAddr([f[12], f[13], f[14], f[15], f[16], f[17]]),
            model: u16_at(field::MODEL.start),
            boot_id,
            sequence: u64_at(f, field::SEQUENCE.start),
            echo_boot_id: u32_at(f, field::ECHO_BOOT_ID.start),
            echo_sequence: u64_at(f, field::ECHO_SEQUENCE.start),
            term: u32_at(f, field::TERM.start),
            readiness: Readiness::from_bits_truncate(u16_at(field::READINESS.start)),
            signal: signal_from_wire(f[field::SIGNAL], f[field::SIGNAL_DETAIL], signal_term)?,
            faults: Faults::from_bits_truncate(u32_at(f, field::FAULTS.start)),
            firmware: Firmware([f[60], f[61], f[62], f[63]]),
            digest: u32_at(f, field::DIGEST.start),
            sync_generation: u32_at(f, field::SYNC_GENERATION.start),
            timeout_s: Some(f[field::TIMEOUT_S]).filter(|s| heartbeat_timeout_is_valid(*s))?,
            conditions: Conditions::from_bits_truncate(u16_at(field::CONDITIONS.start)),
            extension: Extension::parse(extension),
        })
    }
}

fn is_tagged(fixed: &[u8; FIXED_LEN]) -> bool {
    // No code is computed for noise.
    fixed[field::MAGIC] == MAGIC && fixed[field::FLAGS] & FLAG_AUTHENTICATED != 0
}

/// Whether a frame has the code that this key makes; without a key, whether it has none.
pub(crate) fn is_authentic(bytes: &[u8], key: Option<&Authenticator>) -> bool {
    let tagged = bytes.first_chunk().is_some_and(is_tagged);
    match (key, bytes.split_last_chunk()) {
        (Some(key), Some((covered, tag))) => tagged && key.verify(&[covered], tag),
        _ => key.is_none() && !tagged,
    }
}

fn u32_at(f: &[u8; FIXED_LEN], at: usize) -> u32 {
    f.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn u64_at(f: &[u8; FIXED_LEN], at: usize) -> u64 {
    f.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

const fn role_to_wire(role: Role) -> u8 {
    match role {
        Role::Off => 0,
        Role::Init => 1,
        Role::Standby => 2,
        Role::Claiming => 3,
        Role::Active => 4,
        Role::Yielding => 5,
    }
}

const fn role_from_wire(byte: u8) -> Option<Role> {
    match byte {
        0 => Some(Role::Off),
        1 => Some(Role::Init),
        2 => Some(Role::Standby),
        3 => Some(Role::Claiming),
        4 => Some(Role::Active),
        5 => Some(Role::Yielding),
        _ => None,
    }
}

const fn handover_to_wire(reason: HandoverReason) -> u8 {
    match reason {
        HandoverReason::SelfFault => 1,
        HandoverReason::Forced => 2,
        HandoverReason::Shutdown => 3,
    }
}

const fn handover_from_wire(byte: u8) -> Option<HandoverReason> {
    match byte {
        1 => Some(HandoverReason::SelfFault),
        2 => Some(HandoverReason::Forced),
        3 => Some(HandoverReason::Shutdown),
        _ => None,
    }
}

const fn refuse_to_wire(reason: RefuseReason) -> u8 {
    match reason {
        RefuseReason::Unhealthy => 1,
        RefuseReason::Syncing => 2,
        RefuseReason::NotStandby => 3,
        RefuseReason::AddressFailed => 4,
    }
}

const fn refuse_from_wire(byte: u8) -> Option<RefuseReason> {
    match byte {
        1 => Some(RefuseReason::Unhealthy),
        2 => Some(RefuseReason::Syncing),
        3 => Some(RefuseReason::NotStandby),
        4 => Some(RefuseReason::AddressFailed),
        _ => None,
    }
}

const fn signal_to_wire(signal: Signal) -> (u8, u8, u32) {
    match signal {
        Signal::None => (0, 0, 0),
        Signal::Handover { term, reason } => (1, handover_to_wire(reason), term),
        Signal::Accept { term } => (2, 0, term),
        Signal::Refuse { term, reason } => (3, refuse_to_wire(reason), term),
        Signal::Released { term, reason } => (4, handover_to_wire(reason), term),
        Signal::Intent { term } => (5, 0, term),
        Signal::Grant { term } => (6, 0, term),
    }
}

fn signal_from_wire(signal: u8, detail: u8, term: u32) -> Option<Signal> {
    match signal {
        0 => Some(Signal::None),
        1 => handover_from_wire(detail).map(|reason| Signal::Handover { term, reason }),
        2 => Some(Signal::Accept { term }),
        3 => refuse_from_wire(detail).map(|reason| Signal::Refuse { term, reason }),
        4 => handover_from_wire(detail).map(|reason| Signal::Released { term, reason }),
        5 => Some(Signal::Intent { term }),
        6 => Some(Signal::Grant { term }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
