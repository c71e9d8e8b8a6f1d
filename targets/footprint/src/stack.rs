//! How much stack a call takes: the memory below is painted before it and looked at afterwards.

use core::hint::black_box;

const PAINT: u32 = 0xC5C5_5A5A;
/// Painted bytes; a call that needs more is reported as this many.
const PAINTED_BYTES: usize = 8192;
const WORD_BYTES: usize = size_of::<u32>();
/// Left alone below the caller, for the frames of `paint` and `untouched_bytes` themselves.
const OWN_BYTES: usize = 128;

/// Runs `call`, and says how many bytes of stack it took (at least [`OWN_BYTES`], at most all that was painted).
#[inline(never)]
pub fn measure<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let lowest = paint();
    let result = black_box(call());
    (result, OWN_BYTES + PAINTED_BYTES - untouched_bytes(lowest))
}

/// Paints the stack below its caller, and returns the lowest address that it painted. Counted from its own frame: the
/// caller's may be larger than what is left alone.
#[inline(never)]
fn paint() -> usize {
    let here = 0_u32;
    let base = (black_box(&raw const here) as usize) & !(WORD_BYTES - 1);
    let lowest = base - OWN_BYTES - PAINTED_BYTES;
    for offset in (0..PAINTED_BYTES).step_by(WORD_BYTES) {
        let word = core::ptr::with_exposed_provenance_mut::<u32>(lowest + offset);
        // SAFETY: the word is aligned and lies in RAM below the stack pointer, in memory nobody uses now: the board's RAM
        // holds nothing between the statics at its bottom and the stack at its top, and no interrupt comes while it is
        // measured.
        unsafe { word.write_volatile(PAINT) };
    }
    lowest
}

#[inline(never)]
fn untouched_bytes(lowest: usize) -> usize {
    let untouched = |offset: &usize| {
        let word = core::ptr::with_exposed_provenance::<u32>(lowest + offset);
        // SAFETY: as in `paint`, which has written the word.
        unsafe { word.read_volatile() == PAINT }
    };
    (0..PAINTED_BYTES).step_by(WORD_BYTES).take_while(untouched).count() * WORD_BYTES
}
