//! Reads one table of the configuration and collects what is wrong with it.

use crate::text::cut;
use std::fmt;
use toml::{Table, Value};

/// One thing that is wrong with the configuration: `key = value: reason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Dotted name of the setting, e.g. `ha.cluster_ip`.
    pub(crate) key: String,
    /// What stands in the file, where something does.
    pub(crate) value: Option<String>,
    /// What is wrong and what to do.
    pub(crate) reason: String,
    /// Whether it may end by itself, as when an interface appears: the daemon waits for that.
    pub(crate) passing: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {}: {}", self.key, value, self.reason),
            None => write!(f, "{}: {}", self.key, self.reason),
        }
    }
}

/// Several problems on one line.
pub(crate) fn one_line(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// `value` as it would stand in the file, on one line and not too long.
pub(crate) fn shown(value: &Value) -> String {
    cut(written(value))
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(entries) => format!("[{}]", entries.iter().map(written).collect::<Vec<_>>().join(", ")),
        other => other.to_string().replace(char::is_control, " "),
    }
}

/// `key` as it would stand in the file, on one line and not too long.
fn shown_key(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    cut(if !key.is_empty() && key.bytes().all(bare) { key.to_owned() } else { format!("{key:?}") })
}

/// Reads the settings of one table. A key counts as known once it was asked for.
pub(super) struct Reader<'a> {
    path: String,
    table: &'a Table,
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: impl Into<String>, table: &'a Table, problems: &'a mut Vec<Problem>) -> Self {
        Self { path: path.into(), table, known: Vec::new(), problems }
    }

    /// The value of `key`, if it is there and `parse` takes it. What `parse` refuses becomes a problem.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(key);
        let value = self.table.get(key)?;
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                self.refuse(key, reason);
                None
            }
        }
    }

    /// As [`optional`](Self::optional) and [`require`](Self::require).
    pub(super) fn mandatory<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.require(key, wanted);
        self.optional(key, parse)
    }

    /// As [`optional`](Self::optional); `default` stands for a missing or refused value.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> T {
        self.optional(key, parse).unwrap_or(default)
    }

    /// A missing `key` is a problem whose reason tells to set it to `wanted`.
    pub(super) fn require(&mut self, key: &str, wanted: &str) {
        if !self.has(key) {
            self.refuse(key, format!("is missing; set it to {wanted}"));
        }
    }

    /// Whether `key` stands in the table.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Records a problem with `key`.
    pub(super) fn refuse(&mut self, key: &str, reason: impl Into<String>) {
        self.problems.push(Problem {
            key: dotted(&self.path, key),
            value: self.table.get(key).map(shown),
            reason: reason.into(),
            passing: false,
        });
    }

    /// Every key that nobody asked for is a problem that names the nearest known one.
    pub(super) fn finish(mut self) {
        let unknown: Vec<&String> = self.table.keys().filter(|key| !self.known.contains(&key.as_str())).collect();
        for key in unknown {
            let reason = match nearest(key, &self.known) {
                Some(near) => format!("is not a setting; did you mean {}?", dotted(&self.path, near)),
                None => "is not a setting; remove it".to_owned(),
            };
            self.refuse(key, reason);
        }
    }
}

fn dotted(path: &str, key: &str) -> String {
    let key = shown_key(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    known.iter().copied().min_by(|a, b| {
        let (a, b) = (strsim::jaro_winkler(key, a), strsim::jaro_winkler(key, b));
        b.total_cmp(&a)
    })
}
