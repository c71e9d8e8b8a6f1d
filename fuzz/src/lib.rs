//! What the fuzz targets share: a script read from the fuzzer's bytes, and the other end of the pair.
#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "it calls the C interface")]
pub mod c;
pub mod course;
pub mod peer;
pub mod script;
pub mod seal;
pub mod settings;
