//! The caller's storage, and the library's value in it.
//!
//! A seal before the value says whether there is one and whether a call is using it. The seal is mixed with its address,
//! so that a copy does not pass for the original: two copies of a node would be two nodes with one identity.

use super::memory;
use super::result::{Failure, UCM_HA_ERR_BUSY, UCM_HA_ERR_NOT_INITIALISED};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

/// Storage type of the C header.
///
/// # Safety
/// `Self` holds nothing but integers, and is at least as large and as aligned as `Slot<Self::Value>`.
pub(super) unsafe trait Storage {
    type Value;
}

/// What stands in the storage.
#[repr(C)]
pub(super) struct Slot<T> {
    seal: AtomicU32,
    value: MaybeUninit<T>,
}

/// Compile-time check of what [`Storage`] demands, and that all storage is aligned alike.
pub(super) const fn fits<S: Storage>() -> bool {
    let aligned = align_of::<Slot<S::Value>>() <= align_of::<S>() && align_of::<S>() == align_of::<u64>();
    aligned && size_of::<Slot<S::Value>>() <= size_of::<S>()
}

/// "UCHA": a value is there.
const READY: u32 = 0x5543_4841;
/// "BUSY": a value is there and a call is using it.
const BUSY: u32 = 0x4255_5359;

/// Puts `make`'s value into the storage, in place of what was there. Where `storage` is refused, `make` does not run.
///
/// # Safety
/// `storage` is NULL, misaligned, or points to memory of its type that no other thread uses now.
pub(super) unsafe fn init<S: Storage>(storage: *mut S, make: impl FnOnce() -> S::Value) -> Result<(), Failure> {
    // SAFETY: promised by the caller.
    let seal = unsafe { seal_of(storage.cast()) }?;
    let slot: *mut Slot<S::Value> = storage.cast();
    if is_busy(seal) {
        return Err(Failure::new(UCM_HA_ERR_BUSY));
    }
    seal.store(0, Ordering::Relaxed);
    // SAFETY: as above, and no call is using the value. An old value is forgotten and not dropped: values of the library
    // own nothing but their bytes.
    fill(unsafe { &mut (*slot).value }, make);
    close(seal);
    Ok(())
}

/// A function of its own: told that `place` is memory for the value and nothing else, the compiler has `make` write it there,
/// and not to the stack first.
#[inline(never)]
fn fill<T>(place: &mut MaybeUninit<T>, make: impl FnOnce() -> T) {
    place.write(make());
}

/// Wipes the storage. Afterwards it counts as never initialised.
///
/// # Safety
/// As for [`init`].
pub(super) unsafe fn wipe<S: Storage>(storage: *mut S) -> Result<(), Failure> {
    // SAFETY: promised by the caller.
    let seal = unsafe { open(storage.cast()) }?;
    seal.store(0, Ordering::Relaxed);
    // SAFETY: as above; zero bytes are integers too.
    unsafe { storage.write_bytes(0, 1) };
    Ok(())
}

/// Runs `call` on the value in the storage.
///
/// # Safety
/// As for [`init`].
pub(super) unsafe fn with<S: Storage, R>(
    storage: *mut S,
    call: impl FnOnce(&mut S::Value) -> Result<R, Failure>,
) -> Result<R, Failure> {
    // SAFETY: promised by the caller.
    let seal = unsafe { open(storage.cast()) }?;
    let slot: *mut Slot<S::Value> = storage.cast();
    // SAFETY: the seal says that a value is there, and that no other call uses it.
    let outcome = call(unsafe { (*slot).value.assume_init_mut() });
    close(seal);
    outcome
}

/// Runs `call` on the value in the storage, which other calls may be using too.
///
/// # Safety
/// `storage` is NULL, misaligned, or points to memory of its type that nobody initialises now.
pub(super) unsafe fn shared<S: Storage, R>(storage: *const S, call: impl FnOnce(&S::Value) -> R) -> Result<R, Failure>
where
    S::Value: Sync,
{
    // SAFETY: promised by the caller.
    let seal = unsafe { seal_of(storage.cast()) }?;
    let slot: *const Slot<S::Value> = storage.cast();
    if seal.load(Ordering::Acquire) != here(READY, seal) {
        return Err(Failure::new(UCM_HA_ERR_NOT_INITIALISED));
    }
    // SAFETY: the seal says that a value is there; it may be shared.
    Ok(call(unsafe { (*slot).value.assume_init_ref() }))
}

/// The seal, which stands first in every storage.
///
/// # Safety
/// As for [`shared`], and aligned as [`fits`] demands.
unsafe fn seal_of<'a>(storage: *const u64) -> Result<&'a AtomicU32, Failure> {
    memory::check(storage)?;
    // SAFETY: checked above and promised by the caller; an atomic of any bits is a value.
    Ok(unsafe { &*storage.cast() })
}

/// The seal of a storage whose value now belongs to this call. One function for all types, since nearly every call needs it.
///
/// # Safety
/// As for [`init`].
#[inline(never)]
unsafe fn open<'a>(storage: *mut u64) -> Result<&'a AtomicU32, Failure> {
    // SAFETY: promised by the caller.
    let seal = unsafe { seal_of(storage) }?;
    if is_busy(seal) {
        return Err(Failure::new(UCM_HA_ERR_BUSY));
    }
    if seal.load(Ordering::Relaxed) != here(READY, seal) {
        return Err(Failure::new(UCM_HA_ERR_NOT_INITIALISED));
    }
    // Acquire and release keep what a call does between its two stores, as an interrupt sees it.
    seal.store(here(BUSY, seal), Ordering::Relaxed);
    core::sync::atomic::compiler_fence(Ordering::Acquire);
    Ok(seal)
}

#[inline(never)]
fn close(seal: &AtomicU32) {
    seal.store(here(READY, seal), Ordering::Release);
}

fn is_busy(seal: &AtomicU32) -> bool {
    seal.load(Ordering::Acquire) == here(BUSY, seal)
}

/// The mark as it stands in this very seal.
fn here(mark: u32, seal: &AtomicU32) -> u32 {
    mark ^ core::ptr::from_ref(seal).addr() as u32
}
