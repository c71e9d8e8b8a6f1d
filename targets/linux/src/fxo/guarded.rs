//! A board whose device may be missing at first, vanish, and come back.

use super::board::{Board, all_ports};
use std::io;
use std::os::fd::BorrowedFd;
use ucm_ha::fault::Faults;
use ucm_ha::fxo::{FaultKind, LineInterface, Notices, Observation, Report, Verdict, fault_of_port};
use ucm_ha::time::{Duration, Instant};

/// Time between two attempts to open a device.
const RETRY_PAUSE: Duration = Duration::from_s(1);
/// A port that was never there is not judged for this long after the start: its driver may be loaded after the daemon.
const GRACE: Duration = Duration::from_s(10);
/// What an administrator should know where a device is missing.
pub(super) const CONSEQUENCE: &str =
    "without it its FXO ports count as faulty; see that the device exists and that the daemon may open it";

/// Opens a device.
pub(super) type Open = Box<dyn FnMut() -> io::Result<Box<dyn Board>>>;

/// A board that is opened, and opened again, as its device allows.
pub(super) struct Guarded {
    name: String,
    ports: u8,
    open: Open,
    board: Option<Box<dyn Board>>,
    retry_at: Instant,
    /// When the first look was made.
    started: Option<Instant>,
    /// The ports that were there at least once.
    seen: Faults,
    /// Why the device cannot be opened, once said.
    complaint: Option<String>,
    /// Whether it was opened anew because it does not answer, and has not answered since.
    failing: bool,
}

impl Guarded {
    /// A board of `ports` ports whose device is opened at the first look.
    pub(super) fn new(name: String, ports: u8, open: Open) -> Self {
        let (retry_at, seen) = (Instant::ZERO, Faults::empty());
        Self { name, ports, open, board: None, retry_at, started: None, seen, complaint: None, failing: false }
    }

    /// See [`Board::news`].
    pub(super) fn news(&self) -> Option<BorrowedFd<'_>> {
        self.board.as_ref()?.news()
    }

    /// See [`Board::take_news`].
    pub(super) fn take_news(&mut self) -> Faults {
        self.board.as_mut().map_or(Faults::empty(), |board| board.take_news()) & all_ports(self.ports)
    }

    fn keep_open(&mut self, now: Instant) {
        if self.board.is_some() || now < self.retry_at {
            return;
        }
        self.retry_at = now + RETRY_PAUSE;
        match (self.open)() {
            Ok(board) => {
                if self.complaint.take().is_some() || !self.failing {
                    log::info!("FXO: {} is open", self.name);
                }
                self.board = Some(board);
            }
            Err(error) => {
                let complaint = error.to_string();
                if self.complaint.as_ref() != Some(&complaint) {
                    log::error!("FXO: {} cannot be opened: {complaint}; {CONSEQUENCE}; trying again", self.name);
                    self.complaint = Some(complaint);
                }
            }
        }
    }

    /// A device that fails is closed and opened anew: it may be another one under the same name.
    fn reopen_failing(&mut self, verdict: Verdict, now: Instant) {
        match verdict {
            Verdict::Fault(FaultKind::Bus(_) | FaultKind::FaultLineUnreadable | FaultKind::Missing) => {
                if now >= self.retry_at && self.board.take().is_some() {
                    if !self.failing {
                        log::warn!("FXO: {} does not answer; opening it again", self.name);
                    }
                    self.failing = true;
                    self.keep_open(now);
                }
            }
            Verdict::NotAFault(Observation::Starting | Observation::Settling) => {}
            Verdict::Healthy | Verdict::NotAFault(_) | Verdict::Fault(_) => {
                if self.failing {
                    log::info!("FXO: {} answers again", self.name);
                }
                self.failing = false;
            }
        }
    }

    /// What is missing is a fault, but one that was never there gets its time.
    fn judge_missing(&mut self, port: u8, report: Report, now: Instant) -> Report {
        let started = *self.started.get_or_insert(now);
        if report.verdict != Verdict::Fault(FaultKind::Missing) {
            self.seen |= fault_of_port(port);
            return report;
        }
        let may_appear = !self.seen.contains(fault_of_port(port)) && now < started + GRACE;
        let verdict = if may_appear { Verdict::NotAFault(Observation::Starting) } else { report.verdict };
        Report { verdict, ..report }
    }
}

impl LineInterface for Guarded {
    fn ports(&self) -> u8 {
        self.ports
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        if port >= self.ports {
            return None;
        }
        self.keep_open(now);
        let missing = Report { verdict: Verdict::Fault(FaultKind::Missing), notices: Notices::empty() };
        let report = self.board.as_mut().and_then(|board| board.poll(port, now)).unwrap_or(missing);
        self.reopen_failing(report.verdict, now);
        Some(self.judge_missing(port, report, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A device of two ports as the test has it: not there, or with these verdicts.
    type Device = Rc<RefCell<Option<[Verdict; 2]>>>;

    struct Opened(Device);

    impl LineInterface for Opened {
        fn ports(&self) -> u8 {
            2
        }

        fn poll(&mut self, port: u8, _now: Instant) -> Option<Report> {
            let gone = [Verdict::Fault(FaultKind::FaultLineUnreadable); 2];
            let verdict = self.0.borrow().unwrap_or(gone)[usize::from(port)];
            Some(Report { verdict, notices: Notices::empty() })
        }
    }

    impl Board for Opened {}

    fn guarded(device: &Device) -> (Guarded, Rc<RefCell<u32>>) {
        let (device, opened) = (Rc::clone(device), Rc::new(RefCell::new(0)));
        let count = Rc::clone(&opened);
        let open = move || -> io::Result<Box<dyn Board>> {
            *count.borrow_mut() += 1;
            if device.borrow().is_none() {
                return Err(io::Error::from_raw_os_error(libc::ENOENT));
            }
            Ok(Box::new(Opened(Rc::clone(&device))))
        };
        (Guarded::new("/dev/test".to_owned(), 2, Box::new(open)), opened)
    }

    fn verdict(board: &mut Guarded, ms: u64) -> Verdict {
        board.poll(0, Instant::from_ms(ms)).unwrap().verdict
    }

    const HEALTHY: [Verdict; 2] = [Verdict::Healthy; 2];
    const STARTING: Verdict = Verdict::NotAFault(Observation::Starting);
    const MISSING: Verdict = Verdict::Fault(FaultKind::Missing);

    #[test]
    fn a_device_that_never_appears_is_a_fault_after_ten_seconds_and_tried_once_a_second() {
        let (mut board, opened) = guarded(&Device::default());
        for ms in (5000..15_000).step_by(100) {
            assert_eq!(verdict(&mut board, ms), STARTING, "{ms}");
        }
        assert_eq!(verdict(&mut board, 15_000), MISSING);
        assert_eq!(*opened.borrow(), 11);
    }

    #[test]
    fn a_device_that_appears_after_the_start_is_taken() {
        let device = Device::default();
        let (mut board, _) = guarded(&device);
        assert_eq!(verdict(&mut board, 0), STARTING);
        *device.borrow_mut() = Some(HEALTHY);
        assert_eq!(verdict(&mut board, 900), STARTING, "not tried more often than once a second");
        assert_eq!(verdict(&mut board, 1000), Verdict::Healthy);
    }

    #[test]
    fn a_device_that_vanishes_is_a_fault_at_once_and_taken_again_when_it_returns() {
        let device = Device::new(RefCell::new(Some(HEALTHY)));
        let (mut board, opened) = guarded(&device);
        assert_eq!(verdict(&mut board, 2000), Verdict::Healthy);
        *device.borrow_mut() = None;
        assert_eq!(verdict(&mut board, 2100), Verdict::Fault(FaultKind::FaultLineUnreadable));
        for ms in (3000..6000).step_by(100) {
            assert!(matches!(verdict(&mut board, ms), Verdict::Fault(_)), "{ms}");
        }
        *device.borrow_mut() = Some(HEALTHY);
        assert_eq!(verdict(&mut board, 7000), Verdict::Healthy);
        assert_eq!(*opened.borrow(), 5);
    }

    #[test]
    fn a_port_that_was_never_there_beside_one_that_is_gets_its_time_too() {
        let device = Device::new(RefCell::new(Some([Verdict::Healthy, MISSING])));
        let (mut board, _) = guarded(&device);
        assert_eq!(verdict(&mut board, 0), Verdict::Healthy);
        assert_eq!(board.poll(1, Instant::from_ms(0)).map(|report| report.verdict), Some(STARTING));
        assert_eq!(board.poll(1, Instant::from_ms(10_000)).map(|report| report.verdict), Some(MISSING));
        assert_eq!(board.poll(2, Instant::from_ms(0)), None);
    }
}
