//! The caller's pointers: checked for NULL and alignment, then copied from or to.

use super::result::{Failure, UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NULL, UCM_HA_ERR_TOO_LONG};

/// Most bytes that one call takes in: no Ethernet frame or UDP datagram is longer.
pub(super) const MAX_INPUT_LEN: usize = 65_535;

/// A type of which every pattern of bits is a value: integers, and structures of nothing else.
///
/// # Safety
/// Whoever implements it says so.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: integers.
unsafe impl Plain for u8 {}
// SAFETY: integers.
unsafe impl Plain for u32 {}
// SAFETY: integers.
unsafe impl Plain for u64 {}

/// Whether a value of the type could stand at `pointer`.
pub(super) fn check<T>(pointer: *const T) -> Result<(), Failure> {
    check_address(pointer.cast(), align_of::<T>())
}

/// One function for all types, since nearly every call needs it.
#[inline(never)]
fn check_address(pointer: *const u8, align: usize) -> Result<(), Failure> {
    if pointer.is_null() {
        Err(Failure::new(UCM_HA_ERR_NULL))
    } else if pointer.addr() & (align - 1) != 0 {
        Err(Failure::new(UCM_HA_ERR_MISALIGNED))
    } else {
        Ok(())
    }
}

/// Copies the caller's value.
///
/// # Safety
/// `pointer` is NULL, misaligned, or points to memory of the type that nobody writes now.
pub(super) unsafe fn read<T: Plain>(pointer: *const T) -> Result<T, Failure> {
    check(pointer)?;
    // SAFETY: checked above and promised by the caller; every pattern of bits is a value.
    Ok(unsafe { pointer.read() })
}

/// Copies what `make` returns to the caller, unless it fails. Where it could not be stored, `make` does not run.
///
/// # Safety
/// `pointer` is NULL, misaligned, or points to memory of the type that nobody else uses now.
pub(super) unsafe fn write<T: Plain>(
    pointer: *mut T,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<(), Failure> {
    check(pointer)?;
    let value = make()?;
    // SAFETY: checked above and promised by the caller.
    unsafe { pointer.write(value) };
    Ok(())
}

/// The caller's bytes; none at all may be at NULL.
///
/// # Safety
/// `pointer` is NULL or points to `len` bytes that nobody writes while the result lives.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, len: usize) -> Result<&'a [u8], Failure> {
    if len > MAX_INPUT_LEN {
        return Err(Failure::new(UCM_HA_ERR_TOO_LONG));
    }
    if len == 0 {
        return Ok(&[]);
    }
    check(pointer)?;
    // SAFETY: checked above and promised by the caller.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}
