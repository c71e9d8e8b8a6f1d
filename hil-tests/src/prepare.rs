//! What the rigs are built from, and the rigs themselves.

use crate::Backend;
use crate::qemu::{Board, Qemu};
use crate::rig::Rig;
use lab::error::Context;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where parts and reports are.
pub(crate) fn output() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Path::new(WORKSPACE).join(target).join("hil")
}

/// Builds and fetches the parts of a backend. Needs the network the first time.
pub(crate) fn prepare(backend: Backend) -> io::Result<()> {
    let kinds: &[&str] = match backend {
        Backend::Qemu => &["aarch64"],
        Backend::QemuMixed => &["aarch64", "armv7"],
        Backend::Bench => &[],
    };
    for kind in kinds {
        let script = Path::new(WORKSPACE).join("hil-tests/prepare");
        let status =
            Command::new(&script).arg(kind).status().context(format_args!("cannot run {}", script.display()))?;
        if !status.success() {
            return Err(io::Error::other(format!("hil-tests/prepare {kind} failed; what it said stands above")));
        }
    }
    Ok(())
}

/// Builds a rig from its parts.
pub(crate) fn build(backend: Backend) -> io::Result<Box<dyn Rig>> {
    let parts = output();
    match backend {
        Backend::Qemu => Ok(Box::new(Qemu::build([Board::Aarch64; 2], &parts)?)),
        Backend::QemuMixed => Ok(Box::new(Qemu::build([Board::Aarch64, Board::Armv7], &parts)?)),
        Backend::Bench => Err(io::Error::other("a bench is not built but opened")),
    }
}
