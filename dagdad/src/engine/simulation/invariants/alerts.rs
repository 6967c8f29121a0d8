//! I5: one episode, one alert row: the alerts that go on, the rows on disk, and what should have
//! been told.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::super::effect::Effect;
use super::super::super::event::Command;
use super::super::super::pod::{Life, Pod};
use super::super::super::state::State;
use super::super::World;
use super::peace::missed;
use super::sightings::{Level, STORE, Shown, Sightings, WATCHED, open, pace};
use super::{Told, written};
use crate::domain::alert::{Alert, Condition};
use crate::domain::run::Phase;
use crate::ports::Record;

impl World {
    /// A daemon that is born knows of all alerts that go on, as they were written.
    pub(in crate::engine::simulation) fn check_restored(&mut self, state: &State) {
        let known: BTreeMap<Uuid, &Alert> = state.episodes.alerts().map(|a| (a.id, a)).collect();
        let rows: BTreeMap<Uuid, &Alert> = self.disk.open_alerts().map(|a| (a.id, a)).collect();
        assert_eq!(known, rows, "alerts known (left) against those on disk");
        self.sightings = Sightings::at_birth(state);
    }

    /// `looked` is whether the daemon knew already what runs.
    pub(in crate::engine::simulation) fn check_alerts(
        &mut self,
        told: &Told,
        shown: &Shown,
        looked: bool,
        effects: &[Effect],
    ) {
        self.sightings.take_in(shown, looked);
        let Some(daemon) = self.daemon.as_ref() else {
            return;
        };
        let state = &daemon.state;
        let by_hand = matches!(told.command, Some((_, Command::ResolveAlert { .. })));
        let rows = || {
            written(effects).filter_map(|record| match record {
                Record::PutAlert(alert) => Some(&**alert),
                _ => None,
            })
        };
        // Nobody tells of anything before it is known what runs, nor at the end.
        let tells = state.settled && !state.closing;
        let settles = tells && !looked;
        if settles {
            self.sightings.settle();
        }
        if !matches!(shown, Shown::Nothing) || settles || rows().next().is_some() {
            let sightings = &mut self.sightings;
            let at = sightings.sampled_at;
            let of = sightings.of.iter_mut().zip(sightings.levels).zip(WATCHED);
            for (index, ((sighting, level), key)) in of.enumerate() {
                let is = open(state, key);
                if !tells {
                    sighting.rest(is, by_hand);
                    continue;
                }
                // That MariaDB is there again is known without a sample.
                let seen_to_be_over = index == STORE && level == Level::Below;
                let was = sighting.open.clone();
                sighting.check(
                    is,
                    key,
                    pace(&self.rules, key.0),
                    at,
                    by_hand,
                    seen_to_be_over,
                );
                let changed = was.as_ref().map(|was| was.id) != is.map(|is| is.id);
                let id = is.or(was.as_ref()).map(|alert| alert.id);
                let row = rows().find(|row| Some(row.id) == id);
                let written = row.map(|row| row.resolved_at.is_some());
                assert!(
                    !changed || written == Some(is.is_none()),
                    "{key:?} went from {was:?} to {is:?}, which is written as {row:?}"
                );
            }
        }
        for row in rows().filter(|row| row.condition == Condition::PodDown) {
            let hushes = by_hand && row.resolved_at.is_some();
            if hushes {
                self.sightings.hushed_pods.insert(row.object.clone());
            }
        }
        if !self.sightings.hushed_pods.is_empty() {
            let missed = missed(state);
            let hushed = &mut self.sightings.hushed_pods;
            hushed.retain(|pod| missed.contains(pod.as_str()) || !is_settled(state, pod));
        }
    }

    /// What goes on and what is on disk are one, and true.
    pub(super) fn check_alerts_in_peace(&self, state: &State) {
        let rows = || self.disk.open_alerts();
        let known: BTreeSet<Uuid> = state.episodes.alerts().map(|alert| alert.id).collect();
        let on_disk: BTreeSet<Uuid> = rows().map(|alert| alert.id).collect();
        assert_eq!(on_disk, known, "alerts on disk (left) against those known");
        for alert in state.episodes.alerts() {
            let row = &self.disk.alerts[&alert.id];
            assert_eq!(told(row), told(alert), "row (left) of an alert");
            let grown = alert.peak.unwrap_or(0.0) - row.peak.unwrap_or(0.0);
            assert!((0.0..1.0).contains(&grown), "the peak grew by {grown}");
        }
        for ((key, level), sighting) in
            (WATCHED.iter().zip(self.sightings.levels)).zip(&self.sightings.of)
        {
            let count = rows()
                .filter(|row| (row.condition, row.object.as_str()) == *key)
                .count();
            let told = match level {
                Level::Over => count == usize::from(!sighting.hushed),
                Level::Between => count <= 1,
                Level::Below => count == 0,
            };
            // Pods come and go, and with them what they use.
            let steady = !matches!(key.0, Condition::CpuHigh | Condition::RamHigh);
            assert!(told || !steady, "{key:?} is {level:?} and has {count} rows");
        }
        self.check_missed_pods(state);
    }
}

/// A row as it is told: the peak may have grown a little since it was written.
fn told(alert: &Alert) -> Alert {
    Alert {
        peak: None,
        culprits: Vec::new(),
        ..alert.clone()
    }
}

/// Whether nothing is being done with a pod, nor with a run that misses it.
fn is_settled(state: &State, name: &str) -> bool {
    let mended = state.runs.values().map(|active| &active.run).any(|run| {
        let mends = matches!(run.phase, Phase::Starting { .. } | Phase::Evicting { .. });
        let mut members = run.members.iter();
        mends && members.any(|member| member.pod.as_str() == name && !member.step.satisfied())
    });
    let at_rest = |pod: &Pod| {
        let unseen = matches!(pod.life, Life::Unseen { .. });
        pod.operation.is_none() && pod.queued.is_none() && !unseen
    };
    let pod = state.pods.get(name);
    !mended && !state.to_start_again.contains(name) && pod.is_none_or(at_rest)
}

/// An alert's row follows on `before`.
pub(in crate::engine::simulation) fn check_row(before: Option<&Alert>, row: &Alert) {
    let resolved = row.resolved_at;
    assert!(
        resolved.is_none_or(|at| at >= row.created_at),
        "it ended before it began: {row:?}"
    );
    let Some(before) = before else {
        return;
    };
    assert!(
        before.resolved_at.is_none() || before.resolved_at == resolved,
        "it was resolved: {before:?} (before), {row:?}"
    );
    assert!(
        before.acknowledged_at.is_none() || before.acknowledged_at == row.acknowledged_at,
        "it was acknowledged: {before:?} (before), {row:?}"
    );
    let what = |alert: &Alert| (alert.condition, alert.object.clone(), alert.created_at);
    assert_eq!(what(before), what(row), "it became another");
}
