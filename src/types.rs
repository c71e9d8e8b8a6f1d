//! Values that settings and frames are made of.

use crate::fault::Faults;
use core::fmt;
use core::net::Ipv4Addr;

/// Length of the pre-shared key, in bytes.
pub const KEY_LEN: usize = 32;

/// An Ethernet (MAC) address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Whether this can be the address of one station: neither all zeros nor a group address.
    pub const fn is_unicast(self) -> bool {
        let [a, b, c, d, e, f] = self.0;
        a & 1 == 0 && (a | b | c | d | e | f) != 0
    }
}

impl fmt::Display for MacAddr {
    /// `C0:74:AD:53:73:72`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

/// Configured station type. It never changes at run time; it breaks ties, it is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum StationType {
    /// Wins ties.
    Primary,
    /// Loses ties.
    Secondary,
}

/// Network method of the appliance; both nodes must use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NetworkMethod {
    /// One LAN port to the uplink switch.
    Switch,
    /// WAN and LAN ports.
    Router,
}

/// Appliance model (table 1 of the product guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(missing_docs, reason = "the names are the models'")]
pub enum Model {
    Ucm6301,
    Ucm6302,
    Ucm6304,
    Ucm6308,
    Ucm6300A,
    Ucm6302A,
    Ucm6304A,
    Ucm6308A,
}

impl Model {
    /// Every model, in the order of their wire ids (1, 2, …).
    pub const ALL: [Self; 8] = [
        Self::Ucm6301,
        Self::Ucm6302,
        Self::Ucm6304,
        Self::Ucm6308,
        Self::Ucm6300A,
        Self::Ucm6302A,
        Self::Ucm6304A,
        Self::Ucm6308A,
    ];

    /// The name as printed on the device, e.g. `UCM6304A`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ucm6301 => "UCM6301",
            Self::Ucm6302 => "UCM6302",
            Self::Ucm6304 => "UCM6304",
            Self::Ucm6308 => "UCM6308",
            Self::Ucm6300A => "UCM6300A",
            Self::Ucm6302A => "UCM6302A",
            Self::Ucm6304A => "UCM6304A",
            Self::Ucm6308A => "UCM6308A",
        }
    }

    /// Number of FXO ports, 0–8.
    pub const fn fxo_ports(self) -> u8 {
        match self {
            Self::Ucm6300A => 0,
            Self::Ucm6301 => 1,
            Self::Ucm6302 | Self::Ucm6302A => 2,
            Self::Ucm6304 | Self::Ucm6304A => 4,
            Self::Ucm6308 | Self::Ucm6308A => 8,
        }
    }

    /// FXO ports that other models have.
    pub(crate) fn missing_fxo_ports(self) -> Faults {
        Faults::FXO.difference(Faults::from_bits_truncate((1 << self.fxo_ports()) - 1))
    }

    /// The id in the heartbeat.
    pub const fn id(self) -> u16 {
        match self {
            Self::Ucm6301 => 1,
            Self::Ucm6302 => 2,
            Self::Ucm6304 => 3,
            Self::Ucm6308 => 4,
            Self::Ucm6300A => 5,
            Self::Ucm6302A => 6,
            Self::Ucm6304A => 7,
            Self::Ucm6308A => 8,
        }
    }
}

/// Firmware version `a.b.c.d`; ordered as versions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Firmware(pub [u8; 4]);

impl Firmware {
    /// The oldest firmware with high availability.
    pub const OLDEST: Self = Self([1, 0, 9, 0]);
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

/// An IPv4 address with the length of its subnet prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    /// The address.
    pub address: Ipv4Addr,
    /// Prefix length in bits, 0–32.
    pub prefix_len: u8,
}

impl Cidr {
    /// Whether `other` lies in this subnet.
    #[inline(never)]
    pub const fn contains(&self, other: Ipv4Addr) -> bool {
        let mask = self.mask();
        self.address.to_bits() & mask == other.to_bits() & mask
    }

    /// Whether `other` is the subnet's network or broadcast address (which no host can have).
    #[inline(never)]
    pub const fn is_reserved(&self, other: Ipv4Addr) -> bool {
        let host = !self.mask();
        host > 1 && (other.to_bits() & host == 0 || other.to_bits() & host == host)
    }

    const fn mask(&self) -> u32 {
        match self.prefix_len {
            0 => 0,
            len if len >= 32 => u32::MAX,
            len => u32::MAX << (32 - len),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Cidr {
    fn format(&self, f: defmt::Formatter<'_>) {
        let [a, b, c, d] = self.address.octets();
        defmt::write!(f, "{=u8}.{=u8}.{=u8}.{=u8}/{=u8}", a, b, c, d, self.prefix_len);
    }
}

/// The pre-shared key of a pair. It is neither printed nor compared.
#[derive(Clone, Copy)]
pub struct Key(pub [u8; KEY_LEN]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Key {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Key(..)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_printed() {
        assert!(!std::format!("{:?}", Key([0x5a; KEY_LEN])).contains("5a"));
        assert!(!std::format!("{:?}", Key([0x5a; KEY_LEN])).contains("90"));
    }
}
