//! The links of one network namespace: making them, and everything a hand can do to a cable.

use crate::error::Context;
use crate::netns::Netns;
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage,
};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use ucm_ha::types::{Cidr, MacAddr};
use ucm_ha_linux::shared::{Interface, Netlink};

/// One end of a virtual cable.
pub struct End<'a> {
    /// Name of the interface.
    pub name: &'a str,
    /// Namespace it is in.
    pub netns: &'a Netns,
    /// Its MAC address; `None` lets the kernel choose.
    pub mac: Option<MacAddr>,
}

/// The links of one namespace.
pub struct Links {
    netlink: Netlink,
}

impl Links {
    /// Those of `netns`.
    pub fn of(netns: &Netns) -> io::Result<Self> {
        Ok(Self { netlink: netns.run(|| Netlink::open().context("cannot open netlink"))? })
    }

    /// Makes a pair of interfaces with a cable between them. Both are down.
    pub fn add_veth(&mut self, one: &End<'_>, other: &End<'_>) -> io::Result<()> {
        let mut message = end_message(one);
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(end_message(other)))),
        ]));
        self.new_link(message).context(format_args!("cannot make the cable {} to {}", one.name, other.name))
    }

    /// Makes a switch and turns it on.
    pub fn add_bridge(&mut self, name: &str) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
        self.new_link(message).context(format_args!("cannot make the bridge {name}"))?;
        self.set_up(name, true)
    }

    /// Turns an interface on or off. The other end of its cable sees the carrier come or go.
    pub fn set_up(&mut self, name: &str, up: bool) -> io::Result<()> {
        let mut message = self.message_for(name)?;
        message.header.change_mask = LinkFlags::Up;
        message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        self.set_link(message).context(format_args!("cannot turn {name} on or off"))
    }

    /// Gives an interface another name; it stays up.
    pub fn rename(&mut self, name: &str, new: &str) -> io::Result<()> {
        let mut message = self.message_for(name)?;
        message.attributes.push(LinkAttribute::IfName(new.to_owned()));
        self.set_link(message).context(format_args!("cannot rename {name} to {new}"))
    }

    /// Removes an interface; of a cable, both ends.
    pub fn delete(&mut self, name: &str) -> io::Result<()> {
        let message = self.message_for(name)?;
        let deleted = self.netlink.request(RouteNetlinkMessage::DelLink(message), NLM_F_ACK, |_, _| ());
        deleted.context(format_args!("cannot delete {name}"))
    }

    /// Plugs an interface into a bridge, or out of any.
    pub fn plug(&mut self, name: &str, bridge: Option<&str>) -> io::Result<()> {
        let controller = match bridge {
            Some(bridge) => self.index(bridge)?,
            None => 0,
        };
        let mut message = self.message_for(name)?;
        message.attributes.push(LinkAttribute::Controller(controller));
        self.set_link(message).context(format_args!("cannot plug {name} in or out"))
    }

    /// Isolated ports of a bridge reach every other port, but not each other.
    pub fn set_isolated(&mut self, name: &str, isolated: bool) -> io::Result<()> {
        let mut message = self.message_for(name)?;
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(vec![InfoBridgePort::Isolated(isolated)])),
        ]));
        self.new_link_flags(message, 0).context(format_args!("cannot isolate {name}"))
    }

    /// Adds a permanent address. Harmless where it is there already.
    pub fn add_address(&mut self, name: &str, cidr: Cidr) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.index = self.index(name)?;
        message.header.prefix_len = cidr.prefix_len;
        message.attributes.push(AddressAttribute::Local(IpAddr::V4(cidr.address)));
        message.attributes.push(AddressAttribute::Address(IpAddr::V4(cidr.address)));
        match self.netlink.request(RouteNetlinkMessage::NewAddress(message), NLM_F_ACK | NLM_F_CREATE, |_, _| ()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            outcome => outcome.context(format_args!("cannot add {cidr} to {name}")),
        }
    }

    /// Removes an address. Harmless where it is not there.
    pub fn remove_address(&mut self, name: &str, cidr: Cidr) -> io::Result<()> {
        let index = self.index(name)?;
        let removed = self.netlink.remove_copy(index, cidr);
        removed.map(drop).context(format_args!("cannot remove {cidr} from {name}"))
    }

    /// Whether an interface has this address.
    pub fn has_address(&mut self, name: &str, cidr: Cidr) -> io::Result<bool> {
        let index = self.index(name)?;
        self.netlink.has_address(index, cidr.address).context(format_args!("cannot read the addresses of {name}"))
    }

    /// Gives another namespace a number here, by which the events of its kernel can be told from those of others.
    pub fn number_namespace(&mut self, netns: &Netns, number: i32) -> io::Result<()> {
        let fd = u32::try_from(netns.as_raw_fd()).map_err(io::Error::other)?;
        let mut message = NsidMessage::default();
        message.attributes.extend([NsidAttribute::Id(number), NsidAttribute::Fd(fd)]);
        let numbered = self.netlink.request(RouteNetlinkMessage::NewNsId(message), NLM_F_ACK, |_, _| ());
        numbered.context(format_args!("cannot give a network namespace the number {number}"))
    }

    /// The index of an interface.
    pub fn index(&mut self, name: &str) -> io::Result<u32> {
        Ok(self.link(name)?.index)
    }

    /// Gives an interface another MAC address.
    pub fn set_mac(&mut self, name: &str, mac: MacAddr) -> io::Result<()> {
        let mut message = self.message_for(name)?;
        message.attributes.push(LinkAttribute::Address(mac.0.to_vec()));
        self.set_link(message).context(format_args!("cannot give {name} the MAC address {mac}"))
    }

    /// The MAC address of an interface.
    pub fn mac(&mut self, name: &str) -> io::Result<MacAddr> {
        let mac = self.link(name)?.mac;
        mac.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, format!("{name} is no Ethernet interface")))
    }

    fn link(&mut self, name: &str) -> io::Result<Interface> {
        let link = self.netlink.link(name).context(format_args!("cannot ask for {name}"))?;
        link.ok_or_else(|| io::Error::new(ErrorKind::NotFound, format!("there is no interface {name}")))
    }

    fn message_for(&mut self, name: &str) -> io::Result<LinkMessage> {
        let mut message = LinkMessage::default();
        message.header.index = self.index(name)?;
        Ok(message)
    }

    fn new_link(&mut self, message: LinkMessage) -> io::Result<()> {
        self.new_link_flags(message, NLM_F_CREATE | NLM_F_EXCL)
    }

    fn new_link_flags(&mut self, message: LinkMessage, flags: u16) -> io::Result<()> {
        self.netlink.request(RouteNetlinkMessage::NewLink(message), NLM_F_ACK | flags, |_, _| ())
    }

    fn set_link(&mut self, message: LinkMessage) -> io::Result<()> {
        self.netlink.request(RouteNetlinkMessage::SetLink(message), NLM_F_ACK, |_, _| ())
    }
}

fn end_message(end: &End<'_>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(end.name.to_owned()));
    message.attributes.push(LinkAttribute::NetNsFd(end.netns.as_raw_fd()));
    if let Some(mac) = end.mac {
        message.attributes.push(LinkAttribute::Address(mac.0.to_vec()));
    }
    message
}
