//! FXO ports with one digital fault line each, on boards that judge their chips themselves.

use super::{FaultKind, LineInterface, MAX_PORTS, Notices, Report, Verdict};
use crate::time::Instant;
use embedded_hal::digital::InputPin;
use heapless::Vec;

/// The level of a fault line that means a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Polarity {
    /// High means a fault.
    ActiveHigh,
    /// Low means a fault.
    ActiveLow,
}

/// The fault lines of a board, in port order.
#[derive(Debug)]
pub struct FaultLines<P> {
    lines: Vec<(P, Polarity), MAX_PORTS>,
}

impl<P: InputPin> FaultLines<P> {
    /// The lines of the ports from 0 on.
    pub const fn new(lines: Vec<(P, Polarity), MAX_PORTS>) -> Self {
        Self { lines }
    }

    /// Takes one more line, unless there are [`MAX_PORTS`].
    #[cfg(feature = "capi")]
    pub(crate) fn add(&mut self, pin: P, polarity: Polarity) -> Result<(), (P, Polarity)> {
        self.lines.push((pin, polarity))
    }
}

impl<P: InputPin> LineInterface for FaultLines<P> {
    fn ports(&self) -> u8 {
        u8::try_from(self.lines.len()).unwrap_or(u8::MAX)
    }

    fn poll(&mut self, port: u8, _now: Instant) -> Option<Report> {
        let (pin, polarity) = self.lines.get_mut(usize::from(port))?;
        let asserted = match polarity {
            Polarity::ActiveHigh => pin.is_high(),
            Polarity::ActiveLow => pin.is_low(),
        };
        let verdict = match asserted {
            Ok(false) => Verdict::Healthy,
            Ok(true) => Verdict::Fault(FaultKind::FaultLine),
            // Embedded HAL names no further kinds of pin errors, so nothing is lost here.
            Err(_) => Verdict::Fault(FaultKind::FaultLineUnreadable),
        };
        Some(Report { verdict, notices: Notices::empty() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::MockError;
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};
    use std::io::ErrorKind;

    /// What a port reports whose pin goes through `levels`.
    fn verdicts<const N: usize>(polarity: Polarity, levels: [Transaction; N]) -> [Verdict; N] {
        let mut pin = Mock::new(&levels);
        let mut lines = FaultLines::new(Vec::from_iter([(pin.clone(), polarity)]));
        let verdicts = levels.map(|_| lines.poll(0, Instant::ZERO).unwrap().verdict);
        pin.done();
        verdicts
    }

    #[test]
    fn an_asserted_line_is_a_fault_in_either_polarity() {
        let asserted = Verdict::Fault(FaultKind::FaultLine);
        let levels = || [Transaction::get(State::Low), Transaction::get(State::High)];
        assert_eq!(verdicts(Polarity::ActiveHigh, levels()), [Verdict::Healthy, asserted]);
        assert_eq!(verdicts(Polarity::ActiveLow, levels()), [asserted, Verdict::Healthy]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_a_fault_and_may_recover() {
        let broken = Transaction::get(State::Low).with_error(MockError::Io(ErrorKind::TimedOut));
        let levels = [broken, Transaction::get(State::Low)];
        let expected = [Verdict::Fault(FaultKind::FaultLineUnreadable), Verdict::Healthy];
        assert_eq!(verdicts(Polarity::ActiveHigh, levels), expected);
    }

    #[test]
    fn a_port_without_a_line_is_no_port() {
        let mut lines = FaultLines::<Mock>::new(Vec::new());
        assert_eq!(lines.poll(0, Instant::ZERO), None);
    }
}
