//! A random run: settings, one or two faults, sometimes a forced switch. All of it follows from the seed.

use super::dice::Dice;
use super::faults::{Fault, Kind};
use super::link::Impairment;
use super::misset::Setting;
use super::recorder::{Tactic, Tape};
use super::settings::Settings;
use super::stations::{GATEWAY, PHONE};
use super::third::Neighbour;
use super::trace::Trace;
use super::world::{Event, World};
use super::{A, B, MS, SEC, Us};
use ucm_ha::fault::Faults;
use ucm_ha::types::{NetworkMethod, StationType};

/// Longest time after the last fault in which reboots must have ended.
const REBOOTS_US: Us = 60 * SEC;
/// How long the healed pair is watched after it must serve.
const WATCHED_US: Us = 2 * SEC;

/// What will be done to a pair.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) switch_at: Option<Us>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn random(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 0);
        let mut settings = random_settings(&mut dice);
        let faults = random_faults(&mut dice, &settings);
        // Against somebody who forges whole frames only a key helps.
        settings.key |= faults.iter().any(|fault| matches!(fault.kind, Kind::Recorder(_)));
        let switch_at = dice.percent(12).then(|| match dice.percent(50) {
            true => (faults[0].from + dice.below(SEC)).saturating_sub(500 * MS),
            // The fault comes in the middle of the handover.
            false => faults[0].from.saturating_sub(dice.below(10 * MS)),
        });
        Self { seed, settings, faults, switch_at }
    }

    /// The class under which the run is counted.
    pub(crate) fn class(&self) -> String {
        let mut names: Vec<&str> = self.faults.iter().map(|fault| fault.kind.class()).collect();
        names.sort_unstable();
        names.join(" + ")
    }

    /// Whether settings that must match differ between the nodes.
    pub(crate) fn settings_differ(&self) -> bool {
        let s = &self.settings;
        s.timeout_s[A] != s.timeout_s[B] || s.fast[A] != s.fast[B] || s.gateway[A] != s.gateway[B]
    }

    /// Runs the plan until everything has healed and the pair has been seen to serve, or a promise breaks.
    pub(crate) fn run(&self, trace: Trace) -> World {
        let mut world = self.begin(trace);
        self.finish(&mut world);
        world
    }

    /// The world before anything has happened.
    pub(crate) fn begin(&self, trace: Trace) -> World {
        let mut world = World::new(self.seed, self.settings.clone(), self.faults.clone(), trace);
        if let Some(when) = self.switch_at {
            world.at(when, Event::SwitchActive);
        }
        world
    }

    /// Runs what is left of the plan.
    pub(crate) fn finish(&self, world: &mut World) {
        let healed = self.faults.iter().map(|fault| fault.to).max().unwrap_or(0).max(self.switch_at.unwrap_or(0));
        world.run_until(healed);
        let watched = world.watch.serve_us() + WATCHED_US;
        let served = world.run_until_that(healed + watched + REBOOTS_US, |world| {
            world.watch.calm_since().is_some_and(|since| world.now >= since + watched)
        });
        if !served {
            world.breaks("L6", || "a daemon does not come back after everything has healed".into());
        }
    }
}

fn random_settings(dice: &mut Dice) -> Settings {
    let timeout = dice.pick(&[3, 3, 3, 3, 7, 10]);
    let fast = dice.percent(60);
    let gateway = dice.percent(75);
    let mut settings = Settings {
        timeout_s: [timeout; 2],
        fast: [fast; 2],
        gateway: [gateway; 2],
        key: dice.percent(8),
        peer_mac: dice.percent(30),
        rate_ppm: [dice.below(2001) as i64 - 1000, dice.below(2001) as i64 - 1000],
        boot_at: [dice.below(2 * SEC), dice.below(2 * SEC)],
        expiry_late_us: if dice.percent(90) { 100 * MS } else { 900 * MS },
        socket_frames: dice.pick(&[16, 64, 277]),
        timer_late_us: if dice.percent(90) { 300 } else { 5 * MS },
        reboot_us: dice.percent(80).then_some(8 * SEC),
        daemon_start_us: dice.between(200 * MS, 3 * SEC),
        neighbour: dice.percent(10).then(|| dice.pick(&[Neighbour::Plain, Neighbour::Keyed])),
        old: if dice.percent(8) { dice.pick(&[[true, false], [false, true]]) } else { [false; 2] },
        ..Settings::default()
    };
    if dice.percent(50) {
        settings.station.swap(A, B);
    }
    let node = dice.pick(&[A, B]);
    match dice.below(50) {
        0 => settings.timeout_s[node] = dice.pick(&[3, 7, 10]),
        1 => settings.fast[node] = !fast,
        2 => settings.gateway[node] = !gateway,
        3 => settings.station = [StationType::Primary; 2],
        4 | 5 => settings.method = NetworkMethod::Router,
        _ => {}
    }
    settings
}

fn random_faults(dice: &mut Dice, settings: &Settings) -> Vec<Fault> {
    let timeout = settings.timeout_us();
    let booted = timeout + 3 * SEC;
    let at_boot = dice.percent(8);
    let from = if at_boot { dice.below(3 * SEC) } else { booted + dice.below(3 * SEC) };
    let first = Fault { kind: random_kind(dice, settings), from, to: from + random_span(dice, timeout) };
    if dice.percent(20) {
        return vec![first];
    }
    let from = match dice.below(20) {
        // Together, more or less.
        0..=4 => (first.from + dice.below(SEC)).saturating_sub(500 * MS),
        // Around the takeover.
        5..=7 => first.from + timeout + dice.below(SEC) - 500 * MS,
        // Around the fast takeover.
        8..=9 => first.from + dice.between(250 * MS, 500 * MS),
        // In the middle of a handover.
        10..=11 => first.from + dice.below(10 * MS),
        // While the first lasts.
        12..=16 => first.from + dice.below(first.to - first.from + 3 * SEC),
        // When the first has just ended.
        _ => (first.to + dice.below(timeout + SEC)).saturating_sub(300 * MS),
    };
    let second = Fault { kind: random_kind(dice, settings), from, to: from + random_span(dice, timeout) };
    vec![first, second]
}

fn random_span(dice: &mut Dice, timeout: Us) -> Us {
    match dice.below(20) {
        0..=2 => dice.between(20 * MS, 600 * MS),
        3..=7 => dice.between(500 * MS, timeout),
        8..=14 => dice.between(timeout, 2 * timeout + 2 * SEC),
        _ => dice.between(2 * timeout, 3 * timeout + 5 * SEC),
    }
}

fn random_kind(dice: &mut Dice, settings: &Settings) -> Kind {
    let node = dice.pick(&[A, B]);
    match dice.below(50) {
        0..=5 => random_cable_cut(dice),
        6..=11 => {
            let (send, receive) = dice.pick(&[(true, true), (true, true), (true, false), (false, true)]);
            Kind::LanPortDead { node, send, receive, carrier_lost: send && receive && dice.percent(50) }
        }
        12..=16 => Kind::LanCut { pairs: random_split(dice) },
        17..=18 => Kind::UdpFiltered { from: dice.pick(&[[true, true], [true, false], [false, true]]) },
        19..=21 => Kind::GatewayDead,
        22..=24 => Kind::DaemonKilled { node },
        25..=27 => Kind::DaemonFrozen { node },
        28..=31 => Kind::PowerLost { node },
        32 => Kind::CableBad(random_impairment(dice, true)),
        33 => Kind::LanBad { node, how: random_impairment(dice, false) },
        34 => Kind::LanBad { node, how: random_impairment(dice, true) },
        35 => Kind::BindFails { node },
        36 => Kind::PersistFails { node },
        40 => Kind::OwnAddressLost { node },
        41..=43 => Kind::AnotherPair(dice.pick(&[Neighbour::Plain, Neighbour::Keyed])),
        44..=45 => Kind::Misset { node, setting: Setting::ClusterIp },
        46 => Kind::Misset { node, setting: Setting::Key },
        37..=38 => Kind::SelfFault { node, faults: dice.pick(&[Faults::FXO1, Faults::SERVICE]) },
        47..=49 => Kind::Recorder(random_tactic(dice)),
        _ if settings.method == NetworkMethod::Router => Kind::WanDown { node },
        _ => Kind::Attack,
    }
}

fn random_tactic(dice: &mut Dice) -> Tactic {
    Tactic {
        withholds: dice.percent(70),
        plays: dice.pick(&[Tape::None, Tape::Old, Tape::Old, Tape::Last(20 * SEC), Tape::Last(1400 * MS)]),
        rate: dice.pick(&[1, 3, 20, 300, 3000, 10_000]),
        is_peer: dice.percent(50),
        is_gateway: dice.percent(30),
        is_cluster: dice.percent(30),
    }
}

fn random_cable_cut(dice: &mut Dice) -> Kind {
    let from = dice.pick(&[[true, true], [true, true], [true, false], [false, true]]);
    let carrier_lost = if from == [true, true] {
        dice.pick(&[[true, true], [true, true], [true, false], [false, true], [false, false]])
    } else {
        // The end that loses carrier can receive nothing; the other one may still be told that all is well.
        dice.pick(&[[false, false], [from[B], from[A]]])
    };
    Kind::CableCut { from, carrier_lost }
}

/// The LAN falls apart: a node from the rest, the nodes from each other, or a node from the gateway; fully or one way.
fn random_split(dice: &mut Dice) -> Vec<(usize, usize)> {
    let node = dice.pick(&[A, B]);
    let peer = 1 - node;
    let out = match dice.below(4) {
        0 => vec![(node, peer), (node, GATEWAY), (node, PHONE)],
        1 | 2 => vec![(node, peer)],
        _ => vec![(node, GATEWAY), (node, PHONE)],
    };
    let back = out.iter().map(|&(from, to)| (to, from));
    match dice.below(4) {
        0 => out,
        1 => back.collect(),
        _ => back.collect::<Vec<_>>().into_iter().chain(out).collect(),
    }
}

fn random_impairment(dice: &mut Dice, delayed: bool) -> Impairment {
    let delay_max_us = if delayed { dice.pick(&[5 * MS, 100 * MS, 400 * MS, 1500 * MS]) } else { 0 };
    Impairment {
        loss_percent: dice.pick(&[0, 5, 20, 40]),
        duplicate_percent: dice.pick(&[0, 0, 5, 30]),
        reorder_percent: dice.pick(&[0, 0, 10, 50]),
        delay_min_us: if dice.percent(50) { delay_max_us / 2 } else { 0 },
        delay_max_us,
    }
}
