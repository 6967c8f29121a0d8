//! What `doctor` finds.

/// One thing that dagdad needs, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `podman`, `state`, `mariadb`, …
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, for people.
    pub finding: String,
}

/// How a [`Check`] came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// dagdad works, with less.
    Warning {
        /// How to mend it.
        remedy: String,
    },
    /// dagdad cannot do its work.
    Failed {
        /// How to mend it.
        remedy: String,
    },
}
