//! The same settings and effects in both languages.

use ucm_ha::capi::*;
use ucm_ha::role::Role;
use ucm_ha::types::{NetworkMethod, StationType};
use ucm_ha::{Config, Output};

/// The settings for C.
pub(super) fn config(config: &Config) -> ucm_ha_config {
    let ipv4 = |ip: core::net::Ipv4Addr| ucm_ha_ipv4 { octets: ip.octets() };
    let mac = |mac: ucm_ha::types::MacAddr| ucm_ha_mac { octets: mac.0 };
    ucm_ha_config {
        switching_faults: config.fault.switching.bits(),
        link_raise_ms: config.fault.link_raise_ms,
        link_clear_ms: config.fault.link_clear_ms,
        handover_window_s: config.fault.handover_window_s,
        heartbeat_port: config.heartbeat_port,
        model: config.model.id(),
        enabled: config.enabled.into(),
        station_type: match config.station_type {
            StationType::Primary => UCM_HA_STATION_PRIMARY,
            StationType::Secondary => UCM_HA_STATION_SECONDARY,
        },
        network_method: match config.network_method {
            NetworkMethod::Switch => UCM_HA_METHOD_SWITCH,
            NetworkMethod::Router => UCM_HA_METHOD_ROUTER,
        },
        heartbeat_timeout_s: config.heartbeat_timeout_s,
        fast_failover: config.fast_failover.into(),
        handover_budget: config.fault.handover_budget,
        own_prefix_len: config.own_ip.prefix_len,
        cluster_prefix_len: config.cluster_ip.prefix_len,
        own_ip: ipv4(config.own_ip.address),
        cluster_ip: ipv4(config.cluster_ip.address),
        peer_ip: ipv4(config.peer_ip),
        gateway: ipv4(config.gateway.unwrap_or(core::net::Ipv4Addr::UNSPECIFIED)),
        firmware: config.firmware.0,
        has_gateway: config.gateway.is_some().into(),
        has_peer_mac: config.peer_mac.is_some().into(),
        has_key: config.key.is_some().into(),
        reserved: 0,
        mac: mac(config.mac),
        cable_mac: mac(config.cable_mac),
        peer_mac: mac(config.peer_mac.unwrap_or_default()),
        key: config.key.as_ref().map(|key| key.0).unwrap_or_default(),
        reserved_end: [0; 2],
    }
}

pub(super) const fn role(role: Role) -> u8 {
    match role {
        Role::Off => UCM_HA_ROLE_OFF,
        Role::Init => UCM_HA_ROLE_INIT,
        Role::Standby => UCM_HA_ROLE_STANDBY,
        Role::Claiming => UCM_HA_ROLE_CLAIMING,
        Role::Active => UCM_HA_ROLE_ACTIVE,
        Role::Yielding => UCM_HA_ROLE_YIELDING,
    }
}

/// Whether C is told of the same effect as Rust. Names of reasons, alerts and refusals only have to be known ones.
pub(super) fn check(output: Option<Output>, told: &ucm_ha_output) {
    let frame = |kind, len: usize| ucm_ha_output { kind, frame_len: len as u32, ..Default::default() };
    let hold = |kind, valid_s, before: ucm_ha::Instant| ucm_ha_output {
        kind,
        valid_s,
        before_us: before.as_us(),
        ..Default::default()
    };
    let plain = |kind| ucm_ha_output { kind, ..Default::default() };
    let expected = match output {
        None => plain(UCM_HA_OUTPUT_NONE),
        Some(Output::ReleaseAddress) => plain(UCM_HA_OUTPUT_RELEASE_ADDRESS),
        Some(Output::BindAddress { valid_s, before }) => hold(UCM_HA_OUTPUT_BIND_ADDRESS, valid_s, before),
        Some(Output::RenewAddress { valid_s, before }) => hold(UCM_HA_OUTPUT_RENEW_ADDRESS, valid_s, before),
        Some(Output::SendCable { len }) => frame(UCM_HA_OUTPUT_SEND_CABLE, len),
        Some(Output::SendLan { len }) => frame(UCM_HA_OUTPUT_SEND_LAN, len),
        Some(Output::SendArp { len }) => frame(UCM_HA_OUTPUT_SEND_ARP, len),
        Some(Output::Persist(record)) => ucm_ha_output {
            record: ucm_ha_record {
                term: record.term,
                term_ceiling: record.term_ceiling,
                last_active: record.last_active.into(),
                disabled_by_peer: record.disabled_by_peer.into(),
                handovers: record.handovers,
                maintenance: record.maintenance.into(),
            },
            ..plain(UCM_HA_OUTPUT_PERSIST)
        },
        Some(Output::RoleChanged { from, to, term, .. }) => {
            known(told.reason, ucm_ha_reason_name(told.reason));
            let kind = plain(UCM_HA_OUTPUT_ROLE_CHANGED);
            ucm_ha_output { role_before: role(from), role: role(to), term, reason: told.reason, ..kind }
        }
        Some(Output::Alert { raised, mac, ip, .. }) => {
            known(told.alert, ucm_ha_alert_name(told.alert));
            let mac_told = ucm_ha_mac { octets: mac.unwrap_or_default().0 };
            let kind = plain(UCM_HA_OUTPUT_ALERT);
            let (alert, has_mac) = (told.alert, mac.is_some().into());
            let ip = ip.map_or([0; 4], |ip| ip.octets());
            ucm_ha_output { alert, raised: raised.into(), has_mac, mac: mac_told, ip, ..kind }
        }
        Some(Output::FaultChanged { faults, raised }) => {
            let kind = plain(UCM_HA_OUTPUT_FAULT_CHANGED);
            ucm_ha_output { faults: faults.bits(), raised: raised.into(), ..kind }
        }
        Some(Output::StartFullSync) => plain(UCM_HA_OUTPUT_START_FULL_SYNC),
        Some(Output::Reboot) => plain(UCM_HA_OUTPUT_REBOOT),
        Some(Output::SwitchDone(outcome)) => {
            known(told.refusal, ucm_ha_refusal_name(told.refusal));
            assert_eq!(outcome.is_ok(), told.refusal == UCM_HA_REFUSAL_NONE);
            ucm_ha_output { refusal: told.refusal, ..plain(UCM_HA_OUTPUT_SWITCH_DONE) }
        }
        Some(Output::Stopped) => plain(UCM_HA_OUTPUT_STOPPED),
    };
    assert_eq!(*told, expected);
}

fn known(number: u8, name: *const core::ffi::c_char) {
    let name = super::texts::text(name);
    assert_ne!(name, "unknown", "{number} is no named value");
}
