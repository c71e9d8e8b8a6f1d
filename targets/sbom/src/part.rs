//! What a product consists of.

use crate::licence;
use cargo_metadata::{Metadata, Package};
use std::collections::BTreeSet;

/// A crate.
pub(crate) struct Part<'a> {
    pub(crate) package: &'a Package,
    /// Its licence, or why it may not be there.
    pub(crate) licence: Result<String, String>,
    /// Not of this project.
    pub(crate) foreign: bool,
}

/// What is linked besides crates.
pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
}

impl System {
    /// `None` unless there are three.
    pub(crate) fn new(arguments: &[String]) -> Option<Self> {
        let [name, version, licence] = arguments else { return None };
        Some(Self { name: name.clone(), version: version.clone(), licence: licence.clone() })
    }
}

impl Part<'_> {
    /// What keeps it out of the product.
    pub(crate) fn problem(&self) -> Option<String> {
        let id = format!("{} {}", self.package.name, self.package.version);
        if let Some(source) = self.package.source.as_ref().filter(|source| !source.is_crates_io()) {
            return Some(format!("{id} comes from {source}; only crates.io is allowed"));
        }
        self.licence.as_ref().err().map(|why| format!("{id} {why}"))
    }

    /// Its name in the world.
    pub(crate) fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.package.name, self.package.version)
    }
}

/// The crates of a list, in the order of their names and versions. `product` must be one of them.
pub(crate) fn of<'a>(metadata: &'a Metadata, product: &str, list: &str) -> Result<Vec<Part<'a>>, Vec<String>> {
    let wanted: BTreeSet<&str> = list.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let mut parts: Vec<_> =
        metadata.packages.iter().filter(|package| wanted.contains(id(package).as_str())).map(part).collect();
    parts.sort_by(|a, b| (&a.package.name, &a.package.version).cmp(&(&b.package.name, &b.package.version)));
    let known: BTreeSet<String> = parts.iter().map(|part| id(part.package)).collect();
    let mut problems: Vec<_> = wanted
        .iter()
        .filter(|line| !known.contains(**line))
        .map(|line| format!("'{line}' is not in cargo metadata"))
        .collect();
    if !parts.iter().any(|part| part.package.name == product) {
        problems.push(format!("'{product}' is not in the list of crates"));
    }
    if problems.is_empty() { Ok(parts) } else { Err(problems) }
}

fn id(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

fn part(package: &Package) -> Part<'_> {
    Part { package, licence: licence::check(package.license.as_deref()), foreign: package.source.is_some() }
}

#[cfg(test)]
mod tests {
    use super::{Part, of};
    use cargo_metadata::Metadata;
    use serde_json::{Value, json};

    fn package(name: &str, source: Value) -> Value {
        json!({
            "name": name, "version": "1.0.0", "id": name, "source": source, "license": "MIT",
            "dependencies": [], "targets": [], "features": {}, "manifest_path": "/Cargo.toml",
        })
    }

    fn metadata() -> Metadata {
        serde_json::from_value(json!({
            "packages": [
                package("product", Value::Null),
                package("good", json!("registry+https://github.com/rust-lang/crates.io-index")),
                package("odd", json!("git+https://example.invalid/odd#1")),
            ],
            "workspace_members": [], "workspace_root": "/", "target_directory": "/", "version": 1, "resolve": null,
        }))
        .unwrap()
    }

    #[test]
    fn a_crate_from_elsewhere_is_refused() {
        let metadata = metadata();
        let parts = of(&metadata, "product", "good 1.0.0\nodd 1.0.0\nproduct 1.0.0\n").unwrap();
        let problems: Vec<_> = parts.iter().filter_map(Part::problem).collect();
        assert_eq!(problems, ["odd 1.0.0 comes from git+https://example.invalid/odd#1; only crates.io is allowed"]);
    }

    #[test]
    fn a_crate_that_is_not_linked_is_not_named() {
        let metadata = metadata();
        let parts = of(&metadata, "product", "good 1.0.0\nproduct 1.0.0\n").unwrap();
        assert_eq!(parts.iter().map(|part| part.package.name.as_str()).collect::<Vec<_>>(), ["good", "product"]);
    }

    #[test]
    fn a_list_that_does_not_fit_is_refused() {
        let metadata = metadata();
        let problems = of(&metadata, "product", "good 2.0.0\n").err().unwrap();
        assert_eq!(problems, ["'good 2.0.0' is not in cargo metadata", "'product' is not in the list of crates"]);
    }
}
