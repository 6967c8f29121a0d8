//! Who is at the other end of a connection: the user's name and groups, as the system's own
//! databases (NSS, `nsswitch.conf(5)`) have them, and the role that follows.
//!
//! Those databases may be files, or a server that hangs. They are asked in a thread apart, one
//! question at a time, for no longer than [`PATIENCE`], and the answer holds for [`FRESH`]. Root
//! and the user that dagdad runs as never wait for them: they may do everything.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::sync::Semaphore;

use super::peer::Peer;
use crate::domain::caller::{Access, Caller, Members, Role};

/// How long what is known of a user holds.
const FRESH: Duration = Duration::from_secs(5);
/// How long a caller waits for the system to say who they are.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of at most so many users something is remembered.
const REMEMBERED: usize = 1024;

/// Tells callers apart. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Callers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    access: Access,
    /// Who may do everything, by user id.
    masters: HashMap<u32, Option<String>>,
    known: Mutex<HashMap<u32, Known>>,
    /// One question at a time: those that hang take one thread, not all of them.
    asking: Arc<Semaphore>,
    patience: Duration,
    #[cfg(test)]
    everyone: Option<Everyone>,
}

/// The role of every caller in a test.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
struct Everyone(Option<Role>);

/// What the system said of a user, and when.
#[derive(Debug, Clone)]
struct Known {
    at: Instant,
    user: Option<String>,
    /// Those that the user is in, besides the one that the process runs with.
    groups: Vec<u32>,
    /// The ids of the groups that the configuration names.
    named: HashMap<String, u32>,
}

impl Callers {
    /// Goes by `access`. Asks the system for the name of the user that dagdad runs as, which may
    /// take a while.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self {
            inner: Arc::new(Inner::new(access)),
        }
    }

    /// Who may do what.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// Warns of groups that the configuration names and the system does not know. That the usual
    /// ones are missing is no fault: a user's own dagdad needs none.
    pub fn look(&self) {
        let usual = Access::default();
        let named = |role: &Role| self.inner.access.members(*role) != usual.members(*role);
        for role in Role::ALL.into_iter().filter(named) {
            let Members::Groups(groups) = self.inner.access.members(role) else {
                continue;
            };
            for group in groups.iter().filter(|group| id_of(group).is_none()) {
                tracing::warn!(
                    dagda_group = %group,
                    "there is no group {group}, which the configuration gives the role {role}; to make it: groupadd --system {group}"
                );
            }
        }
    }

    /// Who `peer` is.
    pub async fn resolve(&self, peer: &Peer) -> Caller {
        let Peer { uid, gid, pid } = *peer;
        #[cfg(test)]
        if let Some(Everyone(role)) = self.inner.everyone {
            return Caller {
                uid,
                gid,
                pid,
                user: Some("anna".to_owned()),
                role,
            };
        }
        if let Some(user) = self.inner.masters.get(&uid) {
            return Caller {
                uid,
                gid,
                pid,
                user: user.clone(),
                role: Some(Role::Admin),
            };
        }
        let Known {
            at: _,
            user,
            groups,
            named,
        } = self.known(uid).await;
        let role = self.inner.access.role(|group| {
            let id = named.get(group);
            id.is_some_and(|id| *id == gid || groups.contains(id))
        });
        Caller {
            uid,
            gid,
            pid,
            user,
            role,
        }
    }

    async fn known(&self, uid: u32) -> Known {
        if let Some(known) = self.fresh(uid) {
            return known;
        }
        let asked = tokio::time::timeout(self.inner.patience, self.ask(uid)).await;
        asked.ok().flatten().unwrap_or_else(|| {
            tracing::warn!(
                dagda_uid = uid,
                "the system does not say who this is and in which groups"
            );
            // What was true a moment ago, else nothing: only what everyone may is left.
            let stale = self.remembered().get(&uid).cloned();
            let unknown = Known {
                at: Instant::now(),
                ..stale.unwrap_or_else(Known::nobody)
            };
            self.remember(uid, unknown.clone());
            unknown
        })
    }

    async fn ask(&self, uid: u32) -> Option<Known> {
        let turn = Arc::clone(&self.inner.asking).acquire_owned().await.ok()?;
        // Whoever asked before may have asked the same.
        if let Some(known) = self.fresh(uid) {
            return Some(known);
        }
        let callers = self.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let known = Known::of(Uid::from_raw(uid), &callers.inner.access);
            // Also where nobody waits any more.
            callers.remember(uid, known.clone());
            drop(turn);
            known
        });
        asking.await.ok()
    }

    fn fresh(&self, uid: u32) -> Option<Known> {
        let known = self.remembered().get(&uid).cloned()?;
        (known.at.elapsed() < FRESH).then_some(known)
    }

    fn remember(&self, uid: u32, known: Known) {
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED {
            remembered.retain(|_, known| known.at.elapsed() < FRESH);
        }
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(uid, known);
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<u32, Known>> {
        let known = self.inner.known.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn new(access: Access) -> Self {
        let own = Uid::effective();
        let masters = HashMap::from([(own.as_raw(), name_of(own)), (0, Some("root".to_owned()))]);
        Self {
            access,
            masters,
            known: Mutex::default(),
            asking: Arc::new(Semaphore::new(1)),
            patience: PATIENCE,
            #[cfg(test)]
            everyone: None,
        }
    }
}

#[cfg(test)]
impl Callers {
    /// Everyone is anna, and has `role`.
    pub(super) fn everyone_is(role: Option<Role>) -> Self {
        let inner = Inner {
            everyone: Some(Everyone(role)),
            ..Inner::new(Access::default())
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl Known {
    fn nobody() -> Self {
        Self {
            at: Instant::now(),
            user: None,
            groups: Vec::new(),
            named: HashMap::new(),
        }
    }

    /// Asks the system, and waits for it.
    fn of(uid: Uid, access: &Access) -> Self {
        let user = User::from_uid(uid).ok().flatten();
        let groups = user.as_ref().and_then(|user| {
            let name = CString::new(user.name.as_str()).ok()?;
            getgrouplist(&name, user.gid).ok()
        });
        let named = access.groups_for(Role::Viewer).into_iter();
        Self {
            at: Instant::now(),
            user: user.map(|user| user.name),
            groups: groups
                .unwrap_or_default()
                .into_iter()
                .map(Gid::as_raw)
                .collect(),
            named: named
                .filter_map(|group| Some((group.to_owned(), id_of(group)?)))
                .collect(),
        }
    }
}

fn name_of(uid: Uid) -> Option<String> {
    Some(User::from_uid(uid).ok()??.name)
}

fn id_of(group: &str) -> Option<u32> {
    Some(Group::from_name(group).ok()??.gid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: u32, gid: u32) -> Peer {
        Peer {
            uid,
            gid,
            pid: Some(7),
        }
    }

    fn operators(group: &str) -> Callers {
        let groups =
            |names: &[&str]| Members::Groups(names.iter().map(|name| (*name).to_owned()).collect());
        Callers::new(Access {
            viewers: groups(&["no-such-group-here"]),
            operators: groups(&[group]),
            admins: groups(&["no-such-group-either"]),
        })
    }

    /// Of the groups that every Linux has.
    fn a_group() -> Group {
        Group::from_gid(Gid::from_raw(1)).unwrap().unwrap()
    }

    #[tokio::test]
    async fn root_and_the_daemons_own_user_may_do_everything() {
        let callers = operators("no-such-group-too");
        let root = callers.resolve(&peer(0, 4242)).await;
        assert_eq!(
            (root.user.as_deref(), root.role),
            (Some("root"), Some(Role::Admin))
        );
        let own = Uid::effective();
        let own = callers.resolve(&peer(own.as_raw(), 4242)).await;
        assert_eq!(
            (own.user, own.role),
            (name_of(Uid::effective()), Some(Role::Admin))
        );
    }

    #[tokio::test]
    async fn the_group_that_a_process_runs_with_counts() {
        let group = a_group();
        let callers = operators(&group.name);
        let uid = 4_000_000_000;
        let member = callers.resolve(&peer(uid, group.gid.as_raw())).await;
        assert_eq!((member.user, member.role), (None, Some(Role::Operator)));
        let stranger = callers.resolve(&peer(uid, 4242)).await;
        assert_eq!((stranger.pid, stranger.role), (Some(7), None));
    }

    #[tokio::test]
    async fn the_groups_that_the_system_knows_of_a_user_count() {
        let daemon = User::from_uid(Uid::from_raw(1)).unwrap().unwrap();
        let name = CString::new(daemon.name.as_str()).unwrap();
        let groups = getgrouplist(&name, daemon.gid).unwrap();
        let group = Group::from_gid(groups[0]).unwrap().unwrap();
        let member = operators(&group.name).resolve(&peer(1, 4242)).await;
        assert_eq!(
            (member.user, member.role),
            (Some(daemon.name), Some(Role::Operator))
        );
    }

    /// A user database that hangs: nobody waits for ever, nobody is taken for more than what is
    /// known of them, and root does not wait at all.
    #[tokio::test]
    async fn a_system_that_does_not_say_leaves_what_everyone_may() {
        let mut callers = operators(&a_group().name);
        let inner = Arc::get_mut(&mut callers.inner).unwrap();
        inner.patience = Duration::from_millis(10);
        let asking = Arc::clone(&inner.asking);
        let hangs = asking.acquire_owned().await.unwrap();
        assert_eq!(callers.resolve(&peer(0, 0)).await.role, Some(Role::Admin));
        assert_eq!(callers.resolve(&peer(1, 1)).await.role, None);
        drop(hangs);
        // As long as a real one takes, when it is first looked at.
        Arc::get_mut(&mut callers.inner).unwrap().patience = Duration::from_mins(1);
        // It is not asked again for each call.
        assert_eq!(callers.resolve(&peer(1, 1)).await.role, None);
        callers.remembered().clear();
        assert_eq!(
            callers.resolve(&peer(1, 1)).await.role,
            Some(Role::Operator)
        );
    }
}
