//! The course of one scenario on a rig: what is done, what is waited for, what is checked, what is measured.

use crate::holder::{Holder, Question};
use crate::line::PingLine;
use crate::names::Names;
use crate::realtime;
use crate::rig::{Ability, Answer, Facts, Rig, Stimulus};
use lab::daemon::active_of_complete_pair;
use lab::frames::FrameSocket;
use lab::gaps::{ANSWER_DEADLINE, Gap};
pub(crate) use lab::outcome::{Failure, Step};
use lab::phone::{Phone, PhoneView};
use lab::plan::{Node, PHONE};
use lab::timeline::Timeline;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use ucm_ha::config::Cidr;
use ucm_ha_control::Report;

/// Time between two probes of the phone.
const PROBE_PERIOD: Duration = Duration::from_millis(10);
/// Time after an event in which the phone has certainly judged the probes sent before it.
const PHONE_JUDGES: Duration = Duration::from_millis(50).saturating_add(ANSWER_DEADLINE);
/// Time between two looks at what is waited for.
const LOOK_PERIOD: Duration = Duration::from_millis(100);
/// Time in which a pair that came up settles: both paths heard, synchronised, ready to switch.
const SETTLE_TIME: Duration = Duration::from_secs(15);

/// A measured length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    /// Of what.
    pub(crate) name: &'static str,
    /// How long.
    pub(crate) length: Duration,
}

/// A rig with its phone, and everybody who watches.
pub(crate) struct Stage {
    // Dropped in this order: those who watch first, the rig last.
    phone: Phone,
    holder: Holder,
    names: Names,
    rig: Box<dyn Rig>,
    powered: [bool; 2],
}

impl Stage {
    /// Sets the watchers up on a rig.
    pub(crate) fn set(mut rig: Box<dyn Rig>, phone_address: Option<Cidr>) -> io::Result<Self> {
        let Facts { cluster_ip, macs, .. } = rig.facts();
        let names = Names::new(macs);
        let (site, interface) = rig.seat();
        let interface = interface.to_owned();
        let mac = site.links.mac(&interface)?;
        let socket = FrameSocket::open(&site.netns, &mut site.links, &interface)?;
        let question = Question { mac, address: phone_address.unwrap_or(PHONE), cluster_ip };
        let line = PingLine::open(site, &interface, cluster_ip, names.clone())?;
        let (holder, phone) = realtime::start(|| {
            io::Result::Ok((Holder::watch(socket, question, names.clone())?, Phone::call(line, PROBE_PERIOD)?))
        })?;
        Ok(Self { phone, holder, names, rig, powered: [false; 2] })
    }

    /// The rig.
    pub(crate) fn rig(&mut self) -> &mut dyn Rig {
        self.rig.as_mut()
    }

    fn note_power(&mut self, stimulus: Stimulus) {
        match stimulus {
            Stimulus::PowerOn(node) => self.powered[node.index()] = true,
            Stimulus::PowerOff(node) | Stimulus::PowerOffSilently(node) => self.powered[node.index()] = false,
            Stimulus::CablePull
            | Stimulus::CablePlug
            | Stimulus::LanPull(_)
            | Stimulus::LanPlug(_)
            | Stimulus::SwitchOff
            | Stimulus::SwitchOn
            | Stimulus::FxoFault(..)
            | Stimulus::FxoClear(..)
            | Stimulus::Reload(_)
            | Stimulus::Upgrade(_)
            | Stimulus::Replace(_) => {}
        }
    }
}

/// The course of one scenario.
pub(crate) struct Course<'a> {
    stage: &'a mut Stage,
    /// What happened.
    pub(crate) timeline: Timeline,
    figures: Vec<Figure>,
    roles: [Option<(String, u32)>; 2],
    served_by: Option<Node>,
    interrupted: Arc<AtomicBool>,
}

impl<'a> Course<'a> {
    /// One that begins now.
    pub(crate) fn new(stage: &'a mut Stage, interrupted: Arc<AtomicBool>) -> Self {
        stage.holder.forget();
        let timeline = Timeline::begin(true);
        Self { stage, timeline, figures: Vec::new(), roles: [None, None], served_by: None, interrupted }
    }

    /// What was measured.
    pub(crate) fn into_figures(self) -> Vec<Figure> {
        self.figures
    }

    /// What is known of the rig.
    pub(crate) fn facts(&self) -> Facts {
        self.stage.rig.facts()
    }

    /// Whether the rig has an ability.
    pub(crate) fn can(&self, ability: Ability) -> bool {
        self.stage.rig.has(ability).is_ok()
    }

    /// Does something to the pair, and gives the moment before.
    pub(crate) fn apply(&mut self, stimulus: Stimulus) -> Step<Instant> {
        let begin = Instant::now();
        self.timeline.note(format_args!("> {stimulus}"));
        self.stage.rig.apply(stimulus)?;
        self.stage.note_power(stimulus);
        self.stage.names.set(self.stage.rig.facts().macs);
        Ok(begin)
    }

    /// Gives a node power unless the rig says that it has it.
    pub(crate) fn power_on_if_off(&mut self, node: Node) -> Step {
        if self.stage.powered[node.index()] { Ok(()) } else { self.apply(Stimulus::PowerOn(node)).map(drop) }
    }

    /// Runs a command on a node; it must succeed.
    pub(crate) fn run(&mut self, node: Node, command: &str) -> Step<String> {
        let answer = self.try_run(node, command)?;
        succeeded(node, command, answer)
    }

    /// The same for a command that changes nothing: it is not worth a line of the timeline.
    pub(crate) fn look(&mut self, node: Node, command: &str) -> Step<String> {
        let answer = self.stage.rig.run(node, command)?;
        succeeded(node, command, answer)
    }

    /// Runs a command on a node.
    pub(crate) fn try_run(&mut self, node: Node, command: &str) -> Step<Answer> {
        self.timeline.note(format_args!("{node}$ {command}"));
        Ok(self.stage.rig.run(node, command)?)
    }

    /// Starts a command that makes its node unable to answer.
    pub(crate) fn run_last(&mut self, node: Node, command: &str) -> Step {
        self.try_run(node, &format!("(sleep 0.2; {command}) >/dev/null 2>&1 &")).map(drop)
    }

    /// The console of a node.
    pub(crate) fn console(&mut self, node: Node) -> Step<String> {
        Ok(self.stage.rig.console(node)?)
    }

    /// The daemon's status; `None` where it does not answer.
    pub(crate) fn status(&mut self, node: Node) -> Option<Report> {
        let answer = self.stage.rig.run(node, "ucm-ha --config $CONFIG status --json").ok()?;
        let status: Option<Report> = serde_json::from_str(&answer.text).ok();
        let role = status.as_ref().map(|status| (status.role.clone(), status.term));
        if self.roles[node.index()] != role {
            self.timeline.note(match &role {
                Some((role, term)) => format!("{node} is {role}, term {term}"),
                None => format!("{node} does not answer"),
            });
            self.roles[node.index()] = role;
        }
        status
    }

    /// What the phone saw since `since`.
    pub(crate) fn phone(&mut self, since: Instant) -> PhoneView {
        let view = self.stage.phone.view_since(since);
        if self.served_by != view.served_by {
            self.timeline.note(match view.served_by {
                Some(node) => format!("phone served by {node}"),
                None => "phone not served".to_owned(),
            });
            self.served_by = view.served_by;
        }
        view
    }

    /// Who holds the cluster IP, as ARP on the LAN says.
    pub(crate) fn holder(&self) -> Option<Node> {
        self.stage.holder.now()
    }

    /// Waits until `reached`, and says how long that took.
    pub(crate) fn wait_for(
        &mut self,
        what: impl Display,
        limit: Duration,
        mut reached: impl FnMut(&mut Self) -> bool,
    ) -> Step<Duration> {
        let begin = Instant::now();
        loop {
            if reached(self) {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > limit {
                return Err(Failure(format!("after {limit:?} not yet: {what}")));
            }
            self.pass(LOOK_PERIOD)?;
        }
    }

    /// Lets time pass while `node` serves the phone.
    pub(crate) fn watch_service(&mut self, node: Node, length: Duration) -> Step {
        let begin = Instant::now();
        while begin.elapsed() < length {
            let view = self.phone(begin);
            let other = view.served_by.filter(|by| *by != node);
            self.expect(other.is_none(), format_args!("{node} serves on"))?;
            self.pass(LOOK_PERIOD)?;
        }
        Ok(())
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, length: Duration) -> Step {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Failure("interrupted".to_owned()));
        }
        let now = Instant::now();
        self.phone(now);
        thread::sleep(length);
        Ok(())
    }

    /// Waits for a pair that is complete: one active that would switch, one standby, the phone served, and ARP says the
    /// same. Gives the active.
    pub(crate) fn settle(&mut self) -> Step<Node> {
        let limit = self.facts().boot_limit + self.facts().timeout + SETTLE_TIME;
        let mut active = None;
        self.wait_for("one active ready to switch, one standby, phone served", limit, |course| {
            active = course.settled_active();
            active.is_some()
        })?;
        active.ok_or_else(|| Failure("no active".to_owned()))
    }

    fn settled_active(&mut self) -> Option<Node> {
        let (a, b) = (self.status(Node::A), self.status(Node::B));
        let active = active_of_complete_pair(&[a?, b?])?;
        let served = self.phone(Instant::now()).served_by == Some(active) && self.holder() == Some(active);
        served.then_some(active)
    }

    /// Waits until a node is active alone, its peer off.
    pub(crate) fn settle_alone(&mut self, node: Node) -> Step {
        let limit = self.facts().boot_limit + self.facts().timeout + SETTLE_TIME;
        self.wait_for(format_args!("{node} active alone, phone served"), limit, |course| {
            let active = course.status(node).is_some_and(|status| status.role == "Active");
            active && course.phone(Instant::now()).served_by == Some(node) && course.holder() == Some(node)
        })
        .map(drop)
    }

    /// Waits until the phone is served by `node`. Gives the gap of that change.
    pub(crate) fn takes_over(&mut self, node: Node, since: Instant, limit: Duration) -> Step<Duration> {
        self.wait_for(format_args!("{node} serves the phone"), limit, |course| {
            course.phone(since).served_by == Some(node) && course.holder() == Some(node)
        })?;
        self.pass(PHONE_JUDGES)?;
        let gaps = self.phone(since).gaps;
        let change = gaps.into_iter().rev().find(|gap| gap.after == node && gap.before != node);
        let gap = change.ok_or_else(|| Failure(format!("the phone saw no change to {node}")))?.length();
        self.measured("gap", gap);
        Ok(gap)
    }

    /// The longest gap the phone noticed since `since`.
    pub(crate) fn longest_gap(&mut self, since: Instant) -> Step<Duration> {
        self.pass(PHONE_JUDGES)?;
        let gap = self.phone(since).longest().map_or(Duration::ZERO, |gap: Gap| gap.length());
        self.measured("gap", gap);
        Ok(gap)
    }

    /// Adds a figure.
    pub(crate) fn measured(&mut self, name: &'static str, length: Duration) {
        self.timeline.note(format_args!("measured: {name} {:.0} ms", length.as_secs_f64() * 1000.0));
        self.figures.push(Figure { name, length });
    }

    /// A check.
    pub(crate) fn expect(&mut self, holds: bool, what: impl Display) -> Step {
        if holds { Ok(()) } else { Err(Failure(format!("expected: {what}"))) }
    }

    /// A check of a length of time.
    pub(crate) fn expect_at_most(&mut self, what: impl Display, length: Duration, limit: Duration) -> Step {
        self.expect(length <= limit, format_args!("{what} at most {limit:?}, was {length:?}"))
    }

    /// The check of S1, as far as the LAN shows it.
    pub(crate) fn expect_never_two(&mut self) -> Step {
        let two = self.stage.holder.two_at();
        self.expect(two.is_none(), "never two nodes that answer ARP for the cluster IP")
    }
}

fn succeeded(node: Node, command: &str, Answer { code, text }: Answer) -> Step<String> {
    if code == 0 { Ok(text) } else { Err(Failure(format!("{node}: `{command}` ended with {code}: {}", text.trim()))) }
}
