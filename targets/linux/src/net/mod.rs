//! The network of this machine: interfaces and addresses, and the sockets for frames and datagrams.

pub(crate) mod address;
pub(crate) mod interface;
pub(crate) mod lan;
pub(crate) mod netlink;
pub(crate) mod packet;
