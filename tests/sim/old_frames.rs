//! Frames as version 0.1 sends and reads them: without conditions, and without the extension that says the pair.

use super::ether::Packet;
use super::world::World;
use ucm_ha::node::FRAME_CAPACITY;
use ucm_ha::wire::auth::Authenticator;
use ucm_ha::wire::{Conditions, Path, Repr, cable};

impl World {
    /// What is left of a node's frame where either end is of version 0.1.
    pub(crate) fn as_spoken(&self, from: usize, path: Path, packet: Packet) -> Packet {
        if self.settings.old == [false; 2] {
            return packet;
        }
        let config = &self.machines[from].config;
        let key = config.key.as_ref().map(Authenticator::new);
        let payload = match path {
            Path::Cable => cable::parse(packet.bytes(), config.heartbeat_port),
            Path::Lan => Some(packet.bytes()),
        };
        let Some(Ok(said)) = payload.map(|payload| Repr::parse(payload, key.as_ref())) else { return packet };
        let said = Repr { conditions: Conditions::empty(), extension: None, ..said };
        let mut frame = [0; FRAME_CAPACITY];
        let len = match path {
            Path::Lan => said.emit(key.as_ref(), &mut frame),
            Path::Cable => said
                .emit(key.as_ref(), &mut frame[cable::HEADER_LEN..])
                .and_then(|len| cable::emit(&mut frame, len, config.cable_mac, config.mac, config.heartbeat_port)),
        };
        Packet::new(&frame[..len.expect("a frame that is shorter than before fits")])
    }
}
