//! The thread that looks at the ports, and the daemon's end of it.
//!
//! An access to SPI, to a GPIO line or to a file of a driver can block for as long as the driver likes, and the kernel lets
//! nobody interrupt it. So no such access is made by the loop that sends the heartbeats: a thread of its own makes them all,
//! and the loop only takes what that thread has found. A thread that comes back from no access is noticed by the loop and
//! is the fault of all ports.

use super::board::all_ports;
use super::boards::Boards;
use super::drivers::{Pace, boards, pace};
use super::words;
use crate::clock;
use crate::settings::{Fault, Fxo};
use mio::Waker;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use ucm_ha::debounce::{Debounce, Edge, Limits, Sample};
use ucm_ha::fault::Faults;
use ucm_ha::fxo::{MAX_PORTS, Poller, PollerSettings, Report, Update, fault_of_port};
use ucm_ha::time::{Duration, Instant};
use ucm_ha_control::status::FxoPort;

/// Time between two looks at a port whose state may be about to change …
const INTERVAL_MS: u32 = 100;
/// … or as much less as three looks within the raise time need, but no less than this.
const SHORTEST_INTERVAL_MS: u32 = 20;
/// A port that changes all the time is looked at no more often than this.
const HURRY_PAUSE: Duration = Duration::from_ms(10);
/// Updates that may wait for the loop; the thread waits with more.
const MAX_WAITING: usize = 64;
/// How often the loop looks whether the thread is stuck, …
const LOOK_INTERVAL: Duration = Duration::from_ms(500);
/// … for how long it must be so, …
const STUCK_AFTER_MS: u32 = 1500;
/// … and for how long it must run again.
const UNSTUCK_AFTER_MS: u32 = 2000;
/// Stack of the thread, in bytes.
const STACK_LEN: usize = 256 * 1024;

/// Something the daemon should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A fault was raised, and what is wrong, or cleared.
    Fault {
        /// The ports.
        faults: Faults,
        /// What is wrong, where it was raised.
        raised: Option<String>,
    },
    /// These ports have been judged for the first time.
    Known(Faults),
    /// A condition that is worth an alert, and no fault, began or ended.
    Notice {
        /// The port.
        faults: Faults,
        /// What.
        notice: &'static str,
        /// Began or ended.
        raised: bool,
    },
}

#[derive(Default)]
struct Shared {
    /// Rounds of the thread so far.
    rounds: AtomicU64,
    /// Nobody listens any more.
    ended: AtomicBool,
}

/// An update, and the ports that are not judged yet.
struct Message {
    update: Update,
    fault: Option<String>,
    unknown: Faults,
}

/// The daemon's end.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    messages: Receiver<Message>,
    ports: u8,
    /// What the poller says.
    raised: Faults,
    unknown: Faults,
    /// What the daemon was told.
    told: Faults,
    reports: [Option<Report>; MAX_PORTS],
    stuck: Debounce,
    rounds_seen: u64,
    look_at: Instant,
}

impl Watch {
    /// Starts the thread. `waker` wakes the loop when there is news.
    pub(crate) fn start(fxo: &Fxo, ports: u8, fault: &Fault, waker: Arc<Waker>) -> io::Result<Self> {
        let settings = poller_settings(pace(fxo), fault);
        let fxo = fxo.clone();
        Self::start_with(move || boards(&fxo, ports), ports, settings, waker)
    }

    fn start_with(
        open: impl FnOnce() -> Boards + Send + 'static,
        ports: u8,
        settings: PollerSettings,
        waker: Arc<Waker>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (report, messages) = sync_channel(MAX_WAITING);
        let worker = Worker { shared: Arc::clone(&shared), report, waker };
        let run = move || worker.run(open(), settings);
        std::thread::Builder::new().name("fxo".to_owned()).stack_size(STACK_LEN).spawn(run)?;
        let (raised, told, unknown) = (Faults::empty(), Faults::empty(), all_ports(ports));
        let stuck = Debounce::new(Limits::from_ms(STUCK_AFTER_MS, UNSTUCK_AFTER_MS));
        let (rounds_seen, look_at) = (0, clock::now() + LOOK_INTERVAL);
        let reports = [None; MAX_PORTS];
        Ok(Self { shared, messages, ports, raised, unknown, told, reports, stuck, rounds_seen, look_at })
    }

    /// When [`Self::news`] is to be called at the latest.
    pub(crate) const fn deadline(&self) -> Instant {
        self.look_at
    }

    /// The ports that stand as faulty.
    pub(crate) const fn standing(&self) -> Faults {
        self.told
    }

    /// The ports that have not been judged yet.
    pub(crate) const fn unknown(&self) -> Faults {
        self.unknown
    }

    /// What is new since the last call.
    pub(crate) fn news(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        while let Ok(message) = self.messages.try_recv() {
            self.take(&message, &mut news);
        }
        if self.look_at <= now {
            self.look_at = now + LOOK_INTERVAL;
            self.look_at_thread(now, &mut news);
        }
        news
    }

    fn take(&mut self, message: &Message, news: &mut Vec<News>) {
        let Update { port, report, notices_raised, notices_cleared, fault } = message.update;
        let faults = message.update.faults();
        if let Some(slot) = self.reports.get_mut(usize::from(port)) {
            *slot = Some(report);
        }
        match fault {
            Some(Edge::Raised) => self.raised |= faults,
            Some(Edge::Cleared) => self.raised -= faults,
            None => {}
        }
        self.tell_faults(message.fault.as_deref(), news);
        let known = self.unknown - message.unknown;
        if !known.is_empty() {
            self.unknown = message.unknown;
            news.push(News::Known(known));
        }
        for (notices, raised) in [(notices_raised, true), (notices_cleared, false)] {
            news.extend(words::notices(notices).map(|notice| News::Notice { faults, notice, raised }));
        }
    }

    /// A machine that was suspended, or a daemon that was frozen, sees one round too few once and not three times.
    fn look_at_thread(&mut self, now: Instant, news: &mut Vec<News>) {
        let rounds = self.shared.rounds.load(Ordering::Relaxed);
        let sample = if rounds == self.rounds_seen { Sample::Bad } else { Sample::Good };
        self.rounds_seen = rounds;
        if self.stuck.update(now, sample).is_some() {
            self.tell_faults(Some("an access to the device does not return"), news);
        }
    }

    /// Compares what stands with what was told.
    fn tell_faults(&mut self, cause: Option<&str>, news: &mut Vec<News>) {
        let stuck = if self.stuck.is_raised() { all_ports(self.ports) } else { Faults::empty() };
        let standing = self.raised | stuck;
        let (new, gone) = (standing - self.told, self.told - standing);
        self.told = standing;
        if !new.is_empty() {
            news.push(News::Fault { faults: new, raised: Some(cause.unwrap_or("unknown").to_owned()) });
        }
        if !gone.is_empty() {
            news.push(News::Fault { faults: gone, raised: None });
        }
    }

    /// All ports, for the status.
    pub(crate) fn ports(&self) -> Vec<FxoPort> {
        let reports = self.reports.iter().take(usize::from(self.ports));
        let named = all_ports(self.ports).iter_names().zip(reports);
        named
            .map(|((name, _), report)| FxoPort {
                name: name.to_owned(),
                state: report.map_or_else(|| "starting".to_owned(), |report| words::state(report.verdict)),
                notices: report
                    .map_or_else(Vec::new, |report| words::notices(report.notices).map(str::to_owned).collect()),
            })
            .collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread is not waited for: it may be stuck.
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

fn poller_settings(pace: Pace, fault: &Fault) -> PollerSettings {
    let interval_ms = (fault.fxo_raise_ms / 3).clamp(SHORTEST_INTERVAL_MS, INTERVAL_MS);
    let interval = Duration::from_ms(interval_ms.into());
    let quiet_interval = match pace {
        Pace::Told => pace.quiet_interval(),
        Pace::Asked => interval,
    };
    let debounce = Limits::from_ms(fault.fxo_raise_ms, fault.fxo_clear_ms);
    PollerSettings { quiet_interval, interval, debounce }
}

/// The thread's end.
struct Worker {
    shared: Arc<Shared>,
    report: SyncSender<Message>,
    waker: Arc<Waker>,
}

impl Worker {
    fn run(self, boards: Boards, settings: PollerSettings) {
        let mut poller = match Poller::new(boards, settings) {
            Ok(poller) => poller,
            Err(error) => return log::error!("FXO: {error}"),
        };
        let mut hurry_at = Instant::ZERO;
        while !self.shared.ended.load(Ordering::Relaxed) {
            let update = poller.poll(clock::now());
            self.tell(&poller, update);
            let news = pause(&mut poller, hurry_at);
            if !news.is_empty() {
                hurry_at = clock::now() + HURRY_PAUSE;
            }
            for port in (0..MAX_PORTS as u8).filter(|port| news.contains(fault_of_port(*port))) {
                let update = poller.visit(port, clock::now());
                self.tell(&poller, update);
            }
            self.shared.rounds.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tell(&self, poller: &Poller<Boards>, update: Option<Update>) {
        let Some(update) = update else { return };
        for (name, _) in update.faults().iter_names() {
            log::debug!("{name}: {}", words::state(update.report.verdict));
        }
        let fault = poller.fault(update.port).filter(|_| update.fault == Some(Edge::Raised)).map(words::fault);
        let message = Message { update, fault, unknown: poller.unknown() };
        if self.report.send(message).is_err() {
            // The daemon's end is gone; this was the last round.
            return;
        }
        if let Err(error) = self.waker.wake() {
            log::error!("the main loop cannot be woken: {error}");
        }
    }
}

/// Sleeps until the next look is due, or a port has news. While that is too soon to hurry again, nobody listens.
fn pause(poller: &mut Poller<Boards>, hurry_at: Instant) -> Faults {
    let now = clock::now();
    let due = poller.next_poll().min(now + LOOK_INTERVAL);
    if now < hurry_at {
        std::thread::sleep(span(due.min(hurry_at).since(now)));
        return Faults::empty();
    }
    poller.interface_mut().wait(span(due.since(now)))
}

const fn span(length: Duration) -> std::time::Duration {
    std::time::Duration::from_micros(length.as_us())
}

#[cfg(test)]
mod tests {
    use super::super::board::Board;
    use super::super::guarded::Guarded;
    use super::*;
    use fair::in_real_time;
    use mio::{Events, Poll, Token};
    use std::sync::{Condvar, Mutex};
    use ucm_ha::fxo::{FaultKind, LineInterface, Notices, Verdict};

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

    /// A device that a test can stop within an access.
    #[derive(Clone)]
    struct Device {
        shown: Arc<Mutex<Report>>,
        stuck: Arc<(Mutex<bool>, Condvar)>,
    }

    impl Device {
        fn new() -> Self {
            let report = Report { verdict: Verdict::Healthy, notices: Notices::empty() };
            Self { shown: Arc::new(Mutex::new(report)), stuck: Arc::default() }
        }

        fn show(&self, verdict: Verdict, notices: Notices) {
            *self.shown.lock().unwrap() = Report { verdict, notices };
        }

        fn set_stuck(&self, stuck: bool) {
            *self.stuck.0.lock().unwrap() = stuck;
            self.stuck.1.notify_all();
        }
    }

    impl LineInterface for Device {
        fn ports(&self) -> u8 {
            2
        }

        fn poll(&mut self, _port: u8, _now: Instant) -> Option<Report> {
            let stuck = self.stuck.0.lock().unwrap();
            drop(self.stuck.1.wait_while(stuck, |stuck| *stuck).unwrap());
            Some(*self.shown.lock().unwrap())
        }
    }

    impl Board for Device {}

    struct Bench {
        device: Device,
        poll: Poll,
        watch: Watch,
        news: Vec<News>,
    }

    impl Bench {
        fn new() -> Self {
            let (device, poll) = (Device::new(), Poll::new().unwrap());
            let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
            let opened = device.clone();
            let boards = move || {
                let open = Box::new(move || Ok(Box::new(opened.clone()) as Box<dyn Board>));
                let mut boards = Boards::new();
                boards.add(Guarded::new("/dev/test".to_owned(), 2, open));
                boards
            };
            let watch = Watch::start_with(boards, 2, PollerSettings::default(), waker).unwrap();
            Self { device, poll, watch, news: Vec::new() }
        }

        /// Runs a loop like the daemon's until `wanted` is among the news; how long the longest turn took.
        #[track_caller]
        fn wait_for(&mut self, wanted: impl Fn(&News) -> bool) -> std::time::Duration {
            self.wait_for_each(1, wanted)
        }

        /// The same until `count` of the news are `wanted`, in whatever order they come.
        #[track_caller]
        fn wait_for_each(&mut self, count: usize, wanted: impl Fn(&News) -> bool) -> std::time::Duration {
            let begin = std::time::Instant::now();
            let mut longest = std::time::Duration::ZERO;
            self.news.clear();
            while self.news.iter().filter(|news| wanted(news)).count() < count {
                assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {:?}", self.news);
                let mut events = Events::with_capacity(8);
                self.poll.poll(&mut events, Some(std::time::Duration::from_millis(50))).unwrap();
                let turn = std::time::Instant::now();
                self.news.extend(self.watch.news(clock::now()));
                longest = longest.max(turn.elapsed());
            }
            longest
        }
    }

    const BOTH: Faults = Faults::FXO1.union(Faults::FXO2);

    fn cleared(news: &News) -> bool {
        matches!(news, News::Fault { raised: None, .. })
    }

    #[test]
    fn ports_are_unknown_until_they_were_looked_at() {
        let mut bench = Bench::new();
        assert_eq!(bench.watch.unknown(), BOTH);
        bench.wait_for(|news| *news == News::Known(Faults::FXO2));
        assert_eq!((bench.watch.unknown(), bench.watch.standing()), (Faults::empty(), Faults::empty()));
        let ok = |name: &str| FxoPort { name: name.to_owned(), state: "ok".to_owned(), notices: vec![] };
        assert_eq!(bench.watch.ports(), [ok("FXO1"), ok("FXO2")]);
    }

    #[test]
    fn a_fault_is_told_once_with_its_cause_and_once_when_it_is_gone() {
        let mut bench = Bench::new();
        bench.device.show(Verdict::Fault(FaultKind::NoAnswer), Notices::empty());
        let raised = |faults| News::Fault { faults, raised: Some("the chip does not answer".to_owned()) };
        // The thread may have looked at a port before the fault was there, so either port may be the first.
        bench.wait_for_each(2, |news| matches!(news, News::Fault { .. }));
        assert!(bench.news.contains(&raised(Faults::FXO1)), "{:?}", bench.news);
        assert!(bench.news.contains(&raised(Faults::FXO2)), "{:?}", bench.news);
        assert_eq!(bench.watch.standing(), BOTH);
        let shown = std::time::Instant::now();
        bench.device.show(Verdict::Healthy, Notices::empty());
        bench.wait_for_each(2, cleared);
        assert!(shown.elapsed() >= std::time::Duration::from_millis(1900), "{:?}", shown.elapsed());
        assert_eq!(bench.news.iter().filter(|news| !cleared(news)).count(), 0);
        assert_eq!(bench.watch.standing(), Faults::empty());
    }

    #[test]
    fn a_notice_is_told_when_it_begins_and_ends_and_is_no_fault() {
        let mut bench = Bench::new();
        bench.wait_for(|news| *news == News::Known(Faults::FXO2));
        bench.device.show(Verdict::Healthy, Notices::CHIP_RESET);
        let notice = "the chip reset itself and was set up anew";
        bench.wait_for(|news| *news == News::Notice { faults: Faults::FXO1, notice, raised: true });
        assert_eq!(bench.watch.ports()[0].notices, [notice]);
        bench.device.show(Verdict::Healthy, Notices::empty());
        bench.wait_for(|news| *news == News::Notice { faults: Faults::FXO1, notice, raised: false });
        assert_eq!(bench.watch.standing(), Faults::empty());
    }

    #[test]
    fn an_access_that_does_not_return_delays_no_turn_of_the_loop_and_is_the_fault_of_all_ports() {
        in_real_time(|| {
            let mut bench = Bench::new();
            bench.wait_for(|news| *news == News::Known(Faults::FXO2));
            bench.device.set_stuck(true);
            let stuck =
                News::Fault { faults: BOTH, raised: Some("an access to the device does not return".to_owned()) };
            let longest = bench.wait_for(|news| *news == stuck);
            assert!(longest < std::time::Duration::from_millis(100), "a turn took {longest:?}");
            bench.device.set_stuck(false);
            bench.wait_for(|news| *news == News::Fault { faults: BOTH, raised: None });
        });
    }

    #[test]
    fn an_access_that_takes_half_a_second_each_time_is_no_fault_by_itself() {
        let mut bench = Bench::new();
        bench.wait_for(|news| *news == News::Known(Faults::FXO2));
        for _ in 0..4 {
            bench.device.set_stuck(true);
            std::thread::sleep(std::time::Duration::from_millis(500));
            bench.device.set_stuck(false);
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert_eq!(bench.watch.news(clock::now()), []);
        }
    }

    #[test]
    fn three_looks_fit_into_any_raise_time_but_a_bus_is_never_asked_all_the_time() {
        let fault = |fxo_raise_ms| Fault {
            policy: ucm_ha::config::FaultPolicy::default(),
            fxo_raise_ms,
            fxo_clear_ms: 2000,
            reboot_command: String::new(),
        };
        let intervals = |pace, raise_ms| {
            let settings = poller_settings(pace, &fault(raise_ms));
            (settings.quiet_interval.as_ms(), settings.interval.as_ms(), settings.debounce.raise.as_ms())
        };
        assert_eq!(
            poller_settings(Pace::Asked, &fault(300)),
            PollerSettings::default(),
            "what the core is tested with"
        );
        assert_eq!(intervals(Pace::Told, 300), (1000, 100, 300));
        assert_eq!(intervals(Pace::Asked, 90), (30, 30, 90));
        assert_eq!(intervals(Pace::Asked, 0), (20, 20, 0));
        assert_eq!(intervals(Pace::Told, 60_000), (1000, 100, 60_000));
    }
}
