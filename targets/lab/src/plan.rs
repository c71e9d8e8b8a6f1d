//! Who is who in the lab: names, addresses and ports.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use ucm_ha::types::{Cidr, MacAddr, StationType};

/// The LAN interface of every station.
pub const LAN: &str = "eth0";
/// The heartbeat port of a node.
pub const CABLE: &str = "eth1";
/// The WAN port of a node, of which only the carrier matters here.
pub const WAN: &str = "eth2";
/// The UDP port of the heartbeat.
pub const HEARTBEAT_PORT: u16 = 9527;
/// The UDP port the phone asks, SIP's.
pub const SERVICE_PORT: u16 = 5060;
/// The address that the active owns.
pub const CLUSTER_IP: Cidr = lan_address(64);
/// The address of the gateway.
pub const GATEWAY: Cidr = lan_address(1);
/// The address of the phone.
pub const PHONE: Cidr = lan_address(100);

const fn lan_address(host: u8) -> Cidr {
    Cidr { address: Ipv4Addr::new(192, 168, 129, host), prefix_len: 24 }
}

/// One of the two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// The primary.
    A,
    /// The secondary.
    B,
}

impl Node {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    pub const fn peer(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its letter, as commands say it.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// Its place in tables of both.
    pub const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    /// Its static address.
    pub const fn address(self) -> Cidr {
        match self {
            Self::A => lan_address(42),
            Self::B => lan_address(43),
        }
    }

    /// The MAC address of one of its ports.
    pub const fn mac(self, wire: Wire) -> MacAddr {
        let last = match (self, wire) {
            (Self::A, Wire::Lan) => 0x72,
            (Self::A, Wire::Cable) => 0x73,
            (Self::B, Wire::Lan) => 0x6c,
            (Self::B, Wire::Cable) => 0x6d,
        };
        MacAddr([0xc0, 0x74, 0xad, 0x53, 0x73, last])
    }

    /// Its station type.
    pub const fn station_type(self) -> StationType {
        match self {
            Self::A => StationType::Primary,
            Self::B => StationType::Secondary,
        }
    }
}

impl FromStr for Node {
    type Err = String;

    /// By its letter.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|node| node.letter() == text)
            .ok_or_else(|| format!("there is no node '{text}'; use a or b"))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// What joins the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// The service network.
    Lan,
    /// The direct cable between the heartbeat ports.
    Cable,
}

impl Wire {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Lan, Self::Cable];

    /// The node's interface.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Lan => LAN,
            Self::Cable => CABLE,
        }
    }

    /// What somebody renames it to.
    pub const fn other_name(self) -> &'static str {
        match self {
            Self::Lan => "lan0",
            Self::Cable => "hb0",
        }
    }

    /// Its place in tables of both.
    pub const fn index(self) -> usize {
        match self {
            Self::Lan => 0,
            Self::Cable => 1,
        }
    }
}

/// One port of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Port {
    /// Whose.
    pub node: Node,
    /// Which.
    pub wire: Wire,
}

impl Port {
    /// Every port of both nodes.
    pub fn all() -> impl Iterator<Item = Self> {
        Node::ALL.into_iter().flat_map(|node| Wire::ALL.map(|wire| Self { node, wire }))
    }

    /// The LAN port of a node.
    pub const fn lan(node: Node) -> Self {
        Self { node, wire: Wire::Lan }
    }

    /// The heartbeat port of a node.
    pub const fn cable(node: Node) -> Self {
        Self { node, wire: Wire::Cable }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wire {
            Wire::Lan => write!(f, "LAN port of {}", self.node),
            Wire::Cable => write!(f, "heartbeat port of {}", self.node),
        }
    }
}
