//! The user that a program runs as.

use nix::unistd::{Gid, Uid, getgrouplist};
use std::ffi::CString;
use std::path::PathBuf;

/// A user of this machine, with everything that a program needs to run as it.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Its name.
    pub(crate) name: String,
    /// Its number.
    pub(crate) uid: Uid,
    /// Its main group.
    pub(crate) gid: Gid,
    /// All its groups.
    pub(crate) groups: Vec<Gid>,
    /// Its home.
    pub(crate) home: PathBuf,
}

impl User {
    /// Looks a user up; an error says what is wrong and what to do.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let failed = |error: nix::Error| format!("cannot be looked up: {error}; check the user database");
        let user = nix::unistd::User::from_name(name).map_err(failed)?;
        let Some(user) = user else {
            return Err("is not a user of this machine; `getent passwd` lists them".to_owned());
        };
        let c_name = CString::new(name).map_err(|_| "is not a user's name".to_owned())?;
        let groups = getgrouplist(&c_name, user.gid).map_err(failed)?;
        Ok(Self { name: user.name, uid: user.uid, gid: user.gid, groups, home: user.dir })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_this_machine_is_found_with_its_groups() {
        let root = User::find("root").unwrap();
        assert_eq!((root.uid.as_raw(), root.gid.as_raw()), (0, 0));
        assert!(root.groups.contains(&root.gid));
    }

    #[test]
    fn a_user_that_does_not_exist_is_said_so() {
        let reason = User::find("no-such-user").unwrap_err();
        assert_eq!(reason, "is not a user of this machine; `getent passwd` lists them");
    }
}
