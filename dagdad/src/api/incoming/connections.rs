//! Which connections are open, whose they are, and which one is closed where there is no room
//! for a new one. Pure: knows ids, not sockets.

use std::collections::{BTreeMap, HashMap};

/// Connections of one caller (a user id). A client needs one; there is room for a script that
/// starts a hundred at once, which on a busy box are all there before the first one speaks.
pub const PER_CALLER: usize = 128;
/// Connections of all callers but root, together: four of them at their own limit.
pub const ALL: usize = 512;
/// Its connections are not counted in [`ALL`], so that nobody can keep the administrator out.
const ROOT: u32 = 0;

/// One connection, for as long as dagdad runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    open: BTreeMap<ConnectionId, Use>,
    per_caller: usize,
    all: usize,
    /// Counts what happens: the order of things without a clock.
    now: u64,
}

#[derive(Debug)]
struct Use {
    uid: u32,
    /// In flight.
    calls: usize,
    spoke: bool,
    /// When it was opened or its last call ended.
    since: u64,
}

/// Whether a new connection is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is, under this id.
    Taken {
        /// Its name from now on.
        id: ConnectionId,
        /// The idle connection that is to be closed for it; already forgotten here.
        instead_of: Option<ConnectionId>,
    },
    /// All those that could make room for it are busy.
    Refused,
}

impl Default for Connections {
    fn default() -> Self {
        Self::limited(PER_CALLER, ALL)
    }
}

impl Connections {
    fn limited(per_caller: usize, all: usize) -> Self {
        Self {
            open: BTreeMap::new(),
            per_caller,
            all,
            now: 0,
        }
    }

    /// Takes a connection of `uid`. At the caller's limit, the one that has been idle for longest
    /// of his own goes; at the limit of all, that of the caller who has most.
    pub fn admit(&mut self, uid: u32) -> Admission {
        let counts = self.counts();
        let own = counts.get(&uid).copied().unwrap_or_default();
        let others: usize = counts
            .iter()
            .filter(|(uid, _)| **uid != ROOT)
            .map(|(_, count)| count)
            .sum();
        let instead_of = if own >= self.per_caller {
            self.longest_idle(|it| (it.uid == uid).then_some(0))
        } else if uid != ROOT && others >= self.all {
            self.longest_idle(|it| (it.uid != ROOT).then(|| counts[&it.uid]))
        } else {
            return Admission::Taken {
                id: self.open(uid),
                instead_of: None,
            };
        };
        match instead_of {
            Some(idle) => {
                self.open.remove(&idle);
                Admission::Taken {
                    id: self.open(uid),
                    instead_of: Some(idle),
                }
            }
            None => Admission::Refused,
        }
    }

    /// The idle connection of the highest rank, and of these the one idle for longest; `rank`
    /// gives none to those that must stay.
    fn longest_idle(&self, rank: impl Fn(&Use) -> Option<usize>) -> Option<ConnectionId> {
        self.open
            .iter()
            .filter(|(_, it)| it.calls == 0)
            .filter_map(|(id, it)| Some((*id, rank(it)?, it.since)))
            .max_by_key(|(_, rank, since)| (*rank, std::cmp::Reverse(*since)))
            .map(|(id, ..)| id)
    }

    fn counts(&self) -> HashMap<u32, usize> {
        let mut counts = HashMap::new();
        for it in self.open.values() {
            *counts.entry(it.uid).or_default() += 1;
        }
        counts
    }

    fn open(&mut self, uid: u32) -> ConnectionId {
        self.now += 1;
        let id = ConnectionId(self.now);
        let new = Use {
            uid,
            calls: 0,
            spoke: false,
            since: self.now,
        };
        self.open.insert(id, new);
        id
    }

    /// A call begins on it.
    pub fn call_begins(&mut self, id: ConnectionId) {
        if let Some(it) = self.open.get_mut(&id) {
            it.calls += 1;
            it.spoke = true;
        }
    }

    /// A call that began on it is over.
    pub fn call_ends(&mut self, id: ConnectionId) {
        self.now += 1;
        if let Some(it) = self.open.get_mut(&id) {
            it.calls = it.calls.saturating_sub(1);
            it.since = self.now;
        }
    }

    /// Whether a call was ever made on it.
    pub fn spoke(&self, id: ConnectionId) -> bool {
        self.open.get(&id).is_some_and(|it| it.spoke)
    }

    /// Whether no call is in flight on it.
    pub fn is_idle(&self, id: ConnectionId) -> bool {
        self.open.get(&id).is_none_or(|it| it.calls == 0)
    }

    /// It is closed.
    pub fn closed(&mut self, id: ConnectionId) {
        self.open.remove(&id);
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(admission: Admission) -> (ConnectionId, Option<ConnectionId>) {
        match admission {
            Admission::Taken { id, instead_of } => (id, instead_of),
            Admission::Refused => panic!("refused"),
        }
    }

    #[test]
    fn a_caller_at_his_limit_loses_the_one_that_was_idle_for_longest() {
        let mut connections = Connections::limited(3, 10);
        let [busy, once_used, unused] = [0; 3].map(|_| taken(connections.admit(7)).0);
        connections.call_begins(busy);
        connections.call_begins(once_used);
        connections.call_ends(once_used);
        let (new, closed) = taken(connections.admit(7));
        assert_eq!(closed, Some(unused), "idle since it was opened");
        assert_eq!(taken(connections.admit(7)).1, Some(once_used));
        assert_eq!(taken(connections.admit(7)).1, Some(new));
        assert_eq!(taken(connections.admit(8)).1, None, "another caller");
    }

    #[test]
    fn a_caller_whose_connections_are_all_busy_gets_no_more() {
        let mut connections = Connections::limited(2, 10);
        let [first, _] = [0; 2].map(|_| {
            let id = taken(connections.admit(7)).0;
            connections.call_begins(id);
            id
        });
        assert_eq!(connections.admit(7), Admission::Refused);
        connections.call_ends(first);
        assert_eq!(taken(connections.admit(7)).1, Some(first));
    }

    #[test]
    fn the_greediest_makes_room_for_others_and_root_needs_none() {
        let mut connections = Connections::limited(4, 5);
        let modest = taken(connections.admit(1)).0;
        let greedy = [0; 4].map(|_| taken(connections.admit(2)).0);
        assert_eq!(taken(connections.admit(0)).1, None, "root is not counted");
        assert_eq!(taken(connections.admit(3)).1, Some(greedy[0]));
        for id in greedy {
            connections.call_begins(id);
        }
        assert_eq!(
            taken(connections.admit(3)).1,
            Some(modest),
            "oldest of ones"
        );
        assert_eq!(taken(connections.admit(0)).1, None);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Connect(u32),
        Begin(prop::sample::Index),
        End(prop::sample::Index),
        Close(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..5_u32).prop_map(Step::Connect),
            2 => any::<prop::sample::Index>().prop_map(Step::Begin),
            1 => any::<prop::sample::Index>().prop_map(Step::End),
            1 => any::<prop::sample::Index>().prop_map(Step::Close),
        ]
    }

    /// What is known of each open connection, kept beside: whose it is, its calls.
    type Model = Vec<(ConnectionId, u32, usize)>;

    proptest! {
        #[test]
        fn the_limits_hold_and_only_the_idle_make_room(steps in prop::collection::vec(step(), 0..200)) {
            let (per_caller, all) = (4, 9);
            let mut connections = Connections::limited(per_caller, all);
            let mut model = Model::new();
            for step in steps {
                match step {
                    Step::Connect(uid) => {
                        let own = model.iter().filter(|it| it.1 == uid).count();
                        let others = model.iter().filter(|it| it.1 != ROOT).count();
                        match connections.admit(uid) {
                            Admission::Taken { id, instead_of } => {
                                let needed = own >= per_caller || uid != ROOT && others >= all;
                                prop_assert_eq!(instead_of.is_some(), needed);
                                if let Some(closed) = instead_of {
                                    let at = model.iter().position(|it| it.0 == closed).unwrap();
                                    let (_, owner, calls) = model.remove(at);
                                    prop_assert_eq!(calls, 0, "a busy one was closed");
                                    prop_assert!(own < per_caller || owner == uid, "another's");
                                    prop_assert!(uid == ROOT || own >= per_caller || owner != ROOT);
                                }
                                model.push((id, uid, 0));
                            }
                            Admission::Refused => {
                                let at_own_limit = own >= per_caller;
                                prop_assert!(at_own_limit || uid != ROOT, "root was kept out");
                                let all_busy = model
                                    .iter()
                                    .filter(|it| if at_own_limit { it.1 == uid } else { it.1 != ROOT })
                                    .all(|it| it.2 > 0);
                                prop_assert!(all_busy, "refused though there was an idle one");
                            }
                        }
                    }
                    Step::Begin(index) if !model.is_empty() => {
                        let it = index.get_mut(&mut model);
                        it.2 += 1;
                        connections.call_begins(it.0);
                    }
                    Step::End(index) if !model.is_empty() => {
                        let it = index.get_mut(&mut model);
                        if it.2 > 0 {
                            it.2 -= 1;
                            connections.call_ends(it.0);
                        }
                    }
                    Step::Close(index) if !model.is_empty() => {
                        let it = model.remove(index.index(model.len()));
                        connections.closed(it.0);
                    }
                    Step::Begin(_) | Step::End(_) | Step::Close(_) => {}
                }
                prop_assert_eq!(connections.count(), model.len());
                prop_assert!(model.iter().filter(|it| it.1 != ROOT).count() <= all);
                for uid in 0..5 {
                    prop_assert!(model.iter().filter(|it| it.1 == uid).count() <= per_caller);
                }
                for (id, _, calls) in &model {
                    prop_assert_eq!(connections.is_idle(*id), *calls == 0);
                }
            }
        }
    }
}
