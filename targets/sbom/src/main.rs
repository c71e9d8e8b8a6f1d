//! Writes what is linked into a product: `sbom.cdx.json` (CycloneDX) and `third-party-licences.txt`.
//!
//! `ucm-ha-sbom FOLDER PRODUCT CRATES [NAME VERSION LICENCE]…` reads the output of `cargo metadata` on stdin. CRATES is a file with
//! a line `NAME VERSION` for each crate, as `cargo tree` knows it. What is no crate (the standard library, the C library) is named by
//! the arguments. A crate whose licence is not allowed, or that does not come from crates.io, is an error.

mod bill;
mod licence;
mod notices;
mod part;

use cargo_metadata::Metadata;
use part::{Part, System};
use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

const USAGE: &str = "usage: ucm-ha-sbom FOLDER PRODUCT CRATES [NAME VERSION LICENCE]…";

fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                eprintln!("targets/sbom: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Vec<String>> {
    let [folder, product, crates, systems @ ..] = arguments else { return Err(vec![USAGE.into()]) };
    let systems = systems.chunks(3).map(System::new).collect::<Option<Vec<_>>>().ok_or(vec![USAGE.into()])?;
    let metadata: Metadata = serde_json::from_reader(io::stdin()).map_err(one("cargo metadata on stdin"))?;
    let crates = fs::read_to_string(crates).map_err(one(crates))?;
    let parts = part::of(&metadata, product, &crates)?;
    let problems: Vec<_> = parts.iter().filter_map(Part::problem).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let write = |name: &str, text: String| {
        let file = Path::new(folder).join(name);
        fs::write(&file, text).map_err(one(&file.display().to_string()))
    };
    write("sbom.cdx.json", bill::text(product, &parts, &systems, &metadata))?;
    write("third-party-licences.txt", notices::text(&parts, &systems)?)?;
    println!(
        "{} crates of crates.io, {} of this project",
        parts.iter().filter(|part| part.foreign).count(),
        parts.iter().filter(|part| !part.foreign).count()
    );
    Ok(())
}

/// An error as a list of one, with what it is about.
fn one<E: Display>(what: &str) -> impl FnOnce(E) -> Vec<String> {
    move |error| vec![format!("{what}: {error}")]
}
