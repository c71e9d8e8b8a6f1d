//! A foreign host on the LAN that takes addresses of the pair for its own.

use crate::frames::FrameSocket;
use crate::plan::{CLUSTER_IP, LAN, Node};
use crate::site::{Site, attach};
use crate::worker::Worker;
use std::io;
use std::thread;
use std::time::Duration;
use ucm_ha::types::Cidr;
use ucm_ha::wire::arp::{FRAME_LEN, Message, emit};

/// Its port on the switch.
const PORT: &str = "stranger";
/// Time between two announcements: more often than the active may defend the address (RFC 5227 section 2.4).
const INSISTS_EVERY: Duration = Duration::from_millis(400);

/// What it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The cluster IP.
    ClusterIp,
    /// The static addresses of both nodes: to each it says that it is the peer.
    NodeAddresses,
    /// All of these, the cluster IP right after it has said that it is the peer.
    Everything,
}

impl Claim {
    const fn addresses(self) -> &'static [Cidr] {
        const ALL: &[Cidr] = &[Node::A.address(), Node::B.address(), CLUSTER_IP];
        match self {
            Self::ClusterIp => ALL.split_at(2).1,
            Self::NodeAddresses => ALL.split_at(2).0,
            Self::Everything => ALL,
        }
    }
}

/// The host. It answers ARP by its kernel, as any host does, and announces itself again and again.
pub(crate) struct Stranger {
    insisting: Worker,
    site: Site,
}

impl Stranger {
    /// Comes to the LAN.
    pub(crate) fn arrive(switch: &mut Site, claim: Claim) -> io::Result<Self> {
        let mut site = Site::create()?;
        attach(switch, &mut site, PORT, claim.addresses()[0])?;
        let insisting = insist(&mut site, claim)?;
        Ok(Self { insisting, site })
    }

    /// Takes something else, beside what it has.
    pub(crate) fn take(&mut self, claim: Claim) -> io::Result<()> {
        self.insisting = insist(&mut self.site, claim)?;
        Ok(())
    }

    /// Leaves it.
    pub(crate) fn leave(self, switch: &mut Site) -> io::Result<()> {
        let Self { insisting, site } = self;
        drop(insisting);
        let left = switch.links.delete(PORT);
        // The kernel removes what is in a namespace some time after its end: only now may it end.
        drop(site);
        left
    }
}

fn insist(site: &mut Site, claim: Claim) -> io::Result<Worker> {
    let mac = site.links.mac(LAN)?;
    let mut frames = Vec::new();
    for cidr in claim.addresses() {
        site.links.add_address(LAN, *cidr)?;
        let mut frame = [0; FRAME_LEN];
        let message = Message::AnnounceRequest { address: cidr.address };
        emit(message, mac, &mut frame).ok_or_else(|| io::Error::other("an announcement does not fit"))?;
        frames.push(frame);
    }
    let socket = FrameSocket::open(&site.netns, &mut site.links, LAN)?;
    Worker::start("stranger", move |stop| {
        while !stop.is_set() {
            frames.iter().try_for_each(|frame| socket.send(frame))?;
            thread::sleep(INSISTS_EVERY);
        }
        Ok(())
    })
}
