//! The licences of the parts, with the texts that must go with them.

use crate::part::{Part, System};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// How the files begin in which crates keep licences and notices.
const FILES: [&str; 5] = ["licen", "copying", "unlicense", "notice", "copyright"];
const RULE: &str = "--------------------------------------------------------------------------------";

/// A table of the parts, then each text once, with the parts that it is of.
pub(crate) fn text(parts: &[Part<'_>], systems: &[System]) -> Result<String, Vec<String>> {
    let mut out = String::from("What others wrote and is in this program, and under which licence.\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.foreign) {
        let name = format!("{} {}", part.package.name, part.package.version);
        line(&mut out, &name, part.licence.as_deref().unwrap_or_default());
        for text in files(part.package.manifest_path.as_std_path())? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    for system in systems {
        line(&mut out, &format!("{} {}", system.name, system.version), &system.licence);
    }
    for (text, names) in texts {
        // Writing to a string does not fail.
        let _ = write!(out, "\n{RULE}\n{}\n{RULE}\n\n{}\n", names.join("\n"), text.trim_end());
    }
    Ok(out)
}

fn line(out: &mut String, name: &str, licence: &str) {
    let _ = writeln!(out, "{name:<40} {licence}");
}

/// The texts beside a manifest.
fn files(manifest: &Path) -> Result<Vec<String>, Vec<String>> {
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let error = |error| vec![format!("{}: {error}", folder.display())];
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if FILES.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            names.push(entry.path());
        }
    }
    names.sort();
    names
        .iter()
        .map(|name| fs::read(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(error))
        .collect()
}
