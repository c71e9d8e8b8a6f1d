//! Who may ask for what on the control socket. The kernel tells who asks; the table is the whole policy.

use bitflags::bitflags;
use nix::unistd::User;
use ucm_ha_control::Request;

bitflags! {
    /// What a client may ask for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Rights: u8 {
        /// `status`, once or by subscription.
        const STATUS = 1;
        /// `switch`.
        const SWITCH = 1 << 1;
        /// `kick` and `fault`.
        const SERVICE = 1 << 2;
        /// `clear_log`.
        const CLEAR_LOG = 1 << 3;
        /// `crash`.
        const CRASH = 1 << 4;
        /// `part`.
        const PART = 1 << 5;
        /// `maintenance`.
        const MAINTENANCE = 1 << 6;
    }
}

/// Users with more than [`OTHERS`]. Root and the daemon's own user may ask for everything.
const USERS: [(&str, Rights); 4] = [
    ("asterisk", Rights::STATUS.union(Rights::SERVICE).union(Rights::SWITCH)),
    ("ucm-ha-sync", Rights::STATUS.union(Rights::PART)),
    ("ucm-ha-calls", Rights::STATUS.union(Rights::PART)),
    ("ucm-ha-web", Rights::STATUS.union(Rights::SWITCH).union(Rights::CLEAR_LOG)),
];
/// Whoever else may open the socket, by its group.
const OTHERS: Rights = Rights::STATUS;

impl Rights {
    /// What a request needs.
    fn needed(request: &Request) -> Self {
        match request {
            Request::Status | Request::Subscribe => Self::STATUS,
            Request::Switch => Self::SWITCH,
            Request::Kick { .. } | Request::Fault { .. } => Self::SERVICE,
            Request::ClearLog { .. } => Self::CLEAR_LOG,
            Request::Crash { .. } => Self::CRASH,
            Request::Part { .. } => Self::PART,
            Request::Maintenance { .. } => Self::MAINTENANCE,
        }
    }

    /// Whether they are enough for a request.
    pub(super) fn permit(self, request: &Request) -> bool {
        self.contains(Self::needed(request))
    }
}

/// The users of the table as this machine numbers them.
#[derive(Debug)]
pub(super) struct Users {
    own: u32,
    numbered: Vec<(u32, Rights)>,
}

impl Users {
    /// Looks them up, once: a user database may be slow.
    pub(super) fn look_up() -> Self {
        let number = |(name, rights): (&str, Rights)| match User::from_name(name) {
            Ok(user) => user.map(|user| (user.uid.as_raw(), rights)),
            Err(error) => {
                log::warn!(
                    "the user {name} cannot be looked up ({error}); on the control socket it counts as any other"
                );
                None
            }
        };
        let own = rustix::process::geteuid().as_raw();
        Self { own, numbered: USERS.into_iter().filter_map(number).collect() }
    }

    /// Whether this user may do everything.
    pub(super) fn is_master(&self, uid: u32) -> bool {
        uid == 0 || uid == self.own
    }

    /// What this user may ask for.
    pub(super) fn rights(&self, uid: u32) -> Rights {
        if self.is_master(uid) {
            return Rights::all();
        }
        self.numbered.iter().find(|(number, _)| *number == uid).map_or(OTHERS, |(_, rights)| *rights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ucm_ha_control::{FaultChange, Log};

    fn requests() -> [Request; 9] {
        let name = || "asterisk".to_owned();
        [
            Request::Status,
            Request::Subscribe,
            Request::Switch,
            Request::Kick { name: name() },
            Request::Fault { name: name(), change: FaultChange::Raise },
            Request::ClearLog { log: Log::Events },
            Request::Crash { pid: 1, comm: name(), signal: 11 },
            Request::Part { name: "sync".to_owned() },
            Request::Maintenance { on: true, force: false },
        ]
    }

    fn permitted(uid: u32) -> usize {
        let users = Users { own: 7, numbered: vec![(100, USERS[0].1), (101, USERS[1].1), (103, USERS[3].1)] };
        requests().iter().filter(|request| users.rights(uid).permit(request)).count()
    }

    #[test]
    fn root_and_the_daemons_own_user_may_ask_for_everything() {
        assert_eq!([permitted(0), permitted(7)], [requests().len(); 2]);
    }

    #[test]
    fn each_user_of_the_table_may_ask_for_what_it_is_for() {
        let asterisk = requests().map(|request| USERS[0].1.permit(&request));
        assert_eq!(asterisk, [true, true, true, true, true, false, false, false, false]);
        let sync = requests().map(|request| USERS[1].1.permit(&request));
        assert_eq!(sync, [true, true, false, false, false, false, false, true, false]);
        let web = requests().map(|request| USERS[3].1.permit(&request));
        assert_eq!(web, [true, true, true, false, false, true, false, false, false]);
    }

    #[test]
    fn anybody_else_may_only_look() {
        assert_eq!(permitted(4711), 2);
    }
}
