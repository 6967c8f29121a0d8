//! A plan says what the run would be told.

use super::super::example::{
    budget, evictable, footprint, name, pod, ready, seen, snapshot, workflow,
};
use super::*;
use crate::domain::admission::Remedy;
use crate::domain::pod::Protocol;
use crate::domain::quantity::{Bytes, Millicpu};

/// MariaDB, behind it two models, behind both n8n.
fn ai() -> WorkflowView {
    workflow(
        "ai",
        &[
            ("mariadb", 0, &[]),
            ("llama", 1, &["mariadb"]),
            ("qwen", 1, &["mariadb"]),
            ("n8n", 2, &["llama", "qwen"]),
        ],
    )
}

fn pods() -> Vec<PodView> {
    vec![
        pod("mariadb", footprint(1, 1)),
        pod("llama", footprint(6, 1)),
        pod("qwen", footprint(4, 1)),
        pod("n8n", footprint(1, 1)),
    ]
}

fn planned(snapshot: &Snapshot) -> Plan {
    plan(snapshot, &snapshot.workflows[0]).unwrap()
}

#[test]
fn what_fits_is_planned_with_its_numbers() {
    let plan = planned(&snapshot(pods(), vec![ai()]));
    assert!(plan.decision.is_ok());
    assert_eq!(plan.figures().memory.needed, Bytes::gib(12));
    assert_eq!(plan.figures().memory.available, Bytes::gib(15));
    assert_eq!(plan.figures().cpu.needed, Millicpu(4_000));
    let order: Vec<(&str, u32)> = plan
        .pods
        .iter()
        .map(|pod| (pod.member.pod.as_str(), pod.member.level))
        .collect();
    assert_eq!(
        order,
        [("mariadb", 0), ("llama", 1), ("qwen", 1), ("n8n", 2)]
    );
    assert_eq!(plan.warnings, Vec::<String>::new());
}

#[test]
fn it_reckons_with_what_is_expected_not_with_what_is_declared() {
    let mut pods = pods();
    let managed = pods[1].managed.as_mut().unwrap();
    managed.expected.footprint = footprint(7, 2);
    let snapshot = snapshot(pods, vec![ai()]);
    assert_eq!(planned(&snapshot).figures().memory.needed, Bytes::gib(13));
    assert_eq!(
        expected(&snapshot, &snapshot.workflows[0]),
        footprint(13, 5)
    );
}

#[test]
fn nothing_is_needed_for_what_runs() {
    let mut pods = pods();
    pods[1] = ready(pods[1].clone());
    let mut snapshot = snapshot(pods, vec![ai()]);
    let mut budget = budget();
    budget
        .holders
        .insert(name("llama"), evictable(footprint(6, 1), 50));
    snapshot.budget = Some(Arc::new(budget));
    let plan = planned(&snapshot);
    assert_eq!(plan.figures().memory.needed, Bytes::gib(6));
    let running: Vec<&str> = plan
        .pods
        .iter()
        .filter(|pod| pod.running)
        .map(|pod| pod.member.pod.as_str())
        .collect();
    assert_eq!(running, ["llama"]);
}

#[test]
fn what_does_not_fit_says_who_would_have_to_go() {
    let mut snapshot = snapshot(pods(), vec![ai()]);
    let mut budget = budget();
    budget
        .holders
        .insert(name("web"), evictable(footprint(5, 1), 10));
    snapshot.budget = Some(Arc::new(budget));
    let plan = planned(&snapshot);
    let denial = plan.decision.clone().unwrap_err();
    let Remedy::Evict(victims) = &denial.remedy else {
        panic!("{denial:?}");
    };
    assert_eq!(victims[0].pod, name("web"));
    assert_eq!(
        denial.suggested_command().as_deref(),
        Some("dagdactl workflow run ai --evict")
    );
    assert_eq!(plan.figures(), &denial.figures);
}

#[test]
fn a_pod_that_has_left_the_catalogue_is_named() {
    let mut pods = pods();
    pods.retain(|pod| pod.name != "qwen");
    let snapshot = snapshot(pods, vec![ai()]);
    let workflow = &snapshot.workflows[0];
    let missing = CommandError::MissingPod {
        workflow: "ai".parse().unwrap(),
        pod: name("qwen"),
    };
    assert_eq!(plan(&snapshot, workflow), Err(missing.clone()));
    assert_eq!(decide(&snapshot, workflow), Err(missing));
    assert_eq!(expected(&snapshot, workflow), footprint(8, 3));
}

#[test]
fn nothing_is_decided_before_the_host_was_measured() {
    let mut snapshot = snapshot(pods(), vec![ai()]);
    snapshot.budget = None;
    let error = plan(&snapshot, &snapshot.workflows[0]).unwrap_err();
    assert_eq!(error, CommandError::NotMeasured);
    assert!(error.to_string().contains("not been measured yet"));
}

fn with_times(times: [Option<u64>; 4]) -> Snapshot {
    let pods = pods().into_iter().zip(times).map(|(pod, time)| match time {
        Some(seconds) => seen(pod, seconds),
        None => pod,
    });
    snapshot(pods.collect(), vec![ai()])
}

#[test]
fn times_to_ready_add_up_along_the_longest_way() {
    let plan = planned(&with_times([Some(10), Some(90), Some(30), Some(5)]));
    assert_eq!(plan.ready_after, Some(Duration::from_secs(105)));
}

#[test]
fn one_unknown_time_leaves_the_whole_unknown() {
    let plan = planned(&with_times([Some(10), Some(90), None, Some(5)]));
    assert_eq!(plan.ready_after, None);
}

#[test]
fn a_pod_that_is_ready_takes_no_time() {
    let mut snapshot = with_times([Some(10), Some(90), None, Some(5)]);
    for pod in &mut snapshot.pods {
        if pod.name == "qwen" || pod.name == "llama" {
            *pod = ready(pod.clone());
        }
    }
    let plan = planned(&snapshot);
    assert_eq!(plan.ready_after, Some(Duration::from_secs(15)));
}

#[test]
fn a_timeout_that_is_too_short_is_warned_of() {
    let plan = planned(&with_times([Some(10), Some(300), Some(30), Some(5)]));
    assert!(plan.decision.is_ok());
    assert_eq!(
        plan.warnings,
        [
            "its pods have taken up to 5m 15s to become ready, and the timeout is 5m; raise spec.timeout, or run it with --timeout"
        ]
    );
}

fn publishing(mut pod: PodView, host_port: u16) -> PodView {
    pod.ports = vec![PublishedPort {
        host_ip: None,
        host_port,
        container_port: 80,
        protocol: Protocol::Tcp,
    }];
    pod
}

#[test]
fn a_host_port_that_another_pod_holds_is_warned_of() {
    let mut pods = pods();
    pods[1] = publishing(pods[1].clone(), 8080);
    let web = |port| publishing(ready(pod("web", footprint(1, 1))), port);
    let warnings = |pods: &[PodView]| planned(&snapshot(pods.to_vec(), vec![ai()])).warnings;
    let said = [
        "llama cannot start while web holds host port 8080; stop it first: dagdactl pods stop web",
    ];
    pods.push(web(8080));
    assert_eq!(warnings(&pods), said);
    pods[4] = publishing(pod("web", footprint(1, 1)), 8080);
    assert!(warnings(&pods).is_empty(), "it does not run");
    pods[4] = web(8081);
    assert!(warnings(&pods).is_empty(), "it holds another port");
    let mut unmanaged = snapshot(pods, vec![ai()]);
    unmanaged.unmanaged = vec![web(8080)];
    assert_eq!(planned(&unmanaged).warnings, said);
}

#[test]
fn a_runtime_that_does_not_answer_is_warned_of() {
    let mut snapshot = snapshot(pods(), vec![ai()]);
    let reason = "no socket".to_owned();
    snapshot.runtime = RuntimeLink::Down { reason };
    let plan = planned(&snapshot);
    assert_eq!(plan.warnings.len(), 1);
    assert!(plan.warnings[0].contains("no socket"));
}
