//! What the kernels of both nodes tell of the cluster IP, in the order in which it happened.
//!
//! One socket hears both namespaces (`NETLINK_LISTEN_ALL_NSID`). A kernel tells a change of addresses once it is made, before it lets
//! go of the lock under which it changes those of all namespaces. So the order in the queue of the socket is that of the changes,
//! whenever they are read.

use crate::error::Context;
use crate::network::Network;
use crate::plan::{CLUSTER_IP, Node};
use crate::site::Site;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use std::io::{self, IoSliceMut};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Room for events while the lab's thread waits for its turn.
const RECEIVE_BUFFER_LEN: usize = 4 * 1024 * 1024;
const MESSAGE_LEN: usize = 8192;
const RTNLGRP_IPV4_IFADDR: u32 = 5;

/// A change of the cluster IP in one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Whose kernel.
    pub(crate) node: Node,
    /// The copy that changed.
    pub(crate) copy: Copied,
    /// Whether it is there now.
    pub(crate) held: bool,
}

/// One copy of the address: a kernel may have one for each interface and prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Copied {
    /// Index of the interface.
    pub(crate) interface: u32,
    /// Length of the prefix.
    pub(crate) prefix_len: u8,
}

/// The subscription.
pub(crate) struct AddressEvents {
    socket: Socket,
    /// The namespaces of the nodes have numbers here.
    _post: Site,
    message: Vec<u8>,
    control: Vec<u8>,
}

impl AddressEvents {
    /// Subscribes, in a namespace of its own.
    pub(crate) fn subscribe(network: &mut Network) -> io::Result<Self> {
        let mut post = Site::create()?;
        for node in Node::ALL {
            post.links.number_namespace(&network.node(node).netns, number(node))?;
        }
        let socket = post.netns.run(|| {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.set_listen_all_namespaces(true).context("cannot hear the events of other namespaces")?;
            // Only who is privileged on the whole machine gets as much as that.
            setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_LEN)
                .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER_LEN))?;
            socket.add_membership(RTNLGRP_IPV4_IFADDR)?;
            Ok(socket)
        });
        let socket = socket.context("cannot watch the addresses")?;
        Ok(Self { socket, _post: post, message: vec![0; MESSAGE_LEN], control: cmsg_space!(i32) })
    }

    /// The next change of the cluster IP, where one waits to be read.
    pub(crate) fn next_change(&mut self) -> io::Result<Option<Change>> {
        loop {
            let mut parts = [IoSliceMut::new(&mut self.message)];
            let read =
                recvmsg::<()>(self.socket.as_raw_fd(), &mut parts, Some(&mut self.control), MsgFlags::MSG_DONTWAIT);
            let (len, node) = match read {
                Ok(read) => (read.bytes, origin(read.cmsgs()?)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => continue,
                Err(Errno::ENOBUFS) => return Err(io::Error::other("the kernel had to drop events of addresses")),
                Err(error) => return Err(error.into()),
            };
            let message = NetlinkMessage::deserialize(self.message.get(..len).unwrap_or_default());
            let change = change(message.map_err(io::Error::other)?.payload);
            if let (Some(node), Some((copy, held))) = (node, change) {
                return Ok(Some(Change { node, copy, held }));
            }
        }
    }
}

impl AsFd for AddressEvents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The number of a node's namespace.
fn number(node: Node) -> i32 {
    match node {
        Node::A => 0,
        Node::B => 1,
    }
}

/// Whose kernel has sent a message.
fn origin(mut notes: impl Iterator<Item = ControlMessageOwned>) -> Option<Node> {
    let number_of_sender = notes.find_map(|note| match note {
        ControlMessageOwned::Unknown(note)
            if (note.cmsg_header.cmsg_level, note.cmsg_header.cmsg_type)
                == (libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID) =>
        {
            note.data_bytes.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))
        }
        _ => None,
    });
    Node::ALL.into_iter().find(|node| Some(number(*node)) == number_of_sender)
}

/// What a message says of the cluster IP.
fn change(payload: NetlinkPayload<RouteNetlinkMessage>) -> Option<(Copied, bool)> {
    let NetlinkPayload::InnerMessage(message) = payload else { return None };
    let (address, held) = match message {
        RouteNetlinkMessage::NewAddress(address) => (address, true),
        RouteNetlinkMessage::DelAddress(address) => (address, false),
        _ => return None,
    };
    let copy = Copied { interface: address.header.index, prefix_len: address.header.prefix_len };
    is_cluster_ip(&address).then_some((copy, held))
}

fn is_cluster_ip(message: &AddressMessage) -> bool {
    message.attributes.contains(&AddressAttribute::Local(IpAddr::V4(CLUSTER_IP.address)))
}
