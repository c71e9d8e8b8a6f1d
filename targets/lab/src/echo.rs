//! The PBX service of a node, as far as the phone can tell: it answers every request that reaches it.
//!
//! It listens on every address of the node and answers from the one that was asked, so it serves exactly while the
//! node's kernel has the cluster IP.

use crate::error::Context;
use crate::netns::Netns;
use crate::plan::{Node, SERVICE_PORT};
use crate::worker::{STOP_CHECK, Worker, wait_readable};
use nix::cmsg_space;
use nix::sys::socket::sockopt::Ipv4PacketInfo;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

/// Length of a request: the probe's number.
pub(crate) const REQUEST_LEN: usize = 8;
/// Length of an answer: the request and the node.
pub(crate) const ANSWER_LEN: usize = REQUEST_LEN + 1;

/// Starts the service of `node` in its namespace.
pub(crate) fn start(node: Node, netns: &Netns) -> io::Result<Worker> {
    let socket = netns
        .run(|| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, SERVICE_PORT))?;
            socket.set_nonblocking(true)?;
            setsockopt(&socket, Ipv4PacketInfo, &true)?;
            Ok(socket)
        })
        .context(format_args!("cannot start the service of {node}"))?;
    Worker::start("service", move |stop| {
        while !stop.is_set() {
            wait_readable([socket.as_fd()], STOP_CHECK)?;
            while answer_one(&socket, node)? {}
        }
        Ok(())
    })
}

/// Answers the next request; `false` when none is waiting.
fn answer_one(socket: &UdpSocket, node: Node) -> io::Result<bool> {
    let mut request = [0; REQUEST_LEN];
    let mut control = cmsg_space!(libc::in_pktinfo);
    let (client, asked) = {
        let mut parts = [IoSliceMut::new(&mut request)];
        let received =
            match recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()) {
                Ok(received) => received,
                Err(nix::Error::EAGAIN) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
        let asked = received.cmsgs()?.find_map(|message| {
            if let ControlMessageOwned::Ipv4PacketInfo(info) = message { Some(info.ipi_addr) } else { None }
        });
        (received.address, asked)
    };
    let (Some(client), Some(asked)) = (client, asked) else { return Ok(true) };
    let mut answer = [0; ANSWER_LEN];
    answer[..REQUEST_LEN].copy_from_slice(&request);
    answer[REQUEST_LEN] = node.index() as u8;
    let from = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: asked, ipi_addr: libc::in_addr { s_addr: 0 } };
    let parts = [IoSlice::new(&answer)];
    let control = [ControlMessage::Ipv4PacketInfo(&from)];
    match sendmsg(socket.as_raw_fd(), &parts, &control, MsgFlags::empty(), Some(&client)) {
        // The address, or the way to the phone, went away in between: the phone gets no answer.
        Ok(_) | Err(nix::Error::EINVAL | nix::Error::ENETUNREACH | nix::Error::EHOSTUNREACH | nix::Error::EAGAIN) => {
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}
