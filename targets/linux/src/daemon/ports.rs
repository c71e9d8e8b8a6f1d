//! The interfaces of the node and the sockets on them. Both may vanish and come back.

use super::channel::{Channel, Way};
use crate::net::interface::Interface;
use crate::net::lan::LanSocket;
use crate::net::netlink::Netlink;
use crate::net::packet::PacketSocket;
use crate::settings::Network;
use crate::text::escaped;
use mio::Registry;
use std::io;
use ucm_ha::Config;
use ucm_ha::io::Port;
use ucm_ha::types::{MacAddr, NetworkMethod};

/// One interface as last seen.
struct NetworkPort {
    port: Port,
    name: String,
    /// Its index, while it exists.
    index: Option<u32>,
    /// Whether it was looked for at all.
    looked_for: bool,
    mac: Option<MacAddr>,
    carrier: bool,
    /// The name it was given while the daemon ran, once said.
    renamed: Option<String>,
}

impl NetworkPort {
    fn new(port: Port, name: &str) -> Self {
        Self { port, name: name.to_owned(), index: None, looked_for: false, mac: None, carrier: false, renamed: None }
    }

    /// The interface of this port now: the one of its name, else the one that had it, under whatever name.
    fn find(&self, netlink: &mut Netlink) -> io::Result<Option<Interface>> {
        match (netlink.link(&self.name)?, self.index) {
            (None, Some(index)) => netlink.link_at(index),
            (found, _) => Ok(found),
        }
    }

    /// Says that it was given another name, or its own one back.
    fn note_name(&mut self, read: &Interface) {
        let renamed = (read.name != self.name).then(|| escaped(&read.name));
        if renamed == self.renamed {
            return;
        }
        let setting = match self.port {
            Port::Cable => "network.heartbeat_interface",
            Port::Lan => "network.lan_interface",
            Port::Wan => "network.wan_interface",
        };
        match &renamed {
            Some(new) => log::warn!(
                "interface {} is called {new} now and is used under that name; a restart looks for {}: rename it back, or \
                 change {setting}",
                self.name,
                self.name
            ),
            None => log::info!("interface {} has its name back", self.name),
        }
        self.renamed = renamed;
    }

    /// Takes what was read; `true` when the interface is another one than before, or this is the first look.
    fn update(&mut self, read: Option<&Interface>) -> bool {
        let index = read.map(|interface| interface.index);
        let news = index != self.index || !self.looked_for;
        (self.index, self.looked_for) = (index, true);
        self.carrier = read.is_some_and(|interface| interface.carrier);
        self.mac = read.and_then(|interface| interface.mac).or(self.mac);
        news
    }
}

/// The ports and their sockets.
pub(super) struct Ports {
    cable_port: NetworkPort,
    lan_port: NetworkPort,
    wan_port: Option<NetworkPort>,
    cable: Channel,
    arp: Channel,
    lan: Channel,
    /// Why a socket could not be opened, once said.
    complaint: Option<String>,
}

impl Ports {
    pub(super) fn new(network: &Network) -> Self {
        let watched = network.wan_interface.as_ref().filter(|_| network.method == NetworkMethod::Router);
        Self {
            cable_port: NetworkPort::new(Port::Cable, &network.heartbeat_interface),
            lan_port: NetworkPort::new(Port::Lan, &network.lan_interface),
            wan_port: watched.map(|name| NetworkPort::new(Port::Wan, name)),
            cable: Channel::new(Way::Cable),
            arp: Channel::new(Way::Arp),
            lan: Channel::new(Way::Lan),
            complaint: None,
        }
    }

    /// The channel of a way.
    pub(super) fn channel(&mut self, way: Way) -> &mut Channel {
        match way {
            Way::Cable => &mut self.cable,
            Way::Lan => &mut self.lan,
            Way::Arp => &mut self.arp,
        }
    }

    /// Whether there may be more to read on any channel.
    pub(super) fn are_waiting(&self) -> bool {
        self.cable.is_waiting() || self.lan.is_waiting() || self.arp.is_waiting()
    }

    /// Index of the LAN interface, while it exists.
    pub(super) fn lan_index(&self) -> Option<u32> {
        self.lan_port.index
    }

    /// Whether the LAN interface has another MAC address than the node was made with. That of the heartbeat port does
    /// not matter: its frames are broadcast, and name their sender by its LAN MAC.
    pub(super) fn identity_changed(&self, config: &Config) -> bool {
        self.lan_port.mac.is_some_and(|mac| mac != config.mac)
    }

    /// Reads the interfaces again, closes the sockets of those that are gone, and logs it.
    pub(super) fn refresh(&mut self, netlink: &mut Netlink) -> io::Result<()> {
        for port in [Some(&mut self.cable_port), Some(&mut self.lan_port), self.wan_port.as_mut()] {
            let Some(port) = port else { continue };
            let known_before = port.index.is_some();
            let read = port.find(netlink)?;
            if let Some(read) = &read {
                port.note_name(read);
            }
            if !port.update(read.as_ref()) {
                continue;
            }
            match (port.port, port.index) {
                (_, Some(index)) => log::info!("interface {} is there (index {index})", port.name),
                (_, None) if known_before => log::warn!("interface {} is gone; waiting for it", port.name),
                (_, None) => log::warn!("interface {} is missing; waiting for it", port.name),
            }
            match port.port {
                Port::Cable => self.cable.close(),
                Port::Lan => {
                    self.arp.close();
                    self.lan.close();
                    keep_other_addresses(netlink, port);
                }
                Port::Wan => {}
            }
        }
        Ok(())
    }

    /// Opens the sockets that are not open, as far as their interfaces allow.
    pub(super) fn open_sockets(&mut self, config: &Config, registry: &Registry) {
        let opened = self.try_open(config, registry);
        let complaint = opened.err().map(|error| error.to_string());
        match (&complaint, &self.complaint) {
            (Some(new), old) if old.as_ref() != Some(new) => log::error!("{new}; trying again"),
            (None, Some(_)) => log::info!("all sockets are open"),
            (Some(_), _) | (None, None) => {}
        }
        self.complaint = complaint;
    }

    /// As [`open_sockets`](Self::open_sockets), but stops at the first failure.
    pub(super) fn try_open(&mut self, config: &Config, registry: &Registry) -> io::Result<()> {
        if let (false, Some(index)) = (self.cable.is_open(), self.cable_port.index) {
            let socket = PacketSocket::heartbeat(index, config.heartbeat_port);
            let opened = socket.and_then(|socket| self.cable.open(socket, registry));
            opened.map_err(|error| said("the heartbeat port", &self.cable_port.name, &error))?;
        }
        let Some(index) = self.lan_port.index else { return Ok(()) };
        let name = &self.lan_port.name;
        if !self.arp.is_open() {
            let opened = PacketSocket::arp(index, config).and_then(|socket| self.arp.open(socket, registry));
            opened.map_err(|error| said("ARP", name, &error))?;
        }
        if !self.lan.is_open() {
            let (own, port) = (config.own_ip.address, config.heartbeat_port);
            let socket = LanSocket::open(index, own, config.peer_ip, port);
            let opened = socket.and_then(|socket| self.lan.open(socket, registry));
            opened.map_err(|error| said(&format!("UDP on {own}:{port}"), name, &error))?;
        }
        Ok(())
    }

    /// The carrier of each port. One without its sockets is as good as unplugged.
    pub(super) fn carriers(&self) -> [Option<(Port, bool)>; 3] {
        let lan_open = self.arp.is_open() && self.lan.is_open();
        [
            Some((Port::Cable, self.cable_port.carrier && self.cable.is_open())),
            Some((Port::Lan, self.lan_port.carrier && lan_open)),
            self.wan_port.as_ref().map(|wan| (Port::Wan, wan.carrier)),
        ]
    }
}

/// The cluster IP may be older on its interface than the static address, after somebody has configured that anew. Its end
/// must not take the static address along.
fn keep_other_addresses(netlink: &mut Netlink, port: &NetworkPort) {
    let kept = port.index.map_or(Ok(()), |index| netlink.keep_other_addresses(index));
    if let Err(error) = kept {
        let name = &port.name;
        log::warn!("{name} may lose its static address with the cluster IP: {error}; set promote_secondaries for it");
    }
}

fn said(what: &str, interface: &str, error: &io::Error) -> io::Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "; run as root or grant CAP_NET_RAW and CAP_NET_ADMIN",
        io::ErrorKind::AddrNotAvailable => "; the own address is missing",
        io::ErrorKind::AddrInUse => "; another program uses it",
        _ => "",
    };
    io::Error::new(error.kind(), format!("no socket for {what} on {interface}: {error}{hint}"))
}
