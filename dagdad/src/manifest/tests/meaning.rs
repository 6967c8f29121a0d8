//! What an accepted manifest means.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::super::{SourceFile, Variables, join, parse, recall, render};
use super::{SMALL, file, parse_all, parse_one};
use crate::domain::catalogue::CataloguePod;
use crate::domain::pod::{
    Category, Footprint, PodSpec, ProbeAction, Protocol, PublishedPort, PullPolicy, RestartPolicy,
};
use crate::domain::quantity::{Bytes, Millicpu};

/// The pod `web` with one container, whose further fields are `fields`.
fn container(fields: &str) -> String {
    SMALL.replace("image: i", &format!("image: i, {fields}"))
}

/// The documents that go to Podman.
#[track_caller]
fn rendered(text: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let pod = parse_one(text, variables);
    let rendered = render(&pod.manifest, &variables.iter().copied().collect()).unwrap();
    rendered
        .text
        .split("---\n")
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

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
fn a_variable_takes_the_type_of_its_field() {
    let text = container(
        "securityContext: {privileged: '${YES}', runAsUser: '${N}'}, ports: [{containerPort: '${N}'}], env: [{name: PIN, value: '${N}'}, {name: ON, value: '${YES}'}], livenessProbe: {tcpSocket: {port: '${N}'}}",
    );
    let text = text.replace(
        "{name: web}",
        "{name: web, labels: {port: '${N}', privileged: '${YES}'}}",
    );
    let pod = rendered(&text, &[("N", "12345"), ("YES", "true")]).remove(0);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        container["securityContext"],
        json!({"privileged": true, "runAsUser": 12345})
    );
    assert_eq!(container["ports"], json!([{"containerPort": 12345}]));
    assert_eq!(
        container["env"],
        json!([{"name": "PIN", "value": "12345"}, {"name": "ON", "value": "true"}])
    );
    assert_eq!(
        container["livenessProbe"]["tcpSocket"]["port"],
        json!(12345)
    );
    assert_eq!(
        pod["metadata"]["labels"],
        json!({"port": "12345", "privileged": "true"})
    );
}

#[test]
fn scalars_mean_what_they_mean_to_podman() {
    let text = format!(
        "{}  volumes:\n  - {{name: v, secret: {{secretName: s, defaultMode: 0644}}}}\n",
        container(
            "tty: yes, env: [{name: A, value: yes}, {name: B, value: 1.10}, {name: C, value: 8080}, {name: D, value: '0022'}]"
        )
    );
    let pod = rendered(&text, &[]).remove(0);
    assert_eq!(
        pod["spec"]["volumes"][0]["secret"]["defaultMode"],
        json!(420)
    );
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["tty"], json!(true));
    let values: Vec<&Value> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["value"])
        .collect();
    assert_eq!(
        values,
        [&json!("yes"), &json!(1.1), &json!(8080), &json!("0022")]
    );
}

#[test]
fn fields_that_nobody_knows_go_to_podman_untouched() {
    let text = container("x-new: {port: '8080', deep: [yes, 1.5, null]}");
    let pod = rendered(&text, &[]).remove(0);
    assert_eq!(
        pod["spec"]["containers"][0]["x-new"],
        json!({"port": "8080", "deep": ["yes", 1.5, null]})
    );
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

#[test]
fn anchors_and_merge_keys_work() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - &base\n    name: a\n    image: &image i:1\n    env: [{name: A, value: b}]\n  - {<<: *base, name: b}\n  - {name: c, image: *image}\n";
    let pod = rendered(text, &[]).remove(0);
    assert_eq!(
        pod["spec"]["containers"][1],
        json!({"name": "b", "image": "i:1", "env": [{"name": "A", "value": "b"}]})
    );
    assert_eq!(pod["spec"]["containers"][2]["image"], json!("i:1"));
}

const TWO_WITH_SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {GREETING: 'hello ${WHO}', RAW: '$${WHO}'}
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers: [{name: a, image: i, envFrom: [{configMapRef: {name: settings}}]}]
---
# the second
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers: [{name: a, image: i, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: GREETING}}}]}]
  volumes:
  - {name: claim, persistentVolumeClaim: {claimName: data}}
  - {name: all, projected: {sources: [{configMap: {name: more}}]}}
  - {name: absent, configMap: {name: elsewhere, optional: true}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: more}
";

#[test]
fn companions_follow_the_pods_that_refer_to_them() {
    let variables = [("WHO", "world")];
    let pods = parse_all(TWO_WITH_SETTINGS, &variables).unwrap();
    let kinds = |pod: &CataloguePod| -> Vec<String> {
        let rendered = render(&pod.manifest, &variables.into_iter().collect()).unwrap();
        let documents = rendered
            .text
            .split("---\n")
            .map(|text| serde_json::from_str::<Value>(text).unwrap());
        documents
            .map(|document| document["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&pods[0]), ["settings", "one"]);
    assert_eq!(kinds(&pods[1]), ["settings", "more", "two"]);
    assert!(
        pods[1]
            .manifest
            .text
            .starts_with("# the second\napiVersion: v1\nkind: Pod\n")
    );
    assert!(
        !pods[0]
            .manifest
            .text
            .contains("kind: PersistentVolumeClaim")
    );
    let rendered = render(&pods[0].manifest, &variables.into_iter().collect()).unwrap();
    assert!(
        rendered
            .text
            .contains(r#"{"GREETING":"hello world","RAW":"${WHO}"}"#),
        "{}",
        rendered.text
    );
}

#[rstest]
#[case("", false)]
#[case(", annotations: {volume.podman.io/driver: local}", true)]
fn a_claim_is_played_where_it_says_more_than_a_name(
    #[case] annotations: &str,
    #[case] played: bool,
) {
    let text = format!(
        "{SMALL}  volumes: [{{name: v, persistentVolumeClaim: {{claimName: data}}}}]\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data{annotations}}}\n"
    );
    assert_eq!(rendered(&text, &[]).len(), 1 + usize::from(played));
}

#[test]
fn what_is_exported_is_unchanged_when_it_is_applied_again() {
    let variables: Variables = [("WHO", "world")].into_iter().collect();
    let directive = "%YAML 1.2\n# strict\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: three}\nspec: {containers: [{name: a, image: i}]}";
    let files = [
        file("a.yml", TWO_WITH_SETTINGS),
        file("b.yml", directive),
        file("c.yml", SMALL),
    ];
    let pods = parse(&files, &variables).unwrap();
    let exported = join(pods.iter().map(|pod| pod.manifest.text.as_str()));
    let again = parse(&[file("export.yml", &exported)], &variables).unwrap();
    assert_eq!(pods, again, "{exported}");
}

#[test]
fn the_owners_text_is_kept() {
    let text = "\u{feff}# the header\r\n---\r\n# the pod\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {name: web} # here\r\nspec:\r\n  containers:\r\n  - name: a\r\n    image: i\r\n    args:\r\n    - |\r\n      ---\r\n      ...\r\n# the end";
    let pod = parse_one(text, &[]);
    assert_eq!(
        pod.manifest.text,
        text.replace("---\r\n# the pod", "# the pod")[3..].to_owned() + "\n"
    );
    let args = &rendered(text, &[])[0]["spec"]["containers"][0]["args"];
    assert_eq!(*args, json!(["---\n...\n"]));
}

#[test]
fn the_digest_is_that_of_the_text() {
    let digest = parse_one(SMALL, &[]).manifest.digest.0;
    // printf '…' | sha256sum
    assert_eq!(
        digest,
        "7c212666eeb313bfecbfbc46f00ddc93d28dcb50a2b837c1754a58b99f2ac88f"
    );
    assert_ne!(
        digest,
        parse_one(&format!("{SMALL}# a word\n"), &[])
            .manifest
            .digest
            .0
    );
}

/// Each field that can hold a variable, with what it falls back to.
#[test]
fn without_its_variables_a_pod_is_recalled_doing_least() {
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {dagda/category: '${CATEGORY}', dagda/priority: '${N}', dagda/after: 'db, ${AFTER}'}
spec:
  hostNetwork: ${HOST}
  terminationGracePeriodSeconds: ${N}
  restartPolicy: ${RESTART}
  containers:
  - name: ${NAME}
    image: ${IMAGE}:1
    args: ['${ARG}']
    imagePullPolicy: ${PULL}
    ports:
    - {containerPort: 80, hostPort: '${N}', protocol: '${PROTOCOL}'}
    - {containerPort: '${N}', hostPort: 8080}
    - {containerPort: 81, hostPort: 8081, hostIP: '${IP}'}
    - {containerPort: 82, hostPort: 8082}
    resources: {requests: {memory: '${MEMORY}', cpu: '${N}'}, limits: {cpu: 90}}
    readinessProbe: {httpGet: {port: '${N}'}, periodSeconds: '${N}'}
    securityContext: {privileged: '${HOST}'}
  - {name: b, image: i, readinessProbe: {tcpSocket: {port: 82}, periodSeconds: '${N}'}}
";
    let variables: Variables = [
        ("CATEGORY", "optional"),
        ("N", "77"),
        ("AFTER", "n8n"),
        ("HOST", "false"),
        ("RESTART", "Never"),
        ("NAME", "a"),
        ("IMAGE", "i"),
        ("ARG", "x"),
        ("PULL", "Never"),
        ("PROTOCOL", "UDP"),
        ("IP", "127.0.0.1"),
        ("MEMORY", "1Gi"),
    ]
    .into_iter()
    .collect();
    let pods = parse(
        &[SourceFile {
            name: "-".into(),
            text: text.into(),
        }],
        &variables,
    )
    .unwrap();
    assert_eq!(recall(&pods[0].manifest, &variables).unwrap(), pods[0]);
    let recalled = recall(&pods[0].manifest, &Variables::default()).unwrap();
    assert_eq!(recalled.manifest, pods[0].manifest);
    insta::assert_debug_snapshot!(recalled.spec);
    // Values that no longer fit do the same as values that are gone.
    let names = [
        "CATEGORY", "N", "AFTER", "HOST", "RESTART", "PULL", "PROTOCOL", "IP", "MEMORY",
    ];
    let nonsense: Variables = names
        .into_iter()
        .map(|name| (name, "/"))
        .chain([("NAME", "${NAME}"), ("IMAGE", "${IMAGE}")])
        .collect();
    assert_eq!(
        recall(&pods[0].manifest, &nonsense).unwrap().spec,
        recalled.spec
    );
}

#[test]
fn a_null_is_what_go_makes_of_it() {
    let text =
        container("command: [~], env: [{name: A, value: ~}], ports: ~, resources: ~").replace(
            "{name: web}",
            "{name: web, annotations: {a: , dagda/after: }, labels: }",
        ) + "  volumes:\n  - name: v\n    emptyDir:\n";
    let spec = parse_one(&text, &[]).spec;
    assert!(spec.after.is_empty() && spec.containers[0].ports.is_empty());
    assert_eq!(
        rendered(&text, &[])[0]["metadata"]["annotations"],
        json!({"a": null, "dagda/after": null})
    );
}

#[test]
fn a_quoted_number_is_taken_as_one() {
    let pod = rendered(
        &container("ports: [{containerPort: '80', hostPort: ' 8080 '}], tty: 'On'"),
        &[],
    )
    .remove(0);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        container["ports"],
        json!([{"containerPort": 80, "hostPort": 8080}])
    );
    assert_eq!(container["tty"], json!(true));
}
