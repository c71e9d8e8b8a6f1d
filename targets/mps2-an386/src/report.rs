//! The status as JSON, with names and values as `ucm-ha status --json` has them; a part of its fields, and what
//! the ports have lost.

use core::fmt;
use ucm_ha::status::{HaStatus, PeerStatus};
use ucm_ha::types::StationType;
use ucm_ha::{Config, Instant, Status};

/// The status of a node at `now`.
pub(crate) struct Report<'a> {
    pub(crate) config: &'a Config,
    pub(crate) status: Status,
    pub(crate) now: Instant,
    pub(crate) losses: Losses,
}

/// What the ports have lost, and the node therefore never saw.
pub(crate) struct Losses {
    /// Frames of the cable that came in damaged.
    pub(crate) cable_damaged: u32,
    /// Bytes of the cable that found no room.
    pub(crate) cable_bytes: u32,
    /// Ethernet frames that came in damaged.
    pub(crate) lan_damaged: u32,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, status, now, losses } = self;
        write!(f, "{{\"ha_status\":\"{}\"", ha_status(status.ha_status))?;
        write!(f, ",\"role\":\"{:?}\",\"station_type\":\"{}\"", status.role, station_type(config.station_type))?;
        write!(f, ",\"mac\":\"{}\",\"term\":{}", config.mac, status.term)?;
        write!(f, ",\"cluster_ip\":{{\"address\":\"{}\",\"bound\":{}}}", config.cluster_ip, status.bound)?;
        f.write_str(",\"peer\":")?;
        match &status.peer {
            Some(peer) => write_peer(f, peer, *now)?,
            None => f.write_str("{\"seen\":false}")?,
        }
        write!(f, ",\"force_switch\":{{\"available\":{}}}", status.force_switch.is_ok())?;
        f.write_str(",\"faults\":[")?;
        for (at, (name, _)) in status.faults.iter_names().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{{\"name\":\"{name}\",\"raised\":true}}")?;
        }
        let counters = status.counters;
        write!(f, "],\"counters\":{{\"frames_ok\":{}", counters.frames_ok)?;
        write!(f, ",\"frames_malformed\":{}", counters.frames_malformed)?;
        write!(f, ",\"frames_unauthentic\":{}", counters.frames_unauthentic)?;
        write!(f, ",\"frames_replayed\":{}", counters.frames_replayed)?;
        write!(f, ",\"frames_foreign\":{}", counters.frames_foreign)?;
        write!(f, ",\"takeovers\":{},\"handovers\":{}}}", counters.takeovers, counters.handovers)?;
        write!(f, ",\"losses\":{{\"cable_damaged\":{}", losses.cable_damaged)?;
        write!(f, ",\"cable_bytes\":{},\"lan_damaged\":{}}}}}", losses.cable_bytes, losses.lan_damaged)
    }
}

fn write_peer(f: &mut fmt::Formatter<'_>, peer: &PeerStatus, now: Instant) -> fmt::Result {
    write!(f, "{{\"seen\":{},\"role\":\"{:?}\",\"mac\":\"{}\"", peer.seen, peer.role, peer.mac)?;
    write!(f, ",\"firmware\":\"{}\",\"cable\":{},\"lan\":{}", peer.firmware, peer.cable, peer.lan)?;
    write!(f, ",\"last_heard_ms\":{}}}", now.since(peer.last_heard).as_ms())
}

const fn ha_status(status: HaStatus) -> &'static str {
    match status {
        HaStatus::Off => "Off",
        HaStatus::Single => "Single",
        HaStatus::Dual => "Dual",
    }
}

const fn station_type(station_type: StationType) -> &'static str {
    match station_type {
        StationType::Primary => "Primary",
        StationType::Secondary => "Secondary",
    }
}
