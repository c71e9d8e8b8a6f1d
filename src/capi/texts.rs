//! Texts of numbers that follow each other, in one string: a pointer for each would cost as much as half of the text.

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
            $crate::capi::texts::assert_in_order(&[$($number as i64),*]);
            $crate::capi::texts::Texts::new(concat!($($text, "\0"),*).as_bytes())
        }
    };
}
pub(super) use texts;

/// Evaluated by the compiler only.
pub(super) const fn assert_in_order(numbers: &[i64]) {
    let mut at = 0;
    while at < numbers.len() {
        assert!(numbers[at].unsigned_abs() == at as u64, "the numbers follow each other from 0 on");
        at += 1;
    }
}
