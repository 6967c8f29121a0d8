use std::net::Ipv4Addr;

use rstest::rstest;

use super::*;
use crate::domain::pod::{
    Category, ContainerSpec, Footprint, PortSpec, Priority, Probe, ProbeAction, Protocol,
    PullPolicy, RestartPolicy,
};

const PERIOD: Duration = Duration::from_secs(10);
const INITIAL_DELAY: Duration = Duration::from_secs(7);

fn spec(readiness: Option<Probe>, ports: Vec<PortSpec>) -> Arc<PodSpec> {
    Arc::new(PodSpec {
        name: "a".parse().unwrap(),
        category: Category::Optional,
        priority: Priority::default(),
        after: Vec::new(),
        freeze: false,
        idle_timeout: crate::domain::pod::DEFAULT_IDLE_TIMEOUT,
        footprint: Footprint::DEFAULT,
        grace: Duration::from_secs(30),
        restart_policy: RestartPolicy::Always,
        host_network: false,
        init_containers: Vec::new(),
        containers: vec![ContainerSpec {
            name: "server".to_owned(),
            image: "image".to_owned(),
            pull_policy: PullPolicy::IfNotPresent,
            ports,
            readiness,
            memory_limit: None,
            cpu_limit: None,
        }],
    })
}

fn probing(success_threshold: u32, failure_threshold: u32) -> Arc<PodSpec> {
    let probe = Probe {
        action: ProbeAction::TcpSocket {
            port: 80,
            host: None,
        },
        initial_delay: INITIAL_DELAY,
        period: PERIOD,
        timeout: Duration::from_secs(1),
        success_threshold,
        failure_threshold,
    };
    spec(Some(probe), Vec::new())
}

fn publishing() -> Arc<PodSpec> {
    let port = PortSpec {
        name: None,
        container_port: 80,
        host_port: Some(8080),
        host_ip: Some(Ipv4Addr::LOCALHOST.into()),
        protocol: Protocol::Tcp,
    };
    spec(None, vec![port])
}

fn delay(effect: &Effect) -> Duration {
    match effect {
        Effect::Probe { after, .. } => *after,
        other => panic!("not a probe: {other:?}"),
    }
}

const HOLDS: Result<(), ProbeFailure> = Ok(());

fn fails() -> Result<(), ProbeFailure> {
    Err(ProbeFailure("503".to_owned()))
}

#[test]
fn a_pod_without_checks_is_ready() {
    let (watch, effects) = Watch::begin(1, spec(None, Vec::new()), true);
    assert!(watch.ready());
    assert!(effects.is_empty());
}

#[rstest]
#[case::just_started(true, INITIAL_DELAY)]
#[case::found_running(false, Duration::ZERO)]
fn the_initial_delay_counts_from_the_start(#[case] fresh: bool, #[case] expected: Duration) {
    let (_, effects) = Watch::begin(1, probing(1, 1), fresh);
    assert_eq!(effects.iter().map(delay).collect::<Vec<_>>(), [expected]);
}

/// Answers in order (`+` holds, `-` fails), and whether the pod is ready after each.
#[rstest]
#[case::ready_at_once(1, 3, "+", "r")]
#[case::two_in_a_row(2, 3, "+-++", "...r")]
#[case::stays_ready(1, 3, "+--+--", "rrrrrr")]
#[case::not_ready_after_three(1, 3, "+---", "rrr.")]
#[case::ready_again(1, 1, "+-+", "r.r")]
#[case::ready_again_after_two(2, 1, "++-++", ".r..r")]
fn thresholds_count_in_a_row(
    #[case] success: u32,
    #[case] failure: u32,
    #[case] answers: &str,
    #[case] expected: &str,
) {
    let (mut watch, _) = Watch::begin(1, probing(success, failure), true);
    let mut seen = String::new();
    for answer in answers.chars() {
        let result = if answer == '+' { HOLDS } else { fails() };
        assert!(watch.answer(0, result).is_some(), "it is asked again");
        seen.push(if watch.ready() { 'r' } else { '.' });
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_pod_that_is_not_ready_is_asked_often_and_then_less() {
    let (mut watch, _) = Watch::begin(1, publishing(), true);
    let delays: Vec<u128> = (0..8)
        .map(|_| delay(&watch.answer(0, fails()).unwrap()).as_millis())
        .collect();
    assert_eq!(delays, [50, 100, 200, 400, 800, 1000, 1000, 1000]);
    assert_eq!(watch.complaint().unwrap(), "503");
}

#[test]
fn a_port_that_accepted_is_not_asked_again() {
    let (mut watch, _) = Watch::begin(1, publishing(), true);
    assert!(watch.answer(0, HOLDS).is_none());
    assert!(watch.ready());
}

#[test]
fn a_ready_probe_is_asked_each_period() {
    let (mut watch, _) = Watch::begin(1, probing(1, 3), true);
    assert_eq!(delay(&watch.answer(0, HOLDS).unwrap()), PERIOD);
    assert_eq!(delay(&watch.answer(0, fails()).unwrap()), PERIOD);
    assert!(watch.ready());
}

#[test]
fn an_answer_to_no_check_changes_nothing() {
    let (mut watch, _) = Watch::begin(1, probing(1, 3), true);
    let before = watch.clone();
    assert!(watch.answer(5, HOLDS).is_none());
    assert_eq!(watch, before);
}
