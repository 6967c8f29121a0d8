//! Runs: each turn is one of those that the diagrams of `step::run` show, and is written.

use std::collections::BTreeSet;

use super::super::super::effect::Effect;
use super::super::super::pod::Life;
use super::super::super::state::State;
use super::super::World;
use super::{Before, written};
use crate::domain::name::PodName;
use crate::domain::pod::Category;
use crate::domain::run::{Outcome, Phase, Run, RunMember, RunState, Step};
use crate::ports::Record;

impl World {
    pub(super) fn check_runs(&mut self, before: &Before, effects: &[Effect]) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        for record in written(effects) {
            let Record::PutRun(run) = record else {
                continue;
            };
            let earlier = self.ledger.runs.insert(run.id, (**run).clone());
            check_turn(&daemon.state, before, earlier.as_ref(), run);
            if self.climate.gentle {
                self.check_ready(earlier.as_ref(), run);
            }
        }
        let mut active = BTreeSet::new();
        for (id, of_state) in &daemon.state.runs {
            let run = &of_state.run;
            assert_eq!(
                self.ledger.runs.get(id),
                Some(run),
                "as written (left) and as it is"
            );
            assert!(
                !run.active() || active.insert(&run.workflow),
                "two active runs of {}",
                run.workflow
            );
        }
    }

    /// What a run takes for ready runs.
    fn check_ready(&self, earlier: Option<&Run>, run: &Run) {
        for member in &run.members {
            let was = earlier.and_then(|run| run.member(&member.pod));
            if member.step != Step::Ready || was.is_none_or(|was| was.step == Step::Ready) {
                continue;
            }
            let model = self.podman.pods.get(&member.pod);
            assert!(
                model.is_some_and(|model| {
                    let just = (self.now - model.changed_at).get_seconds() < 20;
                    just || model.condition_running_whole()
                }),
                "{} is not ready: {model:?}",
                member.pod
            );
        }
    }
}

fn check_turn(state: &State, before: &Before, earlier: Option<&Run>, run: &Run) {
    let was = earlier.map(|run| run.phase.state());
    let is = run.phase.state();
    assert!(
        was == Some(is) || may_become(was, is),
        "{} turns from {was:?} to {is:?}",
        run.workflow
    );
    for member in &run.members {
        let was = earlier.and_then(|run| run.member(&member.pod));
        check_member(state, before, run, was, member);
    }
    match &run.phase {
        Phase::Ended {
            outcome: Outcome::RolledBack(_),
            ..
        } => check_ending(state, run, true),
        Phase::Ended {
            outcome: Outcome::Stopped,
            ..
        } if was == Some(RunState::Stopping) => check_ending(state, run, false),
        _ => {}
    }
}

/// The arrows of the first diagram.
fn may_become(was: Option<RunState>, is: RunState) -> bool {
    use RunState::{
        Cancelled, Degraded, Evicting, Failed, Queued, RolledBack, RollingBack, Running, Starting,
        Stopped, Stopping,
    };
    let to: &[RunState] = match was {
        // A stop without a run begins with it.
        None => &[Queued, Evicting, Starting, Stopping],
        Some(Queued) => &[Evicting, Starting, Cancelled, Failed],
        // A degraded run that is to be mended goes back, or down.
        Some(Evicting) => &[Starting, Failed, Stopped, Degraded, Stopping],
        Some(Starting) => &[Running, RollingBack, Failed, Stopping],
        Some(Running) => &[Degraded, Stopping, Stopped],
        Some(Degraded) => &[Running, Starting, Evicting, Stopping, Stopped],
        Some(RollingBack) => &[RolledBack],
        // One that could not be stored fails.
        Some(Stopping) => &[Stopped, Failed],
        Some(Stopped | Failed | RolledBack | Cancelled) => &[],
    };
    to.contains(&is)
}

fn check_member(
    state: &State,
    before: &Before,
    run: &Run,
    was: Option<&RunMember>,
    member: &RunMember,
) {
    let name = &member.pod;
    if was.is_some_and(|was| was.step == member.step) {
        return;
    }
    let pod = state.pods.get(name);
    let up = pod.is_some_and(|pod| matches!(pod.life, Life::Up { .. }));
    match &member.step {
        Step::Starting => {
            let mut others = member.after.iter().filter_map(|other| run.member(other));
            assert!(
                others.all(|other| other.step.satisfied()),
                "{name} is started before those it comes after: {run:?}"
            );
        }
        Step::Lost { message } if was.is_some_and(|was| was.step == Step::Completed) => {
            // Somebody started it once more, and that failed or was ended.
            let failed = pod.is_some_and(|pod| matches!(pod.life, Life::Failed { .. }));
            let ran = failed || before.pod(name).is_none_or(|pod| pod.up);
            assert!(ran, "{name} had run to its end and is lost: {message}");
        }
        Step::Stopping => {
            let mut followers = run.members.iter().filter(|m| m.after.contains(name));
            let over = |step: &Step| !matches!(step, Step::Starting | Step::Ready | Step::Stopping);
            let follower = followers.find(|follower| !over(&follower.step));
            assert!(
                follower.is_none(),
                "{name} is stopped before {follower:?} of {run:?}"
            );
        }
        Step::Stopped => assert!(!up, "{name} is up and said to be stopped: {run:?}"),
        Step::Kept { because } => assert!(
            is_needed(state, before, run, member),
            "{name} is kept for no reason: {because}"
        ),
        _ => {}
    }
}

/// Whether somebody needs a pod of a run that ends, or it is not the run's to stop.
fn is_needed(state: &State, before: &Before, run: &Run, member: &RunMember) -> bool {
    let name = &member.pod;
    let mut runs = state.runs.values().map(|active| &active.run);
    let by_run = runs.any(|other| {
        let needs = other.needs_pods()
            || before.needing.contains(&other.id)
            || matches!(other.phase, Phase::Evicting { .. });
        needs && other.id != run.id && other.member(name).is_some()
    });
    let by_essential = state.pods.values().any(|other| {
        let spec = &other.entry.spec;
        spec.category == Category::Essential && spec.after.contains(name)
    });
    let by_kept = run
        .members
        .iter()
        .any(|other| matches!(other.step, Step::Kept { .. }) && other.after.contains(name));
    by_run || by_essential || by_kept || not_its_own(state, run, name, member.started_by_run)
}

fn not_its_own(state: &State, run: &Run, name: &PodName, started_by_run: bool) -> bool {
    let spec = state.pods.get(name).map(|pod| &pod.entry.spec);
    let essential = spec.is_some_and(|spec| spec.category == Category::Essential);
    let rollback = matches!(
        run.phase,
        Phase::RollingBack(_)
            | Phase::Ended {
                outcome: Outcome::RolledBack(_),
                ..
            }
    );
    !started_by_run && (rollback || essential)
}

/// A run that was brought down has left nothing up but what is needed, what was not its own, and
/// what could not be stopped.
fn check_ending(state: &State, run: &Run, rollback: bool) {
    for member in &run.members {
        let Some(pod) = state.pods.get(&member.pod) else {
            continue;
        };
        let up = matches!(pod.life, Life::Up { .. });
        let fair = match &member.step {
            Step::Stopped | Step::Completed | Step::Kept { .. } => true,
            Step::Failed { .. } => true,
            Step::Waiting => !up || (rollback && !member.started_by_run),
            Step::Starting | Step::Ready | Step::Lost { .. } | Step::Stopping => false,
        };
        assert!(
            fair,
            "{} is left {:?} by {run:?}: {pod:?}",
            member.pod, member.step
        );
    }
}
