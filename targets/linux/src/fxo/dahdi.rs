//! FXO ports that DAHDI drives: its channels, as `/proc/dahdi` shows them.
//!
//! DAHDI judges no chip. What can be seen is that a channel is gone, because its module or driver died, and that is a
//! fault. Its RED alarm says that a line has no battery: an unplugged cord, and no fault.

use super::board::Board;
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use ucm_ha::fxo::{FaultKind, LineInterface, Notices, Observation, Report, Verdict};
use ucm_ha::time::{Duration, Instant};

/// The files are read once for the looks at several ports that come within this time.
const READING_LIFE: Duration = Duration::from_ms(50);
/// Spans that are read at most; each is a file.
const MAX_SPANS: usize = 128;
/// Longest file that is looked at: a span has at most 255 channels, a line each.
const MAX_FILE_LEN: u64 = 64 * 1024;
/// FXO ports are run with FXS signalling: the port stands where the telephone would.
const FXO_SIGNALLING: &str = "FXS";
/// The alarm of a channel whose line has no battery.
const NO_BATTERY: &str = "RED";

/// An FXO channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Channel {
    number: u32,
    no_battery: bool,
}

/// The channels of the text that DAHDI shows for one span.
fn fxo_channels(span: &str) -> impl Iterator<Item = Channel> {
    span.lines().filter_map(|line| {
        let mut words = line.strip_prefix('\t')?.split_whitespace();
        let number = words.next()?.parse().ok()?;
        let _name = words.next()?;
        let is_fxo = words.next()?.starts_with(FXO_SIGNALLING);
        is_fxo.then(|| Channel { number, no_battery: words.any(|word| word == NO_BATTERY) })
    })
}

/// The channels of all spans in `dir`, by their numbers.
fn read_all(dir: &Path) -> io::Result<Vec<Channel>> {
    let mut channels = Vec::new();
    for entry in fs::read_dir(dir)?.take(MAX_SPANS) {
        let mut text = String::new();
        // A span that goes away while it is read has no channels any more.
        if File::open(entry?.path()).and_then(|file| file.take(MAX_FILE_LEN).read_to_string(&mut text)).is_ok() {
            channels.extend(fxo_channels(&text));
        }
    }
    channels.sort_unstable();
    Ok(channels)
}

/// DAHDI's channels, and which of them are the ports. It remembers that while the driver is gone.
pub(super) struct Dahdi {
    dir: PathBuf,
    ports: u8,
    known: Rc<RefCell<Vec<u32>>>,
}

impl Dahdi {
    /// The first `ports` FXO channels of `dir`, by their numbers, are the ports.
    pub(super) fn new(dir: PathBuf, ports: u8) -> Self {
        Self { dir, ports, known: Rc::default() }
    }

    /// Looks whether the driver is there.
    pub(super) fn open(&mut self) -> io::Result<Box<dyn Board>> {
        fs::read_dir(&self.dir).map_err(|error| io::Error::other(format!("{error} (is the driver loaded?)")))?;
        let (dir, ports, known) = (self.dir.clone(), self.ports, Rc::clone(&self.known));
        Ok(Box::new(Channels { dir, ports, known, reading: None }))
    }
}

struct Channels {
    dir: PathBuf,
    ports: u8,
    /// The channel number of each port, as far as known.
    known: Rc<RefCell<Vec<u32>>>,
    reading: Option<(Instant, Vec<Channel>)>,
}

impl Channels {
    fn channel(&mut self, port: u8, now: Instant) -> Option<Channel> {
        let fresh = self.reading.take().filter(|(at, _)| now < *at + READING_LIFE);
        let (at, channels) = match fresh {
            Some(reading) => reading,
            None => (now, read_all(&self.dir).ok()?),
        };
        self.learn(&channels);
        let number = self.known.borrow().get(usize::from(port)).copied();
        let channel = channels.iter().find(|channel| Some(channel.number) == number).copied();
        self.reading = Some((at, channels));
        channel
    }

    /// A complete set of channels says which is which port. Until there was one, those that are there are the first.
    fn learn(&mut self, channels: &[Channel]) {
        let ports = usize::from(self.ports);
        let mut known = self.known.borrow_mut();
        if channels.len() >= ports || known.len() < ports {
            *known = channels.iter().take(ports).map(|channel| channel.number).collect();
        }
    }
}

impl LineInterface for Channels {
    fn ports(&self) -> u8 {
        self.ports
    }

    fn poll(&mut self, port: u8, now: Instant) -> Option<Report> {
        let verdict = match self.channel(port, now) {
            Some(Channel { no_battery: true, .. }) => Verdict::NotAFault(Observation::Unplugged),
            Some(_) => Verdict::Healthy,
            None => Verdict::Fault(FaultKind::Missing),
        };
        Some(Report { verdict, notices: Notices::empty() })
    }
}

impl Board for Channels {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card with two FXO and two FXS modules; the second line is unplugged.
    const ANALOG: &str = "Span 1: WCTDM/0 \"Wildcard TDM410P Board 1\" (MASTER) \n\tIRQ misses: 3\n\tTiming slips: 12\n\n\
        \t   1 WCTDM/0/0 FXSKS (In use) (EC: MG2 - INACTIVE) \n\
        \t   2 WCTDM/0/1 FXSKS (In use) RED (EC: MG2 - INACTIVE) \n\
        \t   3 WCTDM/0/2 FXOKS (In use) (EC: MG2 - ACTIVE) \n\
        \t   4 WCTDM/0/3 FXOLS \n";
    /// A card of which one module is dead, and one was never configured.
    const PARTLY: &str = "Span 2: WCTDM/1 \"Wildcard AEX410 RED LINE\" \n\n\
        \t   5 WCTDM/1/0 FXSLS \n\t   6 WCTDM/1/1 Reserved \n\t   7 WCTDM/1/2 \n\t   8 WCTDM/1/3 FXSGS BLUE YELLOW RED \n";
    /// A digital span with its alarm.
    const DIGITAL: &str = "Span 3: TE2/0/1 \"T2XXP (PCI) Card 0 Span 1\" HDB3/CCS/CRC4 RED \n\n\
        \t   9 TE2/0/1/1 Clear (In use) RED \n\t  24 TE2/0/1/16 HDLCFCS (In use) RED \n";

    fn numbers(span: &str) -> Vec<(u32, bool)> {
        fxo_channels(span).map(|channel| (channel.number, channel.no_battery)).collect()
    }

    #[test]
    fn fxo_channels_are_those_with_fxs_signalling_and_red_is_their_battery() {
        assert_eq!(numbers(ANALOG), [(1, false), (2, true)]);
        assert_eq!(numbers(PARTLY), [(5, false), (8, true)]);
        assert_eq!(numbers(DIGITAL), []);
        assert_eq!(numbers(""), []);
        assert_eq!(numbers("\t\n\t 1\n\t1 \n\tx y FXSKS\n\t-1 y FXSKS\n1 y FXSKS\n"), []);
    }

    /// A directory of spans, and what the ports of it show.
    struct Spans {
        dir: tempfile::TempDir,
        board: Box<dyn Board>,
        now_ms: u64,
    }

    impl Spans {
        fn new(ports: u8, spans: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let board = Dahdi::new(dir.path().to_owned(), ports).open().unwrap();
            let spans_dir = Self { dir, board, now_ms: 0 };
            spans.iter().for_each(|(name, text)| spans_dir.put(name, text));
            spans_dir
        }

        fn put(&self, name: &str, text: &str) {
            fs::write(self.dir.path().join(name), text).unwrap();
        }

        fn verdicts(&mut self) -> Vec<Verdict> {
            self.now_ms += 100;
            let now = Instant::from_ms(self.now_ms);
            (0..self.board.ports()).map(|port| self.board.poll(port, now).unwrap().verdict).collect()
        }
    }

    const OK: Verdict = Verdict::Healthy;
    const UNPLUGGED: Verdict = Verdict::NotAFault(Observation::Unplugged);
    const GONE: Verdict = Verdict::Fault(FaultKind::Missing);

    #[test]
    fn ports_are_the_fxo_channels_of_all_spans_in_the_order_of_their_numbers() {
        let mut spans = Spans::new(4, &[("2", PARTLY), ("3", DIGITAL), ("1", ANALOG)]);
        assert_eq!(spans.verdicts(), [OK, UNPLUGGED, OK, UNPLUGGED]);
    }

    #[test]
    fn a_red_alarm_is_never_a_fault() {
        let mut spans = Spans::new(2, &[("1", ANALOG)]);
        for _ in 0..1000 {
            assert_eq!(spans.verdicts(), [OK, UNPLUGGED]);
        }
    }

    #[test]
    fn a_channel_that_vanishes_is_the_fault_of_its_own_port() {
        let mut spans = Spans::new(2, &[("1", ANALOG)]);
        spans.verdicts();
        spans.put("1", &ANALOG.replace("WCTDM/0/0 FXSKS (In use) (EC: MG2 - INACTIVE)", "WCTDM/0/0 Reserved"));
        assert_eq!(spans.verdicts(), [GONE, UNPLUGGED]);
        spans.put("1", ANALOG);
        assert_eq!(spans.verdicts(), [OK, UNPLUGGED]);
    }

    #[test]
    fn a_driver_that_vanishes_is_the_fault_of_all_ports_until_it_returns_even_under_other_numbers() {
        let mut spans = Spans::new(2, &[("1", ANALOG)]);
        spans.verdicts();
        fs::remove_file(spans.dir.path().join("1")).unwrap();
        assert_eq!(spans.verdicts(), [GONE, GONE]);
        spans.put("1", &ANALOG.replace("\t   1 ", "\t  11 ").replace("\t   2 ", "\t  12 "));
        assert_eq!(spans.verdicts(), [OK, UNPLUGGED]);
        fs::remove_dir_all(spans.dir.path()).unwrap();
        assert_eq!(spans.verdicts(), [GONE, GONE]);
    }

    #[test]
    fn which_channel_is_which_port_is_remembered_while_the_device_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("1"), ANALOG).unwrap();
        let mut dahdi = Dahdi::new(dir.path().to_owned(), 2);
        dahdi.open().unwrap().poll(0, Instant::from_ms(0));
        fs::write(dir.path().join("1"), ANALOG.replace("WCTDM/0/0 FXSKS", "WCTDM/0/0")).unwrap();
        let mut again = dahdi.open().unwrap();
        assert_eq!(again.poll(0, Instant::from_ms(0)).map(|report| report.verdict), Some(GONE));
        assert_eq!(again.poll(1, Instant::from_ms(0)).map(|report| report.verdict), Some(UNPLUGGED));
    }

    #[test]
    fn of_too_few_channels_the_last_ports_are_missing_and_of_too_many_the_first_are_the_ports() {
        assert_eq!(Spans::new(4, &[("1", ANALOG)]).verdicts(), [OK, UNPLUGGED, GONE, GONE]);
        assert_eq!(Spans::new(1, &[("1", ANALOG)]).verdicts(), [OK]);
    }

    #[test]
    fn without_the_driver_there_is_nothing_to_open() {
        let error = Dahdi::new("/no-such-dir".into(), 1).open().err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("No such file or directory (os error 2) (is the driver loaded?)"));
    }
}
