use rstest::rstest;

use super::*;

fn listing(pods: &[u8], containers: &[u8]) -> Listing {
    Listing {
        pods: serde_json::from_slice::<Option<_>>(pods)
            .unwrap()
            .unwrap_or_default(),
        containers: serde_json::from_slice::<Option<_>>(containers)
            .unwrap()
            .unwrap_or_default(),
    }
}

fn running_4() -> Listing {
    listing(
        include_bytes!("fixtures/pods_4.json"),
        include_bytes!("fixtures/containers_4.json"),
    )
}

/// Shaped after libpod's API description for Podman 5: with `Restarts`, `ExposedPorts`,
/// several protocols and a row of ports, and `null` where a list is empty.
fn running_5() -> Listing {
    listing(
        include_bytes!("fixtures/pods_5.json"),
        include_bytes!("fixtures/containers_5.json"),
    )
}

fn observed(listing: &Listing) -> Vec<ObservedContainer> {
    let pod = &listing.pods[0];
    let inspected = Inspected::default();
    inspected.remember_init(&pod.name, ["prep".to_owned()].into_iter());
    listing
        .pod(&pod.name)
        .unwrap()
        .1
        .into_iter()
        .filter(|container| !container.is_infra)
        .map(|container| inspected.container(pod, container, false, Timestamp::UNIX_EPOCH))
        .collect()
}

#[test]
fn containers_have_their_names_from_the_manifest() {
    let names: Vec<_> = observed(&running_4()).into_iter().map(|c| c.name).collect();
    assert_eq!(names, ["a", "b-c"]);
}

#[test]
fn a_running_container_runs_since_its_start() {
    for container in observed(&running_4()) {
        let ContainerState::Running { since } = container.state else {
            panic!("{container:?}")
        };
        assert!(since > "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
    }
}

#[test]
fn ports_are_those_of_the_infra_container() {
    let listing = running_4();
    let (_, containers) = listing.pod("duo").unwrap();
    let port = |host_ip: Option<&str>, host_port, container_port, protocol| PublishedPort {
        host_ip: host_ip.map(|ip| ip.parse().unwrap()),
        host_port,
        container_port,
        protocol,
    };
    let mut ports = held_ports(&containers);
    ports.sort();
    assert_eq!(
        ports,
        [
            port(None, 21002, 53, Protocol::Udp),
            port(Some("127.0.0.1"), 21001, 80, Protocol::Tcp),
        ]
    );
    let listing = running_5();
    let (_, containers) = listing.pod("web").unwrap();
    assert_eq!(
        held_ports(&containers),
        [
            port(None, 9000, 90, Protocol::Tcp),
            port(None, 9001, 91, Protocol::Tcp),
            port(None, 9000, 90, Protocol::Udp),
            port(None, 9001, 91, Protocol::Udp),
        ]
    );
}

#[test]
fn a_pod_that_ended_holds_no_port_and_has_an_exit_code() {
    let listing = listing(
        include_bytes!("fixtures/pods_ended_4.json"),
        include_bytes!("fixtures/containers_ended_4.json"),
    );
    let (_, containers) = listing.pod("crash").unwrap();
    assert_eq!(held_ports(&containers), []);
    let states: Vec<_> = observed(&listing).into_iter().map(|c| c.state).collect();
    assert!(
        matches!(states[..], [ContainerState::Exited { code: 3, .. }]),
        "{states:?}"
    );
}

#[test]
fn podman_5_tells_restarts_and_init_containers_are_remembered() {
    let containers = observed(&running_5());
    let [server, prep] = &containers[..] else {
        panic!("{containers:?}")
    };
    assert_eq!(
        (server.name.as_str(), server.restarts, server.init),
        ("server", 4, false)
    );
    assert_eq!(
        (prep.name.as_str(), prep.restarts, prep.init),
        ("prep", 0, true)
    );
}

#[test]
fn null_is_an_empty_list() {
    let listing = listing(b"null", b"null");
    assert!(listing.pods.is_empty() && listing.containers.is_empty());
}

#[rstest]
#[case("created", 0, 0, ContainerState::Created)]
#[case("initialized", 0, 0, ContainerState::Created)]
#[case("a state of the future", 0, 0, ContainerState::Created)]
#[case("paused", 0, 0, ContainerState::Paused)]
#[case("stopping", 0, 0, ContainerState::Stopping)]
#[case("removing", 0, 0, ContainerState::Stopping)]
#[case::between_two_restarts("stopped", 1000, 1001, ContainerState::Stopping)]
#[case::never_cleaned_up(
    "stopped", 1000, 1100,
    ContainerState::Exited { code: 7, at: Timestamp::from_second(1000).unwrap(), oom_killed: true }
)]
#[case::year_one(
    "exited", -62_135_596_800, 0,
    ContainerState::Exited { code: 7, at: Timestamp::from_second(-62_135_596_800).unwrap(), oom_killed: true }
)]
fn states(
    #[case] state_text: &str,
    #[case] exited_at: i64,
    #[case] now: i64,
    #[case] expected: ContainerState,
) {
    let container: wire::Container = serde_json::from_value(serde_json::json!({
        "Id": "x", "State": state_text, "ExitedAt": exited_at, "ExitCode": 7,
    }))
    .unwrap();
    assert_eq!(
        state(&container, true, Timestamp::from_second(now).unwrap()),
        expected
    );
}

#[test]
fn rows_of_ports_take_no_more_memory_than_there_are_ports() {
    let row = r#"{"container_port":1,"host_port":1,"range":65535,"protocol":"tcp,,udp,tcp"}"#;
    let rows = vec![row; 1000].join(",");
    let infra = format!(r#"[{{"Id":"a","State":"running","IsInfra":true,"Ports":[{rows}]}}]"#);
    let listing = listing(b"[]", infra.as_bytes());
    let ports = held_ports(&[&listing.containers[0]]);
    assert_eq!(ports.len(), MOST_PORTS);
    let row: Vec<_> = published(&listing.containers[0].ports[0]).collect();
    assert_eq!(row.len(), 2 * 65_535, "each protocol once");
}
