//! Pods that are missed: those that should run and do not.
//!
//! - What ended badly, or could not be started or kept up, until it runs again or somebody stops
//!   or removes it.
//! - What is wanted up and is down, such as a pod that did not fit after a reboot.
//! - What a running workflow lost, whoever stopped it.
//!
//! A pod that economy mode stopped is not missed, nor is one that ran to its end. Of one that is
//! being started or stopped nothing is said before that is done.

use std::collections::BTreeMap;

use super::super::alerts::{Level, Sight};
use super::super::pod::{Life, Pod};
use super::super::state::State;
use crate::domain::alert::{Condition, Severity};
use crate::domain::economy::Taking;
use crate::domain::name::PodName;
use crate::domain::pod::Category;
use crate::domain::run::{Phase, Step};
use crate::domain::state::Wanted;

impl State {
    /// What there is to say of each pod that is missed, or was until now.
    pub(super) fn sights_of_pods(&self) -> BTreeMap<String, Sight> {
        let mut sights = BTreeMap::new();
        for pod in self.episodes.objects(Condition::PodDown) {
            let level = match self.pods.get(pod.as_str()) {
                Some(known) if self.is_unsettled(&pod, known) => Level::Between,
                _ => Level::Below,
            };
            let over = format!("{pod} is not missed any more");
            let sight = self.sight_of_pod(&pod, level, over);
            sights.insert(pod, sight);
        }
        for (name, pod) in &self.pods {
            let why = match &pod.life {
                Life::Failed { message, .. } => message.clone(),
                Life::Down if pod.wanted == Wanted::Up && !pod.completed => {
                    format!(
                        "{name} should run and does not; start it, or stop it for good: dagdactl pods start {name}"
                    )
                }
                Life::Down | Life::Up { .. } | Life::Unseen { .. } => continue,
            };
            self.miss(name, why, &mut sights);
        }
        for run in self.runs.values().map(|active| &active.run) {
            for member in &run.members {
                let name = &member.pod;
                match (&run.phase, &member.step) {
                    (Phase::Degraded, Step::Lost { message }) => {
                        let why = format!("{message}; workflow {} needs it", run.workflow);
                        self.miss(name, why, &mut sights);
                    }
                    // A run that starts its pods again misses those that it missed before.
                    (Phase::Starting { .. } | Phase::Evicting { .. }, step)
                        if run.ready_at.is_some() && !step.satisfied() =>
                    {
                        if let Some(sight) = sights.get_mut(name.as_str())
                            && sight.level == Level::Below
                        {
                            sight.level = Level::Between;
                        }
                    }
                    _ => {}
                }
            }
        }
        sights
    }

    fn miss(&self, name: &PodName, why: String, sights: &mut BTreeMap<String, Sight>) {
        let unsettled = self
            .pods
            .get(name)
            .is_some_and(|pod| self.is_unsettled(name.as_str(), pod));
        if !unsettled && !self.is_shed(name) {
            let sight = self.sight_of_pod(name.as_str(), Level::Over, why);
            sights.insert(name.to_string(), sight);
        }
    }

    /// Whether it is about to change: what it is now says nothing.
    fn is_unsettled(&self, name: &str, pod: &Pod) -> bool {
        pod.operation.is_some()
            || pod.queued.is_some()
            || matches!(pod.life, Life::Unseen { .. })
            || self.to_start_again.contains(name)
    }

    /// Whether economy mode stopped it, and not somebody or something else.
    fn is_shed(&self, name: &PodName) -> bool {
        let mut taken = self.economy.record().taken.iter();
        taken.any(|taken| taken.pod == *name && matches!(taken.taking, Taking::Shed { .. }))
    }

    fn sight_of_pod(&self, name: &str, level: Level, message: String) -> Sight {
        let essential = self
            .pods
            .get(name)
            .is_some_and(|pod| pod.entry.spec.category == Category::Essential);
        Sight {
            level,
            severity: if essential {
                Severity::Critical
            } else {
                self.settings.alerts.pod_down.severity
            },
            value: None,
            message,
            culprits: Vec::new(),
        }
    }
}
