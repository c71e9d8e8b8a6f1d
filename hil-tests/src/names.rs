//! Which MAC address is which node. A unit that is replaced brings a new one.

use lab::plan::Node;
use smoltcp::wire::EthernetAddress;
use std::sync::{Arc, PoisonError, RwLock};
use ucm_ha::types::MacAddr;

/// The table, shared by everybody who watches the LAN.
#[derive(Clone)]
pub(crate) struct Names(Arc<RwLock<[MacAddr; 2]>>);

impl Names {
    /// A table with these.
    pub(crate) fn new(macs: [MacAddr; 2]) -> Self {
        Self(Arc::new(RwLock::new(macs)))
    }

    /// From now on these.
    pub(crate) fn set(&self, macs: [MacAddr; 2]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = macs;
    }

    /// The node with this address on the LAN.
    pub(crate) fn node(&self, address: EthernetAddress) -> Option<Node> {
        let macs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Node::ALL.into_iter().find(|node| macs[node.index()].0 == address.0)
    }
}
