//! The machine's firmware: an initial RAM file system with kernel modules, busybox and the daemon.

use crate::rig::TIMEOUT_S;
use cpio::newc::{Builder, ModeFileType, trailer};
use lab::error::Context;
use lab::plan::{CLUSTER_IP, GATEWAY, Node, Wire};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use ucm_ha::types::StationType;

const INIT: &str = include_str!("../../machine/init");
const CONFIG: &str = include_str!("../../machine/config.toml");
const FOLDERS: [&str; 12] =
    ["bin", "data", "dev", "etc", "etc/ucm-ha", "lib", "lib/modules", "proc", "run", "sys", "tmp", "usr"];

/// One of the two versions of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Firmware {
    /// The one under test.
    Current,
    /// The same with the next version number.
    Next,
}

impl Firmware {
    fn version(self) -> &'static str {
        match self {
            Self::Current => "1.0.10.2",
            Self::Next => "1.0.11.0",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Current => "ucm-ha",
            Self::Next => "ucm-ha-next",
        }
    }
}

/// Writes the image for `node` from the machine's `parts`.
pub(super) fn write(node: Node, firmware: Firmware, parts: &Path, image: &Path) -> io::Result<()> {
    let output = File::create(image).context(format_args!("cannot write {}", image.display()))?;
    let mut archive = Archive { output: BufWriter::new(output) };
    for folder in FOLDERS.into_iter().chain(["usr/sbin"]) {
        archive.add(folder, ModeFileType::Directory, 0o755, &[])?;
    }
    archive.add("init", ModeFileType::Regular, 0o755, INIT.as_bytes())?;
    archive.add("lib/config.toml", ModeFileType::Regular, 0o644, config(node).as_bytes())?;
    archive.add("lib/firmware-version", ModeFileType::Regular, 0o644, firmware.version().as_bytes())?;
    archive.add("bin/sh", ModeFileType::Symlink, 0o777, b"busybox")?;
    archive.add_file("bin/busybox", &parts.join("debian/busybox"))?;
    archive.add_file("bin/hil-guest", &parts.join("guest"))?;
    archive.add_file("usr/sbin/ucm-ha", &parts.join(firmware.program()))?;
    for module in modules(&parts.join("debian/modules"))? {
        let name = module.file_name().unwrap_or_default().to_string_lossy().into_owned();
        archive.add_file(&format!("lib/modules/{name}"), &module)?;
    }
    trailer(archive.output).and_then(|mut output| output.flush())
}

/// The modules, in the order in which they are loaded.
fn modules(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context(format_args!("no kernel modules in {}", folder.display()))?;
    let mut modules: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    modules.sort();
    Ok(modules)
}

struct Archive {
    output: BufWriter<File>,
}

impl Archive {
    fn add(&mut self, name: &str, kind: ModeFileType, permissions: u32, content: &[u8]) -> io::Result<()> {
        let len = u32::try_from(content.len()).map_err(io::Error::other)?;
        let entry = Builder::new(name).mode(permissions).set_mode_file_type(kind);
        let mut writer = entry.write(&mut self.output, len);
        writer.write_all(content)?;
        writer.finish().map(drop)
    }

    fn add_file(&mut self, name: &str, file: &Path) -> io::Result<()> {
        let content = fs::read(file).context(format_args!("cannot read {}", file.display()))?;
        self.add(name, ModeFileType::Regular, 0o755, &content)
    }
}

fn config(node: Node) -> String {
    let station_type = match node.station_type() {
        StationType::Primary => "primary",
        StationType::Secondary => "secondary",
    };
    CONFIG
        .replace("{station_type}", station_type)
        .replace("{cluster_ip}", &CLUSTER_IP.to_string())
        .replace("{peer_ip}", &node.peer().address().address.to_string())
        .replace("{peer_mac}", &node.peer().mac(Wire::Lan).to_string())
        .replace("{gateway}", &GATEWAY.address.to_string())
        .replace("{timeout_s}", &TIMEOUT_S.to_string())
}
