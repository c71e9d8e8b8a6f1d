//! One chip: setting it up, watching it, and what is tried before it is called faulty.
//!
//! ```text
//!            ┌──────────────── retry ────────────────┐
//!            ▼                                       │
//! start → Probe ─ R1=80 → Rest ─ configure → LinkWait ─ 2 s, again → Failed
//!            │              ▲                │  │                      ▲
//!            │              │ 100 ms         │  └─ 2 s, first ──┐      │
//!   already  │          PowerDown ◄──────────┼──────────────────┘      │
//!     set up │              ▲                ▼ link up                 │
//!            └──────────────┼────────────► Watch ──────────────────────┘
//!                           └─ link lost,  │  ▲   3 bad looks, link lost again, reset again
//!                              first       ▼  │
//!                                        Probe ┘  reset itself, first
//! ```

use super::bus::Bus;
use super::line::Line;
use super::link::{Link, LinkState};
use super::registers::*;
use super::sample::{Sample, Trouble, check_country, check_running, identify};
use super::{FIRST_RETRY, LAST_RETRY, QUIET, STABLE_LOOKS, Settings};
use crate::fxo::{FaultKind, Notices, Observation, Report, Verdict};
use crate::time::{Duration, Instant};
use embedded_hal::spi::SpiDevice;

#[derive(Clone, Copy, Debug)]
enum State {
    /// The chip has to answer; it is reset then, or taken as it is when it turns out to be set up.
    Probe,
    /// The line side has to be powered down for a moment.
    PowerDown,
    /// The chip rests, then it is configured.
    Rest { until: Instant },
    /// The line side has to come up.
    LinkWait { deadline: Instant, hung_up: bool },
    /// The chip is set up and judged.
    Watch,
    /// The chip is left alone until the next attempt.
    Failed { retry_at: Instant },
}

/// One chip of a chain.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    id: u8,
    state: State,
    /// The fault that stands until the chip was seen well again.
    fault: Option<FaultKind>,
    /// Bad looks in a row.
    strikes: u8,
    /// Looks in a row at an off-hook line side without power or lock.
    starved: u8,
    /// The chip was seen well before.
    known: bool,
    /// The re-initialisation after a reset of its own was used up.
    reset_remedy_used: bool,
    /// The restart of the line side was used up.
    link_remedy_used: bool,
    /// The newest remedy or failure. The remedies come back after [`QUIET`].
    incident_at: Option<Instant>,
    retry: Duration,
    /// Which country register is checked next.
    country: usize,
    link: Link,
    line: Line,
}

impl Chip {
    pub(super) const fn new(id: u8) -> Self {
        Self {
            id,
            state: State::Probe,
            fault: None,
            strikes: 0,
            starved: 0,
            known: false,
            reset_remedy_used: false,
            link_remedy_used: false,
            incident_at: None,
            retry: FIRST_RETRY,
            country: 0,
            link: Link::new(),
            line: Line::new(),
        }
    }

    /// Whether the chip is there, set up or not.
    pub(super) fn answers<S: SpiDevice>(&self, bus: &mut Bus<S>) -> Result<bool, FaultKind> {
        Ok(bus.read(self.id, R2_CONTROL_2)? == R2_CONFIGURED)
    }

    /// Looks at the chip once, or takes the next step of setting it up.
    pub(super) fn poll<S: SpiDevice>(&mut self, bus: &mut Bus<S>, settings: &Settings, now: Instant) -> Report {
        let verdict = match self.step(bus, settings, now) {
            Ok(verdict) => {
                self.strikes = 0;
                verdict
            }
            Err(trouble) => self.strike(trouble, now),
        };
        self.forget_old_incidents(now);
        Report { verdict, notices: self.notices() }
    }

    fn step<S: SpiDevice>(&mut self, bus: &mut Bus<S>, settings: &Settings, now: Instant) -> Result<Verdict, Trouble> {
        match self.state {
            State::Probe => self.probe(bus, settings, now),
            State::PowerDown => self.power_down(bus, now),
            State::Rest { until } if now >= until => self.configure(bus, settings, now),
            State::LinkWait { deadline, hung_up } => self.wait_for_link(bus, settings, now, deadline, hung_up),
            State::Watch => self.watch(bus, settings, now),
            State::Failed { retry_at } if now >= retry_at => self.probe(bus, settings, now),
            State::Rest { .. } | State::Failed { .. } => Ok(self.unsettled()),
        }
    }

    fn probe<S: SpiDevice>(&mut self, bus: &mut Bus<S>, settings: &Settings, now: Instant) -> Result<Verdict, Trouble> {
        self.state = State::Probe;
        match identify(bus, self.id) {
            // What is wrong may be what the reset cures; the link wait looks again.
            Err(FaultKind::Misconfigured { .. }) if self.fault.is_some() => {}
            answer => {
                answer?;
            }
        }
        // A program that was restarted must not drop the calls of a chip that is at work.
        if !self.known && self.fault.is_none() && self.is_set_up(bus, settings)? {
            self.begin_watch();
        } else {
            bus.write(self.id, R1_CONTROL_1, R1_SOFT_RESET)?;
            self.state = State::Rest { until: now + RESET_REST };
        }
        Ok(self.unsettled())
    }

    /// Whether the chip is configured as it should be and its link is up.
    fn is_set_up<S: SpiDevice>(&self, bus: &mut Bus<S>, settings: &Settings) -> Result<bool, FaultKind> {
        let hook = bus.read(self.id, R5_HOOK)?;
        let locked = bus.read(self.id, R12_LINE_STATUS)? & R12_FRAME_LOCK != 0;
        let (power, pcm) = (bus.read(self.id, R6_POWER)?, bus.read(self.id, R33_PCM)?);
        let running = check_running(power, pcm, settings).is_ok();
        if !locked || !running || hook & (R5_OFF_HOOK | R5_ON_HOOK_MONITOR) == 0 {
            return Ok(false);
        }
        for setting in settings.country.registers() {
            match check_country(bus, self.id, setting) {
                Ok(()) => {}
                Err(FaultKind::Misconfigured { .. }) => return Ok(false),
                Err(bus_error) => return Err(bus_error),
            }
        }
        Ok(true)
    }

    fn power_down<S: SpiDevice>(&mut self, bus: &mut Bus<S>, now: Instant) -> Result<Verdict, Trouble> {
        // On-hook first: the line side then gets its power from the chip, not from a line that may feed none.
        bus.write(self.id, R5_HOOK, R5_ON_HOOK_MONITOR)?;
        bus.write(self.id, R6_POWER, R6_LINE_SIDE_DOWN)?;
        self.state = State::Rest { until: now + RESET_REST };
        Ok(self.unsettled())
    }

    fn configure<S: SpiDevice>(
        &mut self,
        bus: &mut Bus<S>,
        settings: &Settings,
        now: Instant,
    ) -> Result<Verdict, Trouble> {
        bus.write(self.id, R33_PCM, settings.pcm())?;
        for (register, value) in settings.country.registers() {
            bus.write(self.id, register, value)?;
        }
        bus.write(self.id, R6_POWER, R6_ALL_UP)?;
        self.state = State::LinkWait { deadline: now + LINK_UP_WITHIN, hung_up: false };
        Ok(self.unsettled())
    }

    fn wait_for_link<S: SpiDevice>(
        &mut self,
        bus: &mut Bus<S>,
        settings: &Settings,
        now: Instant,
        deadline: Instant,
        hung_up: bool,
    ) -> Result<Verdict, Trouble> {
        let identity = identify(bus, self.id)?;
        check_running(bus.read(self.id, R6_POWER)?, bus.read(self.id, R33_PCM)?, settings)?;
        let locked = bus.read(self.id, R12_LINE_STATUS)? & R12_FRAME_LOCK != 0;
        if locked && identity & R11_LINE_SIDE != 0 {
            bus.write(self.id, R5_HOOK, R5_ON_HOOK_MONITOR)?;
            // Powering up the line side leaves sources behind that are no events.
            bus.write(self.id, R4_SOURCES, 0)?;
            self.begin_watch();
        } else if bus.read(self.id, R5_HOOK)? & R5_OFF_HOOK != 0 && !hung_up {
            // Call control was too early, and a line side that is off-hook may lack the power to come up.
            bus.write(self.id, R5_HOOK, R5_ON_HOOK_MONITOR)?;
            self.state = State::LinkWait { deadline: now + LINK_UP_WITHIN, hung_up: true };
        } else if now >= deadline {
            return Ok(self.link_lost(now));
        }
        Ok(self.unsettled())
    }

    fn begin_watch(&mut self) {
        self.starved = 0;
        self.link = Link::new();
        self.line = Line::new();
        self.state = State::Watch;
    }

    fn watch<S: SpiDevice>(&mut self, bus: &mut Bus<S>, settings: &Settings, now: Instant) -> Result<Verdict, Trouble> {
        let registers = settings.country.registers();
        let [first, ..] = registers;
        let country = registers.get(self.country).copied().unwrap_or(first);
        let sample = Sample::read(bus, self.id, settings, country)?;
        // Only when it was right: a wrong one is looked at again until it is right or has had its three looks.
        self.country = (self.country + 1) % registers.len();
        if sample.sources != 0 {
            // What latches between the read and this write is kept.
            bus.write(self.id, R4_SOURCES, !sample.sources)?;
        }
        let link = self.link.update(now, sample.frame_lock() && !sample.frame_was_lost());
        self.hang_up_if_starved(bus, &sample, now)?;
        match link {
            LinkState::Lost => Ok(self.link_lost(now)),
            LinkState::Interrupted => Ok(self.unsettled()),
            LinkState::Up => {
                self.known = true;
                self.fault = None;
                Ok(self.line.judge(now, &sample))
            }
        }
    }

    /// An off-hook line side lives on the power of the line. Without it, it is put on-hook and judged again.
    fn hang_up_if_starved<S: SpiDevice>(
        &mut self,
        bus: &mut Bus<S>,
        sample: &Sample,
        now: Instant,
    ) -> Result<(), FaultKind> {
        let starved = sample.dropout() || (sample.off_hook() && !sample.frame_lock());
        self.starved = if starved { self.starved.saturating_add(1) } else { 0 };
        if self.starved < STABLE_LOOKS {
            return Ok(());
        }
        bus.write(self.id, R5_HOOK, R5_ON_HOOK_MONITOR)?;
        self.starved = 0;
        self.link.excuse(now);
        Ok(())
    }

    /// Takes a bad look. What follows from three of them depends on the last.
    fn strike(&mut self, trouble: Trouble, now: Instant) -> Verdict {
        self.strikes = self.strikes.saturating_add(1);
        let stable = self.strikes >= STABLE_LOOKS;
        match trouble {
            Trouble::Fault(kind) if stable => self.fail(kind, now),
            Trouble::Fault(kind) => Verdict::Fault(self.fault.unwrap_or(kind)),
            Trouble::Reset if stable && self.reset_remedy_used => self.fail(FaultKind::ResetItself, now),
            Trouble::Reset if stable => {
                self.reset_remedy_used = true;
                self.remedy(State::Probe, now)
            }
            Trouble::Reset => self.unsettled(),
        }
    }

    fn link_lost(&mut self, now: Instant) -> Verdict {
        if self.link_remedy_used {
            return self.fail(FaultKind::IsolationLink, now);
        }
        self.link_remedy_used = true;
        self.remedy(State::PowerDown, now)
    }

    fn remedy(&mut self, state: State, now: Instant) -> Verdict {
        self.strikes = 0;
        self.incident_at = Some(now);
        self.state = state;
        self.unsettled()
    }

    fn fail(&mut self, kind: FaultKind, now: Instant) -> Verdict {
        self.strikes = 0;
        self.fault = Some(kind);
        self.incident_at = Some(now);
        self.state = State::Failed { retry_at: now + self.retry };
        self.retry = self.retry.times(2).min(LAST_RETRY);
        Verdict::Fault(kind)
    }

    fn forget_old_incidents(&mut self, now: Instant) {
        let quiet = self.incident_at.is_some_and(|at| now.since(at) >= QUIET);
        if quiet && matches!(self.state, State::Watch) {
            self.reset_remedy_used = false;
            self.link_remedy_used = false;
            self.incident_at = None;
            self.retry = FIRST_RETRY;
        }
    }

    /// The verdict while the chip is not judged: a standing fault stands until the chip was seen well.
    fn unsettled(&self) -> Verdict {
        match self.fault {
            Some(kind) => Verdict::Fault(kind),
            None if self.known => Verdict::NotAFault(Observation::Settling),
            None => Verdict::NotAFault(Observation::Starting),
        }
    }

    fn notices(&self) -> Notices {
        let mut notices = Notices::empty();
        notices.set(Notices::OVERLOAD, self.line.overloaded());
        notices.set(Notices::CHIP_RESET, self.reset_remedy_used);
        notices.set(Notices::LINK_RESTARTED, self.link_remedy_used);
        notices
    }
}
