//! The Ethernet port as smoltcp wants it. Every ARP frame that passes is kept for the node, which is told of all of them.

use crate::lan9118::{Lan9118, MAX_FRAME_LEN};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetFrame, EthernetProtocol};
use ucm_ha::wire::arp;

/// An ARP packet in its Ethernet frame.
pub(crate) type ArpFrame = [u8; arp::FRAME_LEN];

/// The port and its buffers.
pub(crate) struct Port {
    nic: Lan9118,
    received: [u8; MAX_FRAME_LEN],
    sent: [u8; MAX_FRAME_LEN],
    arp: Option<ArpFrame>,
}

impl Port {
    pub(crate) const fn new(nic: Lan9118) -> Self {
        Self { nic, received: [0; MAX_FRAME_LEN], sent: [0; MAX_FRAME_LEN], arp: None }
    }

    /// The controller.
    pub(crate) const fn nic(&self) -> &Lan9118 {
        &self.nic
    }

    /// The ARP frame among what was received last.
    pub(crate) const fn take_arp(&mut self) -> Option<ArpFrame> {
        self.arp.take()
    }
}

impl Device for Port {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sender<'_>)> {
        // Whatever is received may have to be answered.
        if !self.nic.can_send() {
            return None;
        }
        let len = self.nic.receive(&mut self.received)?;
        let frame = self.received.get(..len)?;
        self.arp = arp_frame(frame);
        Some((Received { frame }, Sender { nic: &self.nic, buffer: &mut self.sent }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sender<'_>> {
        self.nic.can_send().then_some(Sender { nic: &self.nic, buffer: &mut self.sent })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MAX_FRAME_LEN;
        capabilities
    }
}

/// A frame that has come in.
pub(crate) struct Received<'a> {
    frame: &'a [u8],
}

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.frame)
    }
}

/// Leave to send one frame.
pub(crate) struct Sender<'a> {
    nic: &'a Lan9118,
    buffer: &'a mut [u8; MAX_FRAME_LEN],
}

impl phy::TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let len = len.min(MAX_FRAME_LEN);
        let (frame, _) = self.buffer.split_at_mut(len);
        let result = write(frame);
        // There was room when the leave was given, and nobody else sends meanwhile.
        self.nic.send(frame);
        result
    }
}

fn arp_frame(frame: &[u8]) -> Option<ArpFrame> {
    let header = EthernetFrame::new_checked(frame).ok()?;
    if header.ethertype() != EthernetProtocol::Arp {
        return None;
    }
    frame.first_chunk().copied()
}
