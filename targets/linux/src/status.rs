//! The HA status of this node, from what the core and its neighbours say.

use crate::describe;
use crate::events::Journal;
use crate::service;
use ucm_ha::fault::Faults;
use ucm_ha::types::{NetworkMethod, StationType};
use ucm_ha::{Config, Instant, Status};
use ucm_ha_control::Report;
use ucm_ha_control::status::{ClusterIp, Counters, Fault, ForceSwitch, FxoPort, PartStatus, Peer};

/// What lives beside the node and has a part in the status.
pub(crate) struct Parts<'a> {
    /// The services that are watched.
    pub(crate) services: &'a [service::State],
    /// The FXO ports that are polled.
    pub(crate) fxo: Vec<FxoPort>,
    /// The journal, with what it and the receivers lost.
    pub(crate) journal: &'a Journal,
    /// The parts of the family.
    pub(crate) parts: Vec<PartStatus>,
}

/// The report on a node at `now`, and on what lives beside it.
pub(crate) fn report(config: &Config, status: &Status, now: Instant, parts: Parts<'_>) -> Report {
    let Parts { services, fxo, journal, parts } = parts;
    let counters = status.counters;
    Report {
        ha_status: describe::ha_status(status.ha_status).to_owned(),
        role: describe::role(status.role).to_owned(),
        station_type: station_type(config.station_type).to_owned(),
        full_backup_status: if status.syncing { "In progress" } else { "Idle" }.to_owned(),
        mac: config.mac.to_string(),
        term: status.term,
        cluster_ip: ClusterIp { address: config.cluster_ip.to_string(), bound: status.bound },
        peer: peer(config, status, now),
        force_switch: ForceSwitch {
            available: status.force_switch.is_ok(),
            reason: status.force_switch.err().map(|refusal| describe::refusal(refusal).to_owned()),
        },
        faults: faults(config, status, services),
        fxo,
        counters: Counters {
            frames_ok: counters.frames_ok,
            frames_malformed: counters.frames_malformed,
            frames_unauthentic: counters.frames_unauthentic,
            frames_replayed: counters.frames_replayed,
            frames_foreign: counters.frames_foreign,
            takeovers: counters.takeovers,
            handovers: counters.handovers,
            events_dropped: journal.dropped(),
        },
        notify: journal.tallies().collect(),
        parts,
    }
}

const fn station_type(station_type: StationType) -> &'static str {
    match station_type {
        StationType::Primary => "Primary",
        StationType::Secondary => "Secondary",
    }
}

fn peer(config: &Config, status: &Status, now: Instant) -> Peer {
    let peer = status.peer;
    Peer {
        seen: peer.is_some_and(|peer| peer.seen),
        role: peer.map(|peer| describe::role(peer.role).to_owned()),
        mac: peer.map(|peer| peer.mac.to_string()),
        ip: config.peer_ip.to_string(),
        firmware: peer.map(|peer| peer.firmware.to_string()),
        cable: peer.is_some_and(|peer| peer.cable),
        lan: peer.is_some_and(|peer| peer.lan),
        last_heard_ms: peer.map(|peer| now.since(peer.last_heard).as_ms()),
    }
}

/// Every fault this node can have, raised or not.
fn faults(config: &Config, status: &Status, services: &[service::State]) -> Vec<Fault> {
    let mut possible = Faults::from_bits_truncate((1 << config.model.fxo_ports()) - 1) | Faults::LAN;
    possible |= Faults::ADDRESS | status.faults.difference(Faults::SERVICE);
    possible.set(Faults::WAN, config.network_method == NetworkMethod::Router || status.faults.contains(Faults::WAN));
    possible.set(Faults::GATEWAY, config.gateway.is_some());
    let fault = |(name, fault): (&str, Faults)| Fault {
        name: name.to_owned(),
        raised: status.faults.contains(fault),
        switches: status.switching_faults.contains(fault),
        reason: None,
    };
    let service = |service: &service::State| Fault {
        name: format!("SERVICE {}", service.name),
        raised: service.fault.is_some(),
        switches: status.switching_faults.contains(Faults::SERVICE),
        reason: service.fault.clone(),
    };
    possible.iter_names().map(fault).chain(services.iter().map(service)).collect()
}
