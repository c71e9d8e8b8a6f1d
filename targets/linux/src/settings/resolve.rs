//! Compares the settings with the interfaces of this machine and makes the core's configuration of both.

use super::key_file;
use super::reader::Problem;
use super::tables::{Device, Ha, Network, NotifyTarget, Sections, Service};
use crate::net::interface::{Interface, InterfaceAddress};
use crate::user::User;
use std::net::Ipv4Addr;
use ucm_ha::Config;
use ucm_ha::config::{ConfigError, FaultPolicy};
use ucm_ha::fault::Faults;
use ucm_ha::types::{Cidr, MacAddr, NetworkMethod};

/// Prefix length that lets the rules be checked while the LAN's is unknown.
const ANY_PREFIX_LEN: u8 = 24;

/// What a daemon runs on.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The core's configuration.
    pub(crate) config: Config,
    /// Nothing wrong, but the operator should know.
    pub(crate) notes: Vec<String>,
}

/// The core's configuration on a machine with these interfaces, and everything that is wrong. `None` while there is a
/// problem that stays, or the LAN interface or its address is not there: a node has no identity without them. A missing
/// heartbeat or WAN port is a problem that a node can run with.
pub(crate) fn resolve(sections: &Sections, interfaces: &[Interface], problems: &mut Vec<Problem>) -> Option<Resolved> {
    let mut report = Report { sections, problems };
    let key = sections.ha.as_ref().and_then(|ha| ha.key_file.as_deref()).map(|path| (path, key_file::read(path)));
    if let Some((_, Err(reason))) = &key {
        report.add("ha.key_file", reason.clone());
    }
    report_missing_key(&mut report);
    report_unknown_users(&mut report);
    let ports = sections.network.as_ref().map(|network| ports(network, interfaces, &mut report));
    let (ha, network, device) = (sections.ha.as_ref()?, sections.network.as_ref()?, sections.device.as_ref()?);
    let ports = ports?;
    let own_ip = ports.lan.and_then(|lan| own_address(ha, network, lan, &mut report));
    let mac = ports.lan.and_then(|lan| lan.mac);
    let stand_in = mac.map(cable_stand_in);
    let mut config = Config::new(
        ha.station_type,
        mac.unwrap_or_default(),
        ports.heartbeat.and_then(|heartbeat| heartbeat.mac).or(stand_in).unwrap_or_default(),
        own_ip.unwrap_or(Cidr { address: Ipv4Addr::UNSPECIFIED, prefix_len: ANY_PREFIX_LEN }),
        Cidr {
            address: ha.cluster_ip.0,
            prefix_len: ha.cluster_ip.1.or(own_ip.map(|own| own.prefix_len)).unwrap_or(ANY_PREFIX_LEN),
        },
        ha.peer_ip,
    );
    config.enabled = ha.enable;
    config.peer_mac = ha.peer_mac;
    config.heartbeat_port = ha.heartbeat_port;
    config.heartbeat_timeout_s = ha.heartbeat_timeout_s;
    config.fast_failover = ha.fast_failover;
    config.gateway = network.gateway;
    config.key = key.and_then(|(_, key)| key.ok());
    config.network_method = network.method;
    config.model = device.model;
    config.firmware = device.firmware;
    config.fault = fault_policy(ha, sections.fault.policy);
    let complete = own_ip.is_some() && mac.is_some();
    config.check(|error| {
        if complete || !needs_interfaces(error) {
            report.add(key_of(error), error.reason());
        }
    });
    report_own_cluster_ip(ha, interfaces, &mut report);
    let mut notes = notes(sections, ha, network, device, own_ip);
    notes.extend(ports.lan.and_then(|lan| choice_of_own_address(ha, network, lan)));
    (complete && problems.iter().all(|problem| problem.passing)).then_some(Resolved { config, notes })
}

/// The interfaces that carry the LAN and the heartbeat, where they exist.
struct Ports<'a> {
    lan: Option<&'a Interface>,
    heartbeat: Option<&'a Interface>,
}

struct Report<'a> {
    sections: &'a Sections,
    problems: &'a mut Vec<Problem>,
}

impl Report<'_> {
    /// Adds a problem, unless it is known already.
    fn add(&mut self, key: &str, reason: impl Into<String>) {
        self.push(key, reason.into(), false);
    }

    /// Adds a problem that may end by itself.
    fn add_passing(&mut self, key: &str, reason: impl Into<String>) {
        self.push(key, reason.into(), true);
    }

    fn push(&mut self, key: &str, reason: String, passing: bool) {
        let problem = Problem { key: key.to_owned(), value: self.sections.value(key), reason, passing };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

fn ports<'a>(network: &Network, interfaces: &'a [Interface], report: &mut Report<'_>) -> Ports<'a> {
    let mut find = |key: &str, name: &str| {
        let found = interfaces.iter().find(|interface| interface.name == name);
        match found {
            None => report.add_passing(key, "does not exist on this machine; `ip link` lists the interfaces"),
            Some(interface) if interface.mac.is_none() => {
                report.add(key, "is not an Ethernet interface; choose another");
            }
            Some(_) => {}
        }
        found
    };
    let lan = find("network.lan_interface", &network.lan_interface);
    let heartbeat = find("network.heartbeat_interface", &network.heartbeat_interface);
    if let (NetworkMethod::Router, Some(wan)) = (network.method, &network.wan_interface) {
        find("network.wan_interface", wan);
    }
    if let (Some(lan), Some(heartbeat)) = (lan, heartbeat)
        && lan.name != heartbeat.name
        && lan.mac.is_some()
        && lan.mac == heartbeat.mac
    {
        let mac = lan.mac.unwrap_or_default();
        report.add(
            "network.heartbeat_interface",
            format!("has the same MAC address as {} ({mac}); the heartbeat needs a port of its own", lan.name),
        );
    }
    Ports { lan, heartbeat }
}

/// The permanent address of the LAN interface that is the node's own: the configured one, else one in the peer's subnet. The
/// cluster IP is taken only where there is no other, so that the rule against it can say so.
fn own_address(ha: &Ha, network: &Network, lan: &Interface, report: &mut Report<'_>) -> Option<Cidr> {
    let candidates = own_candidates(ha, network, lan);
    if candidates.is_empty() {
        report_no_own_address(ha, network, lan, report);
    }
    candidates.first().copied()
}

/// The addresses that could be the node's own, the one that is taken first.
fn own_candidates(ha: &Ha, network: &Network, lan: &Interface) -> Vec<Cidr> {
    let fits = |cidr: Cidr| match network.own_ip {
        Some(own) => cidr.address == own,
        None => cidr.contains(ha.peer_ip),
    };
    let permanent = lan.addresses.iter().filter(|address| address.permanent).map(|address| address.cidr);
    let mut candidates: Vec<Cidr> = permanent.filter(|cidr| fits(*cidr)).collect();
    // A stable order: those that are no cluster IP keep theirs.
    candidates.sort_by_key(|cidr| cidr.address == ha.cluster_ip.0);
    candidates
}

/// Says why the LAN interface has no address that could be the node's own. While the machine boots, it is there before its
/// address.
fn report_no_own_address(ha: &Ha, network: &Network, lan: &Interface, report: &mut Report<'_>) {
    let dynamic = |address: &&InterfaceAddress| !address.permanent && address.cidr.address != ha.cluster_ip.0;
    let dynamic: Vec<Ipv4Addr> = lan.addresses.iter().filter(dynamic).map(|address| address.cidr.address).collect();
    if let Some(own) = network.own_ip {
        let reason = match dynamic.contains(&own) {
            true => "is a dynamic address of the LAN interface (it has a lifetime, as from DHCP); make it a static one",
            false => "is not an address of the LAN interface; give it this static address",
        };
        return report.add_passing("network.own_ip", reason);
    }
    let is_static = lan.addresses.iter().any(|address| address.permanent);
    match dynamic.first() {
        _ if is_static => report.add(
            "network.lan_interface",
            format!("has no permanent IPv4 address in the subnet of the peer {}; give it a static one", ha.peer_ip),
        ),
        Some(dynamic) => report.add_passing(
            "network.lan_interface",
            format!("has only {dynamic}, a dynamic address (it has a lifetime, as from DHCP); give it a static one"),
        ),
        None => {
            report.add_passing("network.lan_interface", "has no permanent IPv4 address; give it a static one");
        }
    }
}

/// What stands for the heartbeat port's MAC address while that port is missing: the LAN's, changed to differ from it. The
/// port, once it appears, goes by this address until the next start, which the cable carries as well.
fn cable_stand_in(MacAddr([first, rest @ ..]): MacAddr) -> MacAddr {
    const LOCALLY_ADMINISTERED: u8 = 2;
    let [b, c, d, e, f] = rest;
    MacAddr([first ^ LOCALLY_ADMINISTERED, b, c, d, e, f])
}

/// The setting at fault, by its name in the file.
fn key_of(error: ConfigError) -> &'static str {
    use ConfigError as E;
    match error {
        E::MacNotUnicast | E::OwnIpUnset | E::OwnIpUnusable => "network.lan_interface",
        E::CableMacNotUnicast => "network.heartbeat_interface",
        E::PeerMacIsOwn => "ha.peer_mac",
        E::PortZero => "ha.heartbeat_port",
        E::TimeoutOutOfRange => "ha.heartbeat_timeout",
        E::PrefixOutOfRange | E::ClusterIpUnset | E::ClusterIpIsOwn | E::ClusterIpIsPeer | E::ClusterIpOutsideLan => {
            "ha.cluster_ip"
        }
        E::PeerIpUnset | E::PeerIpIsOwn | E::PeerIpOutsideLan => "ha.peer_ip",
        E::GatewayIsNode | E::GatewayOutsideLan => "network.gateway",
        E::FirmwareTooOld => "device.firmware",
        E::NoSuchFxoPort => "ha.hardware_fault_switch",
        E::WindowZero => "fault.handover_window_s",
        E::BudgetTooHigh => "fault.handover_budget",
        // A rule that is newer than this list.
        _ => error.field(),
    }
}

/// Rules that say nothing true while an interface or the own address is missing.
fn needs_interfaces(error: ConfigError) -> bool {
    matches!(
        error,
        ConfigError::MacNotUnicast
            | ConfigError::CableMacNotUnicast
            | ConfigError::PeerMacIsOwn
            | ConfigError::OwnIpUnset
            | ConfigError::OwnIpUnusable
            | ConfigError::ClusterIpIsOwn
            | ConfigError::ClusterIpOutsideLan
            | ConfigError::PeerIpIsOwn
            | ConfigError::PeerIpOutsideLan
            | ConfigError::GatewayOutsideLan
    )
}

/// A permanent cluster IP would be held by both nodes at once.
fn report_own_cluster_ip(ha: &Ha, interfaces: &[Interface], report: &mut Report<'_>) {
    let holds = |interface: &&Interface| {
        interface.addresses.iter().any(|address| address.permanent && address.cidr.address == ha.cluster_ip.0)
    };
    if let Some(interface) = interfaces.iter().find(holds)
        && !report.problems.iter().any(|problem| problem.reason == ConfigError::ClusterIpIsOwn.reason())
    {
        let name = &interface.name;
        report.add("ha.cluster_ip", format!("is configured permanently on {name}; remove it there or choose another"));
    }
}

/// Without a key whoever reaches the LAN can move the role: that must be what the operator wants.
fn report_missing_key(report: &mut Report<'_>) {
    if report.sections.ha.as_ref().is_some_and(|ha| ha.key_file.is_none() && !ha.allow_unauthenticated) {
        report.add(
            "ha.key_file",
            "is missing, and without a key forged heartbeats count; create one with `openssl rand -hex 32` in a file of mode 0600, \
             the same on both nodes, or write allow_unauthenticated = true",
        );
    }
}

fn report_unknown_users(report: &mut Report<'_>) {
    for notify in &report.sections.notify {
        if let NotifyTarget::Command { user: Some(user), .. } = &notify.target
            && let Err(reason) = User::find(user)
        {
            report.add(&format!("{}.user", notify.key), reason);
        }
    }
}

fn fault_policy(ha: &Ha, policy: FaultPolicy) -> FaultPolicy {
    let software = if ha.software_fault_switch { Faults::SERVICE } else { Faults::empty() };
    FaultPolicy { switching: ha.hardware_fault_switch | software, ..policy }
}

/// Where there is a choice and nobody made it: the peer has the other address, perhaps, and the LAN path is dead.
fn choice_of_own_address(ha: &Ha, network: &Network, lan: &Interface) -> Option<String> {
    let mut candidates = own_candidates(ha, network, lan);
    candidates.retain(|cidr| cidr.address != ha.cluster_ip.0);
    let [taken, others @ ..] = candidates.as_slice() else { return None };
    let others: Vec<String> = others.iter().map(|cidr| cidr.address.to_string()).collect();
    (!others.is_empty()).then(|| {
        let (taken, others) = (taken.address, others.join(", "));
        format!("network.own_ip: is not set; {taken} is taken for this node's own, and {others} could be it too")
    })
}

fn notes(sections: &Sections, ha: &Ha, network: &Network, device: &Device, own: Option<Cidr>) -> Vec<String> {
    let fxo = sections.fxo.as_ref();
    let mut notes = Vec::new();
    if sections.value("ha.enable").is_none() {
        notes
            .push("ha.enable: is not set; high availability is off. Write enable = true, or enable = false".to_owned());
    }
    if let ((address, Some(prefix)), Some(own)) = (ha.cluster_ip, own)
        && prefix != own.prefix_len
    {
        let lan = own.prefix_len;
        notes.push(format!(
            "ha.cluster_ip = \"{address}/{prefix}\": its prefix is not the LAN's; write \"{address}/{lan}\", or leave it out"
        ));
    }
    if ha.software_fault_switch && sections.services.is_empty() {
        notes.push(
            "ha.software_fault_switch = true: has no effect without [[service]] but for `ucm-ha fault raise`; nothing watches \
             the services"
                .to_owned(),
        );
    }
    if ha.fast_failover && network.gateway.is_none() {
        notes.push(
            "ha.fast_failover = true: is inactive without network.gateway; set the gateway, or fast_failover = false"
                .to_owned(),
        );
    }
    if ha.key_file.is_none() {
        notes.push("ha.allow_unauthenticated = true: forged heartbeats count; set key_file on both nodes".to_owned());
    } else if ha.allow_unauthenticated {
        notes.push("ha.allow_unauthenticated = true: has no effect with key_file".to_owned());
    }
    if network.method == NetworkMethod::Router && network.wan_interface.is_none() {
        notes
            .push("network.wan_interface: is not set; with method = \"router\" the WAN port is not watched".to_owned());
    }
    if network.method == NetworkMethod::Switch && network.wan_interface.is_some() {
        notes.push("network.wan_interface: is not used with method = \"switch\"".to_owned());
    }
    if fxo.is_none() && !ha.hardware_fault_switch.is_empty() {
        notes.push("ha.hardware_fault_switch: has no effect without [fxo]; nothing watches the FXO ports".to_owned());
    }
    if fxo.is_some() && device.model.fxo_ports() == 0 {
        notes.push(format!("fxo: is not used; the {} has no FXO ports", device.model.name()));
    }
    for Service { name, pid_source, kick_timeout_ms, probe, .. } in &sections.services {
        if pid_source.is_none() && kick_timeout_ms.is_none() && probe.is_none() {
            notes.push(format!("service {name}: is not watched; set pid_file, unit, kick_timeout_ms or probe"));
        }
    }
    notes
}
