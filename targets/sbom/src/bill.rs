//! The bill of materials, as CycloneDX 1.5. It has no date and no random serial number: the same sources give the same bill.

use crate::part::{Part, System};
use cargo_metadata::{DependencyKind, Metadata};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The bill of a product that consists of these parts.
pub(crate) fn text(product: &str, parts: &[Part<'_>], systems: &[System], metadata: &Metadata) -> String {
    let (root, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| part.package.name == product);
    let mut components: Vec<Value> = others.into_iter().map(component).collect();
    components.extend(systems.iter().map(system));
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": root.first().map(|root| component(root)) },
        "components": components,
        "dependencies": dependencies(parts, metadata),
    });
    format!("{bill:#}\n")
}

fn component(part: &Part<'_>) -> Value {
    let mut value = json!({
        "type": "library",
        "bom-ref": part.purl(),
        "name": part.package.name,
        "version": part.package.version,
        "licenses": [{ "expression": part.licence.as_deref().unwrap_or_default() }],
    });
    if part.foreign {
        value["purl"] = part.purl().into();
    }
    value
}

fn system(system: &System) -> Value {
    json!({
        "type": "library",
        "bom-ref": format!("{}@{}", system.name, system.version),
        "name": system.name,
        "version": system.version,
        "licenses": [{ "expression": system.licence }],
    })
}

/// Which part uses which.
fn dependencies(parts: &[Part<'_>], metadata: &Metadata) -> Vec<Value> {
    let purls: HashMap<_, _> = parts.iter().map(|part| (&part.package.id, part.purl())).collect();
    let nodes: HashMap<_, _> =
        metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (&node.id, node)).collect();
    let used = |part: &Part<'_>| {
        let mut used: Vec<_> = nodes
            .get(&part.package.id)
            .into_iter()
            .flat_map(|node| &node.deps)
            .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal))
            .filter_map(|dep| purls.get(&dep.pkg))
            .collect();
        used.sort();
        json!({ "ref": part.purl(), "dependsOn": used })
    };
    parts.iter().map(used).collect()
}
