//! The world itself, tried with a decider that only holds the address and sends beacons.

use super::ether::Arp;
use super::faults::{Fault, Kind};
use super::link::Impairment;
use super::machine::Decider;
use super::settings::Settings;
use super::stations::{BROADCAST, CLUSTER_IP, NODE_MAC};
use super::trace::Trace;
use super::wakes::wakes_in_time;
use super::world::World;
use super::{A, B, MS, SEC, Us};
use core::net::Ipv4Addr;
use std::collections::VecDeque;
use ucm_ha::config::Config;
use ucm_ha::io::{AddressEvent, Input, Output, Port, Record};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::role::Role;
use ucm_ha::types::{MacAddr, StationType};
use ucm_ha::{Duration, Instant};

const VALID_S: u32 = 2;
const PERIOD: Duration = Duration::from_ms(100);

/// The primary holds the cluster IP, the secondary asks who has it; both send a beacon on each path.
#[derive(Clone, Debug)]
struct Beacon {
    primary: bool,
    mac: MacAddr,
    next: Instant,
    /// Asked for in place of `next`.
    wake_at: Option<Instant>,
    /// Each call puts `next` off by so many µs.
    put_off_us: u64,
    outputs: VecDeque<Output>,
}

fn beacon(config: Config, _: Record, _: u32, now: Instant) -> Box<dyn Decider> {
    let primary = config.station_type == StationType::Primary;
    let mut outputs = VecDeque::new();
    if primary {
        outputs.push_back(Output::BindAddress { valid_s: VALID_S, before: Instant::NEVER });
    }
    Box::new(Beacon { primary, mac: config.mac, next: now + PERIOD, wake_at: None, put_off_us: 0, outputs })
}

impl Decider for Beacon {
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if matches!(input, Input::Address(AddressEvent::Held)) {
            self.outputs.push_back(Output::SendArp { len: 42 });
        }
        self.next = self.next + Duration::from_us(self.put_off_us);
        if now >= self.next {
            self.next = now + PERIOD;
            self.outputs.extend([Output::SendCable { len: 64 }, Output::SendLan { len: 50 }]);
            self.outputs.push_back(if self.primary {
                Output::RenewAddress { valid_s: VALID_S, before: Instant::NEVER }
            } else {
                Output::SendArp { len: 42 }
            });
        }
    }

    fn poll_output(&mut self, frame: &mut [u8; FRAME_CAPACITY]) -> Option<Output> {
        let output = self.outputs.pop_front()?;
        if matches!(output, Output::SendArp { .. }) {
            let arp = Arp {
                request: true,
                to: BROADCAST,
                sender_mac: self.mac,
                sender_ip: if self.primary { CLUSTER_IP } else { Ipv4Addr::UNSPECIFIED },
                target_mac: MacAddr([0; 6]),
                target_ip: CLUSTER_IP,
            };
            frame[..42].copy_from_slice(&arp.emit().bytes()[..42]);
        }
        Some(output)
    }

    fn poll_timeout(&self) -> Instant {
        self.wake_at.unwrap_or(self.next)
    }

    fn role(&self) -> Role {
        Role::Init
    }

    fn twin(&self) -> Box<dyn Decider> {
        Box::new(self.clone())
    }

    fn knows(&self) -> String {
        format!("{self:?}")
    }
}

fn world_with(kind: Kind, from: Us, to: Us) -> World {
    let settings = Settings { socket_frames: 16, ..Settings::default() };
    let mut world = World::with(1, settings, vec![Fault { kind, from, to }], Trace::new(true, false), beacon);
    world.watch.expects_service = false;
    world
}

/// When the kernel's address of node A came or went, after `since`.
fn address_moves(world: &World, since: Us) -> Vec<(Us, bool)> {
    world
        .log
        .addresses
        .iter()
        .filter(|move_| move_.1 == A && move_.0 >= since)
        .map(|&(at, _, held)| (at, held))
        .collect()
}

#[test]
fn the_address_of_a_frozen_daemon_goes_by_itself() {
    let mut world = world_with(Kind::DaemonFrozen { node: A }, 5 * SEC, 20 * SEC);
    world.run_until(15 * SEC);
    let moves = address_moves(&world, 5 * SEC);
    assert_eq!(moves.len(), 1, "{moves:?}");
    let (gone, held) = moves[0];
    assert!(!held && (6_890 * MS..=7_101 * MS).contains(&gone), "gone at {gone}");
}

#[test]
fn the_kernel_of_a_killed_daemon_answers_arp_until_its_address_is_gone() {
    let mut world = world_with(Kind::DaemonKilled { node: A }, 5 * SEC, Us::MAX);
    world.run_until(6_800 * MS);
    assert!(world.trace.text().contains("ARP A to B: 10.0.0.10 is at 02:00:00:00:0A:01"), "{}", world.trace.text());
    world.run_until(9 * SEC);
    let newest = world.trace.text();
    let newest = newest.split("last 60 events").last().unwrap_or_default();
    assert!(newest.contains("who has 10.0.0.10") && !newest.contains("is at"), "{newest}");
}

#[test]
fn a_machine_without_power_holds_nothing_and_takes_the_peers_carrier_along() {
    let mut world = world_with(Kind::PowerLost { node: A }, 5 * SEC, 8 * SEC);
    world.run_until(5 * SEC + 11 * MS);
    assert_eq!(address_moves(&world, 5 * SEC), [(5 * SEC, false)]);
    assert!(world.trace.text().contains("B Cable carrier down"));
    assert!(!world.net.carrier(B, Port::Cable) && world.net.carrier(B, Port::Lan));
    world.run_until(10 * SEC);
    assert!(world.machines[A].kernel.bound(), "booted and bound again");
}

#[test]
fn a_one_way_cut_of_all_paths_silences_one_direction_only() {
    let cable = Kind::CableCut { from: [true, false], carrier_lost: [false, false] };
    let mut world = world_with(cable, 5 * SEC, Us::MAX);
    world.plan(Fault { kind: Kind::UdpFiltered { from: [true, false] }, from: 5 * SEC, to: Us::MAX });
    world.run_until(10 * SEC);
    assert!(world.heard[A] > 9 * SEC && world.heard[B] < 5 * SEC + MS);
}

#[test]
fn sockets_hold_what_fits_while_the_daemon_is_frozen() {
    let mut world = world_with(Kind::DaemonFrozen { node: B }, 5 * SEC, 9 * SEC);
    world.run_until(8_900 * MS);
    // 39 beacons came on the cable and 39 on the LAN; each socket holds 16.
    assert_eq!(world.machines[B].inbox.len(), 32);
    world.run_until(9 * SEC);
    assert!(world.machines[B].inbox.is_empty());
    assert_eq!(world.heard[B], 9 * SEC);
}

#[test]
fn a_path_that_loses_all_frames_delivers_none_and_a_slow_one_delivers_late() {
    let deaf = Impairment { loss_percent: 100, ..Impairment::default() };
    let slow = Impairment { delay_min_us: 400 * MS, delay_max_us: 400 * MS, ..Impairment::default() };
    let mut world = world_with(Kind::CableBad(deaf), 5 * SEC, Us::MAX);
    world.plan(Fault { kind: Kind::LanBad { node: A, how: slow }, from: 5 * SEC, to: Us::MAX });
    world.run_until(5_399 * MS);
    assert!(world.heard[B] <= 5 * SEC + MS, "heard at {}", world.heard[B]);
    world.run_until(5_600 * MS);
    assert!(world.heard[B] >= 5_400 * MS);
}

#[test]
fn the_phone_believes_the_newest_announcement() {
    let mut world = world_with(Kind::ForeignHolder, 5 * SEC, 6 * SEC);
    world.run_until(4 * SEC);
    assert_eq!(world.phone.cluster_mac, Some(NODE_MAC[A]));
    assert_eq!(world.server(), Some(A));
    world.run_until(6 * SEC);
    assert_eq!(world.server(), None, "the stranger took the phone's frames");
    assert_eq!(world.watch.outages.len(), 0);
}

#[test]
fn two_holders_of_the_address_are_noticed_unless_the_split_is_provable() {
    let both_primary = Settings { station: [StationType::Primary; 2], ..Settings::default() };
    let mut world = World::with(1, both_primary.clone(), Vec::new(), Trace::new(false, false), beacon);
    world.run_until(SEC);
    assert_eq!(world.watch.broken.as_ref().map(|(promise, _)| *promise), Some("S1/S4"));

    let cable = Kind::CableCut { from: [true, false], carrier_lost: [false; 2] };
    let lan = Kind::LanCut { pairs: vec![(B, A)] };
    let faults = [cable, lan].map(|kind| Fault { kind, from: 0, to: 5 * SEC }).to_vec();
    let mut world = World::with(1, both_primary, faults, Trace::new(false, false), beacon);
    world.run_until(5 * SEC);
    assert!(world.watch.broken.is_none() && world.watch.exempt_splits == 1);
    world.run_until(6 * SEC);
    assert!(world.watch.broken.is_some(), "the exception ends soon after the split");
}

/// A beacon's twin with a defect of its sleep.
fn beacon_that(defect: fn(&mut Beacon)) -> Beacon {
    let now = Instant::from_ms(0);
    let mut node = Beacon {
        primary: false,
        mac: MacAddr([2; 6]),
        next: now + PERIOD,
        wake_at: None,
        put_off_us: 0,
        outputs: VecDeque::new(),
    };
    defect(&mut node);
    node
}

#[test]
fn a_node_that_would_sleep_too_long_is_noticed() {
    let wakes = |node: Beacon| wakes_in_time(&node, Instant::from_ms(0));
    assert_eq!(wakes(beacon_that(|_| {})), Ok(()));
    let too_late = wakes(beacon_that(|node| node.wake_at = Some(node.next + PERIOD)));
    assert!(too_late.is_err_and(|why| why.contains("100000 us before it asks to be woken")));
    // It asks in time, but every call puts that off.
    let put_off = wakes(beacon_that(|node| node.put_off_us = 1));
    assert!(put_off.is_err_and(|why| why.contains("is changed by early calls")));
}
