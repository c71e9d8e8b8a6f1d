//! The configuration file: what it says, and everything that is wrong with it.
//!
//! `file` needs the file's text only; [`resolve`] compares it with the interfaces of this machine.

mod diff;
mod file;
mod fxo;
mod key_file;
mod programs;
mod reader;
mod resolve;
mod sections;
mod shared;
mod tables;
mod template;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use diff::changed_keys;
#[cfg(any(test, fuzzing))]
pub(crate) use file::parse;
pub(crate) use file::{MAX_ENTRIES, read};
pub(crate) use fxo::{Fxo, GpioLine};
pub(crate) use programs::missing as missing_programs;
pub(crate) use reader::{Problem, one_line};
pub(crate) use resolve::{Resolved, resolve};
pub(crate) use shared::shared;
pub(crate) use tables::{Fault, Network, Notify, NotifyTarget, Paths, PidSource, Probe, Sections, Service};
pub(crate) use template::{Template, Values};
pub(crate) use values::check_service_name;

/// Where the configuration stands unless `--config` names another file.
pub(crate) const DEFAULT_CONFIG_FILE: &str = "/etc/ucm-ha/config.toml";
