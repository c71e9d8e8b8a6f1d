//! How much of everything that could be tried is tried.

/// Set by `UCM_HA_BREADTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breadth {
    /// What a developer waits for: every kind of fault, each ordered pair of them once.
    Quick,
    /// What the gate adds: more times, settings and seeds.
    Wide,
    /// Everything there is.
    Full,
}

impl Breadth {
    /// The one that this run was asked for; quick, where it was not.
    pub(crate) fn asked() -> Self {
        match std::env::var("UCM_HA_BREADTH").as_deref() {
            Err(_) | Ok("quick") => Self::Quick,
            Ok("wide") => Self::Wide,
            Ok("full") => Self::Full,
            Ok(other) => panic!("UCM_HA_BREADTH={other} is none of quick, wide and full"),
        }
    }

    /// The value for this breadth.
    pub(crate) fn choose<T>(self, quick: T, wide: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Wide => wide,
            Self::Full => full,
        }
    }
}
