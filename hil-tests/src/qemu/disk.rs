//! A machine's disk: configuration and state, which survive a power cut.

use lab::error::Context;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;

/// Its size; a journal needs most of it.
const SIZE_BYTES: u64 = 16 << 20;

/// Makes a new and empty one.
pub(super) fn make(file: &Path) -> io::Result<()> {
    File::create(file).and_then(|disk| disk.set_len(SIZE_BYTES)).context("cannot make a machine's disk")?;
    let output = Command::new("mke2fs")
        .args(["-q", "-t", "ext4", "-F"])
        .arg(file)
        .output()
        .context("cannot run mke2fs (package e2fsprogs)")?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("cannot make a machine's file system: {}", reason.trim())))
}
