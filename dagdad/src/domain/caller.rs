//! Who asks, and what they may.

use std::fmt;

/// What somebody may do. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look at everything.
    Viewer,
    /// Start and stop what is in the catalogue, and look after alerts.
    Operator,
    /// Change the catalogue and what economy mode may do.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Lower case, as people name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whoever is at the other end of the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Effective user id, as the kernel tells it.
    pub uid: u32,
    /// Effective group id, as the kernel tells it.
    pub gid: u32,
    /// Process id, where the kernel can name it.
    pub pid: Option<i32>,
    /// The user's name, where the system knows one.
    pub user: Option<String>,
    /// What they may do; `None` is nothing at all.
    pub role: Option<Role>,
}

impl Caller {
    /// Whether they may do what takes `role`.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= Some(role)
    }
}

impl fmt::Display for Caller {
    /// `anna (uid 1000)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{user} (uid {})", self.uid),
            None => write!(f, "uid {}", self.uid),
        }
    }
}

/// Who has which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who may look.
    pub viewers: Members,
    /// Who may operate.
    pub operators: Members,
    /// Who may administer, besides root and the user that dagdad runs as.
    pub admins: Members,
}

/// Who has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// Whoever the socket lets in.
    Everyone,
    /// Who is in one of these Unix groups.
    Groups(Vec<String>),
}

impl Default for Access {
    fn default() -> Self {
        let group = |name: &str| Members::Groups(vec![name.to_owned()]);
        Self {
            viewers: Members::Everyone,
            operators: group("dagda"),
            admins: group("dagda-admin"),
        }
    }
}

impl Access {
    /// Who has `role` itself, those aside who have a greater one.
    #[must_use]
    pub const fn members(&self, role: Role) -> &Members {
        match role {
            Role::Viewer => &self.viewers,
            Role::Operator => &self.operators,
            Role::Admin => &self.admins,
        }
    }

    /// The greatest role of somebody who is in the groups that `is_in` says.
    #[must_use]
    pub fn role(&self, is_in: impl Fn(&str) -> bool) -> Option<Role> {
        let has = |role: &Role| match self.members(*role) {
            Members::Everyone => true,
            Members::Groups(groups) => groups.iter().any(|group| is_in(group)),
        };
        Role::ALL.into_iter().rev().find(has)
    }

    /// The groups that give `role` or a greater one, the least first.
    #[must_use]
    pub fn groups_for(&self, role: Role) -> Vec<&str> {
        let roles = Role::ALL.into_iter().filter(|of| *of >= role);
        roles
            .filter_map(|role| match self.members(role) {
                Members::Everyone => None,
                Members::Groups(groups) => Some(groups),
            })
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        let may = |role| {
            let caller = Caller {
                uid: 1000,
                gid: 1000,
                pid: None,
                user: None,
                role,
            };
            Role::ALL.map(|needed| caller.may(needed))
        };
        assert_eq!(may(None), [false, false, false]);
        assert_eq!(may(Some(Role::Viewer)), [true, false, false]);
        assert_eq!(may(Some(Role::Operator)), [true, true, false]);
        assert_eq!(may(Some(Role::Admin)), [true, true, true]);
    }

    #[test]
    fn the_greatest_role_counts() {
        let access = Access::default();
        assert_eq!(access.role(|_| false), Some(Role::Viewer));
        assert_eq!(access.role(|group| group == "dagda"), Some(Role::Operator));
        assert_eq!(access.role(|_| true), Some(Role::Admin));
        let closed = Access {
            viewers: Members::Groups(vec!["staff".to_owned(), "adm".to_owned()]),
            ..access
        };
        assert_eq!(closed.role(|_| false), None);
        assert_eq!(closed.role(|group| group == "adm"), Some(Role::Viewer));
        // Whoever may do more may look too.
        assert_eq!(closed.role(|group| group == "dagda"), Some(Role::Operator));
        assert_eq!(
            closed.groups_for(Role::Viewer),
            ["staff", "adm", "dagda", "dagda-admin"]
        );
        assert_eq!(closed.groups_for(Role::Admin), ["dagda-admin"]);
    }
}
