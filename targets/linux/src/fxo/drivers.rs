//! Which drivers the settings ask for.

use super::boards::Boards;
use super::guarded::{self, Guarded};
use super::{dahdi, gpio, sim, spi};
use crate::settings::Fxo;
use rustix::fs::{Access, access};
use std::path::PathBuf;
use ucm_ha::time::Duration;

/// Files that DAHDI shows its channels in.
const DAHDI_DIR: &str = "/proc/dahdi";

/// How often ports are looked at that nothing points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The device tells of changes: seldom, in case it did not.
    Told,
    /// Nobody tells: often.
    Asked,
}

impl Pace {
    pub(super) const fn quiet_interval(self) -> Duration {
        match self {
            Self::Told => Duration::from_ms(1000),
            Self::Asked => Duration::from_ms(100),
        }
    }
}

/// The drivers of the `ports` FXO ports that are configured.
pub(super) fn boards(fxo: &Fxo, ports: u8) -> Boards {
    let mut boards = Boards::new();
    match fxo.clone() {
        Fxo::Si3050 { spi, framing } => {
            let name = spi.display().to_string();
            boards.add(Guarded::new(name, ports, Box::new(move || spi::open(&spi, framing, ports))));
        }
        Fxo::Gpio { lines } => {
            for line in lines {
                let name = format!("{}:{}", line.chip.display(), line.offset);
                boards.add(Guarded::new(name, 1, Box::new(move || gpio::open(&line))));
            }
        }
        Fxo::Dahdi => {
            let mut dahdi = dahdi::Dahdi::new(PathBuf::from(DAHDI_DIR), ports);
            boards.add(Guarded::new(DAHDI_DIR.to_owned(), ports, Box::new(move || dahdi.open())));
        }
        Fxo::Sim { dir } => {
            let name = dir.display().to_string();
            boards.add(Guarded::new(name, ports, Box::new(move || sim::open(&dir, ports))));
        }
    }
    boards
}

/// How often their ports are looked at.
pub(super) const fn pace(fxo: &Fxo) -> Pace {
    match fxo {
        Fxo::Sim { .. } => Pace::Told,
        // A line whose chip cannot interrupt tells of nothing, so lines are asked often as well.
        Fxo::Gpio { .. } | Fxo::Si3050 { .. } | Fxo::Dahdi => Pace::Asked,
    }
}

/// What of the configured devices is missing or not permitted now. The daemon runs nevertheless, and waits for it.
pub(crate) fn missing(fxo: &Fxo) -> Vec<String> {
    let look = |key: &str, path: &std::path::Path, how: Access| {
        let error = access(path, how).err()?;
        Some(format!("fxo.{key}: {} cannot be used: {error}; {}", path.display(), guarded::CONSEQUENCE))
    };
    let read_write = Access::READ_OK | Access::WRITE_OK;
    let found = match fxo {
        Fxo::Si3050 { spi, .. } => vec![look("spi", spi, read_write)],
        Fxo::Gpio { lines } => lines.iter().map(|line| look("lines", &line.chip, read_write)).collect(),
        Fxo::Dahdi => vec![look("driver", DAHDI_DIR.as_ref(), Access::READ_OK)],
        Fxo::Sim { dir } => vec![look("sim", dir, Access::READ_OK | Access::EXEC_OK)],
    };
    let mut said: Vec<String> = found.into_iter().flatten().collect();
    said.dedup();
    said
}
