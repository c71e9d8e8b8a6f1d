//! The checked-in C header is what the sources say. With feature `header`: `cargo test --features header --test header`.
#![cfg(feature = "header")]

use std::path::Path;

#[test]
fn the_checked_in_header_is_the_generated_one() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/ucm_ha.h"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/ucm_ha.h");
    let differ = std::fs::read_to_string(&path).map_or(true, |checked_in| checked_in != generated);
    if differ && std::env::var_os("UCM_HA_UPDATE_HEADER").is_some() {
        std::fs::write(&path, generated).expect("the header can be written");
        return;
    }
    assert!(!differ, "include/ucm_ha.h differs from src/capi; set UCM_HA_UPDATE_HEADER=1 to write it anew");
}
