//! What can be wrong with a node, and how often it may hand over for it.

use bitflags::bitflags;

bitflags! {
    /// Faults a node finds in itself. The bits travel in every heartbeat.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Faults: u32 {
        /// FXO port 1: chip or line-side link dead.
        const FXO1 = 1 << 0;
        /// FXO port 2.
        const FXO2 = 1 << 1;
        /// FXO port 3.
        const FXO3 = 1 << 2;
        /// FXO port 4.
        const FXO4 = 1 << 3;
        /// FXO port 5.
        const FXO5 = 1 << 4;
        /// FXO port 6.
        const FXO6 = 1 << 5;
        /// FXO port 7.
        const FXO7 = 1 << 6;
        /// FXO port 8.
        const FXO8 = 1 << 7;
        /// The LAN uplink has no carrier.
        const LAN = 1 << 8;
        /// The WAN uplink has no carrier.
        const WAN = 1 << 9;
        /// The gateway does not answer this node while the peer sees it.
        const GATEWAY = 1 << 10;
        /// A core service crashed or is deadlocked.
        const SERVICE = 1 << 11;
        /// The cluster IP could not be bound when it was this node's turn.
        const ADDRESS = 1 << 12;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Faults {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Faults({=u32:#x})", self.bits());
    }
}

impl Faults {
    /// All eight FXO ports.
    pub const FXO: Self = Self::from_bits_truncate(0xff);
    /// Faults that cause a handover whatever the fault switches say.
    pub const ALWAYS_SWITCH: Self = Self::LAN.union(Self::WAN).union(Self::GATEWAY);
    /// Faults with which a node cannot serve at all.
    pub const NO_SERVICE: Self = Self::LAN.union(Self::GATEWAY).union(Self::ADDRESS);

    /// How badly a node is off: 0 healthy, 1 impaired, 2 cannot serve. Only a difference is a reason to hand over.
    pub const fn severity(self) -> u8 {
        if self.intersects(Self::NO_SERVICE) { 2 } else { !self.is_empty() as u8 }
    }
}
