//! Follows what pods use from run to run, so that it is known what to expect of them.

use jiff::{SignedDuration, Timestamp};

use super::super::effect::{Effect, Persist};
use super::super::pod::Life;
use super::super::state::State;
use crate::domain::name::PodName;
use crate::domain::sample::PodUsage;
use crate::ports::Record;

/// A pod that was started so much later than it was measured was started before the clock was set
/// back.
const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_mins(1);

impl State {
    /// Takes over what each pod was measured to use. As a rule they are the same pods as before.
    pub(super) fn take_usage(&mut self, measured: &[(String, PodUsage)]) {
        for (name, usage) in measured {
            match self.usage.get_mut(name) {
                Some(known) => *known = *usage,
                None => _ = self.usage.insert(name.clone(), *usage),
            }
        }
        if self.usage.len() != measured.len() {
            let still = |name: &String| measured.iter().any(|(other, _)| other == name);
            self.usage.retain(|name, _| still(name));
        }
    }

    /// Leaves out what pods were measured to use at `at` that have been started anew since.
    pub(super) fn forget_earlier_lives(&mut self, at: Timestamp) {
        let pods = &self.pods;
        self.usage.retain(|name, _| {
            let life = pods.get(name.as_str()).map(|pod| &pod.life);
            let Some(Life::Up { since, .. }) = life else {
                return true;
            };
            let younger = since.duration_since(at);
            younger <= SignedDuration::ZERO || younger >= CLOCK_SET_BACK
        });
    }

    /// Takes in what the pods were measured to use.
    pub(super) fn measure_pods(&mut self, now: Timestamp) {
        for (name, usage) in &self.usage {
            if let Some(pod) = self.pods.get_mut(name.as_str())
                && matches!(pod.life, Life::Up { .. })
            {
                pod.usage.measured(usage, now);
            }
        }
    }

    /// Notices runs of pods that began, became ready or ended in this step.
    pub(super) fn observe_usage(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let mut records = Vec::new();
        for (name, pod) in &mut self.pods {
            let ready = pod.ready();
            match &pod.life {
                Life::Up { since, .. } => {
                    if !pod.usage.watches(*since) {
                        self.usage.remove(name.as_str());
                        let id = self.identities.next(now);
                        records.extend(pod.usage.begins(id, name, *since, now));
                    }
                    if ready {
                        pod.usage.becomes_ready(now);
                    }
                }
                Life::Down | Life::Failed { .. } => {
                    records.extend(pod.usage.ends(pod.completed, now));
                }
                Life::Unseen { .. } => {}
            }
        }
        if records.is_empty() {
            return;
        }
        let records = records
            .into_iter()
            .map(|run| Record::PutPodRun(Box::new(run)));
        out.push(Effect::Persist(Persist::Fact {
            records: records.collect(),
            then: Vec::new(),
        }));
    }

    /// What the runs that go on have used, where it grew since it was last written.
    pub(super) fn unwritten_usage(&mut self) -> Vec<Record> {
        let runs = self
            .pods
            .iter_mut()
            .filter_map(|(_, pod): (&PodName, _)| pod.usage.unwritten());
        runs.map(|run| Record::PutPodRun(Box::new(run))).collect()
    }
}
