//! The few calls for which no safe interface exists. All `unsafe` of the program is here.

use socket2::{SockAddr, SockAddrStorage, Socket};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What an unprivileged program may lock, in bytes: the kernel's own default.
const USUAL_MEMLOCK: libc::rlim_t = 8 * 1024 * 1024;
const USUAL_UMASK: libc::mode_t = 0o022;

/// The address that binds a packet socket to one interface and one EtherType.
pub fn packet_address(interface_index: u32, ether_type: u16) -> io::Result<SockAddr> {
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

/// Lets a socket send and receive on one interface only. By its index: a name may be another interface's by now.
pub(crate) fn bind_to_interface(socket: &Socket, interface_index: u32) -> io::Result<()> {
    let index = libc::c_int::try_from(interface_index).map_err(io::Error::other)?;
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointer is to a live number of `len` bytes.
    succeeded(unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, (&raw const index).cast(), len)
    })
}

/// Who is at the other end of a Unix socket: who connected, or who made the pair. A process of another namespace has number 0.
pub(crate) fn peer(socket: BorrowedFd<'_>) -> io::Result<libc::ucred> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the pointers are to live values, and `len` is the length of `peer`.
    succeeded(unsafe {
        let place = (&raw mut peer).cast();
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, place, &raw mut len)
    })?;
    Ok(peer)
}

/// Puts the calling thread under the real-time scheduler. Threads and programs it starts are not.
pub fn schedule_fifo(priority: i32) -> io::Result<()> {
    schedule_fifo_of(0, priority)
}

/// The same for the thread of this number, 0 being the calling one.
pub(crate) fn schedule_fifo_of(thread: libc::pid_t, priority: i32) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: the pointer is to a live `sched_param`.
    succeeded(unsafe { libc::sched_setscheduler(thread, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &parameter) })
}

/// Lets a program run as one that nobody made special: without the limits, the scheduling, the protection from a lack of memory
/// and the mask of modes that this process was given for itself. Call it before [`run_as`]. What is ordinary already is left
/// alone: under the unit file the daemon may not change the scheduling of anything.
pub(crate) fn run_ordinarily(command: &mut Command) {
    let shed = || {
        limit(libc::RLIMIT_RTPRIO, 0)?;
        limit(libc::RLIMIT_NICE, 0)?;
        limit(libc::RLIMIT_MEMLOCK, USUAL_MEMLOCK)?;
        // SAFETY: integers only; 0 names the calling thread.
        if unsafe { libc::sched_getscheduler(0) } != libc::SCHED_OTHER {
            let usual = libc::sched_param { sched_priority: 0 };
            // SAFETY: the pointer is to a live `sched_param`; 0 names the calling thread.
            succeeded(unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &usual) })?;
        }
        // SAFETY: integers only; it cannot fail.
        unsafe { libc::umask(USUAL_UMASK) };
        // SAFETY: the path is a string that ends with 0.
        let score = unsafe { libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
        if score >= 0 {
            // Where it cannot be changed the program is better protected than it should be, which is no reason not to run it.
            // SAFETY: the pointer is to one live byte, and the descriptor is this function's.
            unsafe {
                libc::write(score, b"0".as_ptr().cast(), 1);
                libc::close(score);
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls only: it takes no lock and no memory.
    unsafe { command.pre_exec(shed) };
}

/// No more than so much, now and later. A limit that is lower stays.
fn limit(resource: libc::__rlimit_resource_t, most: libc::rlim_t) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live `rlimit`.
    succeeded(unsafe { libc::getrlimit(resource, &raw mut now) })?;
    if now.rlim_cur <= most && now.rlim_max <= most {
        return Ok(());
    }
    let less = libc::rlimit { rlim_cur: now.rlim_cur.min(most), rlim_max: now.rlim_max.min(most) };
    // SAFETY: the pointer is to a live `rlimit`.
    succeeded(unsafe { libc::setrlimit(resource, &raw const less) })
}

/// Lets a program run as another user: with that user's groups, and without the daemon's ambient capabilities, which
/// outlive a change between users that are not root.
pub(crate) fn run_as(command: &mut Command, uid: libc::uid_t, gid: libc::gid_t, groups: Vec<libc::gid_t>) {
    let become_user = move || {
        // SAFETY: integers only.
        succeeded(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })?;
        // The user goes last: it is what permits the rest.
        // SAFETY: the pointer is to `groups.len()` live numbers.
        succeeded(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })?;
        // SAFETY: integers only.
        succeeded(unsafe { libc::setgid(gid) })?;
        // SAFETY: integers only.
        succeeded(unsafe { libc::setuid(uid) })
    };
    // SAFETY: between fork and exec the closure makes system calls only: it takes no lock and no memory.
    unsafe { command.pre_exec(become_user) };
}

fn succeeded(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How a process ended that has been reaped, as `wait` would tell it. `None` when the kernel does not know (any more), or is
/// older than 6.15.
pub(crate) fn exit_status(pidfd: BorrowedFd<'_>) -> Option<i32> {
    let mask = u64::from(libc::PIDFD_INFO_EXIT);
    // SAFETY: `pidfd_info` is plain integers, valid when all zero.
    let mut info: libc::pidfd_info = unsafe { std::mem::zeroed() };
    info.mask = mask;
    // SAFETY: the kernel writes no more than the size that the request's number tells, which is that of `info`.
    let asked = unsafe { libc::ioctl(pidfd.as_raw_fd(), libc::PIDFD_GET_INFO, &raw mut info) };
    (asked == 0 && info.mask & mask != 0).then_some(info.exit_code)
}

/// Moves the calling thread into a network namespace of its own, which ends with the thread.
#[cfg(test)]
pub(crate) fn enter_new_network_namespace() -> io::Result<()> {
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    // SAFETY: only file descriptor tables make `unshare` unsafe, and this flag leaves them alone.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

/// Has others ask this process before they open a file of its own, as its owner may.
#[cfg(test)]
pub(crate) fn take_lease(file: &std::fs::File) -> io::Result<()> {
    const F_SETSIG: libc::c_int = 10;
    // It is told by a signal, one that is ignored where nobody waits for it.
    // SAFETY: integers only.
    succeeded(unsafe { libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG) })?;
    // SAFETY: integers only.
    succeeded(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) })
}
