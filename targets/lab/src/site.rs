//! A station's end of the network, and the cable that wires it to the LAN.

use crate::links::{End, Links};
use crate::netns::Netns;
use crate::plan::LAN;
use std::io;
use ucm_ha::types::Cidr;

/// What both ends of the cable are plugged into.
pub const CABLE_BRIDGE: &str = "cable";
/// The LAN's switch.
pub const LAN_BRIDGE: &str = "lan";

/// A station's end of the network.
pub struct Site {
    /// Its namespace.
    pub netns: Netns,
    /// Its interfaces.
    pub links: Links,
}

impl Site {
    /// A new one, with its loopback on.
    pub fn create() -> io::Result<Self> {
        let mut site = Self::of(Netns::create()?)?;
        site.links.set_up("lo", true)?;
        Ok(site)
    }

    /// That of an existing namespace.
    pub fn of(netns: Netns) -> io::Result<Self> {
        let links = Links::of(&netns)?;
        Ok(Self { netns, links })
    }
}

/// Wires a station that is not a node to the LAN.
pub fn attach(switch: &mut Site, site: &mut Site, name: &str, address: Cidr) -> io::Result<()> {
    switch
        .links
        .add_veth(&End { name, netns: &switch.netns, mac: None }, &End { name: LAN, netns: &site.netns, mac: None })?;
    switch.links.plug(name, Some(LAN_BRIDGE))?;
    switch.links.set_up(name, true)?;
    site.links.add_address(LAN, address)?;
    site.links.set_up(LAN, true)
}
