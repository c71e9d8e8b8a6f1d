//! The node, and its double in Rust, which is given the same.

use super::place::{At, Place, Store, Wrongs, output};
use super::same;
use crate::peer::{self, Peer};
use crate::script::Script;
use crate::seal::sealed;
use crate::settings::{BOOT_ID, OWN_IP, PEER_IP};
use core::net::Ipv4Addr;
use ucm_ha::capi::*;
use ucm_ha::fault::Faults;
use ucm_ha::io::{AddressEvent, Command, Input, Port, Record};
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::wire::{Path, Repr};
use ucm_ha::{Config, FRAME_CAPACITY, Instant};

/// Most effects of one input.
const MAX_OUTPUTS: usize = 64;

pub(super) struct Node {
    store: Store<ucm_ha_node>,
    /// None while the storage holds none, or one on settings of any bytes.
    double: Option<ucm_ha::Node>,
    key: Option<Authenticator>,
    peer: Peer,
    config: Option<Config>,
}

impl Node {
    pub(super) fn new(paint: u8) -> Self {
        Self { store: Store::new(paint), double: None, key: None, peer: Peer::default(), config: None }
    }

    /// Both nodes on the same valid settings.
    pub(super) fn init(&mut self, config: Config, now_us: u64) {
        let for_c = same::config(&config);
        let version = ucm_ha_abi_version();
        let done = self.store.call(At::Right, &Wrongs::default(), |node| {
            // SAFETY: storage and values.
            unsafe { ucm_ha_node_init(node, version, &for_c, core::ptr::null(), BOOT_ID, now_us) }
        });
        self.store.set_initialised(done);
        self.key = config.key.as_ref().map(Authenticator::new);
        let double = ucm_ha::Node::new(config, Record::default(), BOOT_ID, Instant::from_us(now_us));
        self.double = double.ok();
        self.config = Some(config);
        self.peer = Peer::default();
    }

    pub(super) fn call(&mut self, now_us: u64, script: &mut Script<'_>) {
        match script.byte() % 32 {
            0 => self.init_any(now_us, script),
            1 => self.wipe(script),
            2 => self.copy(),
            3 => self.again(now_us),
            4..=6 => self.status(script),
            7..=9 => self.next_timeout(script),
            10..=14 => self.bytes(now_us, script),
            15..=20 => self.heartbeat(now_us, script),
            21 => self.short_buffer(script),
            _ => self.number(now_us, script),
        }
        if script.byte() < 0xf0 {
            self.drain();
        }
    }

    /// Settings, record, version and pointers of any kind.
    fn init_any(&mut self, now_us: u64, script: &mut Script<'_>) {
        let (version, right) = super::version(script);
        let (at, config_at, record_at) = (At::chosen(script), At::chosen(script), At::chosen(script));
        let mut config = same::config(self.config.as_ref().expect("made at the start"));
        // SAFETY: integers only; one of its bytes may have any value.
        unsafe {
            let bytes = (&raw mut config).cast::<u8>();
            *bytes.add(usize::from(script.byte()) % size_of::<ucm_ha_config>()) = script.byte();
        }
        // SAFETY: a value.
        let verdict = unsafe { ucm_ha_config_check(&config) };
        let [term, last_active] = script.array();
        let record = ucm_ha_record { term: term.into(), term_ceiling: u32::MAX, last_active, ..Default::default() };
        let mut wrongs = Wrongs::default();
        wrongs.note_pointer::<ucm_ha_node>(at);
        wrongs.note_pointer::<ucm_ha_config>(config_at);
        wrongs.note(record_at == At::Odd, UCM_HA_ERR_MISALIGNED);
        wrongs.note(record_at == At::Right && last_active > 1, UCM_HA_ERR_UNKNOWN_VALUE);
        wrongs.note(!right, UCM_HA_ERR_ABI_VERSION);
        wrongs.note(verdict != UCM_HA_OK, verdict);
        let (mut config, mut record) = (Place::holding(config), Place::holding(record));
        let done = self.store.call(at, &wrongs, |node| {
            // SAFETY: NULL, misaligned, or values; no record may be at NULL.
            unsafe {
                ucm_ha_node_init(node, version, config.pointer(config_at), record.pointer(record_at), BOOT_ID, now_us)
            }
        });
        if done {
            self.store.set_initialised(true);
            self.double = None;
        }
    }

    /// A restart of the program: the old node is forgotten.
    fn again(&mut self, now_us: u64) {
        let config = self.config.expect("made at the start");
        self.init(config, now_us);
    }

    fn wipe(&mut self, script: &mut Script<'_>) {
        let at = At::chosen(script);
        let wrongs = self.store.wrongs(at);
        // SAFETY: storage, NULL or misaligned.
        if self.store.call(at, &wrongs, |node| unsafe { ucm_ha_node_wipe(node) }) {
            let words = size_of::<ucm_ha_node>() / size_of::<u64>();
            assert!(self.store.words()[..words].iter().all(|word| *word == 0), "a wiped node leaves something behind");
            self.store.set_initialised(false);
            self.double = None;
        }
    }

    /// A copy is no node, and asking it changes nothing of the original.
    fn copy(&mut self) {
        let mut copy = Store::<ucm_ha_node>::new(0);
        // SAFETY: both are storage of the type.
        unsafe { copy.right().copy_from_nonoverlapping(self.store.right(), 1) };
        let wrongs = copy.wrongs(At::Right);
        // SAFETY: storage.
        copy.call(At::Right, &wrongs, |node| unsafe { ucm_ha_node_timeout(node, 0) });
    }

    fn status(&mut self, script: &mut Script<'_>) {
        // SAFETY: storage, NULL or misaligned.
        let told =
            self.store.ask(script, Wrongs::default(), |node, status| unsafe { ucm_ha_node_status(node, status) });
        let Some(status) = told else { return };
        let truths = [
            status.bound,
            status.syncing,
            status.lan_usable,
            status.gateway_seen,
            status.peer_known,
            status.maintenance,
            status.peer_maintenance,
        ];
        assert!(truths.iter().all(|truth| *truth <= 1) && status.reserved == [0; 3], "{status:?}");
        let Some(double) = &self.double else { return };
        let expected = double.status();
        assert_eq!((status.role, status.term), (same::role(expected.role), expected.term));
        assert_eq!((status.bound == 1, status.faults), (expected.bound, expected.faults.bits()));
        assert_eq!(status.maintenance == 1, expected.maintenance);
        let counters = expected.counters;
        assert_eq!(
            (status.frames_ok, status.frames_malformed, status.frames_unauthentic, status.frames_replayed),
            (counters.frames_ok, counters.frames_malformed, counters.frames_unauthentic, counters.frames_replayed)
        );
        assert_eq!(
            (status.frames_foreign, status.takeovers, status.handovers),
            (counters.frames_foreign, counters.takeovers, counters.handovers)
        );
    }

    fn next_timeout(&mut self, script: &mut Script<'_>) {
        let told = self.store.ask(script, Wrongs::default(), |node, deadline| {
            // SAFETY: storage, NULL or misaligned.
            unsafe { ucm_ha_node_next_timeout(node, deadline) }
        });
        if let (Some(deadline), Some(double)) = (told, &mut self.double) {
            assert_eq!(deadline, double.poll_timeout().as_us());
        }
    }

    /// Bytes of any length at memory that is no longer than they are.
    fn bytes(&mut self, now_us: u64, script: &mut Script<'_>) {
        let [kind, how] = script.array();
        let bytes: Box<[u8]> = match how {
            0xff => vec![kind; UCM_HA_MAX_INPUT_LEN + 1].into(),
            0x80..0xff => sealed(script.text(), self.key.as_ref()).into(),
            _ => script.text().into(),
        };
        let frame = if how & 1 == 0 { bytes } else { peer::cable_frame(&bytes[..bytes.len().min(1400)]).into() };
        self.receive(now_us, kind, how == 0x7f, &frame, script);
    }

    fn heartbeat(&mut self, now_us: u64, script: &mut Script<'_>) {
        let kind = script.byte() & 1;
        let path = if kind == 0 { Path::Cable } else { Path::Lan };
        let heartbeat = peer::datagram(&self.peer.say(path, script), self.key.as_ref());
        let frame = if path == Path::Cable { peer::cable_frame(&heartbeat) } else { heartbeat };
        self.receive(now_us, kind, false, &frame, script);
    }

    fn receive(&mut self, now_us: u64, kind: u8, null: bool, frame: &[u8], script: &mut Script<'_>) {
        let at = At::chosen(script);
        let source = if script.byte() == 0xff { OWN_IP } else { PEER_IP };
        let for_c = ucm_ha_ipv4 { octets: Ipv4Addr::octets(&source) };
        let mut wrongs = self.store.wrongs(at);
        wrongs.note(null && !frame.is_empty(), UCM_HA_ERR_NULL);
        wrongs.note(frame.len() > UCM_HA_MAX_INPUT_LEN, UCM_HA_ERR_TOO_LONG);
        let (start, len) = (if null { core::ptr::null() } else { frame.as_ptr() }, frame.len());
        // SAFETY: storage and frame are NULL, misaligned or right.
        let done = self.store.call(at, &wrongs, |node| unsafe {
            match kind % 3 {
                0 => ucm_ha_node_cable_frame(node, now_us, start, len),
                1 => ucm_ha_node_lan_datagram(node, now_us, for_c, start, len),
                _ => ucm_ha_node_arp_frame(node, now_us, start, len),
            }
        });
        let input = match kind % 3 {
            0 => Input::CableFrame(frame),
            1 => Input::LanDatagram { source, payload: frame },
            _ => Input::ArpFrame(frame),
        };
        self.tell_double(done, now_us, input);
    }

    fn tell_double(&mut self, done: bool, now_us: u64, input: Input<'_>) {
        if let Some(double) = self.double.as_mut().filter(|_| done) {
            double.handle(Instant::from_us(now_us), input);
        }
    }

    /// The functions that take nothing but numbers.
    fn number(&mut self, now_us: u64, script: &mut Script<'_>) {
        let at = At::chosen(script);
        let [what, number, truth] = script.array();
        let truth = if truth < 0xf8 { truth & 1 } else { truth };
        let faults = if number == 0xff { u32::MAX } else { 1 << (number % 13) };
        let (flag, set) = (truth == 1, Faults::from_bits_truncate(faults));
        // The call, and what it says in Rust where its numbers name something.
        type Call = unsafe extern "C" fn(*mut ucm_ha_node, u64, u8) -> i32;
        // SAFETY: storage, NULL or misaligned.
        let one = |call: Call| move |node| unsafe { call(node, now_us, number) };
        let known = (truth <= 1).then_some(());
        let known_faults = known.filter(|()| Faults::from_bits(faults).is_some());
        let (input, call): (Option<Input<'_>>, Box<dyn FnOnce(*mut ucm_ha_node) -> i32>) = match what % 9 {
            // SAFETY: here and below: as above.
            0 => (Some(Input::Timeout), Box::new(move |node| unsafe { ucm_ha_node_timeout(node, now_us) })),
            1 => (address(number).map(Input::Address), Box::new(one(ucm_ha_node_address))),
            2 => (command(number).map(Input::Command), Box::new(one(ucm_ha_node_command))),
            3 => (
                known.map(|()| Input::Persisted { saved: flag }),
                // SAFETY: as above.
                Box::new(move |node| unsafe { ucm_ha_node_persisted(node, now_us, truth) }),
            ),
            4 => (
                known_faults.map(|()| Input::Fault { faults: set, raised: flag }),
                // SAFETY: as above.
                Box::new(move |node| unsafe { ucm_ha_node_fault(node, now_us, faults, truth) }),
            ),
            5 => (
                known_faults.map(|()| Input::FaultUnknown { faults: set, unknown: flag }),
                // SAFETY: as above.
                Box::new(move |node| unsafe { ucm_ha_node_fault_unknown(node, now_us, faults, truth) }),
            ),
            6 => (
                known.map(|()| Input::SyncDone { generation: number.into(), complete: flag }),
                // SAFETY: as above.
                Box::new(move |node| unsafe { ucm_ha_node_sync_done(node, now_us, number.into(), truth) }),
            ),
            7 => (
                known.map(|()| Input::OwnAddress { present: flag }),
                // SAFETY: as above.
                Box::new(move |node| unsafe { ucm_ha_node_own_address(node, now_us, truth) }),
            ),
            _ => (
                port(number).filter(|_| truth <= 1).map(|port| Input::Link { port, up: flag }),
                // SAFETY: as above.
                Box::new(move |node| unsafe { ucm_ha_node_link(node, now_us, number, truth) }),
            ),
        };
        let mut wrongs = self.store.wrongs(at);
        wrongs.note(input.is_none(), UCM_HA_ERR_UNKNOWN_VALUE);
        let done = self.store.call(at, &wrongs, call);
        if let Some(input) = input {
            self.tell_double(done, now_us, input);
        }
    }

    /// Wrong buffers lose no effect and are not written.
    fn short_buffer(&mut self, script: &mut Script<'_>) {
        let capacity = usize::from(script.byte()) % UCM_HA_FRAME_CAPACITY;
        let null = script.flag();
        let mut frame = vec![0x5a; capacity].into_boxed_slice();
        let start = if null { core::ptr::null_mut() } else { frame.as_mut_ptr() };
        let mut wrongs = Wrongs::default();
        wrongs.note(null, UCM_HA_ERR_NULL);
        wrongs.note(true, UCM_HA_ERR_TOO_SHORT);
        // SAFETY: the buffer is as long as is said.
        self.store
            .ask(script, wrongs, |node, output| unsafe { ucm_ha_node_poll_output(node, start, capacity, output) });
        assert!(frame.iter().all(|byte| *byte == 0x5a), "a short buffer is written");
    }

    /// All effects, one by one the same as in Rust, the frames too.
    fn drain(&mut self) {
        if !self.store.is_initialised() {
            return;
        }
        for polled in 0.. {
            assert!(polled <= MAX_OUTPUTS, "too many effects");
            let mut frame = [0x5a; UCM_HA_FRAME_CAPACITY];
            let (node, start) = (self.store.right(), frame.as_mut_ptr());
            let told = output(At::Right, 0xa5, Wrongs::default(), |output| {
                // SAFETY: storage and values.
                unsafe { ucm_ha_node_poll_output(node, start, UCM_HA_FRAME_CAPACITY, output) }
            });
            let told = told.expect("nothing is wrong with the call");
            let len = usize::try_from(told.frame_len).expect("a small number");
            assert!(frame[len..].iter().all(|byte| *byte == 0x5a), "written behind the frame");
            self.hear(told.kind, &frame[..len]);
            if let Some(double) = &mut self.double {
                let mut same = [0; FRAME_CAPACITY];
                same::check(double.poll_output(&mut same), &told);
                assert_eq!(same[..len], frame[..len]);
            }
            if told.kind == UCM_HA_OUTPUT_NONE {
                return;
            }
        }
    }

    fn hear(&mut self, kind: u8, frame: &[u8]) {
        if kind == UCM_HA_OUTPUT_SEND_LAN
            && let Ok(repr) = Repr::parse(frame, self.key.as_ref())
        {
            self.peer.hear(&repr);
        }
    }
}

fn port(number: u8) -> Option<Port> {
    Some(match number {
        UCM_HA_PORT_CABLE => Port::Cable,
        UCM_HA_PORT_LAN => Port::Lan,
        UCM_HA_PORT_WAN => Port::Wan,
        _ => return None,
    })
}

fn address(number: u8) -> Option<AddressEvent> {
    Some(match number {
        UCM_HA_ADDRESS_HELD => AddressEvent::Held,
        UCM_HA_ADDRESS_RELEASED => AddressEvent::Released,
        UCM_HA_ADDRESS_FAILED => AddressEvent::Failed,
        UCM_HA_ADDRESS_LOST => AddressEvent::Lost,
        _ => return None,
    })
}

fn command(number: u8) -> Option<Command> {
    Some(match number {
        UCM_HA_COMMAND_FORCE_SWITCH => Command::ForceSwitch,
        UCM_HA_COMMAND_DISABLE => Command::Disable,
        UCM_HA_COMMAND_ENABLE => Command::Enable,
        UCM_HA_COMMAND_SHUTDOWN => Command::Shutdown,
        UCM_HA_COMMAND_ENTER_MAINTENANCE => Command::EnterMaintenance,
        UCM_HA_COMMAND_FORCE_MAINTENANCE => Command::ForceMaintenance,
        UCM_HA_COMMAND_LEAVE_MAINTENANCE => Command::LeaveMaintenance,
        _ => return None,
    })
}
