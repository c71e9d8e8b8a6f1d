//! The smallest adapter: two nodes in one process, their cable and LAN a UDP socket each on the loopback interface. They boot,
//! one of them is told to hand over, and does. Needs neither root nor hardware: `cargo run --example pair`.
//!
//! What a real adapter does elsewhere is marked with "here". `docs/porting.md` lists what it provides.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread, time};
use ucm_ha::event::RoleReason;
use ucm_ha::io::{AddressEvent, Command, Port, Record};
use ucm_ha::role::Role;
use ucm_ha::types::{Cidr, MacAddr, StationType};
use ucm_ha::{Config, Duration, FRAME_CAPACITY, Input, Instant, Node, Output};

/// Here one socket carries all three; the first byte says which it is.
const CABLE: u8 = 0;
const LAN: u8 = 1;
const ARP: u8 = 2;

/// Nothing here takes that long; a pair that does not hand over must not run for ever.
const PATIENCE: time::Duration = time::Duration::from_secs(60);

fn address(number: u8) -> Cidr {
    Cidr { address: Ipv4Addr::new(192, 0, 2, number), prefix_len: 24 }
}

struct Adapter<'a> {
    number: u8,
    node: Node,
    socket: UdpSocket,
    peer: SocketAddr,
    started: time::Instant,
    has_cluster_ip: bool,
    done: &'a AtomicBool,
}

impl Adapter<'_> {
    fn now(&self) -> Instant {
        Instant::ZERO + Duration::from(self.started.elapsed())
    }

    fn run(mut self) -> io::Result<Self> {
        for port in [Port::Cable, Port::Lan] {
            self.tell(Input::Link { port, up: true })?;
        }
        let mut buffer = [0; 1 + FRAME_CAPACITY];
        while !self.done.load(Ordering::Relaxed) && self.started.elapsed() < PATIENCE {
            let pause = time::Duration::from(self.node.poll_timeout().since(self.now()));
            // A socket takes no pause of 0 for an answer.
            self.socket.set_read_timeout(Some(pause.max(time::Duration::from_micros(1))))?;
            let source = address(3 - self.number).address;
            match self.socket.recv(&mut buffer).map(|len| buffer[..len].split_first()) {
                Ok(Some((&CABLE, frame))) => self.tell(Input::CableFrame(frame))?,
                Ok(Some((&LAN, payload))) => self.tell(Input::LanDatagram { source, payload })?,
                Ok(Some((&ARP, frame))) => self.tell(Input::ArpFrame(frame))?,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    self.tell(Input::Timeout)?;
                }
                Err(error) => return Err(error),
            }
            // Here the operator waits for nothing but a standby that can take over.
            if !self.done.load(Ordering::Relaxed) && self.node.status().force_switch.is_ok() {
                self.tell(Input::Command(Command::ForceSwitch))?;
            }
        }
        Ok(self)
    }

    /// Hands a fact in, then carries out everything that follows, in its order.
    fn tell(&mut self, input: Input<'_>) -> io::Result<()> {
        self.node.handle(self.now(), input);
        let mut frame = [0; FRAME_CAPACITY];
        while let Some(output) = self.node.poll_output(&mut frame) {
            if let Some(input) = self.carry_out(output, &frame)? {
                self.node.handle(self.now(), input);
            }
        }
        Ok(())
    }

    /// What became of it, where the node wants to know.
    fn carry_out(&mut self, output: Output, frame: &[u8]) -> io::Result<Option<Input<'static>>> {
        match output {
            Output::SendCable { len } => self.send(CABLE, &frame[..len])?,
            Output::SendLan { len } => self.send(LAN, &frame[..len])?,
            Output::SendArp { len } => self.send(ARP, &frame[..len])?,
            // Here a flag; elsewhere the address of an interface, with this lifetime.
            Output::BindAddress { before, .. } => {
                self.has_cluster_ip = self.now() < before;
                let event = if self.has_cluster_ip { AddressEvent::Held } else { AddressEvent::Failed };
                return Ok(Some(Input::Address(event)));
            }
            Output::ReleaseAddress => {
                self.has_cluster_ip = false;
                return Ok(Some(Input::Address(AddressEvent::Released)));
            }
            // Here nothing survives a restart, and there is no data to copy.
            Output::Persist(_) => return Ok(Some(Input::Persisted { saved: true })),
            Output::StartFullSync => return Ok(Some(Input::SyncDone { generation: 1, complete: true })),
            Output::RoleChanged { from, to, term, reason } => {
                println!("node {}: {from:?} -> {to:?}, term {term}: {reason:?}", self.number);
                if to == Role::Active && reason == RoleReason::ForcedSwitch {
                    self.done.store(true, Ordering::Relaxed);
                }
            }
            Output::RenewAddress { .. }
            | Output::Alert { .. }
            | Output::FaultChanged { .. }
            | Output::Reboot
            | Output::SwitchDone(_)
            | Output::Stopped => println!("node {}: {output:?}", self.number),
        }
        Ok(None)
    }

    fn send(&self, path: u8, frame: &[u8]) -> io::Result<()> {
        let mut packet = vec![path];
        packet.extend_from_slice(frame);
        self.socket.send_to(&packet, self.peer).map(drop)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sockets = [UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?];
    let peers = [sockets[1].local_addr()?, sockets[0].local_addr()?];
    let done = AtomicBool::new(false);
    let started = time::Instant::now();
    let mut adapters = Vec::new();
    for ((number, socket), peer) in (1..).zip(sockets).zip(peers) {
        let station = if number == 1 { StationType::Primary } else { StationType::Secondary };
        let mac = |port| MacAddr([2, 0, 0, 0, port, number]);
        let mut config =
            Config::new(station, mac(0), mac(1), address(number), address(64), address(3 - number).address);
        config.heartbeat_timeout_s = 3;
        let boot_id = 1000 + u32::from(number); // elsewhere random at every start
        let node = Node::new(config, Record::default(), boot_id, Instant::ZERO)?;
        adapters.push(Adapter { number, node, socket, peer, started, has_cluster_ip: false, done: &done });
    }
    let ended = thread::scope(|scope| {
        let running: Vec<_> = adapters.into_iter().map(|adapter| scope.spawn(|| adapter.run())).collect();
        running.into_iter().map(|thread| thread.join().expect("no node panics")).collect::<io::Result<Vec<_>>>()
    })?;
    assert!(done.load(Ordering::Relaxed), "the pair handed over");
    let holders: Vec<u8> = ended.iter().filter(|node| node.has_cluster_ip).map(|node| node.number).collect();
    assert_eq!(holders.len(), 1, "one node has the cluster IP");
    println!("node {} has {}", holders[0], address(64));
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_pair_boots_and_hands_over() {
        super::main().unwrap();
    }
}
