//! Pods that are paused, by whomever.

use super::runs::run;
use super::world::{sized, told};
use super::*;
use crate::domain::alert::Condition;
use crate::domain::pod::{Probe, ProbeAction};
use crate::domain::run::RunState;
use crate::ports::ProbeFailure;

/// A pod that is asked each ten seconds, and is unready after the first failure.
fn probed(name: &str) -> CataloguePod {
    let mut entry = sized(always(name), 100);
    entry.spec.containers[0].readiness = Some(Probe {
        action: ProbeAction::TcpSocket {
            port: 80,
            host: None,
        },
        initial_delay: Duration::ZERO,
        period: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        success_threshold: 1,
        failure_threshold: 1,
    });
    entry
}

impl Bench {
    fn paused(&mut self, pod: &str) -> Vec<Effect> {
        self.becomes(pod, ContainerState::Paused);
        self.look()
    }

    /// Answers the check that is asked for in these effects.
    fn answers(&mut self, effects: &[Effect], result: Result<(), ProbeFailure>) -> Vec<Effect> {
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::Probe {
                spec, watch, check, ..
            } => Some((spec.name.clone(), *watch, *check)),
            _ => None,
        });
        let (pod, watch, check) = asked.expect("a check");
        self.go(Event::Probed {
            pod,
            watch,
            check,
            result,
        })
    }

    fn view(&self, pod: &str) -> (PodStatus, bool, Option<Timestamp>) {
        let snapshot = self.state.snapshot(self.now);
        let view = snapshot.pod(pod).unwrap();
        (view.status, view.ready, view.since)
    }
}

fn timed_out() -> Result<(), ProbeFailure> {
    Err(ProbeFailure("no answer".to_owned()))
}

#[test]
fn a_paused_pod_is_up_but_not_ready_until_it_goes_on() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    let since = bench.pods[0].containers[0].state.clone();
    let (PodStatus::Running, true, up_since) = bench.view("a") else {
        panic!("it runs");
    };
    let mut effects = bench.paused("a");
    bench.wait(600);
    effects.extend(bench.look());
    assert_eq!(bench.view("a"), (PodStatus::Running, false, up_since));
    assert_eq!(bench.wanted("a"), Wanted::Up);
    for kind in [EventKind::PodStopped, EventKind::PodFailed] {
        assert!(told(&effects, kind).is_empty(), "{kind:?}");
    }
    assert_eq!(actions(&effects), [""; 0]);

    bench.becomes("a", since);
    bench.look();
    assert_eq!(bench.view("a"), (PodStatus::Running, true, up_since));
}

#[test]
fn a_paused_pod_that_answers_no_check_degrades_no_run_and_raises_no_alert() {
    let a = probed("a");
    let mut bench = Bench::with_workflows(&[a], &[workflow("w", &[("a", &[])])], &[]);
    bench.measure(1_000, 0);
    let (id, effects) = bench.run_accepted(run("w"));
    let effects = bench.answers(&effects, Ok(()));
    assert_eq!(bench.phase(id), RunState::Running);

    let running = bench.pods[0].containers[0].state.clone();
    bench.paused("a");
    let mut asked = effects;
    for _ in 0..30 {
        bench.wait(10);
        asked = bench.answers(&asked, timed_out());
        bench.measure(1_000, 0);
        assert_eq!(bench.phase(id), RunState::Running);
        assert_eq!(bench.message("a"), "");
    }
    let alerts = bench.state.snapshot(bench.now).alerts;
    assert!(
        !alerts
            .iter()
            .any(|alert| alert.condition == Condition::PodDown),
        "{alerts:?}"
    );

    bench.becomes("a", running);
    bench.look();
    assert!(
        bench.view("a").1,
        "ready at once: nothing is known against it"
    );
    bench.answers(&asked, timed_out());
    assert_eq!(bench.phase(id), RunState::Degraded, "checks count again");
}

#[test]
fn a_restarted_dagdad_finds_a_paused_pod_as_it_was() {
    let mut bench = Bench::with(&[sized(always("a"), 100)]);
    bench.measure(1_000, 0);
    bench.order(start_command("a"));
    bench.wait(120);
    let effects = bench.measure_pods(1_000, 0, &[("a", 50)]);
    let mut lives = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Persist::Measurement(records)) => {
            records.iter().find_map(|record| match record {
                Record::PutPodRun(run) => Some((**run).clone()),
                _ => None,
            })
        }
        _ => None,
    });
    let life = lives.next().expect("a life that goes on");
    let (_, _, since) = bench.view("a");
    let a = sized(always("a"), 100);
    let mut bench = Bench::remembering(Remembered {
        pods: vec![(row(&a, Wanted::Up, PodStatus::Running), a)],
        pod_runs: vec![life],
        ..Remembered::default()
    });
    let effects = bench.paused("a");
    assert_eq!(bench.view("a"), (PodStatus::Running, false, since));
    for kind in [EventKind::PodStarted, EventKind::PodStopped] {
        assert!(told(&effects, kind).is_empty(), "{kind:?}");
    }
    assert_eq!(actions(&effects), [""; 0], "it is not started again");
}
