//! Memory of the caller's, painted so that a write shows, and pointers into it that are right, NULL or misaligned.

use crate::script::Script;
use core::marker::PhantomData;
use ucm_ha::capi::{UCM_HA_ERR_MISALIGNED, UCM_HA_ERR_NOT_INITIALISED, UCM_HA_ERR_NULL, UCM_HA_OK};

/// Where a pointer points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Right,
    Null,
    Odd,
}

impl At {
    /// Mostly right.
    pub(super) fn chosen(script: &mut Script<'_>) -> Self {
        match script.byte() {
            0xff => Self::Null,
            0xfe => Self::Odd,
            _ => Self::Right,
        }
    }
}

/// Everything that is wrong with a call, as result codes.
#[derive(Debug, Default)]
pub(super) struct Wrongs(Vec<i32>);

impl Wrongs {
    pub(super) fn note(&mut self, wrong: bool, code: i32) {
        self.0.extend(wrong.then_some(code));
    }

    /// A pointer to a `T` is wrong.
    pub(super) fn note_pointer<T>(&mut self, at: At) {
        self.note(at == At::Null, UCM_HA_ERR_NULL);
        self.note(at == At::Odd && align_of::<T>() > 1, UCM_HA_ERR_MISALIGNED);
    }

    /// Whether the call succeeded, as it must if and only if nothing was wrong.
    pub(super) fn judge(&self, code: i32) -> bool {
        match self.0.as_slice() {
            [] => assert_eq!(code, UCM_HA_OK, "refused, though nothing is wrong"),
            wrongs => assert!(wrongs.contains(&code), "result {code}, but wrong are {wrongs:?}"),
        }
        code == UCM_HA_OK
    }
}

/// Room for one `T`, and for one that is misaligned. The type has no padding, or is storage whose content nobody looks at.
pub(super) struct Place<T> {
    words: Box<[u64]>,
    of: PhantomData<T>,
}

impl<T> Place<T> {
    pub(super) fn painted(paint: u8) -> Self {
        let words = size_of::<T>().div_ceil(size_of::<u64>()) + 1;
        Self { words: vec![u64::from_ne_bytes([paint; 8]); words].into(), of: PhantomData }
    }

    pub(super) fn pointer(&mut self, at: At) -> *mut T {
        let right: *mut T = self.words.as_mut_ptr().cast();
        match at {
            At::Right => right,
            At::Null => core::ptr::null_mut(),
            At::Odd => right.cast::<u8>().wrapping_add(1).cast(),
        }
    }

    /// All words, those beside the value too.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: as many bytes as the words have, of which every pattern is a value.
        unsafe { core::slice::from_raw_parts(self.words.as_ptr().cast(), size_of_val(&*self.words)) }
    }
}

impl<T: Copy> Place<T> {
    pub(super) fn holding(value: T) -> Self {
        let mut place = Self::painted(0);
        // SAFETY: the place is aligned for words, which every type of the interface is content with, and has room.
        unsafe { place.pointer(At::Right).write(value) };
        place
    }
}

/// What `call` writes to its output, of which `wrongs` says whether it succeeds. Otherwise nothing may be written, and beside
/// the output nothing at all.
pub(super) fn output<T: Copy>(at: At, paint: u8, mut wrongs: Wrongs, call: impl FnOnce(*mut T) -> i32) -> Option<T> {
    wrongs.note_pointer::<T>(at);
    let mut place = Place::<T>::painted(paint);
    let done = wrongs.judge(call(place.pointer(at)));
    // A byte is never misaligned.
    let start = usize::from(at == At::Odd);
    let written = if done { start..start + size_of::<T>() } else { 0..0 };
    for (offset, byte) in place.bytes().iter().enumerate() {
        assert!(written.contains(&offset) || *byte == paint, "byte {offset} is written, the output is {written:?}");
    }
    // SAFETY: the call has succeeded, so the output is a value; a byte may stand anywhere.
    done.then(|| unsafe { place.pointer(at).read() })
}

/// Storage of the library's.
pub(super) struct Store<S> {
    place: Place<S>,
    initialised: bool,
}

impl<S> Store<S> {
    pub(super) fn new(paint: u8) -> Self {
        Self { place: Place::painted(paint), initialised: false }
    }

    pub(super) const fn is_initialised(&self) -> bool {
        self.initialised
    }

    pub(super) const fn set_initialised(&mut self, initialised: bool) {
        self.initialised = initialised;
    }

    pub(super) fn words(&self) -> &[u64] {
        self.place.words()
    }

    /// The right pointer, for a call that does not fail by its storage.
    pub(super) fn right(&mut self) -> *mut S {
        self.place.pointer(At::Right)
    }

    /// What is wrong with the storage, for all functions but those that initialise.
    pub(super) fn wrongs(&self, at: At) -> Wrongs {
        let mut wrongs = Wrongs::default();
        wrongs.note_pointer::<S>(at);
        wrongs.note(at == At::Right && !self.initialised, UCM_HA_ERR_NOT_INITIALISED);
        wrongs
    }

    /// Runs a call on the storage. One that fails must leave it alone.
    pub(super) fn call(&mut self, at: At, wrongs: &Wrongs, call: impl FnOnce(*mut S) -> i32) -> bool {
        let before = self.place.words().to_vec();
        let done = wrongs.judge(call(self.place.pointer(at)));
        assert!(done || before == self.place.words(), "a failed call has changed the storage");
        done
    }

    /// Runs a call on the storage that has an output too.
    pub(super) fn ask<T: Copy>(
        &mut self,
        script: &mut Script<'_>,
        more: Wrongs,
        call: impl FnOnce(*mut S, *mut T) -> i32,
    ) -> Option<T> {
        let (at, output_at, paint) = (At::chosen(script), At::chosen(script), script.byte());
        let mut wrongs = self.wrongs(at);
        wrongs.0.extend(more.0);
        let before = self.place.words().to_vec();
        let storage = self.place.pointer(at);
        let value = output(output_at, paint, wrongs, |output| call(storage, output));
        assert!(value.is_some() || before == self.place.words(), "a failed call has changed the storage");
        value
    }
}
