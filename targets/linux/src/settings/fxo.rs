//! Section `[fxo]`: what leads to the FXO ports of this board.

use super::reader::Reader;
use super::values as v;
use crate::text::repeated;
use std::path::PathBuf;
use ucm_ha::fxo::fault_line::Polarity;
use ucm_ha::fxo::si3050::Framing;
use ucm_ha::types::Model;

/// What leads to the FXO ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fxo {
    /// Si3050-class chips on one chip select, in port order.
    Si3050 {
        /// The SPI device.
        spi: PathBuf,
        /// How the board pulses chip select.
        framing: Framing,
    },
    /// A fault line for each port, in port order.
    Gpio {
        /// The lines.
        lines: Vec<GpioLine>,
    },
    /// The channels of DAHDI.
    Dahdi,
    /// A directory with a file for each port.
    Sim {
        /// The directory.
        dir: PathBuf,
    },
}

/// A line of a GPIO chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GpioLine {
    /// The chip's device.
    pub(crate) chip: PathBuf,
    /// The line's number on the chip.
    pub(crate) offset: u32,
    /// The level that means a fault.
    pub(crate) polarity: Polarity,
}

/// Reads `[fxo]`. The settings of the drivers that are not chosen are checked too: one file may serve several boards.
pub(super) fn read(mut r: Reader<'_>, model: Option<Model>) -> Option<Fxo> {
    let driver = r.mandatory("driver", "\"si3050\", \"gpio\", \"dahdi\" or \"sim\"", |value| match v::text(value)? {
        name @ ("si3050" | "gpio" | "dahdi" | "sim") => Ok(name.to_owned()),
        _ => Err("must be \"si3050\", \"gpio\", \"dahdi\" or \"sim\"".to_owned()),
    });
    let spi = r.optional("spi", v::absolute_path);
    let framing = r.or("framing", Framing::Byte, |value| match v::text(value)? {
        "byte" => Ok(Framing::Byte),
        "word" => Ok(Framing::Word),
        _ => Err("must be \"byte\" or \"word\"".to_owned()),
    });
    let lines = r.optional("lines", v::list(gpio_line));
    let sim = r.optional("sim", v::absolute_path);
    match driver.as_deref() {
        Some("si3050") => r.require("spi", "the SPI device, as in \"/dev/spidev0.0\""),
        Some("gpio") => r.require("lines", "one fault line per FXO port, as in [\"/dev/gpiochip0:4\"]"),
        Some("sim") => r.require("sim", "a directory with a file per port"),
        Some(_) | None => {}
    }
    if let (Some("gpio"), Some(lines)) = (driver.as_deref(), &lines) {
        check_lines(&mut r, lines, model);
    }
    r.finish();
    match driver.as_deref()? {
        "si3050" => Some(Fxo::Si3050 { spi: spi?, framing }),
        "gpio" => Some(Fxo::Gpio { lines: lines? }),
        "dahdi" => Some(Fxo::Dahdi),
        _ => Some(Fxo::Sim { dir: sim? }),
    }
}

fn check_lines(r: &mut Reader<'_>, lines: &[GpioLine], model: Option<Model>) {
    if let Some(model) = model
        && lines.len() != usize::from(model.fxo_ports())
    {
        let (lines, name, ports) = (lines.len(), model.name(), model.fxo_ports());
        r.refuse("lines", format!("names {lines} lines; the {name} has {ports} FXO ports, give one line for each"));
    }
    let same = |a: &GpioLine, b: &GpioLine| (&a.chip, a.offset) == (&b.chip, b.offset);
    let twice = lines.iter().enumerate().find(|(i, line)| lines.iter().skip(i + 1).any(|other| same(line, other)));
    if let Some((_, GpioLine { chip, offset, .. })) = twice {
        let line = repeated(&format!("{}:{offset}", chip.display()));
        r.refuse("lines", format!("gives \"{line}\" to two ports; give each port its own line"));
    }
}

/// A fault line of one FXO port: `CHIP:OFFSET`, with `!` in front where it is active low.
fn gpio_line(text: &str) -> Result<GpioLine, String> {
    let (polarity, line) = match text.strip_prefix('!') {
        Some(line) => (Polarity::ActiveLow, line),
        None => (Polarity::ActiveHigh, text),
    };
    let parsed = line.rsplit_once(':').and_then(|(chip, offset)| {
        let plain = chip.starts_with('/') && offset.bytes().all(|digit| digit.is_ascii_digit());
        let offset = offset.parse().ok().filter(|_| plain)?;
        Some(GpioLine { chip: PathBuf::from(chip), offset, polarity })
    });
    parsed.ok_or_else(|| {
        let text = repeated(text);
        format!("\"{text}\" is not a GPIO line; write \"/dev/gpiochip0:4\", with \"!\" in front for active low")
    })
}
