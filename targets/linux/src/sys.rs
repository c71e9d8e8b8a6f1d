//! The few calls for which no safe interface exists. All `unsafe` of the program is here.

use socket2::{SockAddr, SockAddrStorage};
use std::io;

/// The address that binds a packet socket to one interface and one EtherType.
pub(crate) fn packet_address(interface_index: u32, ether_type: u16) -> io::Result<SockAddr> {
    let index = i32::try_from(interface_index).map_err(io::Error::other)?;
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is plain integers, no larger than `sockaddr_storage`, and valid when all zero.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as libc::c_ushort;
    address.sll_protocol = ether_type.to_be();
    address.sll_ifindex = index;
    // SAFETY: the first `size_of::<sockaddr_ll>()` bytes were just set and the family says how to read them.
    Ok(unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) })
}

/// Puts the calling thread under the real-time scheduler. Threads and programs it starts are not.
pub(crate) fn schedule_fifo(priority: i32) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: the pointer is to a live `sched_param`; 0 names the calling thread.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &parameter) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Moves the calling thread into a network namespace of its own, which ends with the thread.
#[cfg(test)]
pub(crate) fn enter_new_network_namespace() -> io::Result<()> {
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    // SAFETY: only file descriptor tables make `unshare` unsafe, and this flag leaves them alone.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}
