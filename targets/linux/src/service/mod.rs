//! The services of the PBX: their processes, kicks and probes become facts for the core's table, whose changes the daemon
//! tells.

mod kick;
mod pid_source;
mod probe;
mod process;
mod stat;

pub(crate) use process::signal_name;
pub(crate) use stat::users;

use crate::describe;
use crate::rate::Rate;
use crate::settings::{self, MAX_ENTRIES};
use kick::{Kick, KickSocket};
use mio::{Registry, Token, Waker};
use pid_source::PidSource;
use probe::Probes;
use process::{Look, Process};
use rustix::process::geteuid;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use ucm_ha::debounce::Edge;
use ucm_ha::fault::Faults;
use ucm_ha::service::{Change, Life, ServiceEvent, ServiceId, ServiceSettings, Services};
use ucm_ha::{Duration, Instant};

/// Services that are not configured and whose faults stand at the same time.
const MAX_AD_HOC: usize = 16;
/// A service must have been well for so long before its fault is cleared.
const CLEAR: Duration = Duration::from_ms(2000);
/// How often pid files and units are read: an end is told by the kernel, a start is not.
const LOOK_INTERVAL: Duration = Duration::from_ms(250);
/// Datagrams that are read in a window; the rest waits, and so do those who write them. Anybody may, at any rate.
const KICK_RATE: (u32, Duration) = (200, Duration::from_ms(20));
/// Crashes of unknown processes that are looked into: anybody may crash as often as he likes.
const CRASH_RATE: (u32, Duration) = (10, Duration::from_s(1));
/// How often the user of a service is looked up for somebody who kicks it and is not known to be that.
const USER_INTERVAL: Duration = Duration::from_ms(250);
/// Longest name of a process that the kernel tells, in bytes.
const MAX_COMM_LEN: usize = 15;

/// The fault of one service was raised or cleared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// The service.
    pub(crate) name: String,
    /// Raised or cleared.
    pub(crate) raised: bool,
    /// What is, or was, wrong.
    pub(crate) what: String,
}

/// What the status says of one service.
#[derive(Debug)]
pub(crate) struct State {
    /// The service.
    pub(crate) name: String,
    /// What is wrong, while its fault stands.
    pub(crate) fault: Option<String>,
}

/// Where the loop is woken for services.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens {
    /// Of the kick socket.
    pub(crate) kicks: Token,
    /// Of the first service's process; the others follow.
    pub(crate) first_process: Token,
}

struct Service {
    id: ServiceId,
    name: String,
    /// Not configured: forgotten when its fault is cleared.
    ad_hoc: bool,
    process: Option<Process>,
    /// Who its process runs, or last ran, as, and when that may be looked up again.
    users: Option<[u32; 2]>,
    users_at: Instant,
    /// What is known of the fault beyond its kind.
    detail: Option<String>,
}

impl Service {
    fn new(id: ServiceId, name: String, ad_hoc: bool, process: Option<Process>) -> Self {
        Self { id, name, ad_hoc, process, users: None, users_at: Instant::ZERO, detail: None }
    }

    /// Root, the daemon's user and the service's own may say that it lives.
    fn may_be_kicked_by(&mut self, uid: u32, now: Instant) -> bool {
        let known = |users: Option<[u32; 2]>| users.is_some_and(|users| users.contains(&uid));
        if uid == 0 || uid == geteuid().as_raw() || known(self.users) {
            return true;
        }
        if self.users_at <= now {
            self.users_at = now + USER_INTERVAL;
            self.users = self.process.as_ref().and_then(Process::users).or(self.users);
        }
        known(self.users)
    }
}

/// Whose crash it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Of this service.
    Of(String),
    /// Of none.
    OfNone,
    /// There are too many to look into.
    TooMany,
}

/// All services.
pub(crate) struct Watched {
    table: Services<{ MAX_ENTRIES + MAX_AD_HOC }>,
    services: Vec<Service>,
    probes: Probes,
    kicks: KickSocket,
    /// There may be kicks to read.
    kicked: bool,
    kick_rate: Rate,
    /// Kicks of somebody who may not.
    foreign_kicks: u64,
    crash_rate: Rate,
    look_at: Instant,
    news: VecDeque<News>,
    /// A kick that was not understood was said.
    complained: bool,
}

impl Watched {
    /// Watches the configured services from now on.
    pub(crate) fn start(
        settings: &[settings::Service],
        run_dir: &Path,
        registry: &Registry,
        tokens: Tokens,
        waker: &Arc<Waker>,
        now: Instant,
    ) -> io::Result<Self> {
        let mut watched = Self {
            table: Services::new(CLEAR, now),
            services: Vec::new(),
            probes: Probes::start(settings, waker)?,
            kicks: KickSocket::open(run_dir, registry, tokens.kicks)?,
            kicked: true,
            kick_rate: Rate::new(KICK_RATE.0, KICK_RATE.1),
            foreign_kicks: 0,
            crash_rate: Rate::new(CRASH_RATE.0, CRASH_RATE.1),
            look_at: now,
            news: VecDeque::new(),
            complained: false,
        };
        for (number, service) in settings.iter().enumerate() {
            let token = Token(tokens.first_process.0 + number);
            let process = service.pid_source.as_ref().map(|source| Process::new(PidSource::new(source), token));
            let ms = |ms: Option<u32>| ms.map(|ms| Duration::from_ms(ms.into()));
            let how = ServiceSettings {
                watched: process.is_some(),
                kick_timeout: ms(service.kick_timeout_ms),
                start_timeout: ms(service.start_timeout_ms),
            };
            let id = watched.table.register(now, how).map_err(io::Error::other)?;
            let name = service.name.clone();
            watched.services.push(Service::new(id, name, false, process));
        }
        Ok(watched)
    }

    /// The next change that the daemon has not been told.
    pub(crate) fn news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// [`Faults::SERVICE`] while the fault of any service stands.
    pub(crate) fn faults(&self) -> Faults {
        self.table.faults()
    }

    /// Every service.
    pub(crate) fn states(&self) -> Vec<State> {
        let fault = |service: &Service| self.table.fault(service.id).map(|_| self.what(service));
        self.services.iter().map(|service| State { name: service.name.clone(), fault: fault(service) }).collect()
    }

    /// When to call [`read_kicks`](Self::read_kicks) and [`tend`](Self::tend) although nothing wakes the loop.
    pub(crate) fn next_deadline(&self) -> Instant {
        let kicks = if self.kicked { self.kick_rate.next() } else { Instant::NEVER };
        let looks = self.services.iter().any(|service| service.process.is_some());
        self.table.next_deadline().min(kicks).min(if looks { self.look_at } else { Instant::NEVER })
    }

    /// Reads pid files and units, and lets deadlines pass, where it is time.
    pub(crate) fn tend(&mut self, registry: &Registry, now: Instant) {
        if self.look_at <= now {
            self.look_at = now + LOOK_INTERVAL;
            self.look(registry, now);
        }
        while let Some(change) = self.table.poll(now) {
            self.note(change);
        }
    }

    fn look(&mut self, registry: &Registry, now: Instant) {
        for number in 0..self.services.len() {
            // Its end comes before the start of the next one.
            self.take_end(number, now);
            let Some(service) = self.services.get_mut(number) else { continue };
            let Some(process) = &mut service.process else { continue };
            match process.look(registry) {
                Look::Same => {}
                Look::Started(pid) => {
                    log::info!("service {} runs as process {pid}", service.name);
                    self.handle(now, number, ServiceEvent::Started, None);
                }
                Look::Missing(why) => log::info!("service {}: {why}; waiting for it", service.name),
            }
        }
    }

    /// The process with this token, if it is anybody's, may have ended.
    pub(crate) fn take_process_event(&mut self, token: Token, now: Instant) {
        let is_its = |service: &Service| service.process.as_ref().is_some_and(|process| process.token() == token);
        if let Some(number) = self.services.iter().position(is_its) {
            self.take_end(number, now);
        }
    }

    fn take_end(&mut self, number: usize, now: Instant) {
        let Some(service) = self.services.get_mut(number) else { return };
        let Some(end) = service.process.as_mut().and_then(Process::take_end) else { return };
        log::warn!("service {}: its process {end}", service.name);
        let event = if end.is_crash() { ServiceEvent::Crashed } else { ServiceEvent::Exited };
        self.handle(now, number, event, Some(end.to_string()));
    }

    /// Takes what the probes found out.
    pub(crate) fn take_probes(&mut self, now: Instant) {
        while let Some(outcome) = self.probes.take() {
            let (event, detail) = match outcome.passed {
                Ok(()) => (ServiceEvent::ProbePassed, None),
                Err(why) => (ServiceEvent::ProbeFailed, Some(why)),
            };
            if let (Some(service), Some(why)) = (self.services.get(outcome.service), &detail) {
                log::debug!("probe of service {}: {why}", service.name);
            }
            self.handle(now, outcome.service, event, detail);
        }
    }

    /// Somebody may have kicked.
    pub(crate) fn wake(&mut self) {
        self.kicked = true;
    }

    /// Reads kicks, no more than their rate allows.
    pub(crate) fn read_kicks(&mut self, now: Instant) {
        while self.kicked && self.kick_rate.next() <= now && self.kick_rate.take(now) {
            let complaint = match self.kicks.receive() {
                Ok(None) => {
                    self.kicked = false;
                    return;
                }
                Ok(Some(Kick { uid, name })) => name.and_then(|name| self.kick_by(now, uid, &name)).err(),
                Err(error) => Some(format!("the kick socket cannot be read: {error}")),
            };
            // Anybody may write there: said once, so that the log stays readable.
            if let Some(complaint) = complaint.filter(|_| !self.complained) {
                log::warn!("kick.sock: {complaint}; this is said once");
                self.complained = true;
            }
        }
    }

    /// A sign of life of a configured service, from a user of this machine; an error says why it is none.
    fn kick_by(&mut self, now: Instant, uid: u32, name: &str) -> Result<(), String> {
        let service = self.services.iter_mut().find(|service| service.name == name && !service.ad_hoc);
        if service.is_some_and(|service| !service.may_be_kicked_by(uid, now)) {
            self.foreign_kicks += 1;
            // Said when there are ten times as many, so that the log stays readable.
            if self.foreign_kicks == 10_u64.pow(self.foreign_kicks.ilog10()) {
                let times = self.foreign_kicks;
                log::warn!(
                    "kick.sock: user {uid} does not run service {name} and cannot kick it ({times} such kicks so far); its \
                     own user may, which pid_file or unit tell"
                );
            }
            return Ok(());
        }
        self.kick(now, name)
    }

    /// A configured service gave a sign of life; an error says why it is none.
    pub(crate) fn kick(&mut self, now: Instant, name: &str) -> Result<(), String> {
        let number = self.services.iter().position(|service| service.name == name);
        let number = number.ok_or_else(|| format!("no [[service]] is named {name:?}; see the configuration"))?;
        self.handle(now, number, ServiceEvent::Kick, None);
        Ok(())
    }

    /// Somebody reports a critical fault of a service, configured or not; an error says why that is not taken.
    pub(crate) fn raise(&mut self, now: Instant, name: &str) -> Result<(), String> {
        let number = match self.services.iter().position(|service| service.name == name) {
            Some(number) => number,
            None => self.register_ad_hoc(now, name)?,
        };
        self.handle(now, number, ServiceEvent::Reported, None);
        Ok(())
    }

    /// Takes such a report back; an error says what is wrong still, or that there was no report.
    pub(crate) fn clear(&mut self, now: Instant, name: &str) -> Result<(), String> {
        let number = self.services.iter().position(|service| service.name == name);
        let number = number.ok_or_else(|| format!("no fault of {name:?} is raised; see `ucm-ha status`"))?;
        self.handle(now, number, ServiceEvent::Withdrawn, None);
        match self.services.get(number).filter(|service| service.name == name) {
            Some(service) if self.table.fault(service.id).is_some() => {
                Err(format!("the fault of {name} stands until it is well again: {}", self.what(service)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A process crashed, as `core-helper` reports; gives the service it belongs to. Anybody may give a process
    /// the name of a service: what no process number explains is nobody's.
    pub(crate) fn crashed(&mut self, now: Instant, pid: i32, comm: &str, signal: i32) -> Crash {
        let is_named = |service: &Service| {
            let name = service.name.as_bytes();
            name.get(..MAX_COMM_LEN).unwrap_or(name) == comm.as_bytes()
        };
        let has = |service: &Service| service.process.as_ref().is_some_and(|process| process.is(pid));
        let started = |service: &Service| {
            service.process.as_ref().is_some_and(|process| process.includes(pid, is_named(service)))
        };
        let mut place = self.services.iter().position(has);
        if place.is_none() {
            if !self.crash_rate.take(now) {
                return Crash::TooMany;
            }
            place = self.services.iter().position(started);
        }
        let Some(place) = place else { return Crash::OfNone };
        self.handle(now, place, ServiceEvent::Crashed, Some(format!("killed by {}", signal_name(signal))));
        self.services.get(place).map_or(Crash::OfNone, |service| Crash::Of(service.name.clone()))
    }

    /// Crashes that were not looked into, since this was asked last.
    pub(crate) fn take_unseen_crashes(&mut self) -> u64 {
        self.crash_rate.take_refused()
    }

    fn register_ad_hoc(&mut self, now: Instant, name: &str) -> Result<usize, String> {
        settings::check_service_name(name).map_err(|reason| format!("{name:?}: the name of a service {reason}"))?;
        if self.services.iter().filter(|service| service.ad_hoc).count() >= MAX_AD_HOC {
            return Err(format!(
                "{MAX_AD_HOC} faults of services without [[service]] stand; clear one, or configure it"
            ));
        }
        let id = self.table.register(now, ServiceSettings::default()).map_err(|full| full.to_string())?;
        self.services.push(Service::new(id, name.to_owned(), true, None));
        Ok(self.services.len() - 1)
    }

    fn handle(&mut self, now: Instant, number: usize, event: ServiceEvent, detail: Option<String>) {
        let Some(service) = self.services.get_mut(number) else { return };
        if detail.is_some() && self.table.fault(service.id).is_none() {
            service.detail = detail;
        }
        if let Some(change) = self.table.handle(now, service.id, event) {
            self.note(change);
        }
    }

    fn note(&mut self, change: Change) {
        let Some(place) = self.services.iter().position(|service| service.id == change.id) else { return };
        let Some(service) = self.services.get(place) else { return };
        let raised = change.edge == Edge::Raised;
        let what = self.words(service, change.fault);
        self.news.push_back(News { name: service.name.clone(), raised, what });
        if raised {
            return;
        }
        if service.ad_hoc {
            let service = self.services.remove(place);
            self.table.unregister(service.id);
        } else if let Some(service) = self.services.get_mut(place) {
            service.detail = None;
        }
    }

    /// What is wrong with a service whose fault stands.
    fn what(&self, service: &Service) -> String {
        let fault = self.table.fault(service.id).map(|fault| self.words(service, fault));
        let waits = matches!(self.table.life(service.id), Some(Life::Starting | Life::Running))
            && self.table.causes(service.id).is_empty();
        match fault {
            Some(what) if waits => format!("{what}; it seems to recover"),
            Some(what) => what,
            None => "nothing".to_owned(),
        }
    }

    fn words(&self, service: &Service, fault: ucm_ha::service::ServiceFault) -> String {
        use ucm_ha::service::ServiceFault::{Crash, Deadlock, Exit, NotRunning, Probe, Reported};
        let kind = describe::service_fault(fault);
        match (&service.detail, fault) {
            (Some(detail), Crash | Exit | Probe) => format!("{kind} ({detail})"),
            (None, Crash | Exit | Probe) | (_, Deadlock | NotRunning | Reported) => kind.to_owned(),
        }
    }
}
