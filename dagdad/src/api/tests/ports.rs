//! What stands behind the edge in these tests: a store with some runs in it, and no runtime.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::domain::alert::{Alert, AlertQuery};
use crate::domain::audit::{AuditEntry, AuditQuery};
use crate::domain::catalogue::RenderedPod;
use crate::domain::economy::RecordedSample;
use crate::domain::event::{EventQuery, EventRecord};
use crate::domain::name::PodName;
use crate::domain::observed::{LogLine, LogQuery, ObservedPod, PullProgress, RuntimeSignal};
use crate::domain::pod::{PodSpec, PullPolicy, Readiness};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::{Run, RunQuery};
use crate::domain::sample::{HistoryPoint, PodUsage};
use crate::ports::{
    MirrorStatus, ProbeFailure, Record, Restored, Runtime, RuntimeError, Store, StoreError,
};

/// A store with some runs and events in it.
#[derive(Default)]
pub(super) struct Records {
    pub(super) runs: Vec<Run>,
    pub(super) events: Vec<EventRecord>,
    pub(super) alerts: Vec<Alert>,
    pub(super) audit: Vec<AuditEntry>,
    pub(super) samples: Vec<RecordedSample>,
    /// Set: every read fails with it.
    pub(super) broken: Option<StoreError>,
    /// Which runs' events were asked for.
    pub(super) asked: Mutex<Vec<EventQuery>>,
}

impl Records {
    pub(super) fn of(runs: Vec<Run>) -> Self {
        Self {
            runs,
            ..Self::default()
        }
    }

    fn works(&self) -> Result<(), StoreError> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Store for Records {
    async fn load(&self) -> Result<Restored, StoreError> {
        unreachable!("the edge restores nothing")
    }

    async fn commit(&self, _: &[Record]) -> Result<(), StoreError> {
        unreachable!("the edge writes nothing")
    }

    async fn history(
        &self,
        _: Timestamp,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<HistoryPoint>, StoreError> {
        Ok(Vec::new())
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<EventRecord>, StoreError> {
        self.works()?;
        self.asked.lock().unwrap().push(query.clone());
        Ok(self.events.clone())
    }

    async fn tidy(&self, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("the edge writes nothing")
    }

    async fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        self.works()?;
        let of = |run: &&Run| {
            let wanted = query.workflow.as_deref();
            wanted.is_none_or(|name| run.workflow.as_str() == name)
        };
        let mut runs: Vec<Run> = self.runs.iter().filter(of).cloned().collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        runs.truncate(usize::try_from(query.limit).unwrap());
        Ok(runs)
    }

    async fn find_run(&self, id: &str) -> Result<Vec<Run>, StoreError> {
        self.works()?;
        let fits = |run: &&Run| run.id.to_string().starts_with(id);
        Ok(self.runs.iter().filter(fits).take(2).cloned().collect())
    }

    async fn audit(&self, _: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.works()?;
        Ok(self.audit.clone())
    }

    async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>, StoreError> {
        self.works()?;
        let wanted = self.alerts.iter().filter(|alert| query.wants(alert));
        let mut alerts: Vec<Alert> = wanted.cloned().collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.id));
        alerts.truncate(usize::try_from(query.limit).unwrap());
        Ok(alerts)
    }

    async fn samples(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordedSample>, StoreError> {
        self.works()?;
        let wanted = |sample: &&RecordedSample| (since..=until).contains(&sample.at);
        Ok(self.samples.iter().filter(wanted).cloned().collect())
    }

    fn mirror(&self) -> watch::Receiver<MirrorStatus> {
        unreachable!("the engine watches it")
    }
}

/// A runtime that nobody asks.
pub(super) struct NoRuntime;

#[async_trait]
impl Runtime for NoRuntime {
    fn signals(&self) -> BoxStream<'static, RuntimeSignal> {
        unreachable!("nobody asks")
    }

    async fn list(&self) -> Result<Vec<ObservedPod>, RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn ensure_image(
        &self,
        _: &str,
        _: PullPolicy,
        _: mpsc::Sender<PullProgress>,
    ) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn play(&self, _: &RenderedPod) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn stop(&self, _: &PodName, _: Duration) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn remove(&self, _: &PodName) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn logs(
        &self,
        _: &PodName,
        _: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine, RuntimeError>>, RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn probe(&self, _: &PodSpec, _: &Readiness) -> Result<(), ProbeFailure> {
        unreachable!("nobody asks")
    }

    async fn throttle(&self, _: &PodSpec, _: Option<Millicpu>) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn freeze(&self, _: &PodName) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn thaw(&self, _: &PodName) -> Result<(), RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn reclaim(&self, _: &PodName, _: Bytes) -> Result<Bytes, RuntimeError> {
        unreachable!("nobody asks")
    }

    async fn usage(&self, _: &[String]) -> Result<Vec<(String, PodUsage)>, RuntimeError> {
        unreachable!("nobody asks")
    }
}
