//! Takes the configuration file apart, and says what is wrong with it.

use super::reader::{Problem, Reader, shown};
use super::tables::{Sections, Service};
use super::{fxo, sections};
use crate::regular_file;
use crate::text::{cut, escaped};
use std::path::Path;
use toml::{Table, Value};

/// Longest configuration file that is read, in bytes.
const MAX_FILE_LEN: u64 = 1024 * 1024;
/// Most entries of `[[service]]` and of `[[notify]]`.
pub(crate) const MAX_ENTRIES: usize = 32;

/// Reads `file` and parses it.
pub(crate) fn read(file: &Path, problems: &mut Vec<Problem>) -> Option<Sections> {
    match regular_file::read_text(file, MAX_FILE_LEN) {
        Ok(text) => parse(&text, problems),
        Err(error) => {
            problems.push(Problem {
                key: file.display().to_string(),
                value: None,
                reason: format!("cannot be read: {error}; name the configuration with --config FILE"),
                passing: false,
            });
            None
        }
    }
}

/// Parses the text of a configuration file. `None` when it is not TOML at all.
pub(crate) fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Sections> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            problems.push(syntax_problem(text, &error));
            return None;
        }
    };
    let empty = Table::new();
    let device = sections::device(section("device", &table, &empty, problems));
    let ha = sections::ha(section("ha", &table, &empty, problems));
    let pair = sections::PairAddresses {
        cluster: ha.as_ref().map(|ha| ha.cluster_ip.0),
        peer: ha.as_ref().map(|ha| ha.peer_ip),
    };
    let network = sections::network(section("network", &table, &empty, problems), &pair);
    let paths = sections::paths(section("paths", &table, &empty, problems));
    let daemon = sections::daemon(section("daemon", &table, &empty, problems));
    let fault = sections::fault(section("fault", &table, &empty, problems));
    let model = device.as_ref().map(|device| device.model);
    let fxo_settings = table.contains_key("fxo").then(|| fxo::read(section("fxo", &table, &empty, problems), model));
    let services = services(&table, problems);
    let notify = entries("notify", &table, problems);
    let notify = notify.into_iter().filter_map(|(path, entry)| {
        let reader = Reader::new(path.clone(), entry, problems);
        sections::notify(reader, path)
    });
    let notify = notify.collect();
    refuse_unknown_sections(&table, problems);
    let fxo = fxo_settings.flatten();
    Some(Sections { ha, network, device, paths, daemon, fault, notify, fxo, services, table })
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let hint = line.and_then(|line| text.lines().nth(line - 1)).and_then(hint).unwrap_or_default();
    Problem {
        key: line.map_or_else(|| "configuration".to_owned(), |line| format!("line {line}")),
        value: None,
        reason: format!("is not TOML: {}{hint}", escaped(&error.message().replace('\n', ", "))),
        passing: false,
    }
}

/// How a line would be TOML whose value lacks its quotes; or is a yes where there must be a true.
fn hint(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte);
    let is_bare = !value.is_empty() && value.bytes().all(bare);
    let meant = match value {
        "yes" | "on" | "True" | "TRUE" => "true".to_owned(),
        "no" | "off" | "False" | "FALSE" => "false".to_owned(),
        _ => format!("\"{value}\""),
    };
    let meant = format!("{key} = {meant}");
    let is_toml = |line: &str| line.parse::<Table>().is_ok();
    (is_bare && !is_toml(line) && is_toml(&meant)).then(|| format!("; write {}", cut(meant)))
}

/// A reader of section `name`; of an empty one when it is missing or not a section.
fn section<'a>(name: &'static str, table: &'a Table, empty: &'a Table, problems: &'a mut Vec<Problem>) -> Reader<'a> {
    let section = match table.get(name) {
        None => empty,
        Some(Value::Table(section)) => section,
        Some(other) => {
            problems.push(Problem {
                key: name.to_owned(),
                value: Some(shown(other)),
                reason: format!("must be a section; write [{name}] and its settings below"),
                passing: false,
            });
            empty
        }
    };
    Reader::new(name, section, problems)
}

/// The entries of `[[name]]` with their paths.
fn entries<'a>(name: &str, table: &'a Table, problems: &mut Vec<Problem>) -> Vec<(String, &'a Table)> {
    let mut refuse = |value: &Value, reason: String| {
        problems.push(Problem { key: name.to_owned(), value: Some(shown(value)), reason, passing: false });
    };
    let Some(value) = table.get(name) else { return Vec::new() };
    let listed = value.as_array().map(|list| list.iter().map(Value::as_table).collect::<Option<Vec<_>>>());
    let Some(Some(listed)) = listed else {
        refuse(value, format!("must be a list of sections; write [[{name}]] for each"));
        return Vec::new();
    };
    if listed.len() > MAX_ENTRIES {
        refuse(value, format!("has {} entries; at most {MAX_ENTRIES} are allowed", listed.len()));
    }
    listed.into_iter().take(MAX_ENTRIES).enumerate().map(|(i, entry)| (format!("{name}[{i}]"), entry)).collect()
}

fn services(table: &Table, problems: &mut Vec<Problem>) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for (path, entry) in entries("service", table, problems) {
        let Some(service) = sections::service(Reader::new(path.clone(), entry, problems)) else { continue };
        if services.iter().any(|other| other.name == service.name) {
            problems.push(Problem {
                key: format!("{path}.name"),
                value: Some(format!("{:?}", service.name)),
                reason: "is used by another [[service]]; give each its own name".to_owned(),
                passing: false,
            });
        }
        services.push(service);
    }
    services
}

fn refuse_unknown_sections(table: &Table, problems: &mut Vec<Problem>) {
    let mut sections = Reader::new("", table, problems);
    for known in ["ha", "network", "device", "paths", "daemon", "fault", "fxo", "service", "notify"] {
        // Presence is all that matters here; the sections were read before.
        let _present: Option<()> = sections.optional(known, |_| Ok(()));
    }
    sections.finish();
}
