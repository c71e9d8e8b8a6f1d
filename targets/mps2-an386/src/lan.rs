//! The LAN: smoltcp on the Ethernet port, the heartbeat's UDP socket, and the cluster IP beside the own address.

use crate::lan9118::Fault;
use crate::port::{ArpFrame, Port};
use board::lifetime::Lifetime;
use smoltcp::iface::{Config, Interface, PollIngressSingleResult, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::udp::{PacketBuffer, PacketMetadata, Socket, UdpMetadata};
use smoltcp::time::Instant as StackInstant;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, ETHERNET_HEADER_LEN, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, HardwareAddress, IpAddress, IpCidr, IpEndpoint, IpListenEndpoint, Ipv4Cidr,
};
use ucm_ha::Instant;
use ucm_ha::io::AddressEvent;
use ucm_ha::types::{Cidr, MacAddr};
use ucm_ha::wire::arp;
use ucm_ha::wire::{MAX_EMIT_LEN, MAX_PARSE_LEN};

/// Memory of the stack. It outlives the stack.
pub(crate) struct Storage {
    sockets: [SocketStorage<'static>; 1],
    received: [PacketMetadata; 1],
    received_bytes: [u8; MAX_PARSE_LEN],
    sent: [PacketMetadata; 1],
    sent_bytes: [u8; MAX_EMIT_LEN],
}

impl Storage {
    pub(crate) const fn new() -> Self {
        Self {
            sockets: [SocketStorage::EMPTY],
            received: [PacketMetadata::EMPTY],
            received_bytes: [0; MAX_PARSE_LEN],
            sent: [PacketMetadata::EMPTY],
            sent_bytes: [0; MAX_EMIT_LEN],
        }
    }
}

/// The LAN.
pub(crate) struct Lan {
    port: Port,
    interface: Interface,
    sockets: SocketSet<'static>,
    heartbeat: SocketHandle,
    listen: IpListenEndpoint,
    peer: UdpMetadata,
    mac: EthernetAddress,
    cluster_ip: IpCidr,
    lifetime: Lifetime,
}

impl Lan {
    /// The LAN of a node with these settings.
    pub(crate) fn new(
        mut port: Port,
        storage: &'static mut Storage,
        config: &ucm_ha::Config,
        seed: u32,
        now: Instant,
    ) -> Self {
        let mac = EthernetAddress(config.mac.0);
        let mut settings = Config::new(HardwareAddress::Ethernet(mac));
        settings.random_seed = seed.into();
        let mut interface = Interface::new(settings, &mut port, stack_time(now));
        let own_ip = stack_cidr(config.own_ip);
        // The list is empty and has room for two.
        interface.update_ip_addrs(|addresses| addresses.push(own_ip).unwrap_or_default());

        let received = PacketBuffer::new(&mut storage.received[..], &mut storage.received_bytes[..]);
        let sent = PacketBuffer::new(&mut storage.sent[..], &mut storage.sent_bytes[..]);
        let mut sockets = SocketSet::new(&mut storage.sockets[..]);
        let heartbeat = sockets.add(Socket::new(received, sent));
        let own = own_ip.address();
        let listen = IpListenEndpoint { addr: Some(own), port: config.heartbeat_port };
        let endpoint = IpEndpoint { addr: IpAddress::Ipv4(config.peer_ip), port: config.heartbeat_port };
        let peer = UdpMetadata { local_address: Some(own), ..endpoint.into() };
        let cluster_ip = stack_cidr(config.cluster_ip);
        let mut lan =
            Self { port, interface, sockets, heartbeat, listen, peer, mac, cluster_ip, lifetime: Lifetime::NONE };
        lan.open();
        lan
    }

    /// Takes one frame from the port through the stack; `false` when none waits.
    pub(crate) fn receive(&mut self, now: Instant) -> bool {
        if !self.port.nic().has_received() {
            return false;
        }
        let result = self.interface.poll_ingress_single(stack_time(now), &mut self.port, &mut self.sockets);
        // A frame that was damaged is gone, too.
        result != PollIngressSingleResult::None || self.port.nic().can_send()
    }

    /// The ARP frame among what was received last. An RFC 5227 probe for an address of this node is answered on the way:
    /// smoltcp answers nobody who has no address yet, and a peer that probes must learn that the address is held.
    pub(crate) fn take_arp(&mut self) -> Option<ArpFrame> {
        let frame = self.port.take_arp()?;
        let held = |target| self.interface.has_ip_addr(target);
        if let Some((prober, target)) = probe(&frame).filter(|(_, target)| held(*target)) {
            self.answer_probe(prober, target);
        }
        Some(frame)
    }

    fn answer_probe(&self, prober: MacAddr, target: IpAddress) {
        let IpAddress::Ipv4(target) = target;
        let prober = EthernetAddress(prober.0);
        let mut frame = [0; arp::FRAME_LEN];
        EthernetRepr { src_addr: self.mac, dst_addr: prober, ethertype: EthernetProtocol::Arp }
            .emit(&mut EthernetFrame::new_unchecked(&mut frame[..]));
        let (_, packet) = frame.split_at_mut(ETHERNET_HEADER_LEN);
        ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_hardware_addr: self.mac,
            source_protocol_addr: target,
            target_hardware_addr: prober,
            target_protocol_addr: core::net::Ipv4Addr::UNSPECIFIED,
        }
        .emit(&mut ArpPacket::new_unchecked(packet));
        // Where there is no room now the prober asks again.
        self.send_frame(&frame);
    }

    /// The datagram for the heartbeat among what was received last: its length and its source.
    pub(crate) fn take_datagram(&mut self, buffer: &mut [u8; MAX_PARSE_LEN]) -> Option<(usize, core::net::Ipv4Addr)> {
        let (len, from) = self.sockets.get_mut::<Socket<'_>>(self.heartbeat).recv_slice(buffer).ok()?;
        let IpAddress::Ipv4(source) = from.endpoint.addr;
        Some((len, source))
    }

    /// Sends a heartbeat to the peer; `false` when it could not be queued. One that still waits for the peer's MAC address
    /// is replaced: late heartbeats in a burst would tell the peer nothing.
    pub(crate) fn send_heartbeat(&mut self, now: Instant, payload: &[u8]) -> bool {
        if self.sockets.get_mut::<Socket<'_>>(self.heartbeat).send_queue() > 0 {
            self.open();
        }
        let socket = self.sockets.get_mut::<Socket<'_>>(self.heartbeat);
        let queued = socket.send_slice(payload, self.peer).is_ok();
        self.send_waiting(now);
        queued
    }

    /// Sends what the stack has to send.
    pub(crate) fn send_waiting(&mut self, now: Instant) {
        self.interface.poll_egress(stack_time(now), &mut self.port, &mut self.sockets);
    }

    /// Sends a whole Ethernet frame; `false` when there is no room.
    pub(crate) fn send_frame(&self, frame: &[u8]) -> bool {
        self.port.nic().send(frame)
    }

    /// When [`Self::send_waiting`] has something to do without any frame coming in.
    pub(crate) fn deadline(&mut self, now: Instant) -> Instant {
        let at = self.interface.poll_at(stack_time(now), &self.sockets);
        let us = at.map(|at| u64::try_from(at.total_micros()).unwrap_or(0));
        us.map_or(Instant::NEVER, Instant::from_us).min(self.lifetime.deadline())
    }

    /// Whether frames wait.
    pub(crate) fn has_received(&self) -> bool {
        self.port.nic().has_received()
    }

    /// Frames that came in damaged.
    pub(crate) const fn damaged(&self) -> u32 {
        self.port.nic().damaged()
    }

    /// Whether the port has carrier.
    pub(crate) fn has_link(&self) -> Result<bool, Fault> {
        self.port.nic().has_link()
    }

    /// Arms the interrupt of the port anew.
    pub(crate) fn await_frame(&self) {
        self.port.nic().clear_interrupt();
    }

    /// Adds the cluster IP for `valid_s` seconds. The stack forgets its neighbours at each change of its addresses; the next
    /// heartbeat asks for the peer's MAC address again.
    pub(crate) fn bind(&mut self, now: Instant, valid_s: u32) -> AddressEvent {
        let cluster_ip = self.cluster_ip;
        if !self.interface.has_ip_addr(cluster_ip.address()) {
            self.interface.update_ip_addrs(|addresses| addresses.push(cluster_ip).unwrap_or_default());
        }
        if !self.interface.has_ip_addr(cluster_ip.address()) {
            return AddressEvent::Failed;
        }
        self.lifetime.begin(now, valid_s);
        AddressEvent::Held
    }

    /// Extends the life of the cluster IP; `false` when it is not held any more.
    pub(crate) fn renew(&mut self, now: Instant, valid_s: u32) -> bool {
        self.lifetime.renew(now, valid_s)
    }

    /// Removes the cluster IP.
    pub(crate) fn release(&mut self) {
        self.lifetime.end();
        self.drop_cluster_ip();
    }

    /// Removes a cluster IP whose time has run out; whether it did. To be called before anything else at each turn.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let expired = self.lifetime.take_expired(now);
        if expired {
            self.drop_cluster_ip();
        }
        expired
    }

    fn drop_cluster_ip(&mut self) {
        let cluster_ip = self.cluster_ip;
        if self.interface.has_ip_addr(cluster_ip.address()) {
            self.interface.update_ip_addrs(|addresses| addresses.retain(|address| *address != cluster_ip));
        }
    }

    /// Opens the socket, or empties it.
    fn open(&mut self) {
        let socket = self.sockets.get_mut::<Socket<'_>>(self.heartbeat);
        socket.close();
        // Only an open socket and port 0 are refused; the settings are checked for the latter.
        socket.bind(self.listen).unwrap_or_default();
    }
}

/// Who probes, and for which address.
fn probe(frame: &ArpFrame) -> Option<(MacAddr, IpAddress)> {
    let heard = arp::parse(frame)?;
    Some((heard.mac, heard.probes_for()?.into()))
}

fn stack_time(now: Instant) -> StackInstant {
    StackInstant::from_micros(i64::try_from(now.as_us()).unwrap_or(i64::MAX))
}

fn stack_cidr(cidr: Cidr) -> IpCidr {
    IpCidr::Ipv4(Ipv4Cidr::new(cidr.address, cidr.prefix_len))
}
