//! Somebody on both paths who records, replays, garbles and invents frames (promise S6).

use super::dice::Dice;
use super::ether::Packet;
use super::faults::{Fault, Kind};
use super::machine::real_node;
use super::settings::Settings;
use super::stations::NODE_IP;
use super::world::{Event, World};
use super::{A, B, MS};
use ucm_ha::io::{Input, Output, Port, Record};
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::types::{Key, MacAddr};
use ucm_ha::{Duration, Instant};

/// Frames the attacker remembers.
const TAPE: usize = 300;
/// Longest pause between two of its frames.
const PAUSE_MAX_US: u64 = 40 * MS;

/// The attacker's memory.
pub(crate) struct Attacker {
    /// Whether an attack is planned, so that recording is worth while.
    listens: bool,
    active: bool,
    /// What it heard: on the cable or not, for whom, what.
    tape: Vec<(bool, usize, Packet)>,
    /// Frames of another pair: on the cable or not, what.
    strangers: Vec<(bool, Packet)>,
}

impl Attacker {
    /// An attacker that will be needed for these faults.
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let listens = faults.iter().any(|fault| fault.kind == Kind::Attack);
        Self { listens, active: false, tape: Vec::new(), strangers: Vec::new() }
    }

    /// Whether an attack is under way.
    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    /// Listens from now on.
    pub(crate) fn listen(&mut self) {
        self.listens = true;
    }

    /// Remembers a frame. Old ones stay for long: a replay from before a reboot is the dangerous one.
    pub(crate) fn hear(&mut self, dice: &mut Dice, cable: bool, to: usize, packet: &Packet) {
        if !self.listens {
            return;
        }
        if self.tape.len() < TAPE {
            self.tape.push((cable, to, *packet));
        } else if dice.percent(20) {
            let place = dice.below(TAPE as u64) as usize;
            self.tape[place] = (cable, to, *packet);
        }
    }
}

/// Frames that a node of another pair sends on both paths while it boots and serves.
fn frames_of_another_pair(settings: &Settings) -> Vec<(bool, Packet)> {
    let mut config = settings.config(B);
    config.mac = MacAddr([2, 0, 0, 0, 0xee, 1]);
    config.cable_mac = MacAddr([2, 0, 0, 0, 0xee, 2]);
    config.peer_mac = None;
    config.key = config.key.map(|_| Key([0x77; 32]));
    let mut now = Instant::from_ms(1);
    let mut node = real_node(config, Record { term: 900, term_ceiling: 1000, ..Record::default() }, 0x00c0_ffee, now);
    let mut frames = Vec::new();
    let mut buffer = [0; FRAME_CAPACITY];
    for port in [Port::Cable, Port::Lan] {
        node.handle(now, Input::Link { port, up: true });
    }
    while frames.len() < 64 && now < Instant::from_ms(20_000) {
        while let Some(output) = node.poll_output(&mut buffer) {
            if let Output::SendCable { len } = output {
                frames.push((true, Packet::new(&buffer[..len])));
            } else if let Output::SendLan { len } = output {
                frames.push((false, Packet::new(&buffer[..len])));
            }
        }
        now = node.poll_timeout().max(now + Duration::from_us(1));
        node.handle(now, Input::Timeout);
    }
    frames
}

impl World {
    /// Starts or ends the attack.
    pub(crate) fn set_attack(&mut self, on: bool) {
        self.attacker.active = on;
        if on {
            if self.attacker.strangers.is_empty() {
                self.attacker.strangers = frames_of_another_pair(&self.settings);
            }
            self.after(0, Event::AttackerActs);
        }
    }

    /// Sends one frame of the attack.
    pub(crate) fn attacker_acts(&mut self) {
        if !self.attacker.active {
            return;
        }
        let (cable, to, mut packet) = self.attackers_choice();
        self.garble(&mut packet);
        let slot = self.pool.put(packet);
        // Nobody speaks through a port without carrier.
        if cable && self.net.carrier(to, Port::Cable) {
            self.cable_arrives(to, slot, true);
        } else if !cable && self.net.powered(to) {
            let source = if self.dice.percent(80) { NODE_IP[1 - to] } else { NODE_IP[to] };
            self.udp_arrives(to, source, slot, true);
        } else {
            self.pool.take(slot);
        }
        let pause = self.dice.below(PAUSE_MAX_US);
        self.after(pause, Event::AttackerActs);
    }

    /// A recorded frame (to its receiver or reflected to its sender), a frame of another pair, or noise.
    fn attackers_choice(&mut self) -> (bool, usize, Packet) {
        let to = self.dice.pick(&[A, B]);
        let tape = self.attacker.tape.len() as u64;
        let strangers = self.attacker.strangers.len() as u64;
        match self.dice.below(10) {
            0..=5 if tape > 0 => {
                let (cable, receiver, packet) = self.attacker.tape[self.dice.below(tape) as usize];
                let reflected = self.dice.percent(20);
                let other_path = self.dice.percent(10);
                // Paths differ in their framing: a frame on the wrong one is garbage, which is tried as well.
                (cable != other_path, if reflected { 1 - receiver } else { receiver }, packet)
            }
            6..=8 if strangers > 0 => {
                let (cable, packet) = self.attacker.strangers[self.dice.below(strangers) as usize];
                (cable, to, packet)
            }
            _ => {
                let mut noise = [0; FRAME_CAPACITY];
                for byte in &mut noise {
                    *byte = self.dice.below(256) as u8;
                }
                let len = self.dice.between(1, FRAME_CAPACITY as u64) as usize;
                (self.dice.percent(50), to, Packet::new(&noise[..len]))
            }
        }
    }

    /// Leaves half of the frames as they are; flips bits in others, or cuts them.
    fn garble(&mut self, packet: &mut Packet) {
        let len = packet.bytes().len() as u64;
        match self.dice.below(8) {
            0 | 1 => {
                for _ in 0..self.dice.between(1, 4) {
                    let bit = self.dice.below(len * 8);
                    packet.bytes_mut()[(bit / 8) as usize] ^= 1 << (bit % 8);
                }
            }
            2 => packet.truncate(self.dice.below(len) as usize),
            3 => {
                let at = self.dice.below(len) as usize;
                packet.bytes_mut()[at] = self.dice.below(256) as u8;
            }
            _ => {}
        }
    }
}
