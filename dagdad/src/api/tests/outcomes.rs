//! What is told to whoever waits for a run.

use rstest::rstest;

use super::super::outcome::{self, Goal};
use crate::domain::name::PodName;
use crate::domain::operation::Done;
use crate::domain::run::{Failure, Outcome, Phase, Run, Step};
use crate::engine::example::{at, footprint, pod, ready, run, run_id, snapshot};

fn ai(phase: Phase, steps: &[(&str, Step)]) -> Run {
    run(run_id(1), "ai", phase, steps)
}

/// The outcome on a box on which llama is up, and mariadb is not.
fn outcome(run: &Run, goal: Goal) -> Option<Result<Done, Failure>> {
    let pods = vec![
        ready(pod("llama", footprint(1, 1))),
        pod("mariadb", footprint(1, 1)),
    ];
    outcome::outcome(run, goal, &snapshot(pods, Vec::new()))
}

fn ended(outcome: Outcome) -> Phase {
    Phase::Ended { at: at(9), outcome }
}

fn failure() -> Failure {
    Failure {
        code: "timed_out".to_owned(),
        message: "llama is not ready after 5m".to_owned(),
        log: vec!["loading".to_owned()],
    }
}

fn kept() -> Step {
    Step::Kept {
        because: "workflow web needs it".to_owned(),
    }
}

fn lost() -> Step {
    Step::Lost {
        message: "llama failed: container server exited with 1".to_owned(),
    }
}

#[rstest]
fn nobody_is_told_while_there_is_something_to_wait_for(
    #[values(Goal::Ready, Goal::Ended)] goal: Goal,
    #[values(
        Phase::Queued,
        Phase::Evicting { victims: Vec::<PodName>::new() },
        Phase::Starting { deadline: at(300) },
        Phase::RollingBack(failure()),
        Phase::Stopping,
    )]
    phase: Phase,
) {
    assert_eq!(
        outcome(&ai(phase, &[("llama", Step::Starting)]), goal),
        None
    );
}

#[test]
fn who_waits_for_the_end_goes_on_waiting_while_it_runs() {
    for (phase, step) in [(Phase::Running, Step::Ready), (Phase::Degraded, lost())] {
        assert_eq!(outcome(&ai(phase, &[("llama", step)]), Goal::Ended), None);
    }
}

#[rstest]
#[case(&[Step::Ready], "ai is running: 1 pod ready")]
#[case(&[Step::Ready, Step::Ready], "ai is running: 2 pods ready")]
#[case(&[Step::Ready, Step::Ready, Step::Completed], "ai is running: 2 pods ready, 1 pod ran to its end")]
#[case(&[Step::Completed, Step::Completed], "ai is running: 2 pods ran to their end")]
fn a_run_is_there_once_it_runs(#[case] steps: &[Step], #[case] message: &str) {
    let steps: Vec<(&str, Step)> = steps.iter().map(|step| ("pod", step.clone())).collect();
    let done = outcome(&ai(Phase::Running, &steps), Goal::Ready);
    let done = done.unwrap().unwrap();
    assert_eq!(done.message, message);
    assert!(done.changed);
}

#[test]
fn a_run_whose_pods_all_ran_to_their_end_went_well() {
    let run = ai(ended(Outcome::Stopped), &[("job", Step::Completed)]);
    let done = outcome(&run, Goal::Ready).unwrap().unwrap();
    assert_eq!(done.message, "ai ran to its end: 1 pod ran to its end");
}

#[rstest]
#[case(Outcome::Stopped, "was stopped meanwhile")]
#[case(Outcome::Cancelled, "was taken out of the queue")]
fn a_run_that_somebody_ended_was_cancelled(#[case] how: Outcome, #[case] words: &str) {
    let run = ai(ended(how), &[("llama", Step::Stopped)]);
    let failure = outcome(&run, Goal::Ready).unwrap().unwrap_err();
    assert_eq!(failure.code, "cancelled");
    assert!(failure.message.contains(words), "{}", failure.message);
    assert!(failure.message.ends_with("dagdactl workflow run ai"));
}

#[test]
fn a_failed_run_tells_why_and_what_is_left_running() {
    let steps = [
        ("mariadb", Step::Ready),
        (
            "llama",
            Step::Failed {
                message: "x".to_owned(),
            },
        ),
        ("n8n", Step::Waiting),
    ];
    let run = ai(ended(Outcome::Failed(failure())), &steps);
    for goal in [Goal::Ready, Goal::Ended] {
        let told = outcome(&run, goal).unwrap().unwrap_err();
        assert_eq!(
            told,
            Failure {
                message: "llama is not ready after 5m; left running: mariadb".to_owned(),
                ..failure()
            }
        );
    }
}

#[test]
fn a_rolled_back_run_says_so_and_what_became_of_its_pods() {
    let steps = [
        ("mariadb", kept()),
        ("llama", Step::Stopped),
        ("qwen", Step::Stopped),
    ];
    let mut run = ai(ended(Outcome::RolledBack(failure())), &steps);
    run.members[2].started_by_run = false;
    let told = outcome(&run, Goal::Ready).unwrap().unwrap_err();
    assert_eq!(
        told,
        Failure {
            message: "llama is not ready after 5m; ai was rolled back, stopped again: llama; mariadb stays up: workflow web needs it".to_owned(),
            ..failure()
        }
    );
}

#[rstest]
#[case(
    Outcome::Stopped,
    "ai is stopped; mariadb stays up: workflow web needs it"
)]
#[case(Outcome::Cancelled, "ai was taken out of the queue")]
#[case(
    Outcome::RolledBack(failure()),
    "ai had failed and was rolled back; mariadb stays up: workflow web needs it; why it had failed: llama is not ready after 5m"
)]
fn a_stop_is_done_once_the_run_has_ended(#[case] how: Outcome, #[case] message: &str) {
    let run = ai(ended(how), &[("mariadb", kept()), ("llama", Step::Stopped)]);
    let done = outcome(&run, Goal::Ended).unwrap().unwrap();
    assert_eq!(done.message, message);
}

fn stuck(pod: &str) -> (&str, Step) {
    let message = "Podman did not stop the pod within 1m".to_owned();
    (pod, Step::Failed { message })
}

#[test]
fn a_stop_that_leaves_a_pod_running_has_failed() {
    // That one failed before, and does not run.
    let steps = [stuck("mariadb"), stuck("llama")];
    let told = outcome(&ai(ended(Outcome::Stopped), &steps), Goal::Ended);
    let told = told.unwrap().unwrap_err();
    assert_eq!(told.code, "runtime_failed");
    assert_eq!(
        told.message,
        "ai is stopped; llama could not be stopped: Podman did not stop the pod within 1m"
    );
    let rolled_back = ai(ended(Outcome::RolledBack(failure())), &steps);
    let told = outcome(&rolled_back, Goal::Ended).unwrap().unwrap_err();
    assert_eq!(told.code, "runtime_failed");
}

#[test]
fn a_rollback_that_leaves_a_pod_running_says_so() {
    let run = ai(ended(Outcome::RolledBack(failure())), &[stuck("llama")]);
    let told = outcome(&run, Goal::Ready).unwrap().unwrap_err();
    assert_eq!(told.code, "timed_out");
    assert_eq!(
        told.message,
        "llama is not ready after 5m; ai was rolled back; llama could not be stopped: Podman did not stop the pod within 1m"
    );
}

#[test]
fn a_run_that_lost_a_pod_at_once_is_not_waited_for() {
    let run = ai(
        Phase::Degraded,
        &[("mariadb", Step::Ready), ("llama", lost())],
    );
    let failure = outcome(&run, Goal::Ready).unwrap().unwrap_err();
    assert_eq!(failure.code, "pod_failed");
    assert_eq!(
        failure.message,
        "ai was running, and not all of its pods run any more: llama failed: container server exited with 1; see dagdactl workflow show ai"
    );
}

#[test]
fn a_run_whose_lost_pod_comes_back_is_waited_for() {
    let run = ai(
        Phase::Degraded,
        &[("mariadb", lost()), ("llama", Step::Starting)],
    );
    assert_eq!(outcome(&run, Goal::Ready), None);
}
