//! Where the lab's files are, and its programs.

use crate::error::Context;
use crate::plan::Node;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the lab keeps its files: a file system in memory that only the lab sees.
pub const ROOT: &str = "/run";
/// The program itself, even where its file was replaced since.
pub const SELF_EXE: &str = "/proc/self/exe";
/// The name by which the lab starts a daemon. The lab's own program is one where it has this name.
pub const DAEMON: &str = "ucm-ha";
/// Names another program to run in the nodes, as the command `ucm-ha lab` names itself.
const PROGRAM_VARIABLE: &str = "UCM_HA";

/// Whether this process was started as a daemon.
pub(crate) fn is_daemon() -> bool {
    let name = env::args_os().next();
    name.is_some_and(|name| Path::new(&name).file_name() == Some(OsStr::new(DAEMON)))
}

/// The program that runs in the nodes.
pub fn daemon_program() -> PathBuf {
    env::var_os(PROGRAM_VARIABLE).map_or_else(|| SELF_EXE.into(), PathBuf::from)
}

/// The program that runs in this node: another one where it has one of its own, named by `UCM_HA_A` or `UCM_HA_B`.
pub(crate) fn program_of(node: Node) -> PathBuf {
    own_program(node).unwrap_or_else(daemon_program)
}

fn own_program(node: Node) -> Option<PathBuf> {
    env::var_os(format!("{PROGRAM_VARIABLE}_{node}")).map(PathBuf::from)
}

/// Whether a node runs another program than the other one, of another version perhaps.
pub(crate) fn is_mixed() -> bool {
    Node::ALL.into_iter().any(|node| own_program(node).is_some())
}

/// Its file, for those who start it from outside the lab.
pub(crate) fn daemon_file() -> io::Result<PathBuf> {
    fs::canonicalize(daemon_program()).context("cannot find the daemon's program")
}

/// Where the daemon of `node` has its files.
pub fn directory(node: Node) -> PathBuf {
    PathBuf::from(ROOT).join(node.to_string().to_lowercase())
}

/// Its configuration.
pub fn config_file(node: Node) -> PathBuf {
    directory(node).join("config.toml")
}

/// Where it remembers what survives a restart.
pub(crate) fn state_dir(node: Node) -> PathBuf {
    directory(node).join("state")
}

/// What it says.
pub(crate) fn log_file(node: Node) -> PathBuf {
    directory(node).join("log")
}

/// Where it has its sockets.
pub(crate) fn run_dir(node: Node) -> PathBuf {
    directory(node).join("run")
}

/// The socket for kicks of a node's services.
pub(crate) fn kick_socket(node: Node) -> PathBuf {
    run_dir(node).join("kick.sock")
}

/// The pid file of a node's service.
pub(crate) fn pid_file(node: Node) -> PathBuf {
    directory(node).join("service.pid")
}

/// A file for each simulated FXO port.
pub(crate) fn fxo_dir(node: Node) -> PathBuf {
    directory(node).join("fxo")
}
