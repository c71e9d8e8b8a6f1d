//! Roles and the decision between them.

/// What a node is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// High availability is off: holds and claims nothing.
    Off,
    /// Started; listens before it takes a side.
    #[default]
    Init,
    /// Ready to take over.
    Standby,
    /// Its turn; the cluster IP is being bound.
    Claiming,
    /// Owns the cluster IP.
    Active,
    /// Has agreed to hand over: releases, or has released, the cluster IP.
    Yielding,
}
