//! Roles, and the one pure function that decides between them.

use crate::event::RoleReason;

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

/// How the peer appears at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sight {
    /// Nothing is heard.
    Silent,
    /// It is heard, but it does not hear us.
    Deaf,
    /// It is heard and nothing says that it does not hear us.
    Mutual,
}

/// What the peer, which is heard now and has a valid promise not to claim, has agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Consent {
    /// Nothing.
    None,
    /// It has released the cluster IP for this node.
    Released,
    /// It has granted this node's intent.
    Granted,
    /// It has given back the role that this node offered.
    Refused,
    /// It is switched off and claims nothing.
    Off,
}

/// What [`decide`] looks at. Every field is a plain fact; [`Node`](crate::Node) computes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct View {
    /// Own role.
    pub role: Role,
    /// High availability is off, on this node or for the pair.
    pub off: bool,
    /// The peer has promised not to claim yet: the lease is running.
    pub lease: bool,
    /// How the peer appears.
    pub peer: Sight,
    /// The role the peer last named.
    pub peer_role: Role,
    /// The peer says that its LAN is usable.
    pub peer_lan_usable: bool,
    /// The LAN uplink has carrier.
    pub lan_carrier: bool,
    /// The gateway is no reason to doubt the own LAN: it answered recently, none is configured, or both nodes last
    /// agreed that it is dead.
    pub gateway: bool,
    /// Fast failover: contact was lost and the gateway did not answer since.
    pub isolated: bool,
    /// This node precedes the peer when both are active or claiming.
    pub precedes: bool,
    /// This node outranks the peer when nobody is active.
    pub outranks: bool,
    /// The node may claim at all: settled, term reserved, nothing incompatible on the cable, no waking up.
    pub ready: bool,
    /// What the peer has agreed to.
    pub consent: Consent,
    /// The own LAN is proven: carrier, the static address and, where configured, a gateway that keeps answering.
    pub lan_ready: bool,
    /// Nobody answers for the cluster IP.
    pub clear: bool,
    /// Silence has lasted for the timeout.
    pub silence_over: bool,
    /// A peer that does not hear us has had its time to become active.
    pub one_way_over: bool,
    /// The peer's machine is gone (fast failover).
    pub gone: bool,
}

/// What to do about the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Decision {
    /// Nothing.
    Remain,
    /// Off → Init.
    Start,
    /// Any → Off; release the cluster IP.
    TurnOff,
    /// Init, Yielding → Standby: the peer is active.
    Follow,
    /// → Claiming: bind the cluster IP.
    Claim(RoleReason),
    /// Nobody is active and it is this node's turn: ask for a grant.
    Seek,
    /// Claiming → Standby: release the cluster IP.
    Abort(RoleReason),
    /// Active → Standby: release the cluster IP.
    StepDown(RoleReason),
}

/// Decides the role. Nothing but the view goes in: no time, no history.
pub fn decide(view: &View) -> Decision {
    match view.role {
        Role::Off if view.off => Decision::Remain,
        Role::Off => Decision::Start,
        Role::Init | Role::Standby | Role::Claiming | Role::Active | Role::Yielding if view.off => Decision::TurnOff,
        Role::Init | Role::Yielding if peer_is_active(view) => Decision::Follow,
        Role::Standby if peer_is_active(view) => Decision::Remain,
        Role::Init | Role::Standby | Role::Yielding if peer_is_claiming(view) => Decision::Remain,
        Role::Init | Role::Standby | Role::Yielding => decide_claim(view),
        Role::Claiming if peer_is_active(view) || (peer_is_claiming(view) && !view.precedes) => {
            Decision::Abort(RoleReason::PeerPrecedes)
        }
        Role::Claiming if !may_serve(view) => Decision::Abort(RoleReason::LeaseExpired),
        Role::Active if peer_is_active(view) && !view.precedes => Decision::StepDown(RoleReason::PeerPrecedes),
        Role::Active if !may_serve(view) => Decision::StepDown(RoleReason::LeaseExpired),
        Role::Claiming | Role::Active => Decision::Remain,
    }
}

/// Whether this node may act as active without a promise of the peer. The same for staying and for claiming, so that
/// a claim is never taken back at once (L5).
pub fn may_serve_alone(view: &View) -> bool {
    let no_threat = match view.peer {
        Sight::Silent | Sight::Mutual => true,
        // It will claim when its silence timer ends, unless it cannot.
        Sight::Deaf => !view.peer_lan_usable,
    };
    view.lan_carrier && view.gateway && !view.isolated && no_threat
}

fn may_serve(view: &View) -> bool {
    (view.lease && !view.isolated) || may_serve_alone(view)
}

fn peer_is_active(view: &View) -> bool {
    view.peer != Sight::Silent && view.peer_role == Role::Active
}

fn peer_is_claiming(view: &View) -> bool {
    view.peer != Sight::Silent && view.peer_role == Role::Claiming
}

fn decide_claim(view: &View) -> Decision {
    if !view.ready {
        return Decision::Remain;
    }
    let promised = view.lease && !view.isolated;
    let cold = view.clear && view.lan_ready && may_serve_alone(view);
    match view.consent {
        Consent::Released if promised => return Decision::Claim(RoleReason::Granted),
        Consent::Refused if promised => return Decision::Claim(RoleReason::PeerRefused),
        Consent::Granted if promised && view.clear => return Decision::Claim(RoleReason::Granted),
        Consent::Off if promised && view.clear && view.lan_carrier => return Decision::Claim(RoleReason::PeerOff),
        Consent::None | Consent::Released | Consent::Granted | Consent::Refused | Consent::Off => {}
    }
    if cold && view.gone {
        Decision::Claim(RoleReason::PeerGone)
    } else if cold && view.silence_over {
        Decision::Claim(RoleReason::PeerSilent)
    } else if cold && view.one_way_over && view.peer == Sight::Deaf {
        Decision::Claim(RoleReason::PeerDeaf)
    } else if may_seek(view) && promised && view.outranks {
        Decision::Seek
    } else {
        Decision::Remain
    }
}

/// Whether a ranking is on. A node that has handed the term to its peer takes no part in one until it withdraws.
fn may_seek(view: &View) -> bool {
    let undecided = |role| matches!(role, Role::Init | Role::Standby);
    undecided(view.role) && undecided(view.peer_role) && view.peer == Sight::Mutual
}

#[cfg(test)]
mod tests;
