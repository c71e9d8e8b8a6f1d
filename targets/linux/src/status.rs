//! The HA status of this node, from what the core and its neighbours say.

use crate::describe::{self, Situation};
use crate::events::Journal;
use crate::service;
use crate::takeover;
use ucm_ha::fault::Faults;
use ucm_ha::types::{NetworkMethod, StationType};
use ucm_ha::{Config, Instant, Status};
use ucm_ha_control::Report;
use ucm_ha_control::status::{
    Ability, Budget, ClusterIp, Counters, Fault, ForceSwitch, FxoPort, Gateway, Off, PartStatus, Peer,
};

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
    /// Why high availability is off, where it is.
    pub(crate) off: Option<Off>,
    /// Handovers for faults of this node in this window.
    pub(crate) handovers: u8,
}

/// The report on a node at `now`, and on what lives beside it.
pub(crate) fn report(config: &Config, status: &Status, now: Instant, parts: Parts<'_>) -> Report {
    let Parts { services, fxo, journal, parts, off, handovers } = parts;
    let counters = status.counters;
    Report {
        ha_status: describe::ha_status(takeover::ha_status(status)).to_owned(),
        role: describe::role(status.role).to_owned(),
        station_type: station_type(config.station_type).to_owned(),
        full_backup_status: if status.syncing { "In progress" } else { "Idle" }.to_owned(),
        mac: config.mac.to_string(),
        term: status.term,
        own_ip: config.own_ip.address.to_string(),
        cluster_ip: ClusterIp { address: config.cluster_ip.to_string(), bound: status.bound },
        gateway: gateway(config, status),
        off,
        maintenance: status.maintenance,
        peer: peer(config, status, now),
        force_switch: ForceSwitch {
            available: status.force_switch.is_ok(),
            reason: status.force_switch.err().map(|refusal| describe::refusal(refusal, Situation::of(status))),
        },
        budget: budget(config, handovers),
        faults: faults(config, status, services),
        alerts: journal.standing(),
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

fn gateway(config: &Config, status: &Status) -> Option<Gateway> {
    // How long an answer took the core does not tell.
    config.gateway.map(|ip| Gateway { ip: ip.to_string(), seen: status.gateway_seen == Some(true), rtt_ms: None })
}

fn budget(config: &Config, handovers: u8) -> Budget {
    let of = config.fault.handover_budget;
    Budget { left: of.saturating_sub(handovers), of }
}

fn peer(config: &Config, status: &Status, now: Instant) -> Peer {
    let peer = status.peer;
    let can_take_over = takeover::peer_could_serve(status);
    Peer {
        seen: peer.is_some_and(|peer| peer.seen),
        role: peer.map(|peer| describe::role(peer.role).to_owned()),
        mac: peer.map(|peer| peer.mac.to_string()),
        ip: config.peer_ip.to_string(),
        firmware: peer.map(|peer| peer.firmware.to_string()),
        cable: peer.is_some_and(|peer| peer.cable),
        lan: peer.is_some_and(|peer| peer.lan),
        last_heard_ms: peer.map(|peer| now.since(peer.last_heard).as_ms()),
        faults: peer.map_or_else(Vec::new, |peer| strings(describe::fault_names(peer.faults))),
        can_take_over: Ability { possible: can_take_over.is_ok(), reason: can_take_over.err() },
    }
}

fn strings(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
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
