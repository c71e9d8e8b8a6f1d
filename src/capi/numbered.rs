//! Values and their numbers in C: one table each, from which conversions and names come.
//!
//! The constants themselves are written out, because the generator of the header reads them. A value of the enum without a
//! row does not compile, and a row without a name cannot be written: the name is that of the constant.

use super::result::{Failure, UCM_HA_ERR_UNKNOWN_VALUE};
use super::texts::Names;

/// The failure of a number that is none of the named values.
pub(super) const UNKNOWN: Failure = Failure::new(UCM_HA_ERR_UNKNOWN_VALUE);

/// A value that has a number in C.
pub(super) trait Numbered: Sized {
    type Number;

    fn number(self) -> Self::Number;

    fn of_number(number: Self::Number) -> Result<Self, Failure>;
}

/// A value that has a name in C, too: that of its constant.
pub(super) trait Named: Numbered {
    const NAMES: Names;
}

/// [`Numbered`] for an enum: its values, and their constants.
macro_rules! numbered {
    ($type:ident as $number:ident: $($value:ident = $constant:ident,)*) => {
        impl $crate::capi::numbered::Numbered for $type {
            type Number = $number;

            fn number(self) -> $number {
                match self { $(Self::$value => $constant,)* }
            }

            fn of_number(number: $number) -> Result<Self, $crate::capi::result::Failure> {
                Ok(match number {
                    $($constant => Self::$value,)*
                    _ => return Err($crate::capi::numbered::UNKNOWN),
                })
            }
        }
    };
}

/// [`Numbered`] and [`Named`] for an enum: its values, and their constants in the order of their numbers. A constant before
/// them stands for no value.
macro_rules! named {
    ($type:ident: $prefix:literal; $([$none:ident])? $($value:ident = $constant:ident,)*) => {
        $crate::capi::numbered::numbered! { $type as u8: $($value = $constant,)* }

        impl $crate::capi::numbered::Named for $type {
            const NAMES: $crate::capi::texts::Names = $crate::capi::texts::names! { $prefix: $($none,)? $($constant,)* };
        }
    };
}

pub(super) use {named, numbered};
