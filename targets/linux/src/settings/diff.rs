//! Which settings differ between two readings of the file.

use super::tables::Sections;
use toml::{Table, Value};

/// The dotted names of the settings that differ, in the file's order. Lists and repeated sections count as one setting.
pub(crate) fn changed_keys(old: &Sections, new: &Sections) -> Vec<String> {
    let mut changed = Vec::new();
    compare("", &old.table, &new.table, &mut changed);
    changed
}

fn compare(path: &str, old: &Table, new: &Table, changed: &mut Vec<String>) {
    let empty = Table::new();
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (old.get(key), new.get(key)) {
            (Some(Value::Table(old)), Some(Value::Table(new))) => compare(&name, old, new, changed),
            (Some(Value::Table(gone)), None) => compare(&name, gone, &empty, changed),
            (None, Some(Value::Table(added))) => compare(&name, &empty, added, changed),
            (old, new) if old != new => changed.push(name),
            _ => {}
        }
    }
}
