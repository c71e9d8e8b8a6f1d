//! Interfaces and addresses, by rtnetlink.
//!
//! Requests are answered by the kernel before `send` returns. Where others change many interfaces at once, that may take
//! the kernel a moment (its rtnl lock). Events are taken as
//! hints that something should be read again; the truth is what a read says.

use crate::net::interface::{Interface, InterfaceAddress};
use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkBuffer,
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NlasIterator,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeader, AddressHeaderFlags, AddressMessage, CacheInfo};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkHeader, LinkLayerType, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, RawFd};
use ucm_ha::types::{Cidr, MacAddr};

/// Size of the receive buffer, as the kernel recommends for dumps.
const BUFFER_LEN: usize = 32 * 1024;
/// How often a dump is repeated when the tables changed under it.
const MAX_DUMP_TRIES: usize = 5;
/// Events that are read at once; the rest waits for the next turn.
const MAX_EVENT_BATCH: usize = 32;
/// How often an address is removed that is there again.
const MAX_COPIES: usize = 8;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_AF_SPEC: u16 = 26;
const AF_INET: u16 = libc::AF_INET as u16;
const IFLA_INET_CONF: u16 = 1;
const IPV4_DEVCONF_PROMOTE_SECONDARIES: u16 = 20;
const IFA_LOCAL: u16 = 2;
const LINK_HEADER_LEN: usize = 16;
const ADDRESS_HEADER_LEN: usize = 8;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;

const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_IFADDR: u32 = 5;

/// A connection for requests.
pub struct Netlink {
    socket: Socket,
    sequence: u32,
    buffer: Box<[u8]>,
}

impl Netlink {
    /// Opens a connection in the network namespace of this thread.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_non_blocking(true)?;
        // Only then does a dump of addresses heed the interface that is asked for.
        socket.set_netlink_get_strict_chk(true)?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; BUFFER_LEN].into_boxed_slice() })
    }

    /// All interfaces with their IPv4 addresses.
    pub(crate) fn interfaces(&mut self) -> io::Result<Vec<Interface>> {
        let mut interfaces = Vec::new();
        self.request(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_DUMP, |kind, payload| {
            if kind == RTM_NEWLINK {
                interfaces.extend(parse_link(payload));
            }
        })?;
        for interface in &mut interfaces {
            interface.addresses = self.addresses(interface.index)?;
        }
        Ok(interfaces)
    }

    /// The interface of this name, without its addresses.
    pub fn link(&mut self, name: &str) -> io::Result<Option<Interface>> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        self.one_link(message)
    }

    /// The interface of this index, whatever its name, without its addresses.
    pub(crate) fn link_at(&mut self, index: u32) -> io::Result<Option<Interface>> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        self.one_link(message)
    }

    fn one_link(&mut self, message: LinkMessage) -> io::Result<Option<Interface>> {
        let mut found = None;
        let asked = self.request(RouteNetlinkMessage::GetLink(message), NLM_F_ACK, |kind, payload| {
            if kind == RTM_NEWLINK {
                found = parse_link(payload);
            }
        });
        match asked {
            Ok(()) => Ok(found),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The IPv4 addresses of an interface.
    pub(crate) fn addresses(&mut self, index: u32) -> io::Result<Vec<InterfaceAddress>> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.index = index;
        let mut addresses = Vec::new();
        let asked = self.request(RouteNetlinkMessage::GetAddress(message), NLM_F_DUMP, |kind, payload| {
            if kind == RTM_NEWADDR {
                addresses.extend(parse_address(payload));
            }
        });
        match asked {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(Vec::new()),
            outcome => outcome.map(|()| addresses),
        }
    }

    /// Whether an interface has this address.
    pub fn has_address(&mut self, index: u32, address: Ipv4Addr) -> io::Result<bool> {
        Ok(self.addresses(index)?.iter().any(|held| held.cidr.address == address))
    }

    /// Adds an address that the kernel removes after `valid_s`, or extends its life where it is there already.
    pub(crate) fn set_address(&mut self, index: u32, cidr: Cidr, valid_s: u32) -> io::Result<()> {
        let mut lifetime = CacheInfo::default();
        lifetime.ifa_valid = valid_s;
        lifetime.ifa_preferred = valid_s;
        let mut message = address_message(index, cidr);
        message.attributes.push(AddressAttribute::Address(IpAddr::V4(cidr.address)));
        message.attributes.push(AddressAttribute::CacheInfo(lifetime));
        self.request(RouteNetlinkMessage::NewAddress(message), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, |_, _| ())
    }

    /// Removes an address from every interface, whatever its prefix, the likely one first. Comes back once the kernel's table
    /// shows that no interface has it.
    pub(crate) fn remove_address(&mut self, likely: Option<u32>, cidr: Cidr) -> io::Result<()> {
        if let Some(index) = likely {
            self.remove_copy(index, cidr)?;
        }
        for _ in 0..MAX_COPIES {
            let holders = self.holders(cidr.address)?;
            if holders.is_empty() {
                return Ok(());
            }
            for index in holders {
                self.remove_copy(index, cidr)?;
            }
        }
        Err(io::Error::other("the address is added again as often as it is removed"))
    }

    /// The interfaces that have this address, once for each copy.
    fn holders(&mut self, address: Ipv4Addr) -> io::Result<Vec<u32>> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        let mut holders = Vec::new();
        self.request(RouteNetlinkMessage::GetAddress(message), NLM_F_DUMP, |kind, payload| {
            let held = parse_address(payload).filter(|held| kind == RTM_NEWADDR && held.cidr.address == address);
            let header = held.and_then(|_| AddressHeader::parse(payload).ok());
            holders.extend(header.map(|header| header.index));
        })?;
        Ok(holders)
    }

    /// Removes one copy of an address; `false` where there was none.
    pub fn remove_copy(&mut self, index: u32, cidr: Cidr) -> io::Result<bool> {
        let message = address_message(index, cidr);
        match self.request(RouteNetlinkMessage::DelAddress(message), NLM_F_ACK, |_, _| ()) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENODEV)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets the other addresses of a subnet stay when the first of them goes, whether by hand or by the end of its life
    /// (`promote_secondaries`). The kernel's default is to remove them all.
    pub(crate) fn keep_other_addresses(&mut self, index: u32) -> io::Result<()> {
        const ON: u32 = 1;
        let setting = attribute(IPV4_DEVCONF_PROMOTE_SECONDARIES, &ON.to_ne_bytes());
        let of_ipv4 = attribute(AF_INET, &attribute(IFLA_INET_CONF, &setting));
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes.push(LinkAttribute::Other(DefaultNla::new(IFLA_AF_SPEC, of_ipv4)));
        self.request(RouteNetlinkMessage::SetLink(message), NLM_F_ACK, |_, _| ())
    }

    /// Sends a request and gives every message of the answer to `take`, up to its end.
    pub fn request(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
        mut take: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        let mut packet = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
        packet.header.flags = NLM_F_REQUEST | flags;
        let dumps = flags & NLM_F_DUMP == NLM_F_DUMP;
        for _ in 0..if dumps { MAX_DUMP_TRIES } else { 1 } {
            self.sequence = self.sequence.wrapping_add(1);
            packet.header.sequence_number = self.sequence;
            packet.finalize();
            let mut bytes = vec![0; packet.buffer_len()];
            packet.serialize(&mut bytes);
            self.socket.send(&bytes, 0)?;
            if self.receive(&mut take)? == Answer::Consistent {
                return Ok(());
            }
        }
        Err(io::Error::new(ErrorKind::ResourceBusy, "the tables change faster than they can be read"))
    }

    fn receive(&mut self, take: &mut impl FnMut(u16, &[u8])) -> io::Result<Answer> {
        let mut answer = Answer::Consistent;
        loop {
            let len = self.socket.recv(&mut &mut self.buffer[..], 0)?;
            let mut rest = self.buffer.get(..len).unwrap_or(&self.buffer);
            while !rest.is_empty() {
                let message = NetlinkBuffer::new_checked(rest).map_err(invalid)?;
                let length = usize::try_from(message.length()).map_err(invalid)?;
                if message.sequence_number() == self.sequence {
                    if message.flags() & NLM_F_DUMP_INTR != 0 {
                        answer = Answer::Torn;
                    }
                    match message.message_type() {
                        NLMSG_DONE | NLMSG_ERROR => return outcome(message.payload()).map(|()| answer),
                        kind => take(kind, message.payload()),
                    }
                }
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }
}

/// Whether the tables stood still while they were dumped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Consistent,
    Torn,
}

/// The code with which an answer ends: 0 or a negative error number.
fn outcome(payload: &[u8]) -> io::Result<()> {
    match payload.first_chunk().map(|code| i32::from_ne_bytes(*code)) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        None => Err(invalid("an answer without a code")),
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// An attribute of a message; `value` is a multiple of 4 bytes long.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    const HEADER_LEN: u16 = 4;
    let mut bytes = (HEADER_LEN + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes
}

fn address_message(index: u32, cidr: Cidr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.index = index;
    message.header.prefix_len = cidr.prefix_len;
    message.attributes.push(AddressAttribute::Local(IpAddr::V4(cidr.address)));
    message
}

/// The few attributes of a link that matter, read one by one: what a newer kernel adds cannot spoil the rest.
fn parse_link(payload: &[u8]) -> Option<Interface> {
    let header = LinkHeader::parse(payload).ok()?;
    let mut interface = Interface {
        name: String::new(),
        index: header.index,
        mac: None,
        carrier: header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
        addresses: Vec::new(),
    };
    for attribute in NlasIterator::new(payload.get(LINK_HEADER_LEN..)?).flatten() {
        let value = attribute.value();
        match attribute.kind() {
            IFLA_IFNAME => interface.name = String::from_utf8_lossy(value.strip_suffix(b"\0").unwrap_or(value)).into(),
            IFLA_ADDRESS if header.link_layer_type == LinkLayerType::Ether => {
                interface.mac = value.try_into().ok().map(MacAddr);
            }
            _ => {}
        }
    }
    Some(interface)
}

fn parse_address(payload: &[u8]) -> Option<InterfaceAddress> {
    let header = AddressHeader::parse(payload).ok()?;
    let local = NlasIterator::new(payload.get(ADDRESS_HEADER_LEN..)?)
        .flatten()
        .find(|attribute| attribute.kind() == IFA_LOCAL)
        .and_then(|attribute| <[u8; 4]>::try_from(attribute.value()).ok())?;
    Some(InterfaceAddress {
        cidr: Cidr { address: Ipv4Addr::from(local), prefix_len: header.prefix_len },
        permanent: header.flags.contains(AddressHeaderFlags::Permanent),
    })
}

/// What should be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    /// An interface appeared, vanished or changed.
    pub(crate) links: bool,
    /// An address was removed.
    pub(crate) removed: bool,
    /// An address was added, or its lifetime extended.
    pub(crate) added: bool,
    /// There may be more events to read.
    pub(crate) more: bool,
}

/// A subscription to changes of interfaces and addresses.
pub(crate) struct Monitor {
    socket: Socket,
    buffer: Box<[u8]>,
}

impl Monitor {
    /// Subscribes in the network namespace of this thread.
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        socket.add_membership(RTNLGRP_LINK)?;
        socket.add_membership(RTNLGRP_IPV4_IFADDR)?;
        Ok(Self { socket, buffer: vec![0; BUFFER_LEN].into_boxed_slice() })
    }

    /// Reads the waiting events. Where the kernel had to drop some, everything should be read again.
    pub(crate) fn hints(&mut self) -> io::Result<Hints> {
        let mut hints = Hints::default();
        for _ in 0..MAX_EVENT_BATCH {
            match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Ok(len) => self.note(len, &mut hints),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(hints),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    hints = Hints { links: true, removed: true, added: true, ..hints };
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Hints { more: true, ..hints })
    }

    fn note(&self, len: usize, hints: &mut Hints) {
        let mut rest = self.buffer.get(..len).unwrap_or(&self.buffer);
        while let Ok(message) = NetlinkBuffer::new_checked(rest) {
            match message.message_type() {
                RTM_NEWLINK | RTM_DELLINK => hints.links = true,
                RTM_DELADDR => hints.removed = true,
                RTM_NEWADDR => hints.added = true,
                _ => {}
            }
            let length = usize::try_from(message.length()).unwrap_or(usize::MAX);
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

impl AsRawFd for Monitor {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
