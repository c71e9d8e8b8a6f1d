//! Faults at random, one or two at a time: never two holders, and the pair always comes back.
//!
//! The one double fault that S2 excepts (cable and LAN cut between nodes that both reach the gateway) is not among them.

use crate::lab::course::{Course, Failure, Step};
use crate::lab::network::{Cut, Station};
use crate::lab::operations::Lab;
use crate::lab::plan::{HEARTBEAT_PORT, Node, Port, Wire};
use crate::lab::relay::Impairment;
use fastrand::Rng;
use std::io;
use std::time::{Duration, Instant};

/// For how long faults are made, where no other time was asked for, in seconds.
const CHAOS_S: u32 = 120;
/// A fault lasts this share of T at least, and this many times T at most.
const SHORTEST: f64 = 0.05;
const LONGEST: f64 = 1.6;

/// The longest delay of a slow wire, each way.
const SLOWEST: Duration = Duration::from_millis(1500);

/// Something that breaks.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill(Node),
    Freeze(Node),
    PowerLoss(Node),
    Cut(Port, Cut),
    Deaf(Port),
    Mute(Port),
    Lossy(Port),
    Slow(Port, Duration),
    Filtered(Node),
    CablePulled,
    GatewayDead,
    /// The LAN splits between the nodes; the gateway stays with the other one.
    Split(Node),
}

impl Fault {
    fn any(rng: &mut Rng) -> Self {
        let node = if rng.bool() { Node::A } else { Node::B };
        let port = Port { node, wire: if rng.bool() { Wire::Lan } else { Wire::Cable } };
        match rng.u8(0..13) {
            0 => Self::Kill(node),
            1 => Self::Freeze(node),
            2 => Self::PowerLoss(node),
            3 => Self::Cut(port, Cut::Carrier),
            4 => Self::Cut(port, Cut::Silent),
            5 => Self::Deaf(port),
            6 => Self::Mute(port),
            7 => Self::Lossy(port),
            8 => Self::Filtered(node),
            9 => Self::CablePulled,
            10 => Self::GatewayDead,
            11 => Self::Slow(port, SLOWEST.mul_f64(rng.f64())),
            _ => Self::Split(node),
        }
    }

    fn happen(self, lab: &mut Lab) -> io::Result<()> {
        let good = Impairment::default();
        match self {
            // A daemon that is gone already can be neither killed nor frozen.
            Self::Kill(node) | Self::Freeze(node) | Self::PowerLoss(node) if !lab.is_running(node) => Ok(()),
            Self::Kill(node) => lab.kill(node),
            Self::Freeze(node) => lab.freeze(node),
            Self::PowerLoss(node) => lab.power_off(node),
            Self::Cut(port, how) => lab.cut(port, how),
            Self::Deaf(port) => lab.impair(port, Impairment { deaf: true, ..good }),
            Self::Mute(port) => lab.impair(port, Impairment { mute: true, ..good }),
            Self::Lossy(port) => lab.impair(port, Impairment { loss_pct: 60, duplicate_pct: 20, ..good }),
            Self::Slow(port, delay) => lab.impair(port, Impairment { delay, jitter: delay / 2, ..good }),
            Self::Filtered(node) => {
                lab.impair(Port::lan(node), Impairment { filtered_udp_port: Some(HEARTBEAT_PORT), ..good })
            }
            Self::CablePulled => lab.pull_cable(),
            Self::GatewayDead => lab.set_gateway(false),
            Self::Split(node) => lab.split_lan(&[Station::Node(node)]),
        }
    }
}

pub(super) fn chaos(course: &mut Course) -> Step {
    let seed = course.seed.unwrap_or_else(|| fastrand::u64(..));
    course.lab.timeline.note(format_args!("seed {seed}"));
    let mut rng = Rng::with_seed(seed);
    course.boot()?;
    course.lab.observe_every(Duration::from_millis(1));
    let begin = Instant::now();
    let length = Duration::from_secs(course.seconds.unwrap_or(CHAOS_S).into());
    let mut rounds = 0_u32;
    while begin.elapsed() < length {
        round(course, &mut rng).map_err(|Failure(text)| Failure(format!("seed {seed}, round {rounds}: {text}")))?;
        rounds += 1;
    }
    course.figure("rounds", rounds.into(), "faults or pairs of faults");
    Ok(())
}

fn round(course: &mut Course, rng: &mut Rng) -> Step {
    course.lab.timeline.note("--- a new round");
    for _ in 0..rng.u8(1..=2) {
        Fault::any(rng).happen(&mut course.lab)?;
        let length = course.timeout.mul_f64(SHORTEST + rng.f64() * (LONGEST - SHORTEST));
        course.watch("never both nodes with the cluster IP", length, never_two)?;
    }
    course.lab.restore()?;
    course.settle()?;
    course.expect_never_two()
}

fn never_two(course: &mut Course) -> bool {
    course.lab.sightings().both_bound.is_zero()
}
