//! A fault line of one port on a GPIO chip of the kernel.

use super::board::Board;
use crate::settings::GpioLine;
use gpiocdev::Request;
use gpiocdev::line::EdgeDetection;
use gpiocdev_embedded_hal::InputPin;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use ucm_ha::fault::Faults;
use ucm_ha::fxo::fault_line::FaultLines;
use ucm_ha::fxo::{LineInterface, Report};
use ucm_ha::time::Instant;

/// Who uses the line, as `gpioinfo` shows it.
const CONSUMER: &str = "ucm-ha";
/// Room for events that are read at once. What is in them does not matter: the line is read.
const EVENTS_LEN: usize = 1024;

struct Line {
    line: FaultLines<InputPin>,
    /// Tells of edges, where the chip can interrupt.
    edges: Option<OwnedFd>,
}

/// Takes the line as an input.
pub(super) fn open(line: &GpioLine) -> io::Result<Box<dyn Board>> {
    // A chip that cannot interrupt refuses edges; its lines are read in turn only.
    let (request, tells) = match request(line, true) {
        Ok(request) => (request, true),
        Err(_) => (request(line, false)?, false),
    };
    let edges = tells.then(|| request.as_fd().try_clone_to_owned()).transpose()?;
    let pin = InputPin::try_from(request).map_err(io::Error::other)?;
    let lines = heapless::Vec::from_iter([(pin, line.polarity)]);
    Ok(Box::new(Line { line: FaultLines::new(lines), edges }))
}

fn request(line: &GpioLine, edges: bool) -> io::Result<Request> {
    let mut builder = Request::builder();
    builder.on_chip(&line.chip).with_consumer(CONSUMER).with_line(line.offset).as_input();
    if edges {
        builder.with_edge_detection(EdgeDetection::BothEdges);
    }
    builder.request().map_err(io::Error::other)
}

impl LineInterface for Line {
    fn ports(&self) -> u8 {
        self.line.ports()
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        self.line.poll(port, now)
    }
}

impl Board for Line {
    fn news(&self) -> Option<BorrowedFd<'_>> {
        self.edges.as_ref().map(AsFd::as_fd)
    }

    fn take_news(&mut self) -> Faults {
        let mut events = [0; EVENTS_LEN];
        // A line that cannot be read any more is news as well; the look that follows finds out.
        let _read = self.edges.as_ref().map(|fd| rustix::io::read(fd, &mut events));
        Faults::FXO1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ucm_ha::fxo::fault_line::Polarity;

    #[test]
    fn a_chip_that_is_missing_or_none_is_refused_with_its_reason() {
        let cases = [
            ("/dev/no-such-gpiochip", "No such file or directory (os error 2)"),
            ("/dev/null", "\"/dev/null\" is not a GPIO character device."),
        ];
        for (chip, reason) in cases {
            let line = GpioLine { chip: chip.into(), offset: 4, polarity: Polarity::ActiveLow };
            assert_eq!(open(&line).err().map(|error| error.to_string()).as_deref(), Some(reason), "{chip}");
        }
    }
}
