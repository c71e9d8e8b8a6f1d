//! The course of a scenario on a rig: the rig with its phone and everybody who watches, and what scenarios do there.

use crate::holder::{Holder, Question};
use crate::line::PingLine;
use crate::names::Names;
use crate::realtime;
use crate::rig::{Answer, Facts, Rig};
use lab::course;
pub(crate) use lab::course::{Failure, Figure, PHONE_JUDGES, Step};
use lab::frames::FrameSocket;
use lab::pair::{Ability, Pair};
use lab::phone::{Phone, PhoneView};
use lab::plan::{Node, PHONE};
use lab::stimulus::Stimulus;
use lab::timeline::Timeline;
use std::io;
use std::time::{Duration, Instant};
use ucm_ha::types::Cidr;
use ucm_ha_control::Report;

/// Time between two probes of the phone.
const PROBE_PERIOD: Duration = Duration::from_millis(10);
/// Time in which a pair that came up settles: both paths heard, synchronised, ready to switch.
const SETTLE_TIME: Duration = Duration::from_secs(15);

/// The course.
pub(crate) type Course = course::Course<Stage>;

/// A rig with its phone, and everybody who watches.
pub(crate) struct Stage {
    // Dropped in this order: those who watch first, the rig last.
    phone: Phone,
    holder: Holder,
    names: Names,
    rig: Box<dyn Rig>,
    powered: [bool; 2],
    served_by: Option<Node>,
    timeline: Timeline,
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
        let timeline = Timeline::begin(true);
        Ok(Self { phone, holder, names, rig, powered: [false; 2], served_by: None, timeline })
    }

    /// Begins a scenario: forgets what was seen before.
    pub(crate) fn begin(&mut self) {
        self.holder.forget();
        self.timeline = Timeline::begin(true);
        self.served_by = None;
    }

    /// The rig.
    pub(crate) fn rig(&mut self) -> &mut dyn Rig {
        self.rig.as_mut()
    }

    /// What is known of the rig.
    pub(crate) fn facts(&self) -> Facts {
        self.rig.facts()
    }

    /// Who holds the cluster IP, as ARP on the LAN says.
    pub(crate) fn holder(&self) -> Option<Node> {
        self.holder.now()
    }

    /// Whether a node was given power.
    pub(crate) fn is_powered(&self, node: Node) -> bool {
        self.powered[node.index()]
    }
}

impl Pair for Stage {
    const LOOK_PERIOD: Duration = Duration::from_millis(100);
    const CHEAP_STATUS: bool = false;

    fn has(&self, ability: Ability) -> Result<(), String> {
        self.rig.has(ability)
    }

    fn apply(&mut self, stimulus: Stimulus) -> io::Result<()> {
        self.timeline.note(format_args!("> {stimulus}"));
        self.rig.apply(stimulus)?;
        match stimulus {
            Stimulus::PowerOn(node) => self.powered[node.index()] = true,
            Stimulus::PowerOff(node) | Stimulus::PowerOffSilently(node) => self.powered[node.index()] = false,
            _ => {}
        }
        self.names.set(self.rig.facts().macs);
        Ok(())
    }

    fn status(&mut self, node: Node) -> Option<Report> {
        let answer = self.rig.run(node, "ucm-ha --config $CONFIG status --json").ok()?;
        serde_json::from_str(&answer.text).ok()
    }

    fn phone(&mut self, since: Instant) -> PhoneView {
        let view = self.phone.view_since(since);
        if self.served_by != view.served_by {
            self.timeline.note(match view.served_by {
                Some(node) => format!("phone served by {node}"),
                None => "phone not served".to_owned(),
            });
            self.served_by = view.served_by;
        }
        view
    }

    /// ARP says the same as the phone.
    fn is_served_by(&mut self, node: Node) -> bool {
        self.phone(Instant::now()).served_by == Some(node) && self.holder() == Some(node)
    }

    fn two_holders(&self) -> Option<String> {
        self.holder.two_at().map(|_| "never two nodes that answer ARP for the cluster IP".to_owned())
    }

    fn settle_limit(&self, timeout: Duration) -> Duration {
        self.facts().boot_limit + timeout + SETTLE_TIME
    }

    fn timeline(&mut self) -> &mut Timeline {
        &mut self.timeline
    }
}

/// What scenarios do on a rig, beside what they do on any pair.
pub(crate) trait OnRig {
    /// What is known of the rig.
    fn facts(&self) -> Facts;
    /// Whether the rig has an ability.
    fn can(&self, ability: Ability) -> bool;
    /// Does something to the pair, and gives the moment before.
    fn apply(&mut self, stimulus: Stimulus) -> Step<Instant>;
    /// Gives a node power unless the rig says that it has it.
    fn power_on_if_off(&mut self, node: Node) -> Step;
    /// Runs a command on a node; it must succeed.
    fn run(&mut self, node: Node, command: &str) -> Step<String>;
    /// The same for a command that changes nothing: it is not worth a line of the timeline.
    fn peek(&mut self, node: Node, command: &str) -> Step<String>;
    /// Runs a command on a node.
    fn try_run(&mut self, node: Node, command: &str) -> Step<Answer>;
    /// Starts a command that makes its node unable to answer.
    fn run_last(&mut self, node: Node, command: &str) -> Step;
    /// The console of a node.
    fn console(&mut self, node: Node) -> Step<String>;
    /// Lets time pass while `node` serves the phone.
    fn watch_service(&mut self, node: Node, length: Duration) -> Step;
    /// Waits until a node is active alone, its peer off.
    fn settle_alone(&mut self, node: Node) -> Step;
    /// Waits until the phone is served by `node`. Gives the gap of that change.
    fn takes_over(&mut self, node: Node, since: Instant, limit: Duration) -> Step<Duration>;
    /// Measures the longest gap the phone noticed since `since`.
    fn measure_gap(&mut self, since: Instant) -> Step<Duration>;
}

impl OnRig for Course {
    fn facts(&self) -> Facts {
        self.pair.facts()
    }

    fn can(&self, ability: Ability) -> bool {
        self.pair.has(ability).is_ok()
    }

    fn apply(&mut self, stimulus: Stimulus) -> Step<Instant> {
        let begin = Instant::now();
        self.pair.apply(stimulus)?;
        Ok(begin)
    }

    fn power_on_if_off(&mut self, node: Node) -> Step {
        if self.pair.is_powered(node) { Ok(()) } else { Ok(self.pair.apply(Stimulus::PowerOn(node))?) }
    }

    fn run(&mut self, node: Node, command: &str) -> Step<String> {
        let answer = self.try_run(node, command)?;
        succeeded(node, command, answer)
    }

    fn peek(&mut self, node: Node, command: &str) -> Step<String> {
        let answer = self.pair.rig().run(node, command)?;
        succeeded(node, command, answer)
    }

    fn try_run(&mut self, node: Node, command: &str) -> Step<Answer> {
        self.pair.timeline().note(format_args!("{node}$ {command}"));
        Ok(self.pair.rig().run(node, command)?)
    }

    fn run_last(&mut self, node: Node, command: &str) -> Step {
        self.try_run(node, &format!("(sleep 0.2; {command}) >/dev/null 2>&1 &")).map(drop)
    }

    fn console(&mut self, node: Node) -> Step<String> {
        Ok(self.pair.rig().console(node)?)
    }

    fn watch_service(&mut self, node: Node, length: Duration) -> Step {
        let begin = Instant::now();
        self.watch(format_args!("{node} serves on"), length, |course| {
            course.pair.phone(begin).served_by.is_none_or(|by| by == node)
        })
    }

    fn settle_alone(&mut self, node: Node) -> Step {
        let limit = self.pair.settle_limit(self.timeout);
        self.wait_for(format_args!("{node} active alone, phone served"), limit, |course| {
            let active = course.status(node).is_some_and(|status| status.role == "Active");
            active && course.pair.is_served_by(node)
        })
        .map(drop)
    }

    fn takes_over(&mut self, node: Node, since: Instant, limit: Duration) -> Step<Duration> {
        self.wait_for(format_args!("{node} serves the phone"), limit, |course| {
            course.pair.phone(since).served_by == Some(node) && course.pair.holder() == Some(node)
        })?;
        self.pass(PHONE_JUDGES)?;
        let gap = self.gap_of_change(node, since)?.length();
        self.measured("gap", gap);
        Ok(gap)
    }

    fn measure_gap(&mut self, since: Instant) -> Step<Duration> {
        self.pass(PHONE_JUDGES)?;
        let gap = self.longest_gap(since);
        self.measured("gap", gap);
        Ok(gap)
    }
}

fn succeeded(node: Node, command: &str, Answer { code, text }: Answer) -> Step<String> {
    if code == 0 {
        Ok(text)
    } else {
        Err(Failure::new(format!("{node}: `{command}` ended with {code}: {}", text.trim())))
    }
}
