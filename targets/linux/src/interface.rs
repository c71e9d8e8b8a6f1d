//! Network interfaces as the kernel reports them.

use ucm_ha::types::{Cidr, MacAddr};

/// One IPv4 address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceAddress {
    /// The address and the prefix of its subnet.
    pub(crate) cidr: Cidr,
    /// Whether it stays until somebody removes it (no finite lifetime).
    pub(crate) permanent: bool,
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    /// Its name.
    pub(crate) name: String,
    /// Its index; an interface that is created again has a new one.
    pub(crate) index: u32,
    /// Its MAC address, where it is an Ethernet interface.
    pub(crate) mac: Option<MacAddr>,
    /// Whether it is up and has carrier.
    pub(crate) carrier: bool,
    /// Its IPv4 addresses.
    pub(crate) addresses: Vec<InterfaceAddress>,
}
