//! The machine's watchdog.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};

/// The device. Its time was given to the driver when it was loaded, and it cannot be disarmed.
const DEVICE: &str = "/dev/watchdog";

/// The armed watchdog; `None` on a machine that has none, which is said.
pub(crate) struct Watchdog {
    device: Option<File>,
}

impl Watchdog {
    /// Opening the device arms it.
    pub(crate) fn arm() -> io::Result<Self> {
        match OpenOptions::new().write(true).open(DEVICE) {
            Ok(device) => {
                println!("hil-guest: watchdog armed");
                Ok(Self { device: Some(device) })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("hil-guest: this machine has no watchdog");
                Ok(Self { device: None })
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps it from biting.
    pub(crate) fn feed(&mut self) -> io::Result<()> {
        match &mut self.device {
            Some(device) => device.write_all(b"."),
            None => Ok(()),
        }
    }
}
