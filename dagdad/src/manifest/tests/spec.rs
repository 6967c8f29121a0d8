//! What Dagda itself understands of a pod: the spec that it decides by.

use std::time::Duration;

use rstest::rstest;

use super::{SMALL, container, parse_one};
use crate::domain::pod::{
    Category, Footprint, PodSpec, ProbeAction, Protocol, PublishedPort, PullPolicy, RestartPolicy,
};
use crate::domain::quantity::{Bytes, Millicpu};

#[test]
fn everything_a_pod_says_is_understood() {
    let text = r#"
apiVersion: v1
kind: Pod
metadata:
  name: llama
  annotations:
    dagda/category: essential
    dagda/priority: "60"
    dagda/after: mariadb, n8n,mariadb
    other/annotation: kept
spec:
  restartPolicy: OnFailure
  terminationGracePeriodSeconds: 5
  initContainers:
    - {name: fetch, image: "fetch:1", resources: {limits: {memory: 8Gi}}}
  containers:
    - name: server
      image: ghcr.io/ggml-org/llama.cpp:server
      imagePullPolicy: Always
      ports: [{name: http, containerPort: 8000, hostPort: "${LLAMA_PORT}", hostIP: 127.0.0.1}]
      resources: {requests: {memory: 6Gi, cpu: "2"}, limits: {memory: 7Gi}}
      readinessProbe:
        httpGet: {path: health, port: http, httpHeaders: [{name: Accept, value: "*/*"}]}
        periodSeconds: 3
    - {name: side, image: "side:1", resources: {limits: {cpu: 500m}}}
"#;
    insta::assert_debug_snapshot!(parse_one(text, &[("LLAMA_PORT", "8905")]).spec);
}

#[test]
fn what_is_left_out_has_kubernetes_defaults() {
    let spec = parse_one(SMALL, &[]).spec;
    assert_eq!(
        (spec.category, spec.priority.get()),
        (Category::Optional, 50)
    );
    assert_eq!(spec.grace, Duration::from_secs(30));
    assert_eq!(spec.restart_policy, RestartPolicy::Always);
    assert_eq!(spec.footprint, Footprint::DEFAULT);
    assert_eq!(spec.containers[0].pull_policy, PullPolicy::IfNotPresent);
}

#[rstest]
#[case("", 512 << 20, 1000)]
#[case("resources: {requests: {memory: 1Gi}}", 1 << 30, 1000)]
#[case("resources: {requests: {cpu: 2}}", 512 << 20, 2000)]
#[case("resources: {limits: {memory: 1073741824, cpu: 250m}}", 1 << 30, 250)]
#[case("resources: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}", 1 << 30, 1000)]
fn footprint_is_request_else_limit_else_default(
    #[case] fields: &str,
    #[case] memory: u64,
    #[case] cpu: u64,
) {
    let spec = parse_one(&container(fields), &[]).spec;
    assert_eq!(
        spec.footprint,
        Footprint {
            memory: Bytes(memory),
            cpu: Millicpu(cpu)
        }
    );
}

#[rstest]
#[case("resources: {requests: {memory: 3Gi}}", 3 << 30, 1000)]
#[case("resources: {requests: {memory: 1Mi, cpu: 4}}", 512 << 20, 4000)]
#[case("env: []", 512 << 20, 1000)]
fn init_containers_count_only_where_they_need_more(
    #[case] init: &str,
    #[case] memory: u64,
    #[case] cpu: u64,
) {
    let text = format!("{SMALL}  initContainers:\n  - {{name: init, image: i, {init}}}\n");
    let spec = parse_one(&text, &[]).spec;
    assert_eq!(
        spec.footprint,
        Footprint {
            memory: Bytes(memory),
            cpu: Millicpu(cpu)
        }
    );
}

fn probe(spec: &PodSpec) -> &ProbeAction {
    &spec.containers[0].readiness.as_ref().unwrap().action
}

#[rstest]
#[case("httpGet: {port: 80}", ProbeAction::HttpGet { path: "/".into(), port: 80, headers: vec![], host: None })]
#[case("httpGet: {port: '80', path: /a?b, host: h}", ProbeAction::HttpGet { path: "/a?b".into(), port: 80, headers: vec![], host: Some("h".into()) })]
#[case("httpGet: {port: 443, scheme: HTTPS}", ProbeAction::TcpSocket { port: 443, host: None })]
#[case("grpc: {port: 50051}", ProbeAction::TcpSocket { port: 50051, host: None })]
#[case("tcpSocket: {port: \"${P}\"}", ProbeAction::TcpSocket { port: 3306, host: None })]
#[case("exec: {command: [sh, -c, 'exit 0']}", ProbeAction::Exec { command: vec!["sh".into(), "-c".into(), "exit 0".into()] })]
fn probes(#[case] asks: &str, #[case] expected: ProbeAction) {
    let spec = parse_one(
        &container(&format!("readinessProbe: {{{asks}}}")),
        &[("P", "3306")],
    )
    .spec;
    assert_eq!(*probe(&spec), expected);
}

#[test]
fn probe_times_of_zero_are_the_defaults() {
    let text = container(
        "readinessProbe: {tcpSocket: {port: 1}, periodSeconds: 0, timeoutSeconds: 0, successThreshold: 0, failureThreshold: 0}",
    );
    let probe = parse_one(&text, &[]).spec.containers[0]
        .readiness
        .clone()
        .unwrap();
    assert_eq!(
        (probe.period, probe.timeout),
        (Duration::from_secs(10), Duration::from_secs(1))
    );
    assert_eq!((probe.success_threshold, probe.failure_threshold), (1, 3));
}

#[test]
fn a_host_network_publishes_container_ports() {
    let text = container("ports: [{containerPort: 53, protocol: udp}]") + "  hostNetwork: true\n";
    let ports: Vec<PublishedPort> = parse_one(&text, &[]).spec.published_ports().collect();
    let expected = PublishedPort {
        host_ip: None,
        host_port: 53,
        container_port: 53,
        protocol: Protocol::Udp,
    };
    assert_eq!(ports, [expected]);
}

#[test]
fn one_port_is_free_for_two_addresses_and_two_protocols() {
    let text = container(
        "ports: [{containerPort: 1, hostPort: 53, hostIP: 127.0.0.1}, {containerPort: 1, hostPort: 53, hostIP: 127.0.0.2}, {containerPort: 1, hostPort: 53, protocol: UDP}]",
    );
    assert_eq!(parse_one(&text, &[]).spec.published_ports().count(), 3);
}

#[test]
fn what_podman_generates_is_accepted() {
    let text = r#"
# Save the output of this file and use kubectl create -f to import
# it into Kubernetes.
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: "2026-11-21T20:15:04Z"
  labels:
    app: web
  name: web
spec:
  containers:
  - command:
    - sleep
    - "1000"
    image: docker.io/library/alpine:latest
    name: a
    resources: {}
    securityContext:
      capabilities:
        drop:
        - CAP_MKNOD
    volumeMounts:
    - mountPath: /data
      name: v
  hostname: web
  restartPolicy: Never
  volumes:
  - hostPath:
      path: /srv/v
      type: Directory
    name: v
status: {}
"#;
    assert_eq!(
        parse_one(text, &[]).spec.containers[0].image,
        "docker.io/library/alpine:latest"
    );
}
