//! Frames from sender to receiver: over the cable, over the LAN, and what the other stations answer.

use super::ether::{Arp, Packet, Slot};
use super::machine::{Daemon, Pending, Waiting};
use super::stations::{
    BROADCAST, CLUSTER_IP, FOREIGN, FOREIGN_MAC, GATEWAY, GATEWAY_IP, GATEWAY_MAC, NODE_IP, NODE_MAC, PHONE, STATIONS,
};
use super::world::{Event, World, name};
use super::{A, B, MS, Us};
use core::net::Ipv4Addr;
use ucm_ha::io::Output;
use ucm_ha::types::MacAddr;
use ucm_ha::wire::Path;

/// MAC addresses by port; the phone needs none.
const MACS: [MacAddr; STATIONS] = [NODE_MAC[A], NODE_MAC[B], GATEWAY_MAC, FOREIGN_MAC, MacAddr([0; 6])];
/// Beyond the longest time between two frames, with a loss or two.
const GAP_US: Us = 1200 * MS;
const STATION_NAMES: [&str; STATIONS] = ["A", "B", "gateway", "stranger", "phone"];

impl World {
    /// Puts a frame of a node on its way.
    pub(crate) fn transmit(&mut self, node: usize, pending: Pending) {
        let Some(slot) = pending.slot else { return };
        let packet = self.pool.take(slot);
        match pending.output {
            Output::SendCable { .. } => {
                self.machines[node].heartbeats[0] += 1;
                let spoken = self.as_spoken(node, Path::Cable, packet);
                self.send_cable(node, spoken);
            }
            Output::SendLan { .. } => {
                self.machines[node].heartbeats[1] += 1;
                let spoken = self.as_spoken(node, Path::Lan, packet);
                self.send_udp(node, spoken);
            }
            Output::SendArp { .. } => self.send_arp(node, packet),
            Output::ReleaseAddress
            | Output::BindAddress { .. }
            | Output::RenewAddress { .. }
            | Output::Persist(_)
            | Output::RoleChanged { .. }
            | Output::Alert { .. }
            | Output::FaultChanged { .. }
            | Output::StartFullSync
            | Output::Reboot
            | Output::SwitchDone(_)
            | Output::Stopped => unreachable!("it has no frame"),
        }
    }

    fn send_cable(&mut self, from: usize, packet: Packet) {
        let to = 1 - from;
        self.attacker.hear(&mut self.dice, true, to, &packet);
        self.third_overhears(from, &packet);
        let passes = self.net.cable_passes(from);
        self.trace.detail(self.now, || format!("{} sends on cable{}", name(from), lost(passes)));
        if passes {
            for delay in self.net.cable_delays(&mut self.dice).into_iter().flatten() {
                let slot = self.pool.put(packet);
                self.after(delay, Event::CableArrives { to, slot, forged: false });
            }
        }
    }

    fn send_udp(&mut self, from: usize, packet: Packet) {
        let to = 1 - from;
        self.attacker.hear(&mut self.dice, false, to, &packet);
        let taken = self.net.lan_passes(from, FOREIGN) && self.recorder.takes(self.now, to, &packet);
        let passes = !taken && self.net.udp_passes(from);
        self.trace.detail(self.now, || format!("{} sends on LAN{}", name(from), lost(passes)));
        if passes {
            for delay in self.net.lan_delays(&mut self.dice, from, to).into_iter().flatten() {
                let slot = self.pool.put(packet);
                self.after(delay, Event::UdpArrives { to, source: NODE_IP[from], slot, forged: false });
            }
        }
    }

    /// Puts an ARP frame of a station on the LAN.
    pub(crate) fn send_arp(&mut self, from: usize, packet: Packet) {
        let Some(arp) = Arp::parse(packet.bytes()) else {
            self.breaks("outputs", || format!("{} sends a LAN frame that is not ARP", STATION_NAMES[from]));
            return;
        };
        if arp.sender_mac != MACS[from] {
            self.breaks("outputs", || format!("{} sends ARP for {}", STATION_NAMES[from], arp.sender_mac));
        }
        for (to, mac) in MACS.into_iter().enumerate() {
            if to == from || !(arp.to == BROADCAST || arp.to == mac) || !self.cares(to, &arp) {
                continue;
            }
            let passes = self.net.lan_passes(from, to);
            self.trace.detail(self.now, || arp_text(from, to, &arp, passes));
            if passes {
                for delay in self.net.lan_delays(&mut self.dice, from, to).into_iter().flatten() {
                    let slot = self.pool.put(packet.padded());
                    self.after(delay, Event::ArpArrives { to, slot });
                }
            }
        }
    }

    /// Whether a station does anything with an ARP frame. Nodes see all of them.
    fn cares(&self, station: usize, arp: &Arp) -> bool {
        match station {
            GATEWAY => arp.request && arp.target_ip == GATEWAY_IP,
            FOREIGN => {
                let has = self.recorder.lies_about(arp.target_ip) || (self.foreign && arp.target_ip == CLUSTER_IP);
                has && arp.request && arp.sender_ip != arp.target_ip
            }
            PHONE => arp.sender_ip == CLUSTER_IP,
            _ => true,
        }
    }

    /// A station without daemon announces that it has the cluster IP.
    pub(crate) fn announce(&mut self, station: usize, mac: MacAddr) {
        let arp = Arp {
            request: true,
            to: BROADCAST,
            sender_mac: mac,
            sender_ip: CLUSTER_IP,
            target_mac: MacAddr([0; 6]),
            target_ip: CLUSTER_IP,
        };
        self.send_arp(station, arp.emit());
    }

    /// A frame reaches a heartbeat port.
    pub(crate) fn cable_arrives(&mut self, to: usize, slot: Slot, forged: bool) {
        self.hand_over(to, Waiting::Cable(slot), forged);
    }

    /// A datagram reaches a LAN port.
    pub(crate) fn udp_arrives(&mut self, to: usize, source: Ipv4Addr, slot: Slot, forged: bool) {
        self.hand_over(to, Waiting::Udp(source, slot), forged);
    }

    fn hand_over(&mut self, to: usize, waiting: Waiting, forged: bool) {
        let cable = matches!(waiting, Waiting::Cable(_));
        let kind = if forged { "a forged frame" } else { "a frame" };
        let path = if cable { "cable" } else { "LAN" };
        self.trace.mix(self.now ^ to as u64);
        self.trace.detail(self.now, || format!("{} gets {kind} on {path} ({:?})", name(to), self.machines[to].daemon));
        if self.machines[to].daemon == Daemon::Running && !forged {
            if self.now > self.heard[to] + GAP_US {
                self.heard_since[to] = self.now;
            }
            self.heard[to] = self.now;
        }
        self.give(to, waiting);
    }

    /// An ARP frame reaches a station.
    pub(crate) fn arp_arrives(&mut self, to: usize, slot: Slot) {
        let packet = self.pool.take(slot);
        let Some(arp) = Arp::parse(packet.bytes()) else { return };
        match to {
            A | B => {
                let own_ip = self.net.own_address(to).then_some(NODE_IP[to]);
                if self.net.powered(to) && self.machines[to].kernel.answers(&arp, own_ip) {
                    self.send_arp(to, arp.answer(NODE_MAC[to]).emit());
                }
                let slot = self.pool.put(packet);
                self.give(to, Waiting::Arp(slot));
            }
            GATEWAY => self.send_arp(GATEWAY, arp.answer(GATEWAY_MAC).emit()),
            FOREIGN => {
                if self.recorder_answers(&arp) {
                    self.send_arp(FOREIGN, arp.answer(FOREIGN_MAC).emit());
                }
            }
            _ => {
                if self.phone.hears(&arp) {
                    self.trace.story(self.now, || format!("phone: {CLUSTER_IP} is at {}", arp.sender_mac));
                    self.watch.dirty = true;
                }
            }
        }
    }
}

fn lost(passes: bool) -> &'static str {
    if passes { "" } else { " (cut)" }
}

fn arp_text(from: usize, to: usize, arp: &Arp, passes: bool) -> String {
    let (from, to) = (STATION_NAMES[from], STATION_NAMES[to]);
    if arp.request {
        format!("ARP {from} to {to}: who has {} (I am {}){}", arp.target_ip, arp.sender_ip, lost(passes))
    } else {
        format!("ARP {from} to {to}: {} is at {}{}", arp.sender_ip, arp.sender_mac, lost(passes))
    }
}
