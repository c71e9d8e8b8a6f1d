//! What passes between whom: the cable, the ports of the LAN's switch, power, carrier, and impairments.
//!
//! Every cut is a counter, so that faults may overlap and end in any order.

use super::dice::Dice;
use super::stations::{GATEWAY, STATIONS};
use super::{A, B, MS, Us};
use ucm_ha::io::Port;

/// Shortest delay of a frame on a healthy path.
const DELAY_MIN_US: Us = 50;
/// Longest delay of a frame on a healthy path.
const DELAY_MAX_US: Us = 300;
/// How long a reordered frame is held back at most.
const REORDER_MAX_US: Us = 30 * MS;

/// A bad path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Impairment {
    /// Frames lost, in percent.
    pub(crate) loss_percent: u64,
    /// Frames that arrive twice, in percent.
    pub(crate) duplicate_percent: u64,
    /// Frames held back so that later ones overtake them, in percent.
    pub(crate) reorder_percent: u64,
    /// Shortest additional delay.
    pub(crate) delay_min_us: Us,
    /// Longest additional delay. A spread reorders, too.
    pub(crate) delay_max_us: Us,
}

/// What the two nodes share: power sockets, the cable and the switch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Net {
    /// Reasons why a machine has no power.
    pub(crate) power_off: [u8; 2],
    /// Reasons why frames sent by a node are lost on the cable.
    pub(crate) cable_cut_from: [u8; 2],
    /// Reasons why a node's heartbeat port has no carrier.
    pub(crate) cable_carrier_lost: [u8; 2],
    /// Reasons why the switch passes nothing from a station to another.
    pub(crate) lan_cut: [[u8; STATIONS]; STATIONS],
    /// Reasons why heartbeat datagrams from a node are filtered on the LAN while ARP passes.
    pub(crate) udp_filtered_from: [u8; 2],
    /// Reasons why a node has no static address.
    pub(crate) own_address_lost: [u8; 2],
    /// Reasons why a node's LAN port sends nothing.
    pub(crate) lan_send_dead: [u8; 2],
    /// Reasons why a node's LAN port receives nothing.
    pub(crate) lan_receive_dead: [u8; 2],
    /// Reasons why a node's LAN port has no carrier.
    pub(crate) lan_carrier_lost: [u8; 2],
    /// Reasons why a node's WAN port has no carrier.
    pub(crate) wan_carrier_lost: [u8; 2],
    /// Reasons why the gateway is dead.
    pub(crate) gateway_dead: u8,
    /// Impairments of the cable.
    pub(crate) cable_impaired: Vec<Impairment>,
    /// Impairments of each node's LAN port, in both directions.
    pub(crate) lan_impaired: [Vec<Impairment>; 2],
}

impl Net {
    /// Whether the machine has power.
    pub(crate) fn powered(&self, node: usize) -> bool {
        self.power_off[node] == 0
    }

    /// Whether a node's port has carrier.
    pub(crate) fn carrier(&self, node: usize, port: Port) -> bool {
        self.powered(node)
            && match port {
                Port::Cable => self.powered(1 - node) && self.cable_carrier_lost[node] == 0,
                Port::Lan => self.lan_carrier_lost[node] == 0,
                Port::Wan => self.wan_carrier_lost[node] == 0,
            }
    }

    /// Whether a node has its static address.
    pub(crate) fn own_address(&self, node: usize) -> bool {
        self.own_address_lost[node] == 0
    }

    /// Whether the LAN passes heartbeat datagrams from `node` to its peer. Both need their static address.
    pub(crate) fn udp_passes(&self, node: usize) -> bool {
        let addressed = self.own_address(A) && self.own_address(B);
        addressed && self.udp_filtered_from[node] == 0 && self.lan_passes(node, 1 - node)
    }

    /// Whether the cable passes frames from `node` to its peer.
    pub(crate) fn cable_passes(&self, node: usize) -> bool {
        self.powered(A) && self.powered(B) && self.cable_cut_from[node] == 0
    }

    /// Whether the LAN passes frames from a station to another.
    pub(crate) fn lan_passes(&self, from: usize, to: usize) -> bool {
        self.lan_cut[from][to] == 0 && self.port_sends(from) && self.port_receives(to)
    }

    fn port_sends(&self, station: usize) -> bool {
        match station {
            A | B => self.powered(station) && self.lan_send_dead[station] == 0 && self.lan_carrier_lost[station] == 0,
            GATEWAY => self.gateway_dead == 0,
            _ => true,
        }
    }

    fn port_receives(&self, station: usize) -> bool {
        match station {
            A | B => {
                self.powered(station) && self.lan_receive_dead[station] == 0 && self.lan_carrier_lost[station] == 0
            }
            GATEWAY => self.gateway_dead == 0,
            _ => true,
        }
    }

    /// Delays of the copies of one frame on the cable.
    pub(crate) fn cable_delays(&self, dice: &mut Dice) -> [Option<Us>; 2] {
        delays(dice, &self.cable_impaired, &[])
    }

    /// Delays of the copies of one frame on the LAN.
    pub(crate) fn lan_delays(&self, dice: &mut Dice, from: usize, to: usize) -> [Option<Us>; 2] {
        let of = |station: usize| self.lan_impaired.get(station).map_or(&[][..], Vec::as_slice);
        delays(dice, of(from), of(to))
    }
}

/// Delays of a frame and of its duplicate, `None` for what is lost or does not exist.
fn delays(dice: &mut Dice, first: &[Impairment], second: &[Impairment]) -> [Option<Us>; 2] {
    let base = dice.between(DELAY_MIN_US, DELAY_MAX_US);
    let mut copies = [Some(base), None];
    for impairment in first.iter().chain(second) {
        if dice.percent(impairment.duplicate_percent) {
            copies[1] = copies[0];
        }
        for copy in &mut copies {
            let lost = dice.percent(impairment.loss_percent);
            let mut extra = dice.between(impairment.delay_min_us, impairment.delay_max_us);
            if dice.percent(impairment.reorder_percent) {
                extra += dice.below(REORDER_MAX_US);
            }
            *copy = copy.filter(|_| !lost).map(|delay| delay + extra);
        }
    }
    copies
}
