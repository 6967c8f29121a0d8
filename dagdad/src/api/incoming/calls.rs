//! How many calls a caller may have in flight. A call counts until its answer is sent whole or
//! given up: a stream for as long as it is open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Calls of one caller in flight, open streams included.
const ALL: usize = 128;
/// Of these, the ones that hold much memory, or a connection to Podman, until they are read.
const COSTLY: usize = 32;
/// Of these, the ones whose request may be large. An `apply` takes milliseconds.
const APPLY: usize = 4;

/// What a call costs dagdad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cost {
    /// A small request, and an answer from the snapshot.
    Light,
    /// A long answer, or one that somebody else gives.
    Costly,
    /// A request that may be a folder of manifests.
    Apply,
}

/// Methods that are [`Cost::Costly`].
const COSTLY_METHODS: [&str; 10] = [
    "/dagda.v1.AlertsService/ListAlerts",
    "/dagda.v1.AuditService/ListAudit",
    "/dagda.v1.CatalogueService/Export",
    "/dagda.v1.DiagnosticsService/Diagnose",
    "/dagda.v1.EconomyService/Backtest",
    "/dagda.v1.EventsService/FollowEvents",
    "/dagda.v1.EventsService/ListEvents",
    "/dagda.v1.PodsService/ReadLogs",
    "/dagda.v1.ResourcesService/GetHistory",
    "/dagda.v1.WorkflowsService/ListRuns",
];
const APPLY_METHOD: &str = "/dagda.v1.CatalogueService/Apply";

impl Cost {
    /// That of the method at `path`.
    pub fn of(path: &str) -> Self {
        match path {
            APPLY_METHOD => Self::Apply,
            path if COSTLY_METHODS.contains(&path) => Self::Costly,
            _ => Self::Light,
        }
    }
}

/// A caller asks for too much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "user {uid} has {limit} {} in flight, the most that dagdad takes from one user at once; end some (a command with --watch or --follow holds one until it ends), or try again when they are done",
    match .cost {
        Cost::Light => "calls",
        Cost::Costly => "calls for logs, history or whole lists",
        Cost::Apply => "`apply`s",
    }
)]
pub struct TooMany {
    /// Whose calls they are.
    pub uid: u32,
    /// The calls of which there are too many; [`Cost::Light`] for all together.
    pub cost: Cost,
    /// How many are taken.
    pub limit: usize,
}

/// The calls in flight. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<HashMap<u32, Open>>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    costly: usize,
    applies: usize,
}

impl Open {
    fn of(&mut self, cost: Cost) -> Option<(&mut usize, usize)> {
        match cost {
            Cost::Light => None,
            Cost::Costly => Some((&mut self.costly, COSTLY)),
            Cost::Apply => Some((&mut self.applies, APPLY)),
        }
    }
}

/// A call in flight; it is over when this is dropped.
#[derive(Debug)]
pub struct Call {
    calls: Calls,
    uid: u32,
    cost: Cost,
}

impl Calls {
    /// Counts a call of `uid`, if there is room for it.
    ///
    /// # Errors
    /// Says of what there is too much.
    pub fn begin(&self, uid: u32, cost: Cost) -> Result<Call, TooMany> {
        let mut callers = self.lock();
        let open = callers.entry(uid).or_default();
        if open.all >= ALL {
            let (cost, limit) = (Cost::Light, ALL);
            return Err(TooMany { uid, cost, limit });
        }
        if let Some((count, limit)) = open.of(cost) {
            if *count >= limit {
                return Err(TooMany { uid, cost, limit });
            }
            *count += 1;
        }
        open.all += 1;
        let calls = self.clone();
        Ok(Call { calls, uid, cost })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut callers = self.calls.lock();
        let Some(open) = callers.get_mut(&self.uid) else {
            return;
        };
        open.all = open.all.saturating_sub(1);
        if let Some((count, _)) = open.of(self.cost) {
            *count = count.saturating_sub(1);
        }
        if open.all == 0 {
            callers.remove(&self.uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dagda_proto::FILE_DESCRIPTOR_SET;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    #[test]
    fn a_caller_is_refused_at_his_limit_and_others_are_not() {
        let calls = Calls::default();
        let mut open: Vec<Call> = (0..ALL)
            .map(|_| calls.begin(7, Cost::Light).unwrap())
            .collect();
        let refused = calls.begin(7, Cost::Light).unwrap_err();
        assert_eq!((refused.uid, refused.limit), (7, ALL));
        assert!(refused.to_string().contains("128 calls in flight"));
        calls.begin(8, Cost::Light).unwrap();
        open.pop();
        calls.begin(7, Cost::Apply).unwrap();
    }

    #[test]
    fn what_costs_more_is_limited_apart() {
        for (cost, limit) in [(Cost::Costly, COSTLY), (Cost::Apply, APPLY)] {
            let calls = Calls::default();
            let open: Vec<Call> = (0..limit).map(|_| calls.begin(7, cost).unwrap()).collect();
            let refused = calls.begin(7, cost).unwrap_err();
            assert_eq!((refused.cost, refused.limit), (cost, limit));
            calls.begin(7, Cost::Light).unwrap();
            drop(open);
            calls.begin(7, cost).unwrap();
        }
    }

    #[test]
    fn a_caller_without_calls_is_forgotten() {
        let calls = Calls::default();
        drop(calls.begin(7, Cost::Costly).unwrap());
        assert!(calls.lock().is_empty());
    }

    #[test]
    fn every_method_named_here_exists() {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let methods: Vec<String> = files
            .file
            .iter()
            .flat_map(|file| file.service.iter().map(move |it| (file.package(), it)))
            .flat_map(|(package, service)| {
                let methods = service.method.iter();
                methods.map(move |it| format!("/{package}.{}/{}", service.name(), it.name()))
            })
            .collect();
        for named in COSTLY_METHODS.iter().chain([&APPLY_METHOD]) {
            assert!(methods.iter().any(|it| it == named), "{named}: {methods:?}");
        }
    }
}
