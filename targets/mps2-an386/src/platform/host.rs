//! Services of the machine that runs or debugs the board, by semihosting. A board that runs alone has its settings in a
//! block of its flash, and its record in another.

use cortex_m_semihosting::{debug, hio, nr, syscall, syscall1};

/// Where semihosting puts what failed.
const FAILED: usize = usize::MAX;

/// The command line that the image was started with, or `None` when there is none or it is longer than `buffer`.
pub(crate) fn command_line(buffer: &mut [u8]) -> Option<&str> {
    let mut block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: SYS_GET_CMDLINE writes at most the given number of bytes to the given address, both of `buffer`, and the
    // length to `block`; both live until it returns.
    let result = unsafe { syscall1(nr::GET_CMDLINE, block.as_mut_ptr() as usize) };
    let [_, len] = block;
    if result != 0 {
        return None;
    }
    let bytes = buffer.get(..len)?;
    let text = bytes.split(|byte| *byte == 0).next()?;
    core::str::from_utf8(text).ok()
}

/// Seconds since 1970, or what else the host counts.
pub(crate) fn time_s() -> u32 {
    // SAFETY: SYS_TIME takes no argument and writes nothing.
    unsafe { syscall1(nr::TIME, 0) as u32 }
}

/// Fills `buffer` from the file `name`, which ends in a zero byte; `false` when it cannot be read or is not so long.
pub(crate) fn read_file(name: &[u8], buffer: &mut [u8]) -> bool {
    let Some(handle) = open(name, nr::open::R_BINARY) else { return false };
    // SAFETY: SYS_READ writes at most the given number of bytes to the given address, both of `buffer`.
    let missing = unsafe { syscall!(READ, handle, buffer.as_mut_ptr(), buffer.len()) };
    close(handle) && missing == 0
}

/// Writes `bytes` to the file `name`, which ends in a zero byte; `false` when that failed.
pub(crate) fn write_file(name: &[u8], bytes: &[u8]) -> bool {
    let Some(handle) = open(name, nr::open::W_TRUNC_BINARY) else { return false };
    // SAFETY: SYS_WRITE reads the given number of bytes from the given address, both of `bytes`.
    let missing = unsafe { syscall!(WRITE, handle, bytes.as_ptr(), bytes.len()) };
    close(handle) && missing == 0
}

/// Gives the file `from` the name `to`, in one step; both end in a zero byte.
pub(crate) fn rename_file(from: &[u8], to: &[u8]) -> bool {
    let (from_len, to_len) = (text_len(from), text_len(to));
    // SAFETY: SYS_RENAME reads the names, whose lengths are within their slices and followed by a zero byte.
    unsafe { syscall!(RENAME, from.as_ptr(), from_len, to.as_ptr(), to_len) == 0 }
}

/// Says `text`, where somebody listens.
pub(crate) fn say(text: &str) {
    // Without a host that listens there is nobody to tell.
    let _ = hio::hstdout().and_then(|mut host| host.write_all(text.as_bytes()));
}

/// Ends the emulation with failure; a real board stays here.
pub(crate) fn give_up() -> ! {
    loop {
        debug::exit(debug::EXIT_FAILURE);
    }
}

fn open(name: &[u8], mode: usize) -> Option<usize> {
    if name.last() != Some(&0) {
        return None;
    }
    // SAFETY: SYS_OPEN reads the name, whose length is within its slice and followed by a zero byte.
    let handle = unsafe { syscall!(OPEN, name.as_ptr(), mode, text_len(name)) };
    (handle != FAILED).then_some(handle)
}

fn close(handle: usize) -> bool {
    // SAFETY: SYS_CLOSE reads the handle from the argument block and writes nothing.
    unsafe { syscall!(CLOSE, handle) == 0 }
}

fn text_len(name: &[u8]) -> usize {
    name.len().saturating_sub(1)
}
