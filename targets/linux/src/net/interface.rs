//! Network interfaces as the kernel reports them.

use ucm_ha::types::{Cidr, MacAddr};

/// One IPv4 address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address and the prefix of its subnet.
    pub cidr: Cidr,
    /// Whether it stays until somebody removes it (no finite lifetime).
    pub permanent: bool,
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index; an interface that is created again has a new one.
    pub index: u32,
    /// Its MAC address, where it is an Ethernet interface.
    pub mac: Option<MacAddr>,
    /// Whether it is up and has carrier.
    pub carrier: bool,
    /// Its IPv4 addresses.
    pub addresses: Vec<InterfaceAddress>,
}
