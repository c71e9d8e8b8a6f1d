//! Texts of consecutive numbers, in one string: a pointer to each would cost half as much as the texts.

use core::ffi::{CStr, c_char};

/// The texts of the numbers from 0 on, each ended by its NUL.
pub(super) struct Texts(&'static [u8]);

impl Texts {
    /// Refuses, at compile time, a text without its NUL.
    pub(super) const fn new(joined: &'static [u8]) -> Self {
        assert!(matches!(joined, [.., 0]), "every text ends with its NUL");
        Self(joined)
    }

    /// The text of `number`, or `unknown` if it has none.
    #[inline(never)]
    pub(super) fn get(&self, number: u32, unknown: &'static CStr) -> *const c_char {
        let (mut rest, mut number) = (self.0, number);
        while let [first, after @ ..] = rest {
            if number == 0 {
                return rest.as_ptr().cast();
            }
            number -= u32::from(*first == 0);
            rest = after;
        }
        unknown.as_ptr()
    }
}

/// [`Texts`] of the constants named, which must be those from 0 on, in their order.
macro_rules! texts {
    ($($number:ident => $text:literal,)*) => {
        const {
            $crate::capi::texts::assert_in_order(&[$($number as i64),*], 0);
            $crate::capi::texts::Texts::new(concat!($($text, "\0"),*).as_bytes())
        }
    };
}
pub(super) use texts;

/// Names of the numbers from `first` on.
pub(super) struct Names {
    first: u8,
    texts: Texts,
}

impl Names {
    /// Evaluated by the compiler only.
    pub(super) const fn new(first: u8, joined: &'static [u8]) -> Self {
        Self { first, texts: Texts::new(joined) }
    }

    /// The name of `number`, or "unknown". A number below the first wraps to one that has no name.
    pub(super) fn get(&self, number: u8) -> *const c_char {
        self.texts.get(number.wrapping_sub(self.first).into(), c"unknown")
    }
}

/// [`Names`] of the constants named: what stands behind the prefix, in small letters. Their numbers must follow each other;
/// those of bits are their places.
macro_rules! names {
    ($prefix:literal: $($constant:ident,)*) => {
        $crate::capi::texts::names!(@ $prefix, [$($constant as i64),*], $($constant),*)
    };
    ($prefix:literal bits: $($constant:ident,)*) => {
        $crate::capi::texts::names!(@ $prefix, [$($constant.trailing_zeros() as i64),*], $($constant),*)
    };
    (@ $prefix:literal, $numbers:expr, $($constant:ident),*) => {{
        const NUMBERS: &[i64] = &$numbers;
        const CONSTANTS: &[&str] = &[$(stringify!($constant)),*];
        const JOINED: &[u8] =
            &$crate::capi::texts::joined::<{ $crate::capi::texts::joined_len($prefix, CONSTANTS) }>($prefix, CONSTANTS);
        $crate::capi::texts::assert_in_order(NUMBERS, NUMBERS[0].unsigned_abs());
        $crate::capi::texts::Names::new(NUMBERS[0] as u8, JOINED)
    }};
}
pub(super) use names;

/// Evaluated by the compiler only.
pub(super) const fn assert_in_order(numbers: &[i64], first: u64) {
    let mut at = 0;
    while at < numbers.len() {
        assert!(numbers[at].unsigned_abs() == first + at as u64, "the numbers follow each other");
        at += 1;
    }
}

/// What stands behind the prefix of each constant, in small letters, with the NUL that C wants. Evaluated by the compiler only.
pub(super) const fn joined<const LEN: usize>(prefix: &str, constants: &[&str]) -> [u8; LEN] {
    let mut text = [0; LEN];
    let (mut constant, mut at) = (0, 0);
    while constant < constants.len() {
        let name = constants[constant].as_bytes();
        let mut byte = 0;
        while byte < name.len() {
            if byte < prefix.len() {
                assert!(name[byte] == prefix.as_bytes()[byte], "the constants begin with the prefix");
            } else {
                text[at] = name[byte].to_ascii_lowercase();
                at += 1;
            }
            byte += 1;
        }
        (constant, at) = (constant + 1, at + 1);
    }
    text
}

/// Length of all the names together. Evaluated by the compiler only.
pub(super) const fn joined_len(prefix: &str, constants: &[&str]) -> usize {
    let (mut constant, mut len) = (0, 0);
    while constant < constants.len() {
        len += constants[constant].len() - prefix.len() + 1;
        constant += 1;
    }
    len
}
