//! Economy mode as the engine carries it out.

use super::world::{asked, sized, told};
use super::*;
use crate::domain::economy::{EconomyRecord, Rung, Taking};
use crate::domain::pod::{Category, Priority};
use crate::domain::run::Step;
use crate::domain::sample::PodUsage;

/// What is given out of the machine's memory, in MiB: 80 %. It is left at 9,375.
const CEILING: u64 = 10_000;

fn valued(mut entry: CataloguePod, priority: u8) -> CataloguePod {
    entry.spec.priority = Priority::new(priority).unwrap();
    entry
}

fn essential(mut entry: CataloguePod) -> CataloguePod {
    entry.spec.category = Category::Essential;
    entry
}

/// `low`, `high` and `vital` run and use 1,000 MiB each; economy mode is armed.
fn three() -> Bench {
    let entries = [
        valued(sized(always("low"), 1_000), 10),
        valued(sized(always("high"), 1_000), 90),
        essential(valued(sized(always("vital"), 1_000), 1)),
    ];
    let mut bench = Bench::with_running(&entries, &["low", "high", "vital"]);
    bench.state.settings.economy_policy = Policy::Auto;
    bench.wait(120);
    bench
}

/// Samples for so long, with what it leads to; pods that are up use 1,000 MiB each.
fn watch(bench: &mut Bench, others: u64, seconds: i64) -> Vec<Effect> {
    let mut effects = Vec::new();
    for _ in 0..seconds / 5 {
        bench.wait(5);
        let ups: Vec<String> = bench.ups().iter().map(ToString::to_string).collect();
        let pods: Vec<(&str, u64)> = ups.iter().map(|pod| (pod.as_str(), 1_000)).collect();
        effects.extend(bench.measure_pods(CEILING, others, &pods));
    }
    effects
}

/// The same until economy mode asks for something.
fn await_act(bench: &mut Bench, others: u64) -> Vec<Effect> {
    for _ in 0..120 {
        let effects = watch(bench, others, 5);
        let acts = |effect: &Effect| {
            matches!(
                effect,
                Effect::Persist(Persist::Economy { .. }) | Effect::Ease { .. }
            )
        };
        if effects.iter().any(acts) || !told(&effects, EventKind::Restored).is_empty() {
            return effects;
        }
    }
    panic!("nothing in ten minutes");
}

fn records(effects: &[Effect]) -> Vec<EconomyRecord> {
    let written = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Persist::Fact { records, .. } | Persist::Economy { records, .. }) => {
            Some(records)
        }
        _ => None,
    });
    let records = written.flatten().filter_map(|record| match record {
        Record::PutEconomy(record) => Some((**record).clone()),
        _ => None,
    });
    records.collect()
}

fn shed(bench: &Bench) -> Vec<&str> {
    let taken = bench.state.economy.record().taken.iter();
    let stopped = taken.filter(|taken| taken.taking.rung() == Rung::Stop);
    stopped.map(|taken| taken.pod.as_str()).collect()
}

#[test]
fn the_least_valuable_pod_is_shed_and_comes_back_when_there_is_room() {
    let mut bench = three();
    let effects = await_act(&mut bench, 7_500);
    assert_eq!(asked(&effects, "stop"), ["low"]);
    assert_eq!(told(&effects, EventKind::EconomyEntered).len(), 1);
    let message = told(&effects, EventKind::Shed).pop().unwrap();
    assert!(
        message.contains("RAM is at 84.0 % of at most 80 %") && message.contains("frees about"),
        "{message}"
    );
    assert_eq!(bench.ups(), ["high", "vital"]);
    assert_eq!(shed(&bench), ["low"]);
    let effects = watch(&mut bench, 7_500, 300);
    assert_eq!(told(&effects, EventKind::EconomyMeasured).len(), 1);
    assert_eq!(asked(&effects, "stop"), [""; 0]);

    let effects = watch(&mut bench, 2_000, 120);
    assert_eq!(asked(&effects, "play"), [""; 0], "before the recovery time");
    let effects = watch(&mut bench, 2_000, 10);
    assert_eq!(told(&effects, EventKind::EconomyLeft).len(), 1);
    assert_eq!(asked(&effects, "play"), ["low"]);
    assert_eq!(bench.ups(), ["high", "low", "vital"]);
    assert_eq!(shed(&bench), [""; 0]);
    assert_eq!(records(&effects).last().unwrap().taken, []);
    assert_eq!(bench.wanted("low"), Wanted::Up);
}

#[test]
fn what_is_taken_is_on_disk_before_anything_is_asked_of_the_runtime() {
    let mut bench = three();
    let mut effects = watch(&mut bench, 7_500, 30);
    bench.disk_is_full(true);
    effects.extend(watch(&mut bench, 7_500, 5));
    assert_eq!(asked(&effects, "stop"), [""; 0]);
    assert_eq!(told(&effects, EventKind::EconomyFailed).len(), 1);
    assert_eq!(shed(&bench), [""; 0]);
    assert_eq!(bench.ups().len(), 3);
    bench.disk_is_full(false);
    let effects = watch(&mut bench, 7_500, 5);
    assert_eq!(asked(&effects, "stop"), ["low"]);
}

#[test]
fn optional_starts_are_refused_while_it_is_active_and_essential_ones_are_not() {
    let entries = [
        valued(sized(always("low"), 1_000), 10),
        sized(always("more"), 10),
        essential(sized(always("vital"), 10)),
    ];
    let mut bench = Bench::with_running(&entries, &["low"]);
    bench.state.settings.economy_policy = Policy::Auto;
    await_act(&mut bench, 9_600);
    let effects = watch(&mut bench, 9_600, 10);
    assert_eq!(told(&effects, EventKind::EconomyLeft), [""; 0]);
    let (reply, _) = bench.order(start_command("more"));
    let Reply::Refused(error @ CommandError::EconomyActive { .. }) = reply else {
        panic!("{reply:?}");
    };
    let told = error.to_string();
    assert!(
        told.contains("more is not started: economy mode is active since")
            && told.contains("RAM was at")
            && told.contains("--force"),
        "{told}"
    );
    let (reply, _) = bench.order(start_command("vital"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    let (reply, effects) = bench.order(Command::Start {
        pod: "more".to_owned(),
        admission: Admission::Force,
    });
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    let forced = super::world::told(&effects, EventKind::Forced);
    assert!(forced[0].contains("economy mode is active"), "{forced:?}");
}

#[test]
fn what_a_person_stops_does_not_come_back() {
    let mut bench = three();
    await_act(&mut bench, 7_500);
    assert_eq!(shed(&bench), ["low"]);
    bench.order(stop("low"));
    assert_eq!(shed(&bench), [""; 0]);
    let effects = watch(&mut bench, 2_000, 600);
    assert_eq!(asked(&effects, "play"), [""; 0]);
}

#[test]
fn a_pod_that_somebody_removed_or_started_is_not_given_back() {
    let mut bench = three();
    await_act(&mut bench, 7_500);
    bench.order(Command::Start {
        pod: "low".to_owned(),
        admission: Admission::Force,
    });
    assert_eq!(shed(&bench), [""; 0]);
    let mut bench = three();
    await_act(&mut bench, 7_500);
    bench.order(remove("low", false));
    bench.tell(Event::Tick);
    assert_eq!(shed(&bench), [""; 0]);
}

#[test]
fn a_daemon_that_was_killed_goes_on_and_gives_back_what_it_took() {
    let mut bench = three();
    await_act(&mut bench, 7_500);
    bench.reborn();
    bench.state.settings.economy_policy = Policy::Auto;
    bench.look();
    assert_eq!(shed(&bench), ["low"]);
    assert!(bench.state.economy.record().active.is_some());
    let effects = watch(&mut bench, 2_000, 140);
    assert_eq!(asked(&effects, "play"), ["low"]);
}

#[test]
fn a_kill_between_the_record_and_the_stop_leaves_the_pod_up_and_forgets_it() {
    let mut bench = three();
    watch(&mut bench, 7_500, 30);
    bench.wait(5);
    let sample = bench.sample(
        CEILING,
        7_500,
        &[("low", 1_000), ("high", 1_000), ("vital", 1_000)],
    );
    let effects = bench.tell(sample);
    assert!(records(&effects).last().unwrap().taken.len() == 1);
    bench.reborn();
    bench.look();
    assert_eq!(shed(&bench), [""; 0]);
    assert_eq!(bench.ups().len(), 3);
}

#[test]
fn cpu_is_throttled_through_the_runtime_and_given_back() {
    let entries = [sized(always("busy"), 100)];
    let mut bench = Bench::with_running(&entries, &["busy"]);
    bench.state.settings.economy_policy = Policy::Auto;
    let sample = |bench: &mut Bench, cpu: f64, of_pod: f64| {
        bench.wait(5);
        let Event::Sampled(mut sample) = bench.sample(CEILING, 1_000, &[]) else {
            unreachable!()
        };
        sample.host.cpu_percent = cpu;
        let usage = PodUsage {
            cpu_percent: of_pod,
            ..PodUsage::default()
        };
        sample.pods = vec![("busy".to_owned(), usage)];
        bench.go(Event::Sampled(sample))
    };
    bench.wait(120);
    let mut effects = Vec::new();
    for _ in 0..8 {
        effects.extend(sample(&mut bench, 90.0, 400.0));
    }
    let eased: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Ease { easing, .. } => Some(*easing),
            _ => None,
        })
        .collect();
    // Eight cores, 20 % too much: 1.6 of the 4 that it uses.
    let limit = crate::domain::quantity::Millicpu(2_400);
    assert_eq!(eased, [Easing::Throttle(Some(limit))]);
    assert_eq!(told(&effects, EventKind::Throttled).len(), 1);
    let record = bench.state.economy.record();
    assert_eq!(record.taken[0].taking, Taking::Throttled { to: limit });
    let mut effects = Vec::new();
    for _ in 0..40 {
        effects.extend(sample(&mut bench, 20.0, 100.0));
    }
    let off = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Ease {
                easing: Easing::Throttle(None),
                ..
            }
        )
    };
    assert_eq!(effects.iter().filter(off).count(), 1);
    assert_eq!(bench.state.economy.record().taken, []);
}

#[test]
fn a_runtime_that_cannot_throttle_is_told_of_and_the_pod_stopped_instead() {
    let entries = [sized(always("busy"), 100)];
    let mut bench = Bench::with_running(&entries, &["busy"]);
    bench.state.settings.economy_policy = Policy::Auto;
    bench.has_fail("ease", "busy");
    let mut effects = Vec::new();
    bench.wait(120);
    for _ in 0..8 {
        bench.wait(5);
        let Event::Sampled(mut sample) = bench.sample(CEILING, 1_000, &[]) else {
            unreachable!()
        };
        sample.host.cpu_percent = 90.0;
        let usage = PodUsage {
            cpu_percent: 400.0,
            ..PodUsage::default()
        };
        sample.pods = vec![("busy".to_owned(), usage)];
        effects.extend(bench.go(Event::Sampled(sample)));
    }
    assert_eq!(told(&effects, EventKind::EconomyFailed).len(), 1);
    assert_eq!(asked(&effects, "stop"), ["busy"]);
}

#[test]
fn a_run_that_lost_a_pod_to_economy_mode_is_degraded_and_whole_again_after_it() {
    let entries = [
        valued(sized(always("low"), 1_000), 10),
        essential(sized(always("vital"), 1_000)),
    ];
    let mut flow = workflow("flow", &[("low", &[])]);
    flow.spec.priority = Priority::new(20).unwrap();
    let mut bench = Bench::with_workflows(&entries, &[flow], &["vital"]);
    bench.measure_pods(CEILING, 2_000, &[("vital", 1_000)]);
    let (reply, _) = bench.order(Command::Run {
        workflow: "flow".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: None,
    });
    let Reply::Run(run) = reply else {
        panic!("{reply:?}")
    };
    bench.look();
    bench.state.settings.economy_policy = Policy::Auto;
    watch(&mut bench, 2_000, 120);
    await_act(&mut bench, 8_500);
    bench.look();
    assert_eq!(shed(&bench), ["low"]);
    let Step::Lost { message } = &bench.run(run).members[0].step else {
        panic!("{:?}", bench.run(run));
    };
    assert_eq!(message, "low was stopped by economy mode");
    assert!(bench.run(run).active());
    watch(&mut bench, 2_000, 140);
    bench.look();
    assert_eq!(bench.steps(run), [("low", "ready")]);

    await_act(&mut bench, 8_500);
    bench.order(Command::StopWorkflow {
        workflow: "flow".to_owned(),
    });
    assert_eq!(shed(&bench), [""; 0]);
}

#[test]
fn the_policy_is_stored_before_it_is_answered_and_outlives_the_daemon() {
    let mut bench = three();
    let set = Command::SetEconomy { policy: Policy::On };
    let ticket = Ticket(77);
    let effects = bench.tell(Event::Command {
        ticket,
        command: set,
    });
    let answered = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Answer { .. }));
    assert!(!answered);
    let then = effects.iter().find_map(|effect| match effect {
        Effect::Persist(Persist::Fact { records, then }) if !then.is_empty() => {
            Some((records.clone(), then.clone()))
        }
        _ => None,
    });
    let (records, then) = then.expect("an answer that waits for the disk");
    assert!(matches!(&records[0], Record::PutEconomy(record) if record.policy == Some(Policy::On)));
    assert!(matches!(&then[..], [Effect::Answer { .. }]));
    assert!(bench.state.economy.record().active.is_some(), "at once");
    bench.reborn();
    assert_eq!(bench.state.economy_policy(), Policy::On);
}

#[test]
fn a_restored_pod_that_does_not_come_up_is_left_to_people() {
    let mut bench = three();
    await_act(&mut bench, 7_500);
    bench.has_fail("play", "low");
    let effects = watch(&mut bench, 2_000, 140);
    assert_eq!(asked(&effects, "play"), ["low"]);
    let failed = told(&effects, EventKind::EconomyFailed);
    assert!(failed[0].contains("dagdactl pods start low"), "{failed:?}");
    let effects = watch(&mut bench, 2_000, 600);
    assert_eq!(asked(&effects, "play"), [""; 0]);
}

#[test]
fn while_the_runtime_is_away_nothing_is_taken() {
    let mut bench = three();
    bench.signal(RuntimeSignal::Disconnected {
        reason: "gone".to_owned(),
    });
    let effects = watch(&mut bench, 7_500, 120);
    assert_eq!(told(&effects, EventKind::EconomyEntered).len(), 1);
    assert_eq!(asked(&effects, "stop"), [""; 0]);
}

#[test]
fn a_kill_while_the_pod_is_being_stopped_does_not_forget_to_give_it_back() {
    let mut bench = three();
    bench.hold("stop", "low");
    await_act(&mut bench, 7_500);
    bench.reborn();
    bench.state.settings.economy_policy = Policy::Auto;
    bench.let_go("stop", "low");
    bench.look();
    assert_eq!(bench.ups(), ["high", "vital"]);
    assert_eq!(shed(&bench), ["low"]);
    let effects = watch(&mut bench, 2_000, 140);
    assert_eq!(asked(&effects, "play"), ["low"]);
}

/// What was decided is being written; the effects of what follows once it is.
fn once_written(bench: &mut Bench, meanwhile: impl FnOnce(&mut Bench)) -> Vec<Effect> {
    watch(bench, 7_500, 30);
    bench.wait(5);
    let pods = [("low", 1_000), ("high", 1_000), ("vital", 1_000)];
    let sample = bench.sample(CEILING, 7_500, &pods);
    let effects = bench.tell(sample);
    let id = effects.iter().find_map(|effect| match effect {
        Effect::Persist(Persist::Economy { id, .. }) => Some(*id),
        _ => None,
    });
    let id = id.expect("something is to be taken");
    assert_eq!(shed(bench), ["low"]);
    meanwhile(bench);
    let effects = bench.tell(Event::EconomyStored { id, result: Ok(()) });
    bench.carry_out(effects)
}

#[test]
fn what_was_called_off_while_it_was_written_is_not_done() {
    let mut bench = three();
    let effects = once_written(&mut bench, |bench| {
        let (ticket, policy) = (Ticket(9), Policy::Off);
        let command = Command::SetEconomy { policy };
        bench.tell(Event::Command { ticket, command });
    });
    assert_eq!(asked(&effects, "stop"), [""; 0]);
    assert_eq!(shed(&bench), [""; 0]);
    assert_eq!(bench.state.economy.record().sheds, []);
}

#[test]
fn a_pod_that_became_essential_while_it_was_written_is_spared() {
    let mut bench = three();
    let effects = once_written(&mut bench, |bench| {
        let low: PodName = "low".parse().unwrap();
        let pod = bench.state.pods.get_mut(&low).unwrap();
        pod.entry = Arc::new(essential((*pod.entry).clone()));
    });
    assert_eq!(asked(&effects, "stop"), ["high"], "the next one");
    assert_eq!(shed(&bench), ["high"]);
}
