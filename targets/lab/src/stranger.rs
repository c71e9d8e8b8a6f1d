//! A foreign host on the LAN that takes the cluster IP for its own.

use crate::frames::FrameSocket;
use crate::plan::{CLUSTER_IP, LAN};
use crate::site::{Site, attach};
use crate::worker::Worker;
use std::io;
use std::thread;
use std::time::Duration;
use ucm_ha::wire::arp::{FRAME_LEN, Message, emit};

/// Its port on the switch.
const PORT: &str = "stranger";
/// Time between two announcements: more often than the active may defend the address (RFC 5227 section 2.4).
const INSISTS_EVERY: Duration = Duration::from_millis(400);

/// The host. It answers ARP by its kernel, as any host does, and announces itself again and again.
pub(crate) struct Stranger {
    insisting: Worker,
    site: Site,
}

impl Stranger {
    /// Comes to the LAN.
    pub(crate) fn arrive(switch: &mut Site) -> io::Result<Self> {
        let mut site = Site::create()?;
        attach(switch, &mut site, PORT, CLUSTER_IP)?;
        let mac = site.links.mac(LAN)?;
        let mut frame = [0; FRAME_LEN];
        let message = Message::AnnounceRequest { address: CLUSTER_IP.address };
        emit(message, mac, &mut frame).ok_or_else(|| io::Error::other("an announcement does not fit"))?;
        let socket = FrameSocket::open(&site.netns, &mut site.links, LAN)?;
        let insisting = Worker::start("stranger", move |stop| {
            while !stop.is_set() {
                socket.send(&frame)?;
                thread::sleep(INSISTS_EVERY);
            }
            Ok(())
        })?;
        Ok(Self { insisting, site })
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
