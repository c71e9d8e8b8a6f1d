//! One node, the facts it is given, and what must hold whatever they are.
//!
//! | promise | as far as one node can keep it |
//! |---|---|
//! | S1, S3 | a node that is not claiming, active or yielding holds no address, and none that says `Released` does |
//! | S1 | a claim uses no term above those whose record was asked to be stored before |
//! | S6 | bytes that are no heartbeat of the pair change no role |
//! | — | bounded effects, an unbroken chain of roles, a deadline ahead, frames that the peer can read |

use crate::peer::{self, Peer};
use crate::script::Script;
use crate::seal::sealed;
use crate::settings::{self, BOOT_ID, CLUSTER_IP, GATEWAY, OWN_IP, OWN_MAC, PEER_IP, PEER_MAC};
use core::net::Ipv4Addr;
use ucm_ha::config::DEFAULT_HEARTBEAT_PORT;
use ucm_ha::fault::Faults;
use ucm_ha::io::{AddressEvent, Command, Input, Output, Port, Record};
use ucm_ha::role::Role;
use ucm_ha::types::{KEY_LEN, Key, MacAddr};
use ucm_ha::wire::arp::{self, Message};
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::wire::cable;
use ucm_ha::wire::{Path, Repr, Signal};
use ucm_ha::{Duration, FRAME_CAPACITY, Instant, Node};

/// Most effects of one input.
const MAX_OUTPUTS: usize = 64;
/// Length of an ARP packet with its Ethernet header, in bytes.
const ARP_LEN: usize = 42;
const GATEWAY_MAC: MacAddr = MacAddr([2, 0, 0, 0, 1, 1]);

/// A node under way.
pub struct Course {
    node: Node,
    key: Option<Authenticator>,
    peer: Peer,
    now: Instant,
    /// The role as those know it who follow the effects.
    told: Role,
    /// Whether an adapter that carries out every effect at once holds the cluster IP …
    bound: bool,
    /// … and has not yet said what came of the newest request to bind it.
    unanswered: bool,
    /// Newest record that was to be stored.
    record: Record,
}

impl Course {
    /// A node that has just started.
    pub fn new(script: &mut Script<'_>) -> Self {
        let config = settings::config(script);
        let [term, ahead, bits] = script.array();
        let record = Record {
            term: term.into(),
            term_ceiling: u32::from(term).saturating_add(ahead.into()),
            last_active: bits & 1 != 0,
            disabled_by_peer: bits & 0xf0 == 0xf0,
            handovers: bits >> 1 & 3,
            maintenance: bits & 8 != 0,
        };
        let now = Instant::from_us(1_000_000);
        let key = config.key.as_ref().map(Authenticator::new);
        let node = Node::new(config, record, BOOT_ID, now).expect("a valid configuration");
        let told = node.role();
        let mut course = Self { node, key, peer: Peer::default(), now, told, bound: false, unanswered: false, record };
        course.drain();
        course
    }

    /// Gives the node the script's next fact.
    pub fn step(&mut self, script: &mut Script<'_>) {
        let [what, wait] = script.array();
        let later = self.now + Duration::from_ms(u64::from(wait).pow(2) / 8);
        self.now = if what & 0x80 != 0 { self.node.poll_timeout().min(later) } else { later };
        match what & 0x7f {
            kind @ 0..=1 => self.garbage(kind, script),
            kind @ 2..=3 => self.forgery(kind, script),
            4..=11 => self.heartbeat(Path::Cable, script),
            12..=19 => self.heartbeat(Path::Lan, script),
            20..=31 => self.arp(script),
            _ => self.fact(script),
        }
    }

    /// Facts in which others have no part.
    fn fact(&mut self, script: &mut Script<'_>) {
        let [what, number] = script.array();
        let flag = number & 1 != 0;
        let faults = Faults::from_bits_truncate(1 << (number % 13));
        let raised = number & 0x80 != 0;
        let ports = [Port::Lan, Port::Cable, Port::Wan];
        let commands = [
            Command::ForceSwitch,
            Command::Disable,
            Command::Enable,
            Command::Shutdown,
            Command::EnterMaintenance,
            Command::ForceMaintenance,
            Command::LeaveMaintenance,
        ];
        let input = match what % 16 {
            0..=2 => Input::Link { port: ports[usize::from(number / 2) % ports.len()], up: flag },
            3..=6 => Input::Address(self.address_event(number)),
            7..=8 => Input::Persisted { saved: flag },
            9 => Input::Fault { faults, raised },
            10 => Input::FaultUnknown { faults, unknown: raised },
            11 => Input::SyncDone { generation: number.into(), complete: flag },
            12 => Input::Command(commands[usize::from(number) % commands.len()]),
            13 => Input::OwnAddress { present: flag },
            _ => Input::Timeout,
        };
        self.give(input);
    }

    /// What an adapter says of the address. It may be late, but it is true.
    fn address_event(&mut self, number: u8) -> AddressEvent {
        let answers = core::mem::take(&mut self.unanswered);
        match number % 8 {
            0..=3 => AddressEvent::Held,
            4..=5 => {
                self.unanswered = answers;
                AddressEvent::Released
            }
            _ => {
                self.bound = false;
                if answers { AddressEvent::Failed } else { AddressEvent::Lost }
            }
        }
    }

    /// A heartbeat of the pair.
    fn heartbeat(&mut self, path: Path, script: &mut Script<'_>) {
        let heartbeat = peer::datagram(&self.peer.say(path, script), self.key.as_ref());
        match path {
            Path::Cable => self.give(Input::CableFrame(&peer::cable_frame(&heartbeat))),
            Path::Lan => self.give(Input::LanDatagram { source: PEER_IP, payload: &heartbeat }),
        }
    }

    /// Any bytes on either path.
    fn garbage(&mut self, kind: u8, script: &mut Script<'_>) {
        let bytes = script.text();
        if Repr::parse(bytes, self.key.as_ref()).is_err() {
            self.give_in_vain(kind, bytes);
        }
    }

    /// Any heartbeat that is valid but for its key.
    fn forgery(&mut self, kind: u8, script: &mut Script<'_>) {
        let stranger = Authenticator::new(&Key([0xa5; KEY_LEN]));
        let wrong = Some(&stranger).filter(|_| self.key.is_none() || script.flag());
        let frame = sealed(script.text(), wrong);
        self.give_in_vain(kind, &frame);
    }

    fn give_in_vain(&mut self, kind: u8, payload: &[u8]) {
        // What is due happens before, so that a change of the role is the payload's.
        self.give(Input::Timeout);
        let role = self.node.role();
        let frame = peer::cable_frame(payload);
        self.give(match kind & 1 {
            0 => Input::CableFrame(&frame),
            _ => Input::LanDatagram { source: PEER_IP, payload },
        });
        assert_eq!(self.node.role(), role, "S6: a role changed for bytes that are no heartbeat of the pair");
    }

    /// An ARP packet: of the gateway, the peer, a foreigner, or any bytes.
    fn arp(&mut self, script: &mut Script<'_>) {
        let [who, ip, mac] = script.array();
        let mac = [GATEWAY_MAC, PEER_MAC, OWN_MAC, MacAddr([2, 0, 0, 0, 9, 9])][usize::from(mac & 3)];
        let address: Ipv4Addr = [GATEWAY, CLUSTER_IP, PEER_IP, OWN_IP][usize::from(ip & 3)];
        let mut frame = [0; ARP_LEN];
        let message = match who % 4 {
            0 => return self.give(Input::ArpFrame(script.text())),
            1 => Message::AnnounceRequest { address },
            2 => Message::Probe { target: address },
            _ => Message::AnnounceReply { address },
        };
        arp::emit(message, mac, &mut frame).expect("the buffer is as long as a packet");
        if who & 0x40 != 0 {
            // A reply to this node, as to its probes.
            frame[32..38].copy_from_slice(&OWN_MAC.0);
        }
        self.give(Input::ArpFrame(&frame));
    }

    fn give(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.drain();
        assert!(self.node.poll_timeout() > self.now, "a deadline that has passed");
    }

    fn drain(&mut self) {
        let mut frame = [0; FRAME_CAPACITY];
        let mut outputs = 0;
        while let Some(output) = self.node.poll_output(&mut frame) {
            outputs += 1;
            assert!(outputs <= MAX_OUTPUTS, "too many effects");
            self.carry_out(output, &frame);
        }
        assert_eq!(self.told, self.node.role(), "a role that nobody was told of");
        let may_hold = matches!(self.told, Role::Claiming | Role::Active | Role::Yielding);
        assert!(may_hold || !self.bound, "S1: the address is held as {:?}", self.told);
    }

    fn carry_out(&mut self, output: Output, frame: &[u8]) {
        match output {
            Output::ReleaseAddress => (self.bound, self.unanswered) = (false, false),
            Output::BindAddress { valid_s, before } => {
                self.hold(valid_s, before);
                (self.bound, self.unanswered) = (true, true);
            }
            Output::RenewAddress { valid_s, before } => {
                self.hold(valid_s, before);
                assert!(self.bound, "an address is renewed that is not held");
            }
            Output::SendLan { len } => self.sent(Path::Lan, &frame[..len]),
            Output::SendCable { len } => {
                let payload = cable::parse(&frame[..len], DEFAULT_HEARTBEAT_PORT);
                self.sent(Path::Cable, payload.expect("the peer reads the frame"));
            }
            Output::SendArp { len } => {
                let heard = arp::parse(&frame[..len]).expect("stations read the packet");
                assert_eq!(heard.mac, OWN_MAC);
                assert!(heard.ip != CLUSTER_IP || self.bound, "an address is announced that is not held");
            }
            Output::Persist(record) => self.record = record,
            Output::RoleChanged { from, to, term, .. } => {
                assert_eq!(from, self.told, "a gap in the chain of roles");
                self.told = to;
                let ceiling = self.record.term_ceiling;
                assert!(to != Role::Claiming || term <= ceiling, "S1: term {term} of {ceiling} is used");
            }
            Output::Alert { .. }
            | Output::FaultChanged { .. }
            | Output::StartFullSync
            | Output::Reboot
            | Output::SwitchDone(_)
            | Output::Stopped => {}
        }
    }

    fn sent(&mut self, path: Path, heartbeat: &[u8]) {
        let repr = Repr::parse(heartbeat, self.key.as_ref()).expect("the peer reads the heartbeat");
        assert_eq!((repr.path, repr.mac, repr.boot_id), (path, OWN_MAC, BOOT_ID));
        assert_eq!(repr.role, self.node.role(), "a heartbeat that names another role");
        assert!(repr.role != Role::Active || self.bound, "active without an address");
        if let Signal::Released { .. } = repr.signal {
            assert!(!self.bound, "S3: said to be released while it is held");
        }
        self.peer.hear(&repr);
    }

    fn hold(&self, valid_s: u32, before: Instant) {
        assert!(matches!(self.node.role(), Role::Claiming | Role::Active), "bound as {:?}", self.node.role());
        assert!(valid_s > 0 && before > self.now, "an address for no time");
    }
}
